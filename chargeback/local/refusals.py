"""What the ingestion service refuses, and in which words.

The words are the service's own, as public SDK tests, issues and logs quote them. For properties nobody quotes any, and
there they are made in the same form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from chargeback.local.items import Bag, bag
from chargeback.local.rows import base_type, has_table, read_time

OLDEST = timedelta(hours=48)
LONGEST_ITEM = 65_536
"""Bytes."""
_LONGEST_KEY = 150
_LONGEST_VALUE = 8192
_MILLISECOND = timedelta(milliseconds=1)

# Characters, from Microsoft's endpoint schemas.
_LONGEST: Mapping[str, Mapping[str, int]] = {
    "EventData": {"name": 512},
    "MessageData": {"message": 32_768},
    "RequestData": {"id": 512, "source": 1024, "name": 1024, "responseCode": 1024, "url": 2048},
    "RemoteDependencyData": {
        "id": 512,
        "name": 1024,
        "resultCode": 1024,
        "data": 8192,
        "type": 1024,
        "target": 1024,
    },
    "ExceptionDetails": {"typeName": 1024, "message": 32_768},
    "DataPoint": {"name": 1024},
    "ContextTagKeys": {"ai.operation.name": 1024},
}
_REQUIRED: Mapping[str, Sequence[str]] = {
    "Envelope": ("name", "time", "data"),
    "EventData": ("name",),
    "MessageData": ("message",),
    "RequestData": ("id", "duration", "responseCode"),
    "RemoteDependencyData": ("name",),
    "ExceptionData": ("exceptions",),
    "ExceptionDetails": ("message",),
    "MetricData": ("metrics",),
    "DataPoint": ("name",),
}


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why one item of a POST is not accepted."""

    index: int
    """Place of the item in the POST."""
    status: int
    message: str


def refused(items: Sequence[object], instrumentation_key: str | None, now: datetime) -> list[ItemError]:
    """Return an error for each item that the service would not take; with `None` every instrumentation key is known."""
    found = ((index, refusal(item, instrumentation_key, now)) for index, item in enumerate(items))
    return [ItemError(index, 400, words) for index, words in found if words is not None]


def refusal(item: object, instrumentation_key: str | None, now: datetime) -> str | None:
    """Return the words in which one item is refused, `None` if it is taken."""
    if not isinstance(item, Mapping):
        return "An item is a JSON object."
    if len(orjson.dumps(item)) > LONGEST_ITEM:
        return f"Telemetry item length must not exceed {LONGEST_ITEM}"
    key = item.get("iKey")
    if not key or instrumentation_key not in (None, key):
        return "Invalid instrumentation key"
    return next(_flaws(item, now), None)


def _flaws(item: Bag, now: datetime) -> Iterator[str]:
    yield from _flaws_of("Envelope", item)
    yield from _flaws_of_time(item, now)
    yield from _flaws_of("ContextTagKeys", bag(item.get("tags")))
    kind = base_type(item)
    if not has_table(kind):
        yield f"This local Application Insights has no table for {kind or 'items without a baseType'}."
    data = bag(bag(item.get("data")).get("baseData"))
    yield from _flaws_of(kind, data)
    for part, name in (("exceptions", "ExceptionDetails"), ("metrics", "DataPoint")):
        inner = data.get(part)
        for one in inner if isinstance(inner, list) else ():
            yield from _flaws_of(name, bag(one))
    for name, value in bag(data.get("properties")).items():
        if len(name) > _LONGEST_KEY:
            yield _too_long("properties", kind, len(name), _LONGEST_KEY)
        if isinstance(value, str) and len(value) > _LONGEST_VALUE:
            yield _too_long("properties", kind, len(value), _LONGEST_VALUE)


def _flaws_of(kind: str, data: Bag) -> Iterator[str]:
    for field in _REQUIRED.get(kind, ()):
        if not data.get(field):
            actual = "undefined" if data.get(field) is None else ""
            yield (
                f"109: Field '{field}' on type '{kind}' is required but missing or empty. "
                f"Expected: string, Actual: {actual}"
            )
    for field, limit in _LONGEST.get(kind, {}).items():
        value = data.get(field)
        if isinstance(value, str) and len(value) > limit:
            yield _too_long(field, kind, len(value), limit)


def _too_long(field: str, kind: str, length: int, limit: int) -> str:
    return f"100: Field '{field}' on type '{kind}' is too long. Expected: {limit} characters, Actual: {length}"


def _flaws_of_time(item: Bag, now: datetime) -> Iterator[str]:
    moment = read_time(item.get("time"))
    if moment is None:
        yield (
            "102: Field 'time' on type 'Envelope' is not a valid time string. "
            f"Expected: date, Actual: {item.get('time')}"
        )
    elif now - moment > OLDEST:
        yield (
            "103: Field 'time' on type 'Envelope' is older than the allowed min date. "
            f"Expected: now - {OLDEST // _MILLISECOND}ms, Actual: now - {(now - moment) // _MILLISECOND}ms"
        )
