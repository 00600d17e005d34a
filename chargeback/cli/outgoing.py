"""What is sent to a hub: the records of a file, with an identity where they have none, or made-up ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from chargeback import hub
from chargeback.cli.bodies import Bodies
from chargeback.cli.hints import hint, refuse_one_value
from chargeback.cli.inputs import name_of
from chargeback.errors import ChargebackError
from chargeback.events import consumer_of
from chargeback.local.day import make_day
from chargeback.records import Position, Reading, Rejected, UsageRecord, record_id
from chargeback.shapes import read, split

_NO_RECORD = ("NotJson", "NotUtf8", "NotAnObject")
"""What is rejected for these is no record to any version of this code."""


class Line(NamedTuple):
    """A record, and where it stands."""

    number: int
    record: hub.Outgoing
    readable: bool = True
    """Whether this version reads all of it; what it does not read becomes a dead letter."""


def check(bodies: Bodies, file: str) -> None:
    """Refuse a file whose lines are no records, before any of them is sent; a hub takes anything, for good.

    Raises:
        ChargebackError: it is one value over several lines, or none of its first lines is a record.
    """
    refuse_one_value(bodies, file, "put each record on a line of its own (jq -c . does)")
    first = next(bodies.batches(), [])
    if {_is_none(reading) for message in first if message.body.strip() for reading in read(message.body)} == {True}:
        raise ChargebackError(
            f"{name_of(file)} has no record in its first lines, and nothing is sent: is it gzip (unpack it), or not "
            "UTF-8 (save it as UTF-8)? Each record is a JSON object on a line of its own (jq -c . writes them so)"
        )
    hint(bodies, file, whole="")


def _is_none(reading: Reading) -> bool:
    return isinstance(reading, Rejected) and reading.error_type in _NO_RECORD


def of_file(bodies: Bodies, by_consumer: bool) -> Iterator[Line]:
    """Yield each line's records; empty lines are none."""
    for message in bodies.lines():
        if message.body.strip():
            for record, readable in _records(message.body, message.position, by_consumer):
                yield Line(message.position.line or 0, record, readable)


def _records(body: bytes, position: Position, by_consumer: bool) -> Iterator[tuple[hub.Outgoing, bool]]:
    """Yield a body as it is; record by record where some have an id and some have none; and whether it is read."""
    readings = read(body)
    named = [reading.request_id is not None for reading in readings]
    parts: list[tuple[bytes, list[Reading], int | None]] = [(body, readings, None)]
    if any(named) and not all(named):
        # An identity that travels with an event is of all that is in it, and those who have one keep their own.
        split_up = zip(split(body, len(readings)), readings, strict=True)
        parts = [(part, [reading], place) for place, (part, reading) in enumerate(split_up)]
    for part, inside, place in parts:
        identity = None if inside[0].request_id is not None else record_id(None, position, body, place)
        readable = not any(isinstance(reading, Rejected) for reading in inside)
        yield hub.Outgoing(part, identity, key=_key(inside) if by_consumer else None), readable


def _key(readings: Sequence[Reading]) -> str | None:
    consumers = {consumer_of(reading)[0] for reading in readings if isinstance(reading, UsageRecord)}
    return consumers.pop() if len(consumers) == 1 else None


def made_up(count: int) -> Iterator[Line]:
    """Make records of today: the policy's own, which have ids that no other sample has."""
    now = datetime.now(UTC)
    run = f"{now:%Y%m%dT%H%M%S}"
    calls = (sent for sent in make_day(now.date(), count * 2).usage if b'"chargeback.usage/1"' in sent.body)
    for number, sent in enumerate(islice(calls, count), 1):
        record = json.loads(sent.body) | {"requestId": f"sample-{run}-{number}", "timestamp": _iso(now)}
        yield Line(number, hub.Outgoing(json.dumps(record).encode(), key=sent.consumer_id))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
