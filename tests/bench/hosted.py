"""A function app in the real runtime, in a process of its own: `... FOLDER BATCHES`, its settings in the environment.

Prints, as JSON, the CPU seconds per batch of 1000, and the memory in megabytes: loaded (imported, indexed, one record
taken through, so that everything made once is made) and at its highest in the first batch of 1000.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.records import BATCH, bodies
from tests.runtime.host import Batch, numbered
from tests.runtime.worker import RuntimeWorker

FUNCTION = "ChargebackEventHubTrigger"
_PAGE = resource.getpagesize()


def resident() -> float:
    """Return the process's resident memory in megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


@contextmanager
def highest() -> Iterator[list[float]]:
    """Watch the resident memory meanwhile; the list then holds its peak. The kernel's own mark cannot be set back."""
    peak = [resident()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.0005):
            peak[0] = max(peak[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        peak[0] = max(peak[0], resident())
        done.set()
        watcher.join()


def main(folder: Path, batches: int) -> None:
    worker = RuntimeWorker(folder)
    _check(worker, Batch(numbered(bodies(1))))
    loaded = resident()
    with highest() as peak:
        _check(worker, Batch(numbered(bodies(BATCH))))
    seconds = 0.0
    for _ in range(batches):
        invocation = worker.invocation(FUNCTION, Batch(numbered(bodies(BATCH))))
        started = time.process_time()
        result = worker.run(invocation)
        seconds += time.process_time() - started
        if not result.ok:
            raise RuntimeError(result.error)
    print(json.dumps({"cpu": seconds / max(1, batches), "loaded": loaded, "peak": peak[0]}), flush=True)
    # What is left is the end of telemetry that nobody measures.
    os._exit(0)


def _check(worker: RuntimeWorker, batch: Batch) -> None:
    result = worker.invoke(FUNCTION, batch)
    if not result.ok:
        raise RuntimeError(result.error)


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
