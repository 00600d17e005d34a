"""`chargeback budgets`: what business units have used of their budgets, for people and for an alert."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from chargeback.cli import options
from chargeback.cli.months import ask_month, month_of, read_rows
from chargeback.cli.sources import Source
from chargeback.cli.tables import print_table
from chargeback.errors import DeliveryError

if TYPE_CHECKING:
    from chargeback.reports.budgets import BudgetUse
    from chargeback.reports.statement import Statement

_OVER = 1


def budgets(
    month: options.Month = "",
    store: options.Store = "",
    resource: options.Resource = "",
    endpoint: options.Endpoint = "",
    reference: options.Reference = None,
    emit: Annotated[bool, typer.Option("--emit", help="Send an event for each business unit, for an alert.")] = False,
) -> None:
    """Show what each business unit has spent of its budget, and a forecast to the end of the month.

    The forecast is linear: what is spent, times the month's length by the time that is over (at least a day). Budgets
    are those of budgets.kql, without corrections of closed months. --emit, meant to run daily, sends the events
    "Chargeback budget" that an alert reads: to the local store that is asked, or else to the Application Insights
    resource that the environment names, as replay does. Exit code 1: a business unit is over its budget.

    \b
    Examples:
      chargeback budgets --store day.duckdb
      chargeback budgets --resource /subscriptions/.../components/chargeback --reference our-data --emit
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late: what reports are made of is more than most commands need.
    from chargeback.reports.budgets import budget_uses

    folder, now = options.folder_of(reference), datetime.now(UTC)
    period = month_of(month)
    statement = ask_month(Source(store, resource, endpoint), month, folder).statement
    rows = read_rows("budgets.kql", folder), read_rows("currencies.kql", folder)
    uses = budget_uses(statement, *rows, period, now)
    _print(uses, statement)
    if emit:
        _emit(uses, statement, store, now)
    if over := [one.business_unit for one in uses if one.is_over]:
        print(f"chargeback: over budget in {statement.month}: {', '.join(over)}", file=sys.stderr)
        raise typer.Exit(_OVER)


def _print(uses: Sequence[BudgetUse], statement: Statement) -> None:
    from chargeback.reports.rounding import rounded_by_unit
    from chargeback.reports.texts import visible

    currency = statement.currency
    heads = ["business unit", f"spent {currency}", f"budget {currency}", "used %", f"forecast {currency}"]
    rows = [[visible(one.business_unit), one.spent, one.budget, one.used_percent, one.forecast] for one in uses]
    print_table(heads, rows)
    print(f"\n{statement.month}: the forecast is linear in the time that is over; overheads are the whole month's.")
    for unit, amounts in rounded_by_unit(statement).items():
        if not unit.name:
            print(f"In no budget: {unit.label}, {amounts.charged_cost:f} {currency}.")


def _emit(uses: Sequence[BudgetUse], statement: Statement, store: str, now: datetime) -> None:
    """Send the events; all of them, or an error.

    Raises:
        ChargebackError: there is nowhere to send them to, or not all are accepted.
    """
    # Late, because it loads the rooms that send.
    from chargeback.cli.sinks import open_sender
    from chargeback.reports.budgets import budget_event

    events = [budget_event(one, statement.month, statement.currency, now) for one in uses]
    with open_sender(store) as sender:
        refusals = sender.send(events)
    if refusals:
        raise DeliveryError(
            f"{len(refusals)} of {len(events)} budgets refused ({refusals[0].message}), the others are sent: look at "
            "the names of business units"
        )
    print(f"chargeback: sent {len(events)} {'event' if len(events) == 1 else 'events'}", file=sys.stderr)
