"""`chargeback reconcile`: a month held against Azure's own metrics and bill."""

from __future__ import annotations

import sys
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from chargeback.cli import options
from chargeback.cli.sources import Source
from chargeback.cli.tables import print_table

if TYPE_CHECKING:
    from chargeback.reports.reconciliation import Reconciliation

_IN_DOUBT = 1


class Form(StrEnum):
    """How a reconciliation is written."""

    TABLE = "table"
    JSON = "json"


def reconcile(
    month: options.Month = "",
    store: options.Store = "",
    resource: options.Resource = "",
    endpoint: options.Endpoint = "",
    reference: options.Reference = None,
    account: options.Account = None,
    apim: options.Gateway = "",
    api: options.Api = None,
    bill: options.Bill = None,
    management: options.Management = "",
    at_least: options.AtLeast = 99.0,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
) -> None:
    """Compare a month with Azure's own figures, and say what share of them is explained.

    Billed tokens per deployment with the metrics of the accounts, calls per day with the Requests of the gateway,
    cost at contract prices with a Cost Management export in the FOCUS format (1.0r2 or 1.2-preview). A metric that is
    missing is said and never taken for 0. Azure keeps metrics for 93 days. Exit code 1: a share is below --at-least, or
    tokens or cost of ours are above Azure's by more than is missing to 100 % there.

    \b
    Examples:
      chargeback reconcile --month 2026-10 --resource ID --account ID --apim ID --bill focus.csv
      chargeback reconcile --month 2026-10 --store day.duckdb --account ID --format json
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, here and below: what compares is more than most commands need.
    from chargeback.cli.controls import Controls, compared, fetch
    from chargeback.cli.months import ask_month

    controls = Controls(account or (), apim, api or (), bill or (), management)
    source, folder = Source(store, resource, endpoint), options.folder_of(reference)
    fetched = fetch(controls, month)
    asked_for = Decimal(str(at_least))
    found = compared(fetched, ask_month(source, month, folder).statement, source, folder, asked_for)
    _write(found, asked_for, form)


def _write(found: Reconciliation, at_least: Decimal, form: Form) -> None:
    from chargeback.reports.reconcile_writing import as_json, doubts

    if form is Form.JSON:
        sys.stdout.buffer.write(as_json(found, at_least).encode())
    else:
        print_reconciliation(found)
    said = doubts(found, at_least)
    for sentence in said:
        print(f"chargeback: {sentence}", file=sys.stderr)
    if said:
        raise typer.Exit(_IN_DOUBT)


def print_reconciliation(found: Reconciliation) -> None:
    """Print what was compared, table by table, then the shares."""
    from chargeback.reports.reconcile_writing import calls_table, cost_table, cost_totals_table, summary, tokens_table

    for table in (tokens_table(found), calls_table(found), cost_table(found), cost_totals_table(found)):
        if table[1]:
            print_table(*table)
            print()
    for line in summary(found):
        print(line)
