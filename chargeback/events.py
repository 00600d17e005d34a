"""Custom events: what leaves for Application Insights. Property names live here alone.

docs/contract.md section 3 describes them; their names are a promise to every query that was ever written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

import orjson
from pydantic.alias_generators import to_camel

from chargeback.keys import FINGERPRINT
from chargeback.records import Position as Position
from chargeback.records import UsageRecord, is_placeholder

USAGE_EVENT = "Function called with Chargeback Data"
IGNORED_EVENT = "Chargeback record ignored"
REJECTED_EVENT = "Chargeback record rejected"
BUDGET_EVENT = "Chargeback budget"
DEAD_LETTERS_EVENT = "Chargeback dead letters"

OLDEST = timedelta(hours=47)
"""The service refuses events older than 48 hours; an hour is kept for delivery."""
_FURTHEST_AHEAD = timedelta(seconds=60)

_NAMES = {field: to_camel(field) for field in UsageRecord.model_fields} | {"cache_write1h_tokens": "cacheWrite1hTokens"}
_NUMBERS = tuple(
    (field, name) for field, name in _NAMES.items() if name.endswith("Tokens") or name in ("statusCode", "durationMs")
)
_FLAGS = (("forwarded", "forwarded"), ("streamed", "streamed"))
_NOT_TEXT = {"shape", "timestamp", "key_id", *dict(_NUMBERS), *dict(_FLAGS)}
_TEXTS = tuple((field, name) for field, name in _NAMES.items() if field not in _NOT_TEXT)
_CONSUMERS = (("subscription_id", "subscription"), ("app_id", "application"), ("key_id", "key"), ("user_id", "user"))
_POSITION_NAMES = ("partitionId", "sequenceNumber", "enqueuedTime")
BUDGET_NAMES = ("businessUnit", "month", "currency", "spent", "budget", "forecast", "usedPercent")
DEAD_LETTERS_NAMES = ("letters", "olderThan7Days")
_OUTCOME_NAMES = ("recordId", "recordShape", "reason", "errorType", "offset", "bytes", "sha256", "deadLetter")

PROPERTY_NAMES = frozenset(
    {
        *("recordId", "recordShape", "eventTime", "eventTimeAdjusted"),
        *("consumerId", "consumerType", "appSubscriptionKey"),
        *(name for _, name in (*_TEXTS, *_NUMBERS, *_FLAGS)),
        *(*_POSITION_NAMES, *_OUTCOME_NAMES, *BUDGET_NAMES, *DEAD_LETTERS_NAMES),
    }
)
"""Every customDimensions name of these events."""

RECORD_ID, ENQUEUED_TIME = "recordId", "enqueuedTime"
"""Application properties of a hub's event by which a record that is sent again keeps its identity and its time."""


class CustomEvent(NamedTuple):
    """One row of `customEvents` to be."""

    name: str
    time: datetime
    """UTC."""
    properties: dict[str, str]
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that the service will never take as it stands."""

    index: int
    """Place in the sequence that was delivered."""
    status: int
    """The service's status for the item; 0 when it was not sent because it breaks a documented limit."""
    message: str
    """The service's words."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that cannot be billed as it stands, on its way to durable storage."""

    record_id: str
    shape: str
    reason: str
    error_type: str
    position: Position
    body: bytes
    """The record as it came; holds secrets until it is cleaned."""
    original_bytes: int
    """Length of the body the record came in."""
    original_sha256: str


Deliver: TypeAlias = Callable[[Sequence[CustomEvent]], Sequence[Refusal]]
"""Returns when every event is accepted or refused for good; raises `DeliveryError` otherwise."""
Keep: TypeAlias = Callable[[Position, Sequence[DeadLetter]], str]
"""Stores a batch's dead letters durably under the position of its first event; returns their path."""


def usage_event(
    record: UsageRecord, identity: str, position: Position, sent_at: datetime, name: str = USAGE_EVENT
) -> CustomEvent:
    """Map a usage record to its event; `sent_at` (UTC) stands in where the record's own time would be refused."""
    properties = {"recordId": identity, "recordShape": record.shape}
    _add_fields(properties, record)
    consumer, properties["consumerType"] = consumer_of(record)
    if consumer is not None:
        properties["consumerId"] = properties["appSubscriptionKey"] = consumer
    if (happened := record.timestamp) is None:
        happened = _borrow_time(properties, position)
    else:
        happened = happened.replace(tzinfo=UTC)  # it is; but times of one and the same zone are compared much faster
        properties["eventTime"] = iso(happened)
    time = acceptable_time(happened, sent_at)
    if time is not happened and happened is not None:
        properties["eventTimeAdjusted"] = "true"
    _add_position(properties, position)
    return CustomEvent(name, time, properties, record.trace_id)


def _add_fields(properties: dict[str, str], record: UsageRecord) -> None:
    """Write what is known of a record as text. Three plain loops: this is done for every call of the gateway."""
    values = record.__dict__
    for field, name in _TEXTS:
        if value := values[field]:
            properties[name] = value
    for field, name in _NUMBERS:
        if (number := values[field]) is not None:
            properties[name] = str(number)
    for field, name in _FLAGS:
        if (flag := values[field]) is not None:
            properties[name] = "true" if flag else "false"


def _borrow_time(properties: dict[str, str], position: Position) -> datetime | None:
    """Give a record without a time the hub's, if there is one, and say so."""
    taken = position.enqueued_time
    if taken is not None:
        properties["eventTime"] = iso(taken)
    why = "time-unknown" if taken is None else "time-from-hub"
    properties["note"] = f"{properties['note']}, {why}" if "note" in properties else why
    return taken


def consumer_of(record: UsageRecord) -> tuple[str | None, str]:
    """Return who pays and what kind of name that is: subscription, application, key, user or unknown."""
    for field, kind in _CONSUMERS:
        value = getattr(record, field)
        if value is not None and not is_placeholder(value):
            return value, "key" if value.startswith("key-") and FINGERPRINT.fullmatch(value) else kind
    return None, "unknown"


def ignored_event(shape: str, reason: str, identity: str, position: Position, sent_at: datetime) -> CustomEvent:
    """Say that something was not usage."""
    properties = {"recordId": identity, "recordShape": shape, "reason": reason}
    _add_position(properties, position)
    return CustomEvent(IGNORED_EVENT, acceptable_time(position.enqueued_time, sent_at), properties)


def rejection_event(letter: DeadLetter, path: str, sent_at: datetime) -> CustomEvent:
    """Say that a record became a dead letter, and where it is; nothing of the record itself."""
    properties = {
        "recordId": letter.record_id,
        "recordShape": letter.shape,
        "reason": letter.reason,
        "errorType": letter.error_type,
        "bytes": str(letter.original_bytes),
        "sha256": letter.original_sha256,
        "deadLetter": path,
    }
    if letter.position.offset is not None:
        properties["offset"] = letter.position.offset
    _add_position(properties, letter.position)
    return CustomEvent(REJECTED_EVENT, acceptable_time(letter.position.enqueued_time, sent_at), properties)


def _add_position(properties: dict[str, str], position: Position) -> None:
    if position.partition_id is not None:
        properties["partitionId"] = position.partition_id
    if position.sequence_number is not None:
        properties["sequenceNumber"] = str(position.sequence_number)
    if position.enqueued_time is not None:
        properties["enqueuedTime"] = iso(position.enqueued_time)


def acceptable_time(happened: datetime | None, sent_at: datetime) -> datetime:
    """Return `happened` itself if the service would take it, else the time of sending."""
    if happened is None or not -_FURTHEST_AHEAD <= sent_at - happened <= OLDEST:
        return sent_at
    return happened


def iso(moment: datetime) -> str:
    """Write a UTC time as ISO 8601: milliseconds, or microseconds where there are any."""
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z)[1:-2].decode()
    if moment.microsecond == 0:
        return f"{text}.000Z"
    return f"{text}Z" if moment.microsecond % 1000 else f"{text[:-3]}Z"
