"""What came to light after a month was closed: lines that a later month charges, or gives back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from chargeback.errors import StatementError
from chargeback.reports.statement import Kind, Line, Part, Statement

_NOISE = Decimal("1e-9")
"""Shares of a purchase are made of real numbers, whose last digits depend on the order in which they are added."""

_Key = tuple[str, str, str, str, str]
_Prices = tuple[str, Decimal, Decimal, Decimal]


def corrections(closed: Statement, later: Statement, charged: Iterable[Line] = ()) -> tuple[Line, ...]:
    """Return the difference of a later run of a closed month, per business unit, consumer, model and deployment.

    A correction's day is the first day of the month that it corrects; it belongs into the statement of an open month.
    `charged` is the lines of statements that were closed since: their corrections of this month are not made again.
    Corrections add up exactly: those of `charged` and those returned are, together, the later run less the closed one;
    but for differences up to 10^-9 without a token, which are no corrections.

    Raises:
        StatementError: the two are of different months or currencies.
    """
    if (closed.month, closed.currency) != (later.month, later.currency):
        raise StatementError(
            f"{closed.month} in {closed.currency} cannot be corrected by {later.month} in {later.currency}: "
            "run the same month in the same currency"
        )
    first = date.fromisoformat(f"{closed.month}-01")
    before = [line for line in closed.lines if line.kind is not Kind.CORRECTION]
    before += [line for line in charged if line.kind is Kind.CORRECTION and line.day == first]
    after = [line for line in later.lines if line.kind is not Kind.CORRECTION]
    old, new = _grouped(before), _grouped(after)
    made = (_correction(first, old.get(key, ()), new.get(key, ())) for key in sorted({*old, *new}))
    return tuple(line for line in made if line is not None)


def _grouped(lines: Iterable[Line]) -> dict[_Key, list[Line]]:
    groups: dict[_Key, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.business_unit, line.consumer_id, line.model, line.deployment, line.backend_host].append(line)
    return groups


def _correction(first: date, old: Sequence[Line], new: Sequence[Line]) -> Line | None:
    lines = [*new, *old]
    parts = _parts(old, new)
    calls = sum(line.calls for line in new) - sum(line.calls for line in old)
    hours = _less(old, new, lambda line: line.unit_hours)
    costs = [_less(old, new, cost) for cost in _COSTS]
    if not (parts or calls or any(abs(figure) > _NOISE for figure in (hours, *costs))):
        return None
    return replace(
        lines[0],
        kind=Kind.CORRECTION,
        day=first,
        calls=calls,
        parts=parts,
        list_cost=costs[0],
        contract_cost=costs[1],
        charged_cost=costs[2],
        unit_hours=hours,
        pricing_note=f"corrects {first:%Y-%m}",
        **{name: _shared(lines, name, otherwise) for name, otherwise in _SHARED.items()},
    )


_SHARED: Mapping[str, Any] = MappingProxyType(
    {
        "cost_center": "",
        "publisher": "",
        "model_version": "",
        "deployment_type": "",
        "region": "",
        "service_tier": "",
        "batch": False,
        "context_band": "",
        "price_source": "",
        "meter_id": "",
        "price_valid_from": None,
        "commitment_id": "",
    }
)
"""Field of a line -> what a correction has there where its lines differ."""


_COSTS: tuple[Callable[[Line], Decimal], ...] = (
    lambda line: line.list_cost,
    lambda line: line.contract_cost,
    lambda line: line.charged_cost,
)


def _parts(old: Iterable[Line], new: Iterable[Line]) -> tuple[Part, ...]:
    """Return the tokens that came and went, at each price: a changed price takes all back and charges all anew."""
    tokens: dict[_Prices, int] = defaultdict(int)
    for lines, sign in ((old, -1), (new, 1)):
        for line in lines:
            for part in line.parts:
                prices = (part.name, part.list_per_million, part.contract_per_million, part.charged_per_million)
                tokens[prices] += sign * part.tokens
    return tuple(Part(name, count, *prices) for (name, *prices), count in sorted(tokens.items()) if count)


def _less(old: Iterable[Line], new: Iterable[Line], figure: Callable[[Line], Decimal]) -> Decimal:
    return sum(map(figure, new), Decimal(0)) - sum(map(figure, old), Decimal(0))


def _shared(lines: Sequence[Line], name: str, otherwise: Any) -> Any:  # whatever the field is
    """Return what all lines have in common."""
    values = [getattr(line, name) for line in lines]
    return values[0] if all(value == values[0] for value in values) else otherwise
