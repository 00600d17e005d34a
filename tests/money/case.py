"""The cases in `cases/`: reference rows and calls, and what they come to, worked out by hand.

A file holds cases that are alike. `reference`, `each` (properties of its events) and `line` (of its expected lines) are
for all of its cases; a case adds rows, has the last word, and a `name` where a test speaks of it. A column that a
reference row leaves out is empty or null; `validFrom` is then 2026-01-01, `priceKind` is `list`, `batch` is false. An
event's `sent` is its own time where that is not the call's, `times` makes so many calls of it, null takes a property of
`each` away. A line's `charged` is its amount at list and contract prices, too, where it does not tell them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from tests.kql.rows import NOON
from tests.money.amounts import Costs, Key, Month

Row: TypeAlias = dict[str, Any]  # JSON: texts, numbers, true and false
Tables: TypeAlias = dict[str, list[Row]]

CASES = Path(__file__).with_name("cases")
LONG_AGO = "2026-01-01T00:00:00Z"
ANSWERED: Mapping[str, object] = {
    "recordShape": "usage/1",
    "consumerType": "subscription",
    "statusCode": 200,
    "forwarded": True,
    "usageSource": "body",
}
"""What the function says of a call that was answered."""


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    key: Key
    costs: Costs
    sums: Mapping[str, str]
    """`charged`, and `list` and `contract` where they are other amounts -> the sum, written out."""
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    about: str
    start: datetime
    end: datetime
    settings: Mapping[str, str]
    """`idleCapacity`, `statementCurrency`."""
    reference: Tables
    events: tuple[Row, ...]
    lines: tuple[ExpectedLine, ...]
    classes: Mapping[str, int]
    causes: Mapping[str, str]
    """Class -> the cause of all of its calls."""
    statement: Mapping[str, Decimal]

    @property
    def expected(self) -> Month:
        lines = {line.key: line.costs for line in self.lines}
        return Month(
            lines, self.classes, {line.key: frozenset(line.notes.items()) for line in self.lines if line.notes}
        )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def every_case() -> Iterator[Case]:
    for file in sorted(CASES.glob("*.json")):
        whole = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        for number, case in enumerate(whole["cases"], start=1):
            yield _case(f"{file.stem}-{case.get('name', f'{number:02}')}", whole, case)


def _case(name: str, whole: Row, case: Row) -> Case:
    start, end = _period(case.get("period", "2026-10"))
    shared, own = whole.get("reference", {}), case.get("reference", {})
    tables = {table: [*shared.get(table, []), *own.get(table, [])] for table in (shared | own)}
    expect = case["expect"]
    return Case(
        name=name,
        about=case["about"],
        start=start,
        end=end,
        settings={"idleCapacity": "own-line", "statementCurrency": "USD"} | case.get("settings", {}),
        reference=tables,
        events=tuple(made for event in case["events"] for made in events_of(whole.get("each", {}) | event)),
        lines=tuple(_line(whole.get("line", {}) | line) for line in expect.get("lines", [])),
        classes=expect["classes"],
        causes=expect.get("causes", {}),
        statement={unit: Decimal(amount) for unit, amount in expect.get("statement", {}).items()},
    )


def _period(told: str | list[str]) -> tuple[datetime, datetime]:
    if isinstance(told, list):
        return moment(told[0]), moment(told[1])
    start = moment(f"{told}-01T00:00:00Z")
    return start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


def events_of(told: Row) -> Iterator[Row]:
    """Yield the events' properties as the function makes them, and `timestamp`, the event's own time."""
    event = {**ANSWERED, "eventTime": NOON, **told}
    times, sent = event.pop("times", 1), event.pop("sent", None)
    known = {name: value for name, value in event.items() if value is not None}
    if {"promptTokens", "completionTokens"} <= known.keys() and "totalTokens" not in told:
        known["totalTokens"] = known["promptTokens"] + known["completionTokens"]
    known["timestamp"] = sent or event["eventTime"]
    for number in range(times):
        yield known if times == 1 else {**known, "recordId": f"{known['recordId']}-{number}"}


def _line(told: Row) -> ExpectedLine:
    charged = told["charged"]
    costs = (Decimal(told.get(name) or charged) for name in ("list", "contract", "charged"))
    sums = {"charged": told["sum"]} | {name: told[f"{name}Sum"] for name in ("list", "contract") if name in told}
    key = Key(told["businessUnit"], told["consumer"], told["deployment"], told["model"], told.get("kind", "tokens"))
    return ExpectedLine(key, Costs(told.get("calls", 1), *costs), sums, told.get("notes", {}))
