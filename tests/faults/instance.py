"""The deployed function in a process of its own, as talkative as it can be; `test_secrets.py` starts it.

It takes batches from standard input, says whatever it says, and goes on after an error, as the host would.
"""

from __future__ import annotations

import logging
import sys
import traceback
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import azure.functions as func
import orjson
from azure.functions._eventhub import EventHubEvent  # the worker makes them of this class, and nobody else can

from tests.faults.records import FIRST_SEQUENCE


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation."""

    bodies: list[str]
    """Base64."""
    retries: int = 0
    """How often the host has delivered the batch before."""


@dataclass(frozen=True, slots=True)
class _Retry:
    retry_count: int


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_parent: str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class _Context:
    retry_context: _Retry
    trace_context: _Trace


def main() -> None:
    """Call the function with each batch."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    from function_app import forward  # after logging is set up: importing it reads the settings and connects

    taken = datetime.now(UTC) - timedelta(minutes=1)
    for number, given in enumerate(orjson.loads(sys.stdin.buffer.read())):
        batch = Batch(**given)
        events = [
            EventHubEvent(
                body=b64decode(body),
                enqueued_time=taken,
                sequence_number=FIRST_SEQUENCE + 1000 * number + index,
                offset=str(index),
            )
            for index, body in enumerate(batch.bodies)
        ]
        try:
            forward(list[func.EventHubEvent](events), cast(func.Context, _Context(_Retry(batch.retries), _Trace())))
            outcome = "acknowledged"
        except Exception as error:  # the host shows the trace of whatever comes out, and goes on
            outcome = type(error).__name__
            traceback.print_exc()
            logging.getLogger("host").exception("the function failed")
        sys.stdout.write(f"outcome {outcome}\n")


if __name__ == "__main__":
    main()
