"""A dead letter read with today's code: the records in it, each with the identity that today's function gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import orjson

from chargeback.deadletter.stored import Letter
from chargeback.records import Ignored, Position, Reading, Rejected, UsageRecord, record_id
from chargeback.shapes import read, split

_PLACE = re.compile(r"(?:file/[0-9a-f]{16}/\d+|body/[0-9a-f]{64}|[^/]+/[^/]+/[^/]+/\d+@\d+)(?:/\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sendable:
    """One record to be sent again."""

    record_id: str
    body: bytes
    enqueued_time: datetime | None
    """When the hub took it first; only where the record says no time of its own."""
    timeless: bool = False
    """Whether nothing says when it happened."""
    partition_id: str | None = None
    """Where it was on the hub: what was in order there comes in order again."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Why a letter cannot be sent."""

    outcome: str
    reason: str


Reread: TypeAlias = tuple[Sendable, ...] | Unsendable


def reread(letter: Letter) -> Reread:
    """Read what was kept of a record; return what can be sent of it, or why nothing can."""
    if not letter.replayable:
        return Unsendable("not replayable", letter.reason)
    body = orjson.dumps(letter.body)
    readings = read(body)
    if not any(isinstance(reading, UsageRecord) for reading in readings):
        return _why_not(readings)
    if len(readings) == 1:
        return (_sendable(letter, readings[0], body, None),)
    # It was rejected whole, and there are several records in it: each goes alone, and none that is usage is lost.
    parts = enumerate(zip(readings, split(body, len(readings)), strict=True))
    return tuple(
        _sendable(letter, reading, part, index) for index, (reading, part) in parts if not isinstance(reading, Ignored)
    )


def _why_not(readings: list[Reading]) -> Unsendable:
    """Tell the first reason why it is still rejected, else why it is ignored now."""
    rejected = next((reading for reading in readings if isinstance(reading, Rejected)), None)
    if rejected:
        return Unsendable("still rejected", rejected.reason)
    return Unsendable("ignored now", next(found.reason for found in readings if isinstance(found, Ignored)))


def _sendable(letter: Letter, reading: Reading, body: bytes, index: int | None) -> Sendable:
    taken = letter.position.enqueued_time
    borrows = isinstance(reading, UsageRecord) and reading.timestamp is None
    identity = _identity(letter, reading.request_id, index)
    first = taken if borrows else None
    return Sendable(identity, body, first, borrows and taken is None, letter.position.partition_id)


def _identity(letter: Letter, request_id: str | None, index: int | None) -> str:
    """Return the letter's id, unless that is but its place and today's code finds the call's own.

    By its own id a call meets its other half, the row of the gateway's log; by the place it would be a second call.
    """
    if request_id is not None and (index is not None or _PLACE.fullmatch(letter.record_id)):
        return record_id(request_id, Position(), b"", None)
    return letter.record_id if index is None else f"{letter.record_id}/{index}"
