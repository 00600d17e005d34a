"""Costs beside tokens as lines of a statement, from the rows of `overheadLines` (kql/lib/overheadLines.kql)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from chargeback.reports.answer import Answer
from chargeback.reports.lines import exact
from chargeback.reports.statement import Kind, Line, Statement

QUERY = (
    "overheadLines | project overhead, businessUnit, nobody, cost | order by overhead asc, businessUnit asc, nobody asc"
)
"""Asked about a whole month: a day knows nothing of the month's calls, by which amounts are divided."""


def overhead_lines(answer: Answer, statement: Statement) -> tuple[Line, ...]:
    """Return the lines that the query's rows, of the statement's month, are about."""
    centers = {line.business_unit: line.cost_center for line in statement.lines if line.business_unit}
    first = date.fromisoformat(f"{statement.month}-01")
    lines = []
    for row in answer.records():
        unit = str(row["businessUnit"] or "")
        line = _line(first, str(row["overhead"]), unit, centers.get(unit, ""), row["cost"])
        # What calls carry that belong to nobody stands with them.
        lines.append(replace(line, consumer_name="unknown") if row["nobody"] else line)
    return tuple(lines)


def _line(day: date, overhead: str, unit: str, center: str, cost: object) -> Line:
    amount = exact(cost)
    return Line(
        kind=Kind.OVERHEAD,
        day=day,
        business_unit=unit,
        cost_center=center,
        consumer_id="",
        consumer_name="",
        deployment=overhead,
        backend_host="",
        publisher="",
        model="",
        model_version="",
        deployment_type="",
        region="",
        service_tier="",
        batch=False,
        context_band="",
        calls=0,
        parts=(),
        list_cost=amount,
        contract_cost=amount,
        charged_cost=amount,
        pricing_note="",
        price_source="",
        meter_id="",
        price_valid_from=None,
        unit_hours=Decimal(0),
        commitment_id="",
    )
