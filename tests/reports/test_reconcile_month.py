"""A month's reconciliation says what it compares and what it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from chargeback.reports.answer import Answer
from chargeback.reports.bill import Charge
from chargeback.reports.metered import Account, AccountMetrics, GatewayMetrics, Metered
from chargeback.reports.reconcile_month import reconcile
from tests.reports.lines import line, statement
from tests.reports.test_reconcile import COLUMNS

DAY = date(2026, 10, 5)
HOST = "east.openai.azure.com"
RECORDED = Answer(COLUMNS, ("",) * 9, ((datetime(2026, 10, 5, tzinfo=UTC), HOST, "chat", 2, 100, 50, 0, 0, 0),))
EAST = AccountMetrics(
    Account("/accounts/East", (HOST,)),
    (Metered("ProcessedPromptTokens", "chat", DAY, 125), Metered("GeneratedTokens", "chat", DAY, 50)),
    (),
)
GATEWAY = GatewayMetrics("/gateway", {DAY: 3}, missing=False)
BILL = [Charge(DAY, "/accounts/east", "", "Usage", "m-in", "", None, Decimal("0.001"), Decimal("0.001"), "USD")]
OCTOBER = statement(line(100, 50, calls=2))


def test_everything_that_is_given_is_compared() -> None:
    """100 of 125 and 50 of 50 tokens; 2 of 3 calls; 0.00075 of 0.001 dollars."""
    found = reconcile(OCTOBER, RECORDED, [EAST], GATEWAY, BILL)
    assert (found.month, found.currency, found.notes) == ("2026-10", "USD", ())
    assert found.tokens_share == Decimal(150) / Decimal(175)
    assert found.calls_share == Decimal(2) / Decimal(3)
    assert found.cost_share == Decimal("0.75")
    assert [row.day.day for row in found.calls] == list(range(1, 32))
    assert [(row.recorded, row.requests) for row in found.calls[3:6]] == [(0, None), (2, 3), (0, None)]


def test_what_is_not_given_is_said_and_not_compared() -> None:
    found = reconcile(OCTOBER, RECORDED)
    assert (found.tokens, found.token_totals, found.calls, found.costs, found.cost_totals) == ((), (), (), (), ())
    assert found.notes == (
        "no account is named: tokens and cost are not compared",
        "no gateway is named: calls are not compared",
        "no bill is named: cost is not compared",
    )


def test_a_bill_without_accounts_is_not_compared() -> None:
    found = reconcile(OCTOBER, RECORDED, gateway=GATEWAY, bill=BILL)
    assert (found.costs, found.cost_totals, found.cost_share) == ((), (), None)
    assert found.notes == ("no account is named: tokens and cost are not compared",)


def test_a_gateway_without_the_metric_is_said() -> None:
    found = reconcile(OCTOBER, RECORDED, [EAST], GatewayMetrics("/gateway", {}, missing=True), BILL)
    assert (found.calls, found.notes) == ((), ("/gateway has no metric Requests: calls are not compared",))


def test_a_bill_that_charges_nothing_is_one() -> None:
    found = reconcile(OCTOBER, RECORDED, [EAST], GATEWAY, [])
    (total,) = found.cost_totals
    assert (total.effective, total.note) == (None, "the bill has no charge of this account")


def test_february_has_as_many_days_as_it_has() -> None:
    found = reconcile(statement(month="2028-02"), RECORDED, gateway=GATEWAY)
    assert len(found.calls) == 29
