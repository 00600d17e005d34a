"""A check of rows against the rules of FOCUS 1.2: columns, types, nulls, allowed values, formats, conditions, sums.

Not checked is what cannot be seen in the rows: whether ids are unique within a provider, or stay the same over months.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chargeback.reports.focus.conditions import Values, rules
from chargeback.reports.focus.facts import COLUMNS
from chargeback.reports.focus.formats import wrong
from chargeback.reports.rounding import exact_sum

_BY_NAME = {column.name: column for column in COLUMNS}
_CUSTOM = re.compile(r"x_([A-Z][a-z0-9]*)+")
_ONE_EACH = (
    ("SkuPriceId", "SkuId"),
    ("ServiceName", "ServiceCategory"),
    ("CommitmentDiscountId", "CommitmentDiscountUnit"),
    ("InvoiceId", "BillingCurrency"),
)
"""For each of the first there is one of the second, in all rows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken."""

    row: int | None
    """Counted from 1, the line of names not included; None where it is about all rows."""
    column: str
    demand: str

    def __str__(self) -> str:
        place = "" if self.row is None else f"row {self.row}: "
        return f"{place}{self.column} {self.demand}"


def check(columns: Sequence[str], rows: Iterable[Mapping[str, str | None]]) -> list[Finding]:
    """Return every rule that is broken, in the order of the rows; what is about all rows comes first and last.

    `columns` are those of the data set, in its order; in a row, None is null, and a column that it lacks is null.
    """
    found = list(_of_columns(columns))
    asked = rules(frozenset(columns))
    kept: list[Values] = []
    for number, row in enumerate(rows, start=1):
        mistakes = [(name, demand) for name in _BY_NAME if name in columns for demand in _of_value(name, row.get(name))]
        bad = {name for name, _ in mistakes}
        # What has no meaning is left out of the rules that would read it.
        values = {name: None if name in bad else row.get(name) for name in _BY_NAME}
        broken = [(name, demand) for name, demand, breaks in asked if name not in bad and breaks(values)]
        found += (Finding(number, name, demand) for name, demand in (*mistakes, *broken))
        kept.append(values)
    return [*found, *_of_all(kept)]


def check_csv(text: str) -> list[Finding]:
    """Check rows as `as_focus_csv` writes them: an empty cell is null."""
    reader = csv.DictReader(io.StringIO(text))
    return check(reader.fieldnames or (), [{name: cell or None for name, cell in row.items()} for row in reader])


def _of_columns(columns: Sequence[str]) -> Iterator[Finding]:
    for known in COLUMNS:
        if known.level == "Mandatory" and known.name not in columns:
            yield Finding(None, known.name, "must be present")
    customs = [column not in _BY_NAME for column in columns]
    for place, column in enumerate(columns):
        if column in columns[:place]:
            yield Finding(None, column, "must be present once")
        if customs[place] and not _CUSTOM.fullmatch(column):
            yield Finding(None, column, "is no column of FOCUS: one of your own is named like x_MyColumn")
        if not customs[place] and any(customs[:place]):
            yield Finding(None, column, "must stand before all columns of your own")


def _of_value(name: str, value: str | None) -> Iterator[str]:
    column = _BY_NAME[name]
    if value is None:
        if not column.nullable:
            yield "must not be null"
        return
    yield from wrong(column, value)


def _of_all(rows: Sequence[Values]) -> Iterator[Finding]:
    for key, other in _ONE_EACH:
        met: dict[str, set[str]] = {}
        for row in rows:
            if (one := row[key]) is not None and (belongs := row[other]) is not None:
                met.setdefault(one, set()).add(belongs)
        for one, others in sorted(met.items()):
            if len(others) > 1:
                yield Finding(None, other, f"must be one for the {key} {one}, and is {' and '.join(sorted(others))}")
    yield from _of_commitments(rows)


def _of_commitments(rows: Sequence[Values]) -> Iterator[Finding]:
    """Compare what a commitment's use costs, used and unused, with what its purchase was billed."""
    for commitment in sorted({row["CommitmentDiscountId"] or "" for row in rows} - {""}):
        mine = [row for row in rows if row["CommitmentDiscountId"] == commitment]
        used = _sum_of(mine, "Usage", "EffectiveCost")
        bought = _sum_of(mine, "Purchase", "BilledCost")
        if used != bought:
            yield Finding(
                None,
                "EffectiveCost",
                f"of the use of {commitment} must be its purchases' BilledCost: {used} is not {bought}",
            )


def _sum_of(rows: Iterable[Values], category: str, column: str) -> Decimal:
    return exact_sum(Decimal(row[column] or 0) for row in rows if row["ChargeCategory"] == category)
