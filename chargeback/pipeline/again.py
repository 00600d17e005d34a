"""What an event's properties say of a record that is sent again: who it is, and when a hub took it first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from chargeback.events import ENQUEUED_TIME, RECORD_ID
from chargeback.pipeline.outcome import Message
from chargeback.records import LONGEST_ID


def sent_again(message: Message, properties: Mapping[str, object]) -> Message:
    """Return the message with what its properties say; what is not well-formed says nothing."""
    return message._replace(
        record_id=_identity(properties.get(RECORD_ID)),
        enqueued_time=_earlier(properties.get(ENQUEUED_TIME), message.position.enqueued_time),
    )


def _identity(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        return None
    return value


def _earlier(value: object, taken: datetime | None) -> datetime | None:
    """Return a time at which a hub can have taken it before this one did."""
    if not isinstance(value, str) or taken is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1, or 9999, a little further off
        return None
    return found if found <= taken else None
