"""The demo's end: what the reports say against what the ledger says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chargeback.errors import QueryError
from chargeback.local.day import Day, Tally, sum_of, total_of
from chargeback.local.store import Store
from chargeback.reports.compose import Period, compose, kql_folder

_FIGURES = (
    ("calls", "calls"),
    ("calls without usage", "unknown"),
    ("prompt tokens", "prompt"),
    ("completion tokens", "completion"),
    ("tokens in all", "total"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison."""

    subject: str
    """What is compared; with a colon in it, it is a detail."""
    ledger: int | Decimal
    billed: int | Decimal

    @property
    def holds(self) -> bool:
        """Whether the two are the same."""
        return self.ledger == self.billed


def period_of(day: Day) -> Period:
    """Return the day, midnight to midnight, UTC."""
    start = datetime(day.date.year, day.date.month, day.date.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def report(store: Store, name: str, period: Period) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Run one of kql/reports."""
    text = (kql_folder() / "reports" / f"{name}.kql").read_text(encoding="utf-8")
    answer = store.query(compose(text, period=period))
    return answer.columns, answer.rows


def billed_by_consumer(store: Store, period: Period) -> dict[str, Tally]:
    """Read the report on tokens by consumer into tallies.

    Raises:
        QueryError: the report has lost a column.
    """
    columns, rows = report(store, "tokens-by-consumer", period)
    names = ("consumerId", "calls", "callsWithoutUsage", "promptTokens", "completionTokens", "totalTokens")
    try:
        places = [columns.index(name) for name in names]
    except ValueError:
        raise QueryError("kql/reports/tokens-by-consumer.kql has lost a column that the demo reads") from None
    return {str(row[places[0]]): Tally(*(_whole(row[place]) for place in places[1:])) for row in rows}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def prove(day: Day, billed: dict[str, Tally], strays: dict[str, int]) -> list[Line]:
    """Compare ledger and reports, consumer by consumer and as a whole; `strays` is what became of other bodies."""
    lines = [
        Line(f"{who}: {what}", getattr(day.ledger.get(who, Tally()), field), getattr(billed.get(who, Tally()), field))
        for who in sorted(day.ledger.keys() | billed.keys())
        for what, field in _FIGURES
    ]
    whole, everything = total_of(day), sum_of(billed.values())
    lines += [Line(what, getattr(whole, field), getattr(everything, field)) for what, field in _FIGURES]
    lines += [Line(f"records {outcome}", day.strays[outcome], strays[outcome]) for outcome in day.strays]
    return lines


def stray_records(store: Store, period: Period) -> dict[str, int]:
    """Count the distinct records that were rejected and ignored, from their reports."""
    counts = {}
    for outcome in ("rejected", "ignored"):
        columns, rows = report(store, outcome, period)
        counts[outcome] = sum(_whole(row[columns.index("records")]) for row in rows)
    return counts
