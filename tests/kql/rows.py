"""Rows written by hand, as the function would send them, and questions put to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from chargeback.events import IGNORED_EVENT, PROPERTY_NAMES, REJECTED_EVENT, USAGE_EVENT
from chargeback.local.store import Store, Table
from chargeback.reports.compose import Period, compose, kql_folder

Envelope: TypeAlias = dict[str, object]
Row: TypeAlias = dict[str, object]

OCTOBER: Period = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
NOVEMBER: Period = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
NOON = "2026-10-15T12:00:00.000Z"
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def event(name: str, timestamp: str, properties: Mapping[str, object]) -> Envelope:
    """Return a custom event's envelope; a property that is not known is absent, as in the real events."""
    unknown = properties.keys() - PROPERTY_NAMES
    assert not unknown, f"no event has a property {unknown}"
    told = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in properties.items()}
    data = {"baseType": "EventData", "baseData": {"ver": 2, "name": name, "properties": told}}
    return {"name": "Microsoft.ApplicationInsights.Event", "time": timestamp, "data": data}


def call(record_id: str, time: str = NOON, sent: str | None = None, /, **properties: object) -> Envelope:
    """Return a call as the policy tells it; `sent` is the event's own time where it is not the call's."""
    defaults: dict[str, object] = {"recordId": record_id, "recordShape": "usage/1", "eventTime": time}
    return event(USAGE_EVENT, sent or time, defaults | properties)


def counted(record_id: str, prompt: int, completion: int, time: str = NOON, /, **properties: object) -> Envelope:
    """Return a plain answered call of subscription `retail` whose counts the policy knows."""
    counts = {"promptTokens": prompt, "completionTokens": completion, "totalTokens": prompt + completion}
    return call(record_id, time, **({**ANSWERED, "usageSource": "body", **counts} | properties))


def pending(record_id: str, time: str = NOON, /, **properties: object) -> Envelope:
    """Return a stream that the policy left alone."""
    waiting = {"usageSource": "pending", "note": "stream-not-read", "streamed": True}
    return call(record_id, time, **({**ANSWERED, **waiting} | properties))


def log_row(record_id: str, time: str = NOON, /, **properties: object) -> Envelope:
    """Return a row of the gateway's LLM log."""
    return call(record_id, time, **{"recordShape": "llm-log", **properties})


def ignored(record_id: str, time: str = NOON, /, **properties: object) -> Envelope:
    return event(IGNORED_EVENT, time, {"recordId": record_id, "reason": "empty body", **properties})


def rejected(record_id: str, time: str = NOON, /, **properties: object) -> Envelope:
    return event(REJECTED_EVENT, time, {"recordId": record_id, "reason": "not JSON", **properties})


ANSWERED: Mapping[str, object] = {
    "consumerId": "retail",
    "consumerType": "subscription",
    "statusCode": 200,
    "forwarded": True,
}


def rows_of(table: Table) -> list[Row]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def ask(
    envelopes: Sequence[Envelope], query: str, period: Period | None = OCTOBER, now: datetime | None = NOW
) -> list[Row]:
    """Answer a query over the envelopes and nothing else."""
    with Store() as store:
        store.add(envelopes)
        return rows_of(store.query(compose(query, period=period), now=now))


def report(name: str, envelopes: Sequence[Envelope], period: Period | None = OCTOBER) -> list[Row]:
    """Answer one of `kql/reports/` or, with its folder, another query of the pack."""
    file = kql_folder() / (name if "/" in name else f"reports/{name}")
    return ask(envelopes, file.with_suffix(".kql").read_text(encoding="utf-8"), period)


def usage(envelopes: Sequence[Envelope], period: Period | None = OCTOBER) -> dict[object, Row]:
    """Return the calls by their identity."""
    answer = ask(envelopes, "usage", period)
    calls = {row["recordId"]: row for row in answer}
    assert len(calls) == len(answer), "a call has more than one row"
    return calls


def only(envelopes: Sequence[Envelope], period: Period | None = OCTOBER) -> Row:
    """Return the one call that the envelopes are about."""
    (row,) = usage(envelopes, period).values()
    return row


def part(row: Row, *columns: str) -> tuple[object, ...]:
    return tuple(row[column] for column in columns)
