"""The deployed function in a process of its own; the tests hand it what lies in a hub.

It takes events from standard input and calls the function with them, a batch at a time, as the host would.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from dataclasses import dataclass
from typing import cast

import azure.functions as func
from azure.functions.eventhub import EventHubTriggerConverter  # the worker makes events by it
from azure.functions.meta import Datum

from tests.runtime.host import Batch, HubEvent, bodies_of, metadata_of

SIZE = 333
"""Events in a batch."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One event as it was read from a hub."""

    body: str
    """Base64."""
    properties: dict[str, str]
    partition: str
    sequence_number: int
    enqueued: str


@dataclass(frozen=True, slots=True)
class _Retry:
    retry_count: int = 0


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_parent: str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class _Context:
    retry_context: _Retry = _Retry()
    trace_context: _Trace = _Trace()


def main() -> None:
    """Call the function with each batch of one partition."""
    from function_app import forward  # late: importing it reads the settings and connects

    taken = [Taken(**event) for event in json.loads(sys.stdin.buffer.read())]
    for partition in sorted({event.partition for event in taken}):
        events = [event for event in taken if event.partition == partition]
        for start in range(0, len(events), SIZE):
            forward(_events(events[start : start + SIZE]), cast(func.Context, _Context()))


def _events(taken: list[Taken]) -> list[func.EventHubEvent]:
    events = [
        HubEvent(
            b64decode(event.body),
            event.sequence_number,
            str(event.sequence_number),
            event.enqueued,
            properties=event.properties,
        )
        for event in taken
    ]
    batch = Batch(events, partition=taken[0].partition)
    told = {name: Datum(value.value, value.kind) for name, value in metadata_of(batch).items()}
    bodies = bodies_of(batch)
    return cast(
        list[func.EventHubEvent],
        EventHubTriggerConverter.decode(Datum(bodies.value, bodies.kind), trigger_metadata=told),
    )


if __name__ == "__main__":
    main()
