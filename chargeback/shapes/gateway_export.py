"""`llm-log` and `gateway-log`: rows of API Management's own export to an Event Hub.

Columns: Microsoft's ApiManagementGatewayLlmLog and ApiManagementGatewayLogs tables; the export writes them in camel
case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from chargeback.jsontext import parse
from chargeback.records import Ignored, UsageRecord
from chargeback.shapes.names import fields_of
from chargeback.shapes.record import add_note, record_of
from chargeback.shapes.texts import CALLER, plain_text
from chargeback.usage import add_cache

Source: TypeAlias = Mapping[str, object]

LLM, GATEWAY, OTHER = "llm-log", "gateway-log", "other-log"
_SHAPES = {"gatewayllmlogs": LLM, "gatewaylogs": GATEWAY}
_TABLES = {"apimanagementgatewayllmlog": LLM, "apimanagementgatewaylogs": GATEWAY}


def shape_of(source: Source) -> str | None:
    """Return which log it is a row of; `None` if it is none of an Azure Monitor export."""
    category, table = source.get("category"), source.get("Type")
    if isinstance(category, str):
        return _SHAPES.get(category.lower(), OTHER if "properties" in source else None)
    # A workspace's data export sends the tables' own columns.
    return _TABLES.get(table.lower()) if isinstance(table, str) else None


def read(shape: str, source: Source) -> UsageRecord | Ignored:
    """Read one row of the two categories; an LLM row that only carries texts is ignored.

    Raises:
        UnreadableRecord: a count or the time cannot be read.
    """
    call = plain_text(source.get("correlationId") or source.get("CorrelationId"))
    fields = fields_of(columns(source))
    row = fields_of({"time": source.get("time"), "durationMs": source.get("durationMs")})
    fields |= {name: value for name, value in row.items() if value is not None}
    fields["region"] = fields.get("region") or plain_text(source.get("location"))
    fields["requestId"] = call
    if shape == GATEWAY:
        fields["forwarded"] = True if _was_forwarded(source) else None
        return record_of(shape, {name: value for name, value in fields.items() if not name.endswith("Tokens")})
    return _llm_row(fields, call)


def _llm_row(fields: dict[str, object], call: str | None) -> UsageRecord | Ignored:
    counts = [value for name, value in fields.items() if name.endswith("Tokens")]
    if fields.get("model") is None and not any(counts):
        return Ignored(LLM, "empty gateway log row", call)
    fields.update(dict.fromkeys(CALLER))  # this log knows no caller: what looks like one is something else
    if _is_anthropic(fields):
        add_cache(fields)
        add_note(fields, "cache-writes-unknown")
    return record_of(LLM, fields)


def _is_anthropic(fields: dict[str, object]) -> bool:
    names = f"{fields.get('model')} {fields.get('deploymentId')}".lower()
    return "claude" in names or "anthropic" in names


def columns(source: Source) -> Source:
    """Return a row's own columns."""
    properties = source.get("properties", source if "Type" in source else None)
    if isinstance(properties, str):
        try:
            properties = parse(properties)
        except ValueError:
            return {}
    return properties if isinstance(properties, dict) else {}


def _was_forwarded(source: Source) -> bool:
    return any(name.lower() == "backendresponsecode" and value for name, value in columns(source).items())
