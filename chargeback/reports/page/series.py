"""What each model cost on each day of a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from chargeback.reports.groups import By, Group, RowKind, group_of
from chargeback.reports.rounding import exact_sum, nothing, shares
from chargeback.reports.statement import Kind, Line, Statement

MOST_SERIES = 6
"""Models with a colour of their own; all others share one."""
OTHERS, IDLE = ("Other models", "s-others"), ("Idle capacity", "s-idle")

_ByDay: TypeAlias = Mapping[tuple[Group, date | None], Decimal]
_HAS_A_DAY = frozenset({Kind.TOKENS, Kind.PROVISIONED, Kind.IDLE})


@dataclass(frozen=True, slots=True)
class Series:
    """One model over the month."""

    name: str
    css: str
    """The class of its colour."""
    by_day: tuple[Decimal, ...]
    total: Decimal


def series_of(statement: Statement, days: Sequence[date]) -> tuple[list[Series], Decimal]:
    """Return the dearest models by name, then all others, then what idled; and what has no day of the month."""
    amounts: dict[tuple[Group, date | None], Decimal] = {}
    for (_, path), three in shares(statement, lambda line: (group_of(By.MODEL, line), _day(line, days))).items():
        amounts[path] = exact_sum((amounts.get(path, Decimal(0)), three.charged_cost))
    named = _dearest(amounts)
    none = nothing(statement.currency).charged_cost
    rows = {label: [none] * len(days) for label in (*named.values(), OTHERS, IDLE)}
    for (group, day), amount in amounts.items():
        if day is not None:
            row = rows[named.get(group, IDLE if group.kind is RowKind.IDLE else OTHERS)]
            row[day.day - 1] = exact_sum((row[day.day - 1], amount))
    found = [Series(name, css, tuple(by_day), exact_sum(by_day)) for (name, css), by_day in rows.items()]
    elsewhere = exact_sum(amount for (_, day), amount in amounts.items() if day is None)
    return [one for one in found if any(one.by_day)], elsewhere


def days_of(month: str) -> list[date]:
    """Return all days of a month."""
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return [first + timedelta(days=number) for number in range((after - first).days)]


def _dearest(amounts: _ByDay) -> dict[Group, tuple[str, str]]:
    """Return the name and the colour of the models that have one."""
    sums: dict[Group, Decimal] = {}
    for (group, day), amount in amounts.items():
        if day is not None and group.kind is not RowKind.IDLE:
            sums[group] = exact_sum((sums.get(group, Decimal(0)), amount))
    dearest = sorted(sums, key=lambda group: (-sums[group], group.key))[:MOST_SERIES]
    return {group: (group.key[0], f"s{place}") for place, group in enumerate(dearest)}


def _day(line: Line, days: Sequence[date]) -> date | None:
    return line.day if line.kind in _HAS_A_DAY and days[0] <= line.day <= days[-1] else None
