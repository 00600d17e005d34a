"""A hub full of records of many shapes, and the ledger that says what must become of each. No chance in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from chargeback.pipeline import Message, Position

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMESPACE, HUB, PARTITION = "contoso.servicebus.windows.net", "usage", "2"
FIRST_SEQUENCE = 50_000
FIRST_ENQUEUED = NOON - timedelta(hours=1)

Tokens: TypeAlias = tuple[int | None, int | None]
"""Prompt and completion."""
Json: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Ledger:
    """What the records are, by record id, as whoever made them knows it."""

    billed: dict[str, Tokens] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        return self.billed.keys() | self.ignored | self.rejected


def hub_of(count: int) -> tuple[list[Message], Ledger]:
    """Return the events of one partition, in order, and their ledger."""
    ledger = Ledger()
    return [Message(_body(number, ledger), position_of(number)) for number in range(count)], ledger


def position_of(number: int) -> Position:
    enqueued = FIRST_ENQUEUED + timedelta(milliseconds=number)
    return Position(NAMESPACE, HUB, PARTITION, FIRST_SEQUENCE + number, enqueued, str(number * 1024))


def place_of(number: int) -> str:
    """Return the record id that only the position gives: 1795172400000 is 2026-11-20T11:00:00Z."""
    return f"{NAMESPACE}/{HUB}/{PARTITION}/{FIRST_SEQUENCE + number}@{1_795_172_400_000 + number}"


def _body(number: int, ledger: Ledger) -> bytes:
    if number % 200 == 7:
        text = RUBBISH[number // 200 % len(RUBBISH)]
        ledger.rejected.add(place_of(number))
        return text
    if number % 50 == 3:
        ledger.ignored.add(place_of(number))
        return IGNORED[number // 50 % len(IGNORED)]
    if number % 10 == 1:
        make = FOREIGN[number // 10 % len(FOREIGN)]
        return json.dumps(make(number, ledger)).encode()
    return json.dumps(_usage(number, ledger)).encode()


RUBBISH = (
    b"5/24/2024 2:45:56 PM,apim-x.azure-api.net,203.0.113.7,Creates a completion",
    b'{"subscriptionId": "team-alpha", "promptTokens": 12, "responseBody": , "deploymentId": "gpt-4"}',
    b"\xff\xfe\x00rubbish",
    b'{"promptTokens": -1, "completionTokens": 3, "subscriptionId": "team-alpha"}',
    b'{"schema": "chargeback.usage/9", "promptTokens": 1}',
    b'{"hello": "world"}',
    b'"a text"',
    b'{"a":' * 300 + b"1" + b"}" * 300,
)
IGNORED = (
    b"",
    b" \r\n",
    b'{"timestamp": "2026-11-20T11:00:00Z", "prompt": "words", "user": "somebody"}',
    b'{"targetService": "AI-Search", "promptTokens": 1, "responseTokens": 0, "totalTokens": 1}',
)


def _time(number: int) -> str:
    return (FIRST_ENQUEUED + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")[:-6] + "Z"


def _usage(number: int, ledger: Ledger) -> Json:
    prompt, completion = 100 + number, number % 97
    ledger.billed[f"call-{number}"] = (prompt, completion)
    return {
        "schema": "chargeback.usage/1",
        "requestId": f"call-{number}",
        "timestamp": _time(number),
        "subscriptionId": f"sub-{number % 6}",
        "productId": "ai",
        "deploymentId": "chat-eu",
        "model": "gpt-4o",
        "statusCode": 200,
        "forwarded": True,
        "streamed": False,
        "durationMs": 800,
        "usageSource": "body",
        "promptTokens": prompt,
        "completionTokens": completion,
        "totalTokens": prompt + completion,
        "cachedTokens": 0,
    }


def _seed(number: int, ledger: Ledger) -> Json:
    ledger.billed[place_of(number)] = (number, 5)
    return {
        "timestamp": "11/20/2026 11:00:00 AM",
        "appSubscriptionKey": "0123456789abcdef0123456789abcdef",
        "promptTokens": str(number),
        "completionTokens": "5",
        "totalTokens": str(number + 5),
    }


def _entra(number: int, ledger: Ledger) -> Json:
    ledger.billed[f"entra-{number}"] = (number, 6)
    return {
        "event-time": _time(number),
        "message-id": f"entra-{number}",
        "appid": "11111111-2222-4333-8444-555555555555",
        "operation": "chat",
        "model": "gpt-4o",
        "prompt_tokens": str(number),
        "completion_tokens": "6",
        "total_tokens": str(number + 6),
    }


def _bodies(number: int, ledger: Ledger) -> Json:
    ledger.billed[place_of(number)] = (number, 7)
    usage = {"prompt_tokens": number, "completion_tokens": 7, "total_tokens": number + 7}
    answer = {"model": "gpt-4o", "choices": [{"message": {"content": "words"}}], "usage": usage}
    return {
        "eventTime": _time(number),
        "appSubscriptionKey": "0123456789abcdef0123456789abcdef",
        "request": json.dumps({"messages": [{"role": "user", "content": "words"}]}),
        "response": json.dumps(answer),
    }


def _gateway_hub(number: int, ledger: Ledger) -> Json:
    ledger.billed[place_of(number)] = (number, 8)
    return {
        "id": "chatcmpl-the-same-for-two-calls",
        "timestamp": _time(number),
        "subscriptionId": "sub-hub",
        "productName": "OAI-HR",
        "promptTokens": number,
        "responseTokens": 8,
        "totalTokens": number + 8,
    }


def _toolkit(number: int, ledger: Ledger) -> Json:
    ledger.billed[f"toolkit-{number}"] = (None, None)
    return {"Type": "chat", "EventTime": _time(number), "RequestId": f"toolkit-{number}", "TotalTokens": "17"}


def _gateway_logs(number: int, ledger: Ledger) -> Json:
    """An export of the gateway's own log: two rows with counts and one that is empty."""
    rows: list[Json] = []
    for row in range(2):
        ledger.billed[f"log-{number}-{row}"] = (number, 9)
        counts = {"modelName": "gpt-4o", "promptTokens": number, "completionTokens": 9, "totalTokens": number + 9}
        rows.append(_row(number, f"log-{number}-{row}", counts))
    ledger.ignored.add(f"log-{number}-empty")
    return {"records": [*rows, _row(number, f"log-{number}-empty", {"promptTokens": 0})]}


def _row(number: int, identity: str, counts: Json) -> Json:
    return {
        "time": _time(number),
        "category": "GatewayLlmLogs",
        "correlationId": identity,
        "properties": counts,
    }


def _pair(number: int, ledger: Ledger) -> list[Json]:
    """Two records in one event, without ids: their places tell them apart."""
    for index in range(2):
        ledger.billed[f"{place_of(number)}/{index}"] = (number, index)
    return [{"time": _time(number), "promptTokens": number, "completionTokens": index} for index in range(2)]


FOREIGN = (_seed, _entra, _bodies, _gateway_hub, _toolkit, _gateway_logs, _pair)


def cut(messages: list[Message], size: int) -> Iterator[list[Message]]:
    """Cut events into batches."""
    for start in range(0, len(messages), size):
        yield messages[start : start + size]
