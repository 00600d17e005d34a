"""What happens to a batch: read, map, store the rejected, deliver. The one place that decides about a bad record.

A bad record never raises: it becomes a dead letter. What raises is a sink that is down, because then the host must
deliver the batch again.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chargeback.events import (
    USAGE_EVENT,
    CustomEvent,
    DeadLetter,
    Deliver,
    Keep,
    Position,
    Refusal,
    ignored_event,
    rejection_event,
    usage_event,
)
from chargeback.records import Ignored, Reading, Rejected, UsageRecord, record_id
from chargeback.shapes import part, read

__all__ = ["Message", "Outcome", "Position", "run"]

log = logging.getLogger(__name__)

TOKEN_KINDS = {
    "prompt": "prompt_tokens",
    "completion": "completion_tokens",
    "cached": "cached_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One body as it arrived, and where from."""

    body: bytes
    position: Position


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, all of it accepted or stored."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(`usage`, `ignored`, `rejected` or `refused`; record shape) -> how many."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Kind -> tokens in the batch's usage records. Redelivered records count again: it is telemetry, no bill."""
    lag: timedelta | None = None
    """From the hub taking the batch's oldest event to its acceptance."""
    delivery: timedelta = timedelta()
    """From reading to acceptance."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One record of the batch."""

    message: Message
    index: int
    count: int
    reading: Reading
    identity: str

    def letter(self, shape: str, reason: str, error_type: str, body: bytes) -> DeadLetter:
        """Make the record a dead letter."""
        original = self.message.body
        digest = hashlib.sha256(original).hexdigest()
        return DeadLetter(self.identity, shape, reason, error_type, self.message.position, body, len(original), digest)


def run(
    batch: Sequence[Message],
    deliver: Deliver,
    keep: Keep,
    clock: Callable[[], datetime],
    event_name: str = USAGE_EVENT,
) -> Outcome:
    """Take a batch through; returns when every record is accepted by the service or stored as a dead letter.

    `clock` gives the present in UTC.

    Raises:
        DeliveryError: not every event is known to be accepted.
        DeadLetterError: a rejected record could not be stored.
    """
    started = clock()
    if not batch:
        return Outcome()
    entries = [entry for message in batch for entry in _entries(message)]
    path = _keep_rejected(entries, batch, keep)
    events = [_event(entry, path, started, event_name) for entry in entries]
    refusals = deliver(events)
    _keep_refused(refusals, entries, batch, deliver, keep, started)
    return _outcome(entries, refusals, started, clock())


def _entries(message: Message) -> Iterator[_Entry]:
    """Read a message; whatever goes wrong in our own code is the record's dead letter, not the batch's end."""
    try:
        readings = read(message.body)
    except Exception as bug:  # noqa: BLE001  (the one fence: a bug must not block the partition for ever)
        # Where, but not what: an exception's own words may quote the record.
        frame = traceback.extract_tb(bug.__traceback__)[-1]
        log.error("%s at %s:%d; the record goes to the dead letter", type(bug).__name__, frame.name, frame.lineno)
        readings = [Rejected("unknown", "a bug in reading it", f"Bug:{type(bug).__name__}", message.body)]
    several = len(readings) > 1
    for index, reading in enumerate(readings):
        identity = record_id(reading.request_id, message.position, message.body, index if several else None)
        yield _Entry(message, index, len(readings), reading, identity)


def _keep_rejected(entries: list[_Entry], batch: Sequence[Message], keep: Keep) -> str:
    letters = [
        entry.letter(reading.shape, reading.reason, reading.error_type, reading.body)
        for entry in entries
        if isinstance(reading := entry.reading, Rejected)
    ]
    return keep(batch[0].position, letters) if letters else ""


def _event(entry: _Entry, path: str, now: datetime, event_name: str) -> CustomEvent:
    reading, position = entry.reading, entry.message.position
    if isinstance(reading, UsageRecord):
        return usage_event(reading, entry.identity, position, now, event_name)
    if isinstance(reading, Ignored):
        return ignored_event(reading.shape, reading.reason, entry.identity, position, now)
    letter = entry.letter(reading.shape, reading.reason, reading.error_type, b"")
    return rejection_event(letter, path, now)


def _keep_refused(
    refusals: Sequence[Refusal],
    entries: list[_Entry],
    batch: Sequence[Message],
    deliver: Deliver,
    keep: Keep,
    now: datetime,
) -> None:
    """Store what the service refused for good, with its words, and say so in events of their own."""
    if not refusals:
        return
    letters = [_refused(entries[refusal.index], refusal) for refusal in refusals]
    path = keep(batch[0].position, letters)
    for refusal in deliver([rejection_event(letter, path, now) for letter in letters]):
        # The record is safe in the dead letter; only the event that tells of it is not. Retrying could never end.
        log.error("the service refused even the rejection event of a dead letter in %s: %s", path, refusal.message)


def _refused(entry: _Entry, refusal: Refusal) -> DeadLetter:
    body = part(entry.message.body, entry.index, entry.count)
    reason = f"refused by Application Insights: {refusal.message}"
    return entry.letter(entry.reading.shape, reason, f"Refused:{refusal.status}", body)


def _outcome(entries: list[_Entry], refusals: Sequence[Refusal], started: datetime, ended: datetime) -> Outcome:
    refused = {refusal.index for refusal in refusals}
    records: Counter[tuple[str, str]] = Counter()
    tokens: Counter[str] = Counter()
    for index, entry in enumerate(entries):
        reading = entry.reading
        if index in refused:
            records["refused", reading.shape] += 1
        elif isinstance(reading, UsageRecord):
            records["usage", reading.shape] += 1
            values = reading.__dict__
            for kind, name in TOKEN_KINDS.items():
                if count := values[name]:
                    tokens[kind] += count
        else:
            records["ignored" if isinstance(reading, Ignored) else "rejected", reading.shape] += 1
    taken = [entry.message.position.enqueued_time for entry in entries if entry.message.position.enqueued_time]
    return Outcome(records, tokens, ended - min(taken) if taken else None, ended - started)
