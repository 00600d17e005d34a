"""A process that loads `function_app.py` and is called as the Functions host calls its Python worker.

Speaks JSON lines on standard input and output; `host.py` is the other end.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import orjson

from chargeback.errors import StoreError


@dataclass(frozen=True, slots=True)
class HostEvent:
    """One event with the members that azure-functions gives it; time without a zone, as the host sends it."""

    body: bytes
    sequence_number: int
    enqueued_time: datetime
    offset: int
    metadata: dict[str, object]
    """The whole batch's, on every event."""
    partition_key: str | None = None

    def get_body(self) -> bytes:
        """Return the body."""
        return self.body


def load_function(folder: Path) -> Callable[[list[HostEvent], object], None]:
    """Load the function from its file, as it is deployed.

    Raises:
        StoreError: there is no function_app.py.
    """
    file = folder / "function_app.py"
    if not file.exists():
        raise StoreError(f"there is no {file}: run this in a checkout of the repository")
    spec = importlib.util.spec_from_file_location("function_app", file)
    if spec is None or spec.loader is None:
        raise StoreError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    forward: Callable[[list[HostEvent], object], None] = module.forward
    return forward


def _events(batch: dict[str, list[object]], metadata: dict[str, object]) -> list[HostEvent]:
    return [
        HostEvent(
            b64decode(str(body)), int(str(number)), datetime.fromisoformat(str(taken)), int(str(number)), metadata
        )
        for body, number, taken in zip(batch["bodies"], batch["numbers"], batch["taken"], strict=True)
    ]


def serve(folder: Path) -> None:
    """Answer batches until standard input ends: `ok`, or the error's name and words."""
    forward = load_function(folder)
    for line in sys.stdin.buffer:
        if not line.endswith(b"\n"):
            return  # the host was interrupted while it handed the batch over
        call = orjson.loads(line)
        context = SimpleNamespace(
            retry_context=SimpleNamespace(retry_count=call["retries"], max_retry_count=-1),
            trace_context=SimpleNamespace(trace_parent=None),
        )
        answer: dict[str, object] = {"ok": True, "error": None}
        try:
            forward(_events(call["batch"], call["metadata"]), context)
        except Exception as error:  # noqa: BLE001  (the host, too, takes whatever the function raises)
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        if call["die"]:
            os._exit(1)  # after the delivery, before anybody hears of it
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    serve(Path(sys.argv[1]))
