"""Records whose counts stand in named fields.

The hack's (`seed`), the Entra policy's, the gateway hub's, the toolkit's, and any other (`flat`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from chargeback.errors import UnreadableRecord
from chargeback.records import UsageRecord
from chargeback.shapes.names import COUNTS, fields_of, has_counts
from chargeback.shapes.record import add_answer, record_of
from chargeback.shapes.texts import plain_text
from chargeback.usage import answer_of, count, parts_of, take_cache_into_prompt, usage_of

Source: TypeAlias = Mapping[str, object]

_TOKEN_TYPES = {
    **dict.fromkeys(("input", "prompt"), "promptTokens"),
    **dict.fromkeys(("output", "completion"), "completionTokens"),
    **dict.fromkeys(("", "total"), "totalTokens"),
}


def name_of(source: Source) -> str | None:
    """Return which flat shape it is, the most particular first; `None` when it has no counts."""
    if not (has_counts(source) or usage_of(source) is not None or "tokens" in source):
        return None
    if "appSubscriptionKey" in source:
        return "seed"
    if "event-time" in source:
        return "entra"
    if "responseTokens" in source:
        return "gateway-hub"
    if "TotalTokens" in source and "RequestId" in source:
        return "toolkit"
    return "flat"


def read(shape: str, source: Source) -> UsageRecord:
    """Read named fields, and what a nested `usage` object or one counter per record adds.

    Raises:
        UnreadableRecord: a count or the time cannot be read.
    """
    fields = counted_fields(source)
    if "tokens" in source and not any(isinstance(fields.get(name), int) for name in COUNTS):
        fields[_counted(source)] = count(source["tokens"], "tokens")
    if shape == "gateway-hub":
        _forget_placeholders(fields)
    return record_of(shape, fields)


def counted_fields(source: Source) -> dict[str, object]:
    """Read named fields with what details and a nested `usage` object add.

    Raises:
        UnreadableRecord: a count or the time cannot be read.
    """
    fields = fields_of(source)
    for name, known in parts_of(source).items():
        if fields.get(name) is None:
            fields[name] = known
    take_cache_into_prompt(source, fields)
    if (nested := usage_of(source)) is not None:
        add_answer(fields, answer_of({"usage": nested, "service_tier": source.get("service_tier")}))
    return fields


def _forget_placeholders(fields: dict[str, object]) -> None:
    """Drop the 1/0 that the gateway hub's policy writes where it found no parts (Responses API): the total is real."""
    total = fields.get("totalTokens")
    parts = (fields.get("promptTokens"), fields.get("completionTokens"))
    if parts == (1, 0) and isinstance(total, int) and total > 1:
        fields["promptTokens"] = fields["completionTokens"] = None


def _counted(source: Source) -> str:
    """Return which count a record of a single `tokens` counter is about."""
    kind = (plain_text(source.get("type")) or "").lower()
    if kind not in _TOKEN_TYPES:
        raise UnreadableRecord("tokens are of a type that is not known", "UnknownShape")
    return _TOKEN_TYPES[kind]
