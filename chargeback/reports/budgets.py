"""Budgets: what each business unit may spend in a month, has spent, and will have spent at its end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from chargeback.events import BUDGET_EVENT, BUDGET_NAMES, CustomEvent
from chargeback.reports.compose import Period
from chargeback.reports.currencies import minor_digits
from chargeback.reports.lines import exact
from chargeback.reports.rates import rate_before, valid_from
from chargeback.reports.reference import Reference
from chargeback.reports.rounding import rounded, rounded_by_unit
from chargeback.reports.statement import Kind, Statement
from chargeback.reports.units import Role, unit_of

_CALCULATION = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ONCE = (Kind.OVERHEAD, Kind.CORRECTION)
"""Lines whose amount is the month's from its first day on."""
_LEAST = timedelta(days=1)
"""Of a month that is younger nobody knows more than that."""


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What one business unit has used of its budget; amounts in the statement's currency, rounded to its minor unit."""

    business_unit: str
    spent: Decimal
    budget: Decimal | None
    """`None` where there is none."""
    forecast: Decimal
    """At the end of the month."""

    @property
    def used_percent(self) -> Decimal | None:
        """Return what is spent of the budget, in per cent with one digit; `None` without a budget, or with one of 0."""
        if not self.budget:
            return None
        return _CALCULATION.divide(self.spent * 100, self.budget).quantize(Decimal("0.1"))

    @property
    def is_over(self) -> bool:
        """Whether more is spent than the budget."""
        return self.budget is not None and self.spent > self.budget


def budget_uses(
    statement: Statement, budgets: Reference, currencies: Reference, period: Period, now: datetime
) -> tuple[BudgetUse, ...]:
    """Return what each business unit has used by now, by name: those that spent anything, and those with a budget.

    The forecast goes on as the month went so far, in proportion to the time that is over (at least a day is); overheads
    and corrections are not repeated. `budgets` is kql/lib/budgets.kql, in US dollars, taken at the month's last rate.

    Raises:
        ReferenceDataError: the statement's currency has no rate.
        ReportError: the currency is none.
    """
    digits = minor_digits(statement.currency)
    limits = _limits(budgets, currencies, statement.currency, period, now)
    spent = {unit.name: one.charged_cost for unit, one in rounded_by_unit(statement).items() if unit.role is Role.UNIT}
    forecasts = _forecasts(statement, _growth(period, now))
    nothing = rounded(Decimal(0), digits)
    return tuple(
        BudgetUse(
            name,
            spent.get(name, nothing),
            rounded(limits[name], digits) if name in limits else None,
            rounded(forecasts[name], digits),
        )
        for name in sorted({*spent, *limits})
    )


def budget_event(use: BudgetUse, month: str, currency: str, sent_at: datetime) -> CustomEvent:
    """Say what a business unit has used by `sent_at` (UTC), as texts; what is not known is left out.

    It is no usage: no report counts it. An alert reads the latest of each business unit and month.
    """
    values = (use.business_unit, month, currency, use.spent, use.budget, use.forecast, use.used_percent)
    told = zip(BUDGET_NAMES, values, strict=True)
    return CustomEvent(
        BUDGET_EVENT,
        sent_at,
        {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in told if value is not None},
    )


def _limits(
    budgets: Reference, currencies: Reference, currency: str, period: Period, now: datetime
) -> dict[str, Decimal]:
    """Return business unit -> its budget: the latest row that is valid by now, within the month."""
    rate = rate_before(currencies, currency, period[1])
    valid = [row for row in budgets.rows if valid_from(row) <= now and valid_from(row) < period[1]]
    # Of rows of one moment the last in the file counts; one without an amount ends a budget.
    latest = {str(row["businessUnit"]): row["usdPerMonth"] for row in sorted(valid, key=valid_from)}
    return {
        name: _CALCULATION.multiply(exact(dollars), rate) for name, dollars in latest.items() if dollars is not None
    }


def _growth(period: Period, now: datetime) -> Decimal:
    """Return how many times the time that is over the whole month is; 1 for a month that is over, or has not begun."""
    start, end = period
    elapsed = now - start
    if elapsed <= timedelta() or now >= end:
        return Decimal(1)
    return _CALCULATION.divide(_seconds(end - start), _seconds(max(elapsed, _LEAST)))


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)).scaleb(-6)


def _forecasts(statement: Statement, growth: Decimal) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in statement.lines:
        if unit_of(line).role is Role.UNIT:
            times = Decimal(1) if line.kind in _ONCE else growth
            found[line.business_unit] = _CALCULATION.fma(line.charged_cost, times, found[line.business_unit])
    return found
