"""The canonical usage record, and the other two things a body can turn out to be.

`UsageRecord` is docs/contract.md section 1: one call, its caller, who served it, and its tokens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

HIGHEST_COUNT = 10**12
"""No call uses a million million tokens: a count above this is a mistake, not usage."""

SCHEMA = "chargeback.usage/1"

LONGEST_ID = 1024
"""A longer request id identifies by its hash: events that tell of a rejection must not be refused for it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PLACEHOLDERS = frozenset(
    {"", "-", "na", "n/a", "nil", "none", "null", "(null)", "undefined", "anonymous", "unknown", "portal-admin"}
    | {"00000000-0000-0000-0000-000000000000"}
)


def is_placeholder(text: str) -> bool:
    """Tell whether this stands where there was nothing to say (`NA`, `anonymous`), or where a text was removed."""
    return text.strip().lower() in _PLACEHOLDERS or text.startswith("<removed ")


Count: TypeAlias = Annotated[int, Field(ge=0, le=HIGHEST_COUNT)] | None
"""Tokens. `None` means not known, 0 means zero."""
Whole: TypeAlias = Annotated[int, Field(gt=-(2**63), lt=2**63)] | None
"""As wide as JSON readers agree on."""
Text: TypeAlias = str | None


class UsageRecord(BaseModel):
    """One call through the gateway; validated by its contract names, strictly (a string is no count)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)

    shape: str = "usage/1"
    """Which wire shape it was read from (`recordShape`)."""
    timestamp: datetime | None = None
    """When the gateway answered, UTC; `None` when the record does not say."""
    request_id: Text = None
    """Identity of the call; the billing key."""
    subscription_id: Text = None
    """API Management subscription, never its key."""
    product_id: Text = None
    api_id: Text = None
    operation_id: Text = None
    user_id: Text = None
    app_id: Text = None
    """Caller's Entra application."""
    key_id: Text = None
    """Fingerprint of the subscription key (or the name that stood in the key's field), from policies that log keys."""
    cost_center: Text = None
    """The caller's own hint; decides nothing."""
    deployment_id: Text = None
    """Deployment that was asked for."""
    served_deployment: Text = None
    """Deployment that answered, where the service says so."""
    spillover_from: Text = None
    model_region: Text = None
    backend_id: Text = None
    backend_host: Text = None
    model: Text = None
    service_tier: Text = None
    region: Text = None
    """Region of the gateway."""
    status_code: Whole = None
    forwarded: bool | None = None
    """Whether the call reached a backend."""
    streamed: bool | None = None
    duration_ms: Whole = None
    """Time spent on the call, milliseconds."""
    usage_source: Text = None
    """`body`, `stream`, `pending` or `none`; `None` when the shape does not tell."""
    note: Text = None
    """Why there is no usage, or what is unusual about it."""
    trace_id: Text = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    cached_tokens: Count = None
    """Inside `prompt_tokens`."""
    cache_write_tokens: Count = None
    """Inside `prompt_tokens`."""
    cache_write1h_tokens: Annotated[Count, Field(alias="cacheWrite1hTokens")] = None
    """Inside `cache_write_tokens`."""
    audio_prompt_tokens: Count = None
    image_prompt_tokens: Count = None
    reasoning_tokens: Count = None
    """Inside `completion_tokens`."""
    audio_completion_tokens: Count = None
    """Inside `completion_tokens`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that is not usage: a prompt audit, an empty body. It is counted, not billed."""

    shape: str
    reason: str
    """Short, from a fixed list; holds no payload."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that should have been usage and cannot be read: it becomes a dead letter."""

    shape: str
    reason: str
    """Short, names a field at most; holds no payload."""
    error_type: str
    """Category to count by."""
    body: bytes
    """What could not be read: the whole body, or the one record out of several. May hold secrets."""
    request_id: str | None = None


Reading: TypeAlias = UsageRecord | Ignored | Rejected


class Position(NamedTuple):
    """Where a body came from: an event in a hub, or a line of a file. Decides the identity of records without one."""

    namespace: str = "-"
    hub: str = "-"
    partition_id: str | None = None
    sequence_number: int | None = None
    enqueued_time: datetime | None = None
    """When the hub took it, UTC."""
    offset: str | None = None
    file_id: str | None = None
    """First 16 hex digits of the file's SHA-256."""
    line: int | None = None
    """From 1."""


def record_id(request_id: str | None, position: Position, body: bytes, index: int | None) -> str:
    """Return the record's identity: the same on every redelivery, different for every call.

    `index` is the record's place in a body of several, from 0.
    """
    if request_id is not None:
        if len(request_id) <= LONGEST_ID:
            return request_id
        return f"request/{hashlib.sha256(request_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
    suffix = "" if index is None else f"/{index}"
    if position.sequence_number is not None and position.enqueued_time is not None:
        moment = (position.enqueued_time - _EPOCH) // _MILLISECOND
        where = f"{position.namespace}/{position.hub}/{position.partition_id or '-'}"
        return f"{where}/{position.sequence_number}@{moment}{suffix}"
    if position.file_id is not None:
        return f"file/{position.file_id}/{position.line}{suffix}"
    return f"body/{hashlib.sha256(body).hexdigest()}{suffix}"
