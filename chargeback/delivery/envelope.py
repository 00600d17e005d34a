"""From a custom event to the bytes that the service takes, within the limits that it documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from chargeback import __version__
from chargeback.events import CustomEvent, Refusal
from chargeback.settings import Ingestion

MOST_EVENTS = 1000
MOST_BYTES = 1_000_000
"""Of one POST, before compression."""
LONGEST_ITEM = 65_536
LONGEST_VALUE = 8192
LONGEST_KEY = 150
LONGEST_NAME = 512

Item: TypeAlias = tuple[int, bytes]
"""Place of an event in the batch, and its envelope."""


_ENVELOPE = (
    b'{"name":"Microsoft.ApplicationInsights.Event","time":%b,"iKey":%b,"tags":%b,'
    b'"data":{"baseType":"EventData","baseData":{"ver":2,"name":%b,"properties":%b}}}'
)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Writes envelopes for one resource."""

    ingestion: Ingestion
    role: str
    instance: str

    def seal(self, events: Sequence[CustomEvent]) -> tuple[list[Item], list[Refusal]]:
        """Return the envelopes of what may be sent, and a refusal for each event that breaks a limit."""
        key = orjson.dumps(self.ingestion.instrumentation_key)
        tags = {
            "ai.cloud.role": self.role,
            "ai.cloud.roleInstance": self.instance,
            "ai.internal.sdkVersion": f"py_chargeback:{__version__}",
        }
        same = orjson.dumps(tags)
        traced = same[:-1] + b',"ai.operation.id":'
        items: list[Item] = []
        refusals: list[Refusal] = []
        for index, event in enumerate(events):
            # Most of an envelope is the same for all: only the rest is serialised anew.
            mine = same if event.operation_id is None else traced + orjson.dumps(event.operation_id) + b"}"
            time = orjson.dumps(event.time, option=orjson.OPT_UTC_Z)
            data = _ENVELOPE % (time, key, mine, orjson.dumps(event.name), orjson.dumps(event.properties))
            # What is shorter than the longest value as a whole cannot hold a value that is too long.
            if len(data) > LONGEST_VALUE and (words := broken_limit(event, len(data))):
                refusals.append(Refusal(index, 0, words))
            else:
                items.append((index, data))
        return items, refusals


def broken_limit(event: CustomEvent, length: int) -> str | None:
    """Name the documented limit that an event breaks; the service would refuse it, and cutting would lie."""
    if length > LONGEST_ITEM:
        return f"event longer than {LONGEST_ITEM} bytes"
    if len(event.name) > LONGEST_NAME:
        return f"event name longer than {LONGEST_NAME} characters"
    for key, value in event.properties.items():
        if len(key) > LONGEST_KEY:
            return f"property name longer than {LONGEST_KEY} characters"
        if len(value) > LONGEST_VALUE:
            return f"property {key} longer than {LONGEST_VALUE} characters"
    return None


def chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Cut items into POSTs of at most 1000 events and 1 MB."""
    chunk: list[Item] = []
    size = 2
    for item in items:
        if chunk and (len(chunk) == MOST_EVENTS or size + len(item[1]) + 1 > MOST_BYTES):
            yield chunk
            chunk, size = [], 2
        chunk.append(item)
        size += len(item[1]) + 1
    if chunk:
        yield chunk
