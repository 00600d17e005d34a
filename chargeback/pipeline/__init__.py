"""What happens to a batch: read, map, store the rejected, deliver. The one place that decides about a bad record.

A bad record never raises: it becomes a dead letter. What raises is a sink that is down, because then the host must
deliver the batch again.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter

from chargeback.errors import AllRefusedError
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
from chargeback.pipeline.again import sent_again
from chargeback.pipeline.outcome import TOKEN_KINDS, Entry, Message, Outcome, outcome_of
from chargeback.records import Ignored, Reading, Rejected, UsageRecord, record_id
from chargeback.shapes import read, split

__all__ = ["Message", "Outcome", "Position", "run", "sent_again"]

log = logging.getLogger(__name__)

_TOKENS = itemgetter(*TOKEN_KINDS.values())


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
    entries = [entry for message in batch for entry in _fenced(message, started, event_name)]
    letters = [entry.told for entry in entries if isinstance(entry.told, DeadLetter)]
    path = keep(batch[0].position, letters) if letters else ""
    told = (entry.told for entry in entries)
    events = [rejection_event(it, path, started) if isinstance(it, DeadLetter) else it for it in told]
    refusals = deliver(events)
    if refusals:
        _keep_refused(refusals, entries, events, deliver, partial(keep, batch[0].position), started)
    return outcome_of(batch, entries, events, refusals, started, clock())


def _fenced(message: Message, now: datetime, event_name: str) -> list[Entry]:
    """Read and map a message; a bug of our own costs this message, not the batch."""
    try:
        return _entries(message, read(message.body), now, event_name)
    except Exception as bug:  # noqa: BLE001  (the one fence: a bug must not block the partition for ever)
        # Where, but not what: an exception's own words may quote the record.
        frame = traceback.extract_tb(bug.__traceback__)[-1]
        log.error("%s at %s:%d; the record goes to the dead letter", type(bug).__name__, frame.name, frame.lineno)
        rejected = Rejected("unknown", "a bug in reading it", f"Bug:{type(bug).__name__}", message.body)
        return _entries(message, [rejected], now, event_name)


def _entries(message: Message, readings: Sequence[Reading], now: datetime, event_name: str) -> list[Entry]:
    among, digest = len(readings), ""
    given, origin = message.record_id, message.origin
    entries: list[Entry] = []
    for place, reading in enumerate(readings):
        if given is None:
            identity = record_id(reading.request_id, message.position, message.body, place if among > 1 else None)
        else:
            identity = f"{given}/{place}" if among > 1 else given
        if isinstance(reading, UsageRecord):
            event = usage_event(reading, identity, origin, now, event_name)
            entries.append(Entry(message, place, among, "usage", event, _TOKENS(reading.__dict__)))
        elif isinstance(reading, Ignored):
            event = ignored_event(reading.shape, reading.reason, identity, origin, now)
            entries.append(Entry(message, place, among, "ignored", event, ()))
        else:
            digest = digest or _digest(message)  # once a body, however many are rejected in it
            about = (reading.shape, reading.reason, reading.error_type)
            letter = _letter(identity, about, message, reading.body, digest)
            entries.append(Entry(message, place, among, "rejected", letter, ()))
    return entries


def _digest(message: Message) -> str:
    return hashlib.sha256(message.body).hexdigest()


def _letter(identity: str, about: tuple[str, str, str], message: Message, body: bytes, digest: str) -> DeadLetter:
    return DeadLetter(identity, *about, message.origin, body, len(message.body), digest)


def _keep_refused(
    refusals: Sequence[Refusal],
    entries: list[Entry],
    events: list[CustomEvent],
    deliver: Deliver,
    keep: Callable[[Sequence[DeadLetter]], str],
    now: datetime,
) -> None:
    """Store what the service refused for good, with its words, and say so in events of their own."""
    opened: dict[int, tuple[list[bytes], str]] = {}
    letters = []
    for refusal in refusals:
        entry, told = entries[refusal.index], events[refusal.index].properties
        message = entry.message
        if id(message) not in opened:  # once a body, however many are refused in it
            opened[id(message)] = split(message.body, entry.among), _digest(message)
        parts, digest = opened[id(message)]
        reason = f"refused by Application Insights: {refusal.message}"
        about = (told["recordShape"], reason, f"Refused:{refusal.status}")
        letters.append(_letter(told["recordId"], about, message, parts[entry.place], digest))
    path = keep(letters)
    told_of = [rejection_event(letter, path, now) for letter in letters]
    try:
        still = deliver(told_of)
    except AllRefusedError as error:
        if len(refusals) == len(events):
            raise  # nothing of the batch was accepted: the key may be wrong
        still = [Refusal(index, 0, str(error)) for index in range(len(told_of))]
    for refusal in still:
        # The record is safe in the dead letter; only the event that tells of it is not. Retrying could never end.
        log.error("the service refused even the rejection event of a dead letter in %s: %s", path, refusal.message)
