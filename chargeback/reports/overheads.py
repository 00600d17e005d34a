"""Costs beside tokens as lines of a statement: so much of each as its month and its validity share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Any

from chargeback.errors import ReferenceDataError
from chargeback.reports.compose import Period
from chargeback.reports.lines import exact
from chargeback.reports.rates import rate_before
from chargeback.reports.reference import Reference
from chargeback.reports.statement import Kind, Line, Statement
from chargeback.reports.units import is_called

_EXACT = Context(prec=60)
_INCLUDED = "let includeOverheads = true;"


def overhead_lines(
    overheads: Reference, currencies: Reference, statement: Statement, period: Period
) -> tuple[Line, ...]:
    """Return the lines of `kql/lib/overheads.kql` for a month; none where its includeOverheads is not true.

    Raises:
        ReferenceDataError: a row is divided in no way that is known, or the currency has no rate.
    """
    if not any(" ".join(setting.split()) == _INCLUDED for setting in overheads.settings):
        return ()
    # Overheads are of no moment within their month.
    rate = rate_before(currencies, statement.currency, period[1])
    lines = []
    for row in overheads.rows:
        cost = _EXACT.multiply(exact(row["usdPerMonth"]), _EXACT.multiply(_validity(row, period), rate))
        if cost:
            shares = _shares(row, statement)
            lines += [
                _line(row, unit, _EXACT.multiply(cost, share), period[0], statement) for unit, share in shares.items()
            ]
    return tuple(lines)


def _validity(row: Mapping[str, Any], period: Period) -> Decimal:
    """Return the part of the month in which a row is valid."""
    start = max(row["validFrom"] or period[0], period[0])
    end = min(row["validTo"] or period[1], period[1])
    valid = max((end - start).total_seconds(), 0.0)
    return _EXACT.divide(exact(valid), exact((period[1] - period[0]).total_seconds()))


def _shares(row: Mapping[str, Any], statement: Statement) -> dict[str, Decimal]:
    """Return business unit -> its share; what nobody is there to carry has no unit."""
    how = str(row["splitBy"])
    if how == "fixed":
        return {str(row["businessUnit"]): exact(row["share"])}
    if how not in _WEIGHTS:
        raise ReferenceDataError(
            f"overheads.kql divides {row['overhead']} by {how!r}: write calls, tokens or fixed into splitBy"
        )
    weights: dict[str, int] = defaultdict(int)
    for line in statement.lines:
        if is_called(line):
            weights[line.business_unit] += _WEIGHTS[how](line)
    whole = sum(weights.values())
    if not whole:
        return {"": Decimal(1)}
    return {unit: _EXACT.divide(Decimal(weight), Decimal(whole)) for unit, weight in sorted(weights.items()) if weight}


def _tokens(line: Line) -> int:
    return sum(part.tokens for part in line.parts)


_WEIGHTS: Mapping[str, Callable[[Line], int]] = MappingProxyType({"calls": lambda line: line.calls, "tokens": _tokens})


def _line(row: Mapping[str, Any], unit: str, cost: Decimal, start: datetime, statement: Statement) -> Line:
    center = next((line.cost_center for line in statement.lines if line.business_unit == unit and unit), "")
    return Line(
        kind=Kind.OVERHEAD,
        day=start.date(),
        business_unit=unit,
        cost_center=center,
        consumer_id="",
        consumer_name="",
        deployment=str(row["overhead"]),
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
        list_cost=cost,
        contract_cost=cost,
        charged_cost=cost,
        pricing_note=f"by {row['splitBy']}" if row["splitBy"] != "fixed" else "fixed share",
        price_source="",
        meter_id="",
        price_valid_from=row["validFrom"],
        unit_hours=Decimal(0),
        commitment_id="",
    )
