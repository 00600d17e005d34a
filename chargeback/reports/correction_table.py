"""Corrections as a table: what each of them charges or gives back, rounded as the statement they go into is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from chargeback.reports.rounding import Amounts, nothing, shares
from chargeback.reports.statement import Kind, Line, Statement
from chargeback.reports.texts import visible
from chargeback.reports.units import unit_of

_Key: TypeAlias = tuple[str, ...]


def correction_table(lines: Sequence[Line], statement: Statement) -> tuple[list[str], list[list[object]]]:
    """Return heads and cells, the total last; `statement` gives the currency alone.

    Amounts are rounded once per business unit and split, so that a unit's lines add up to what these corrections are
    to it; among the lines of a month they are rounded together with the rest.

    Raises:
        ReportError: the currency is none.
    """
    currency = statement.currency
    heads = ["corrects", "line", "business unit", "consumer", "model", "deployment", "calls", "tokens"]
    heads += [f"{name} {currency}" for name in ("list", "contract", "charged")]
    split = shares(replace(statement, lines=tuple(lines)), _key)
    cells: list[list[object]] = []
    total = nothing(currency)
    for line in sorted(lines, key=_key):
        amounts = split[unit_of(line), _key(line)]
        total += amounts
        names = unit_of(line).label, line.consumer_name or line.consumer_id, line.model, line.deployment
        cells.append([f"{line.day:%Y-%m}", "Correction", *map(visible, names), *_counts([line]), *_costs(amounts)])
    cells.append(["Total", "", "", "", "", "", *_counts(lines), *_costs(total)])
    return heads, cells


def of_closed_months(statement: Statement, business_unit: str = "") -> tuple[Line, ...]:
    """Return the corrections that are in a statement, of all business units or of one."""
    return tuple(
        line
        for line in statement.lines
        if line.kind is Kind.CORRECTION and (not business_unit or line.business_unit == business_unit)
    )


def _key(line: Line) -> _Key:
    # What corrections() has one line for.
    month = f"{line.day:%Y-%m}"
    return month, line.business_unit, line.consumer_id, line.model, line.deployment, line.backend_host


def _counts(lines: Sequence[Line]) -> tuple[int, int]:
    return sum(line.calls for line in lines), sum(part.tokens for line in lines for part in line.parts)


def _costs(amounts: Amounts) -> list[object]:
    return [amounts.list_cost, amounts.contract_cost, amounts.charged_cost]
