"""What the page shows, put together: every amount on it is a share of the units' rounded amounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from chargeback.reports.coverage import Coverage
from chargeback.reports.groups import By, RowKind
from chargeback.reports.page.figures import month_in_words, share_of
from chargeback.reports.page.sources import Note, Price, notes_of, prices_of
from chargeback.reports.page.words import CLASSES, KINDS, UNKNOWN_CLASS
from chargeback.reports.rounding import Amounts, exact_difference, shares
from chargeback.reports.statement import Kind, Line, Statement
from chargeback.reports.tables import Row, rows_by, tabulate, total_of
from chargeback.reports.units import Unit, unit_of
from chargeback.reports.writing import iso

MOST_ROWS = 100
"""Rows of a unit's consumers; the rest is one row, with its sum."""

_OUTPUT = frozenset({"completion", "audioCompletion"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a table of the page."""

    kind: RowKind
    name: str
    note: str
    """A second, smaller name: an id, a backend."""
    calls: int
    read: int
    """Input tokens, cached ones and cache writes included."""
    cached: int
    written: int
    """Output tokens."""
    amounts: Amounts
    share: Fraction | None
    """Of the total charged; `None` where it is no part of it."""


@dataclass(frozen=True, slots=True)
class Entries:
    """A table of the page."""

    rows: tuple[Entry, ...]
    total: Entry


@dataclass(frozen=True, slots=True)
class UnitView:
    """One unit's consumers and models."""

    label: str
    total: Entry
    consumers: Entries
    models: Entries


@dataclass(frozen=True, slots=True)
class ClassView:
    """One class of calls, in words."""

    title: str
    meaning: str
    calls: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything the page shows but its chart."""

    month: str
    title: str
    business_unit: str
    currency: str
    total: Entry
    discount: Decimal
    """What is charged less than by list."""
    discount_share: Fraction | None
    has_provisioned: bool
    units: Entries
    models: Entries
    details: tuple[UnitView, ...]
    kinds: tuple[tuple[str, str, Decimal], ...]
    """(name, meaning, charged), which add up to the total."""
    coverage: Coverage
    classes: tuple[ClassView, ...]
    costed: Fraction
    """Share of all calls that have a cost."""
    notes: tuple[Note, ...]
    prices: tuple[Price, ...]
    made_at: str
    hashes: tuple[tuple[str, str], ...]


def view_of(statement: Statement, business_unit: str) -> View:
    """Return what a page shows of a statement, which is already that of the business unit, if there is one."""
    table = tabulate(statement, By.BUSINESS_UNIT)
    total = _entry(table.total, table.total.amounts.charged_cost)
    charged, at_list = total.amounts.charged_cost, total.amounts.list_cost
    terms = dict(table.coverage.terms)
    return View(
        month=statement.month,
        title=month_in_words(statement.month),
        business_unit=business_unit,
        currency=statement.currency,
        total=total,
        discount=exact_difference(at_list, charged),
        discount_share=share_of(exact_difference(at_list, charged), at_list),
        has_provisioned=any(line.kind is Kind.PROVISIONED for line in statement.lines),
        units=_entries(table.rows, statement.currency),
        models=_entries(rows_by(statement, By.MODEL), statement.currency),
        details=_details(statement),
        kinds=_kinds(statement),
        coverage=table.coverage,
        classes=_classes(table.coverage),
        costed=Fraction(terms["line"] + terms["unknown-consumer"], statement.calls) if statement.calls else Fraction(1),
        notes=notes_of(statement),
        prices=prices_of(statement),
        made_at=iso(statement.made_at),
        hashes=tuple(sorted(statement.query_hashes.items())),
    )


def _details(statement: Statement) -> tuple[UnitView, ...]:
    lines: dict[Unit, list[Line]] = {}
    for line in statement.lines:
        lines.setdefault(unit_of(line), []).append(line)
    found = []
    for unit in sorted(lines, key=lambda unit: unit.order):
        mine = replace(statement, lines=tuple(lines[unit]))
        consumers = _entries(rows_by(mine, By.CONSUMER), statement.currency)
        models = _entries(rows_by(mine, By.MODEL), statement.currency)
        found.append(UnitView(unit.label, consumers.total, consumers, models))
    return tuple(sorted(found, key=lambda view: -view.total.amounts.charged_cost))


def _entries(rows: tuple[Row, ...], currency: str) -> Entries:
    total = total_of(rows, 1, currency)
    charged = total.amounts.charged_cost
    shown = [_entry(row, charged) for row in rows[:MOST_ROWS]]
    if rest := rows[MOST_ROWS:]:
        shown.append(
            replace(_entry(total_of(rest, 1, currency), charged), kind=RowKind.OTHERS, name=f"{len(rest):,} others")
        )
    return Entries(tuple(shown), _entry(total, charged))


def _entry(row: Row, charged: Decimal) -> Entry:
    # A consumer's row begins with its unit, which the page has above it already.
    names = row.names[1:] if len(row.names) == 3 and row.kind is not RowKind.TOTAL else row.names
    written = sum(count for part, count in row.tokens.items() if part in _OUTPUT)
    return Entry(
        kind=row.kind,
        name=names[0],
        note=names[1] if len(names) > 1 and names[1] != names[0] else "",
        calls=row.calls,
        read=sum(row.tokens.values()) - written,
        cached=row.tokens.get("cached", 0),
        written=written,
        amounts=row.amounts,
        share=share_of(row.amounts.charged_cost, charged),
    )


def _kinds(statement: Statement) -> tuple[tuple[str, str, Decimal], ...]:
    sums = dict.fromkeys((line.kind for line in statement.lines), Amounts(Decimal(0), Decimal(0), Decimal(0)))
    for (_, (kind,)), amounts in shares(statement, lambda line: (line.kind,)).items():
        sums[kind] += amounts
    return tuple((*KINDS[kind], sums[kind].charged_cost) for kind in Kind if kind in sums)


def _classes(coverage: Coverage) -> tuple[ClassView, ...]:
    causes: dict[str, dict[str, int]] = {}
    for row in coverage.excluded:
        found = causes.setdefault(row.class_name, {})
        found[row.cause] = found.get(row.cause, 0) + row.calls
    return tuple(
        ClassView(*CLASSES.get(name, (name, UNKNOWN_CLASS)), calls, tuple(causes.get(name, {}).items()))
        for name, calls in coverage.terms
    )
