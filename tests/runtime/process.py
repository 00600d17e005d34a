"""A worker in a process of its own, as the host has it: the app is imported once, freshly, in an environment we choose.

It cannot be done in the tests' own process: an app can be indexed only once in a process's life.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.runtime.answers import IndexingError, Registered, Result
from tests.runtime.host import Batch, to_line

ROOT = Path(__file__).parent.parent.parent


class WorkerProcess:
    """Starts a worker on entering; ends it, in peace, on leaving."""

    def __init__(
        self, engine: str, environment: Mapping[str, str], folder: Path = ROOT, log: Path | None = None
    ) -> None:
        """Prepare a worker for the app in `folder`, with nothing of this process's environment but PATH and HOME.

        `log` takes what the app prints and logs.
        """
        self._engine, self._folder = engine, folder
        self._log = log
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment = kept | {"PYTHONPATH": str(ROOT)} | dict(environment)
        self.functions: dict[str, Registered] = {}

    def __enter__(self) -> WorkerProcess:
        with Path(os.devnull if self._log is None else self._log).open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "error::ResourceWarning",
                    "-m",
                    "tests.runtime",
                    self._engine,
                    str(self._folder),
                ],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        indexed = json.loads(self._answer())
        if "" in indexed:
            self._end()
            raise IndexingError(indexed[""])
        self.functions = {name: Registered(**found) for name, found in indexed.items()}
        return self

    def invoke(self, function: str, batch: Batch) -> Result:
        """Invoke a function with a batch and wait for its end."""
        if self._process.stdin is None:
            raise RuntimeError("the worker has no standard input")
        self._process.stdin.write(to_line(function, batch))
        self._process.stdin.flush()
        return Result(**json.loads(self._answer()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _answer(self) -> bytes:
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            self._end()
            raise RuntimeError(f"the worker ended with status {self._process.returncode}; see {self._log}")
        return line

    def _end(self) -> None:
        """Close its standard input, after which it sends its telemetry and goes."""
        self._process.communicate(timeout=60)
