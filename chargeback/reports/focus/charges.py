"""A statement as charges: what FOCUS has one row for.

Every amount is exact. What a unit's statement is rounded by is a charge of its own, so that the rows of a unit add up
to its statement and yet each of them can be multiplied out. Spreading the difference over the rows instead would leave
no row that equals tokens times price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chargeback.errors import ReportError
from chargeback.reports.focus.measures import (
    HOURS,
    MONTHS,
    REQUESTS,
    TOKENS,
    Measure,
    adds_up,
    costs_of,
    of_costs,
    of_part,
)
from chargeback.reports.rounding import NOTHING, Amounts, exact_difference, exact_sum, rounded_by_unit
from chargeback.reports.statement import Kind, Line, Statement
from chargeback.reports.units import Unit, unit_of

USAGE, PURCHASE, ADJUSTMENT = "Usage", "Purchase", "Adjustment"


@dataclass(frozen=True, slots=True)
class Charge:
    """One row of the export, before it is written in the words of FOCUS."""

    category: str
    unit: Unit
    line: Line | None
    """What it is a charge for, of a purchase the first of its lines; none where the statement was rounded."""
    part: str
    """The part of the calls; empty where it is not about tokens."""
    calls: int | None
    """Calls of the line, on the first row of its parts alone, so that they can be added up."""
    consumed: Decimal | None
    consumed_unit: str
    measure: Measure | None
    amounts: Amounts
    """`charged_cost` is what is billed."""
    effective: Decimal

    @property
    def corrects(self) -> bool:
        """Whether it belongs to a month that is closed."""
        return self.line is not None and self.line.kind is Kind.CORRECTION


def charges(statement: Statement) -> Iterator[Charge]:
    """Yield every charge of a statement: usage by line and part, then purchases of reservations, then what was rounded.

    Raises:
        ReportError: the parts of a line do not add up to its cost.
    """
    used = [charge for line in statement.lines for charge in _of_line(line)]
    bought = list(_purchases(statement.lines))
    yield from used
    yield from bought
    yield from _roundings(statement, used, bought)


def _of_line(line: Line) -> Iterator[Charge]:
    if line.kind is Kind.TOKENS and line.parts:
        _check(line)
        yield from _of_parts(line)
    elif line.kind is Kind.TOKENS:
        yield _metered(line, Decimal(line.calls), REQUESTS)
    elif line.kind is Kind.OVERHEAD:
        yield _metered(line, Decimal(1), MONTHS)
    elif line.kind is not Kind.CORRECTION:
        yield _metered(line, line.unit_hours, HOURS)
    elif line.parts and not line.commitment_id and adds_up(line):
        yield from _of_parts(line)
    else:
        yield _usage(line, costs_of(line))


def _check(line: Line) -> None:
    if not adds_up(line):
        raise ReportError(
            f"the parts of {line.consumer_id or 'a line'} on {line.day}, {line.deployment}, do not add up to its cost: "
            "make the line's costs of its tokens and prices"
        )


def _of_parts(line: Line) -> Iterator[Charge]:
    # A part without tokens costs nothing; a line without any still has its calls to show.
    for number, part in enumerate([part for part in line.parts if part.tokens] or line.parts[:1]):
        measure, amounts = of_part(part)
        calls = line.calls if number == 0 else None
        yield _usage(line, amounts, measure, Decimal(part.tokens), TOKENS, part=part.name, calls=calls)


def _metered(line: Line, quantity: Decimal, unit: str) -> Charge:
    """Return the charge of a line whose price is its cost by its quantity."""
    measure = of_costs(costs_of(line), quantity, unit)
    consumed: Decimal | None = measure.quantity
    if line.kind is Kind.IDLE:
        # FOCUS: unused commitments consume null; of hourly capacity that idled, nothing was consumed.
        consumed = None if line.commitment_id else Decimal(0)
    return _usage(line, measure.costs(line.charged_cost), measure, consumed, measure.unit, calls=line.calls)


def _usage(
    line: Line,
    amounts: Amounts,
    measure: Measure | None = None,
    consumed: Decimal | None = None,
    consumed_unit: str = "",
    *,
    part: str = "",
    calls: int | None = None,
) -> Charge:
    effective = amounts.charged_cost
    if line.commitment_id:
        # What is reserved is billed by its purchase, and only amortised by its use.
        amounts = Amounts(amounts.list_cost, amounts.contract_cost, Decimal(0))
    return Charge(USAGE, unit_of(line), line, part, calls, consumed, consumed_unit, measure, amounts, effective)


def _purchases(lines: Sequence[Line]) -> Iterator[Charge]:
    """Yield each unit's share of each reservation's purchase: what the unit is billed for it."""
    shares: dict[tuple[Unit, str, bool], list[Line]] = {}
    for line in lines:
        if line.commitment_id:
            share = unit_of(line), line.commitment_id, line.kind is Kind.CORRECTION
            shares.setdefault(share, []).append(line)
    for (unit, _, corrects), bought in shares.items():
        amounts = sum(map(costs_of, bought), NOTHING)
        measure = None
        if not corrects:
            measure = of_costs(amounts, exact_sum(line.unit_hours for line in bought), HOURS)
            amounts = measure.costs(amounts.charged_cost)
        yield Charge(PURCHASE, unit, bought[0], "", None, None, "", measure, amounts, Decimal(0))


def _roundings(statement: Statement, used: Sequence[Charge], bought: Sequence[Charge]) -> Iterator[Charge]:
    """Yield what each unit's rounded amounts are more, or less, than its rows."""
    exact: dict[Unit, Amounts] = {}
    for charge in used:
        exact[charge.unit] = exact.get(charge.unit, NOTHING) + charge.amounts
    for charge in bought:
        # Its list and contract costs are those of its use again.
        exact[charge.unit] += Amounts(Decimal(0), Decimal(0), charge.amounts.charged_cost)
    for unit, owed in rounded_by_unit(statement).items():
        difference = Amounts(
            exact_difference(owed.list_cost, exact[unit].list_cost),
            exact_difference(owed.contract_cost, exact[unit].contract_cost),
            exact_difference(owed.charged_cost, exact[unit].charged_cost),
        )
        if any((difference.list_cost, difference.contract_cost, difference.charged_cost)):
            yield Charge(ADJUSTMENT, unit, None, "", None, None, "", None, difference, difference.charged_cost)
