"""Quantities, and the prices that multiply out to a cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chargeback.reports.rounding import NOTHING, Amounts, exact_difference, exact_product, rounded
from chargeback.reports.statement import Line, Part

TOKENS, MILLION_TOKENS, HOURS, REQUESTS, MONTHS = "Tokens", "1000000 Tokens", "PTU-Hours", "Requests", "Months"

_MILLION = 6
_PRICE_DIGITS = 18
"""Of a price that is not given but is a cost divided by a quantity; its cost is then multiplied out of it again."""
_CLOSE = Decimal("1e-9")
"""How far a line's parts may be from its cost: less than anything that is ever rounded to."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of what, at which prices a unit."""

    quantity: Decimal
    unit: str
    list_price: Decimal
    contract_price: Decimal

    def costs(self, charged: Decimal) -> Amounts:
        """Return the costs that the prices multiply out to, and what is charged."""
        at_list = exact_product(self.list_price, self.quantity)
        return Amounts(at_list, exact_product(self.contract_price, self.quantity), charged)


def of_part(part: Part) -> tuple[Measure, Amounts]:
    """Return a part's millions of tokens, and what they cost."""
    millions = Decimal(part.tokens).scaleb(-_MILLION)
    measure = Measure(millions, MILLION_TOKENS, part.list_per_million, part.contract_per_million)
    return measure, measure.costs(exact_product(part.charged_per_million, millions))


def of_costs(costs: Amounts, quantity: Decimal, unit: str) -> Measure:
    """Return a quantity and its prices, its costs divided by it. What was paid for no quantity is one month of it."""
    if not quantity and (costs.list_cost or costs.contract_cost):
        quantity, unit = Decimal(1), MONTHS
    return Measure(quantity, unit, _rate(costs.list_cost, quantity), _rate(costs.contract_cost, quantity))


def costs_of(line: Line) -> Amounts:
    """Return a line's exact amounts."""
    return Amounts(line.list_cost, line.contract_cost, line.charged_cost)


def adds_up(line: Line) -> bool:
    """Tell whether the parts of a line add up to its costs."""
    parts = sum((of_part(part)[1] for part in line.parts), NOTHING)
    differences = (
        exact_difference(parts.list_cost, line.list_cost),
        exact_difference(parts.contract_cost, line.contract_cost),
        exact_difference(parts.charged_cost, line.charged_cost),
    )
    return all(difference.copy_abs() <= _CLOSE for difference in differences)


def _rate(cost: Decimal, quantity: Decimal) -> Decimal:
    return rounded(cost / quantity, _PRICE_DIGITS) if quantity else Decimal(0)
