"""Budgets: what is spent of them, and what will be; every expectation is worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chargeback.errors import ReferenceDataError
from chargeback.reports.budgets import BudgetUse, budget_event, budget_uses
from chargeback.reports.compose import Period
from chargeback.reports.reference import Reference, parse
from chargeback.reports.statement import Kind, Line, Statement
from tests.reports.lines import line, statement

OCTOBER: Period = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
AFTER = datetime(2026, 11, 3, tzinfo=UTC)


def budgets(*rows: str) -> Reference:
    columns = "businessUnit:string, usdPerMonth:real, validFrom:datetime"
    return parse(f"let budgets = datatable({columns})[{', '.join(rows)}];", "budgets.kql")


def rates(*rows: str) -> Reference:
    columns = "currency:string, unitsPerUsd:real, validFrom:datetime, source:string"
    return parse(f"let currencies = datatable({columns})[{', '.join(rows)}];", "currencies.kql")


def spent(amount: str, unit: str = "Retail", kind: Kind = Kind.TOKENS) -> Line:
    return line(business_unit=unit, charged_cost=Decimal(amount), kind=kind)


def uses(found: Statement, limits: Reference, now: datetime = AFTER, known: Reference | None = None) -> list[BudgetUse]:
    return list(budget_uses(found, limits, known or rates(), OCTOBER, now))


def test_what_is_spent_is_the_statements_rounded_amount() -> None:
    (use,) = uses(statement(spent("10.005"), spent("0.01")), budgets('"Retail", 40.0, datetime(2026-01-01)'))
    assert use == BudgetUse("Retail", Decimal("10.02"), Decimal("40.00"), Decimal("10.02"))
    assert (use.used_percent, use.is_over) == (Decimal("25.0"), False)


@pytest.mark.parametrize(
    ("now", "forecast"),
    [
        ("2026-10-01T00:00:00", "31.00"),  # not begun: what is spent is all that is known
        ("2026-10-01T06:00:00", "961.00"),  # 31 x 31 days: it counts as a day
        ("2026-10-02T00:00:00", "961.00"),
        ("2026-10-11T00:00:00", "96.10"),  # 31 x 31 / 10
        ("2026-10-16T12:00:00", "62.00"),  # 31 x 31 / 15.5
        ("2026-10-31T23:59:59", "31.00"),
        ("2026-11-01T00:00:00", "31.00"),
        ("2027-11-01T00:00:00", "31.00"),
    ],
)
def test_the_forecast_goes_on_as_the_month_went(now: str, forecast: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    (use,) = uses(statement(spent("31")), budgets(), moment)
    assert use.forecast == Decimal(forecast)


def test_what_comes_once_a_month_is_not_repeated() -> None:
    """Half of October is over: 10 of tokens will be 20; 5 of overheads and -1 of a correction stay."""
    lines = spent("10"), spent("5", kind=Kind.OVERHEAD), spent("-1", kind=Kind.CORRECTION)
    (use,) = uses(statement(*lines), budgets(), datetime(2026, 10, 16, 12, tzinfo=UTC))
    assert (use.spent, use.forecast) == (Decimal("14.00"), Decimal("24.00"))


def test_of_several_rows_the_latest_that_is_valid_counts() -> None:
    rows = (
        '"Retail", 1.0, datetime(2026-01-01)',
        '"Retail", 2.0, datetime(2026-10-10)',
        '"Retail", 3.0, datetime(2026-10-10)',
        '"Retail", 4.0, datetime(2026-10-20)',
        '"Retail", 5.0, datetime(2026-11-01)',
    )
    for now, budget in (("2026-10-09", 1), ("2026-10-10", 3), ("2026-10-25", 4), ("2027-01-01", 4)):
        moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
        assert [use.budget for use in uses(statement(spent("1")), budgets(*rows), moment)] == [Decimal(budget)]


def test_a_row_without_an_amount_ends_a_budget() -> None:
    rows = '"Retail", 9.0, datetime(2026-01-01)', '"Retail", real(null), datetime(2026-10-01)'
    (use,) = uses(statement(spent("1")), budgets(*rows))
    assert (use.budget, use.used_percent, use.is_over) == (None, None, False)


def test_units_with_a_budget_and_no_spending_are_there_and_nobodys_spending_is_not() -> None:
    found = uses(statement(spent("1", ""), spent("2", "Zoo")), budgets('"Art", 5.0, datetime(2026-01-01)'))
    assert [(use.business_unit, use.spent, use.budget) for use in found] == [
        ("Art", Decimal("0.00"), Decimal("5.00")),
        ("Zoo", Decimal("2.00"), None),
    ]


def test_a_budget_in_dollars_is_held_against_a_statement_in_euros() -> None:
    known = rates('"EUR", 0.9, datetime(2026-01-01), "x"', '"EUR", 0.8, datetime(2026-10-20), "x"')
    limits = budgets('"Retail", 100.0, datetime(2026-01-01)')
    (use,) = uses(statement(spent("84"), currency="EUR"), limits, known=known)
    assert (use.budget, use.used_percent, use.is_over) == (Decimal("80.00"), Decimal("105.0"), True)
    with pytest.raises(ReferenceDataError, match="no rate for GBP"):
        uses(statement(spent("1"), currency="GBP"), limits, known=known)


@pytest.mark.parametrize(("amount", "over"), [("0", False), ("0.01", True)])
def test_a_budget_of_nothing_is_over_with_the_first_cent_and_has_no_share(amount: str, over: bool) -> None:
    (use,) = uses(statement(spent(amount)), budgets('"Retail", 0.0, datetime(2026-01-01)'))
    assert (use.used_percent, use.is_over) == (None, over)


def test_an_event_has_texts_and_leaves_out_what_is_not_known() -> None:
    whole = BudgetUse("Retail", Decimal("1E+2"), Decimal("80.00"), Decimal("120.50"))
    event = budget_event(whole, "2026-10", "USD", AFTER)
    assert (event.name, event.time) == ("Chargeback budget", AFTER)
    assert event.properties == {
        "businessUnit": "Retail",
        "month": "2026-10",
        "currency": "USD",
        "spent": "100",
        "budget": "80.00",
        "forecast": "120.50",
        "usedPercent": "125.0",
    }
    bare = BudgetUse("Art", Decimal(0), None, Decimal(0))
    assert set(budget_event(bare, "2026-10", "USD", AFTER).properties) == {
        *("businessUnit", "month", "currency", "spent", "forecast"),
    }
