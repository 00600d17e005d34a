"""`chargeback close`: a month's statement, kept for good with all that it was made of."""

from __future__ import annotations

from typing import Annotated

import typer

from chargeback.cli import options
from chargeback.cli.sources import Source

_DIFFERS = 1


def close(
    month: options.Closable = "",
    show: Annotated[str, typer.Option(metavar="YYYY-MM", help="Print a closed month from its file alone.")] = "",
    statements: options.Statements = options.IN_STORAGE,
    without_reconcile: Annotated[bool, typer.Option("--without-reconcile", help="Compare with nothing.")] = False,
    early: Annotated[bool, typer.Option("--early", help="Do not wait 8 days for late records.")] = False,
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
) -> None:
    """Close a month: keep its statement for good, with its inputs, reference rows, query hash and reconciliation.

    It is written once and never again. Of a month that is closed already this prints what has come to light since, as
    Correction lines that an open month charges (exit code 1; 0: there are none).

    \b
    Examples:
      chargeback close --month 2026-10 --resource ID --account ID --apim ID --bill focus.csv
      chargeback close --month 2026-10 --store day.duckdb --statements closed --without-reconcile
      chargeback close --show 2026-10 --statements closed
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, because what closes a month is more than most commands need.
    from chargeback.cli.closing import Terms, close_or_show
    from chargeback.cli.controls import Controls

    controls = Controls(account or (), apim, api or (), bill or (), management)
    source = Source(store, resource, endpoint)
    terms = Terms(source, reference, statements, controls, at_least, without_reconcile, early)
    if close_or_show(month, show, terms):
        raise typer.Exit(_DIFFERS)
