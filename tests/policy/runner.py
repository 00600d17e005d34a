"""The process that runs cases: one line in, one line out."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from typing import IO

SECONDS_PER_CASE = 60


class Runner:
    """A process of mono that is there until `stop`."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `stop`)
        self._process = subprocess.Popen(
            ["mono", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, "TZ": "UTC"},  # the managed gateway's
        )

    def answer(self, case: bytes) -> bytes:
        """Return the line that the process answers with: nothing if it ended, or had to be ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = threading.Timer(SECONDS_PER_CASE, self._process.kill)
        watch.start()
        try:
            self._process.stdin.write(case + b"\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except BrokenPipeError:
            return b""
        finally:
            watch.cancel()

    def last_words(self) -> str:
        """Wait for the end; return what the process complained of."""
        self._process.wait()
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace")[-2000:] or f"no answer in {SECONDS_PER_CASE} seconds"

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()
