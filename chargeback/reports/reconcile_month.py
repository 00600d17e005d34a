"""A month's reconciliation: everything that can be compared, and a sentence for what cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from chargeback.reports.answer import Answer
from chargeback.reports.bill import Charge
from chargeback.reports.metered import AccountMetrics, GatewayMetrics
from chargeback.reports.reconcile import calls_by_day, compare_calls, compare_tokens, used
from chargeback.reports.reconcile_cost import compare_cost
from chargeback.reports.reconciliation import CallsRow, CostTotal, Reconciliation
from chargeback.reports.statement import Statement


def reconcile(
    statement: Statement,
    recorded: Answer,
    accounts: Sequence[AccountMetrics] = (),
    gateway: GatewayMetrics | None = None,
    bill: Iterable[Charge] | None = None,
) -> Reconciliation:
    """Compare a month with the metrics of its accounts and its gateway, and with Azure's bill; each may be left out.

    `recorded` is the answer to kql/reports/tokens-by-deployment-and-day.kql for the month.

    Raises:
        QueryError: `recorded` is another query's answer.
        StatementError: the bill cannot be read, or is in another currency.
    """
    recorded_rows = used(recorded)
    tokens = compare_tokens(recorded_rows, accounts)
    charges = compare_cost(statement.lines, bill or (), [one.account for one in accounts], statement.currency)
    calls: tuple[CallsRow, ...] = ()
    notes = [*tokens.notes, *charges.notes]
    if not accounts:
        notes = ["no account is named: tokens and cost are not compared"]
    if gateway is None or gateway.missing:
        whose = "no gateway is named" if gateway is None else f"{gateway.resource_id} has no metric Requests"
        notes.append(f"{whose}: calls are not compared")
    else:
        calls = compare_calls(calls_by_day(recorded_rows), gateway, _days(statement.month))
    if bill is None:
        notes.append("no bill is named: cost is not compared")
    compared: tuple[CostTotal, ...] = charges.totals if accounts and bill is not None else ()
    return Reconciliation(
        month=statement.month,
        currency=statement.currency,
        tokens=tokens.rows if accounts else (),
        token_totals=tokens.totals if accounts else (),
        calls=calls,
        costs=charges.rows if compared else (),
        cost_totals=compared,
        notes=tuple(notes),
    )


def _days(month: str) -> list[date]:
    first = date.fromisoformat(f"{month}-01")
    days = [first + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == first.month]
