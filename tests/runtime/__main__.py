"""A worker process: `python -m tests.runtime ENGINE FOLDER`; the engine is `runtime` or `sdk`.

Says what it indexed, then answers each line on standard input, one invocation, with one line on standard output. Ends
when standard input does. What the app itself prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from tests.runtime.answers import IndexingError, Registered, Worker
from tests.runtime.host import from_line
from tests.runtime.sdk import SdkWorker
from tests.runtime.worker import RuntimeWorker


def main(engine: str, folder: Path) -> None:
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        try:
            worker: Worker = RuntimeWorker(folder) if engine == "runtime" else SdkWorker(folder)
        except IndexingError as error:
            _say(answers, {"": str(error)})
            return
        _say(answers, _described(worker.functions))
        for line in sys.stdin.buffer:
            _say(answers, asdict(worker.invoke(*from_line(line))))
        worker.close()


def _described(functions: Mapping[str, Registered]) -> dict[str, object]:
    return {name: asdict(found) for name, found in functions.items()}


def _say(answers: BinaryIO, what: Mapping[str, object]) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
