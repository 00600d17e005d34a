"""The whole way: bodies from two hubs, read and mapped by the package, asked by KQL."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from chargeback.events import usage_event
from chargeback.records import Position, UsageRecord
from chargeback.shapes import read
from tests.kql.rows import Envelope, event, only, part


def test_what_the_function_makes_of_a_stream_and_its_log_is_one_call() -> None:
    policy: dict[str, object] = {
        "schema": "chargeback.usage/1",
        "requestId": "r-9",
        "timestamp": "2026-10-15T12:00:00.000Z",
    }
    policy |= {"subscriptionId": "retail", "statusCode": 200, "forwarded": True, "streamed": True}
    properties = {"modelName": "gpt-4o", "promptTokens": 21, "completionTokens": 4, "totalTokens": 25}
    log = {
        "category": "GatewayLlmLogs",
        "correlationId": "r-9",
        "time": "2026-10-15T12:00:01Z",
        "properties": properties,
    }
    bodies = [orjson.dumps(policy | {"usageSource": "pending"}), orjson.dumps({"records": [log]})]
    row = only([_sent(body) for body in bodies])
    assert part(row, "recordId", "consumerId", "promptTokens", "completionTokens", "totalTokens") == (
        "r-9",
        "retail",
        21,
        4,
        25,
    )
    assert part(row, "usageSource", "deliveries") == ("gateway-log", 2)


def _sent(body: bytes) -> Envelope:
    (record,) = read(body)
    assert isinstance(record, UsageRecord)
    made = usage_event(record, "r-9", Position(), sent_at=datetime(2026, 10, 15, 12, 5, tzinfo=UTC))
    return event(made.name, made.time.isoformat(), made.properties)
