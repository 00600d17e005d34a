"""A statement as a table: one row for each business unit, model, consumer or deployment, and what is in no row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chargeback.reports.coverage import Coverage, coverage
from chargeback.reports.groups import PARTS, By, Group, RowKind, columns_of, group_of, latest_names
from chargeback.reports.rounding import NOTHING, Amounts, nothing, shares
from chargeback.reports.statement import Line, Statement
from chargeback.reports.units import is_called, of_unit


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what was used, and what it costs."""

    kind: RowKind
    names: tuple[str, ...]
    """What the row is about: a text for each of the table's `columns`."""
    calls: int
    """This month's; a correction's calls were counted in their own month."""
    tokens: Mapping[str, int]
    """Tokens by part, of this month's calls that are priced by token."""
    amounts: Amounts
    """Rounded to the currency's minor unit."""


@dataclass(frozen=True, slots=True)
class Table:
    """What every format shows: rows, their total, and the calls that are in no row."""

    month: str
    currency: str
    by: By
    business_unit: str
    """The only business unit that the table is about; empty where it is about all."""
    columns: tuple[str, ...]
    """Names of what the rows are about: `("business_unit", "consumer", "consumer_id")` say."""
    parts: tuple[str, ...]
    """Parts of calls: those that have a price of their own, then any other that occurs."""
    rows: tuple[Row, ...]
    total: Row
    coverage: Coverage
    made_at: datetime
    query_hashes: Mapping[str, str]


@dataclass(slots=True)
class _Sum:
    """What a group's lines add up to, while they are added."""

    calls: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    amounts: Amounts = NOTHING

    def add(self, line: Line) -> None:
        if is_called(line):
            self.calls += line.calls
            for part in line.parts:
                self.tokens[part.name] = self.tokens.get(part.name, 0) + part.tokens


def tabulate(statement: Statement, by: By, *, business_unit: str = "") -> Table:
    """Return the table of a statement by `by`: the rows' amounts add up to the total, which is that of the units.

    With a business unit it is the table of that unit's lines alone: nothing in it tells of any other.

    Raises:
        ReportError: an amount is no number, the currency none, or the statement has no such business unit.
    """
    if business_unit:
        statement = of_unit(statement, business_unit)
    columns = columns_of(by)
    rows = rows_by(statement, by)
    return Table(
        month=statement.month,
        currency=statement.currency,
        by=by,
        business_unit=business_unit,
        columns=columns,
        parts=parts_of(statement.lines),
        rows=rows,
        total=total_of(rows, len(columns), statement.currency),
        coverage=coverage(statement),
        made_at=statement.made_at,
        query_hashes=statement.query_hashes,
    )


def rows_by(statement: Statement, by: By) -> tuple[Row, ...]:
    """Return one row per group: business units before what nobody owns, within these the dearest first."""
    sums: dict[Group, _Sum] = {}
    for line in statement.lines:
        sums.setdefault(group_of(by, line), _Sum()).add(line)
    for (_, (group,)), amounts in shares(statement, lambda line: (group_of(by, line),)).items():
        sums[group].amounts += amounts
    names = latest_names(statement.lines)
    rows = [Row(key.kind, key.names(names), found.calls, found.tokens, found.amounts) for key, found in sums.items()]
    order = list(RowKind)
    return tuple(sorted(rows, key=lambda row: (order.index(row.kind), -row.amounts.charged_cost, row.names)))


def total_of(rows: Iterable[Row], columns: int, currency: str) -> Row:
    """Return the sum of rows, named `Total` in the first of so many columns."""
    total = _Sum(amounts=nothing(currency))
    for row in rows:
        total.calls += row.calls
        total.amounts += row.amounts
        for part, tokens in row.tokens.items():
            total.tokens[part] = total.tokens.get(part, 0) + tokens
    return Row(RowKind.TOTAL, ("Total", *[""] * (columns - 1)), total.calls, total.tokens, total.amounts)


def parts_of(lines: Iterable[Line]) -> tuple[str, ...]:
    """Return all known parts of calls, then those that are only in these lines."""
    met = {part.name for line in lines for part in line.parts}
    return (*PARTS, *sorted(met - set(PARTS)))
