"""`chargeback report`: a month's statement, for people, spreadsheets, programs, managers and FinOps tools."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli.months import ask_month
from chargeback.cli.sources import Source
from chargeback.cli.tables import print_table
from chargeback.errors import ChargebackError
from chargeback.reports.coverage import coverage
from chargeback.reports.focus import as_focus_csv, focus_rows
from chargeback.reports.groups import By
from chargeback.reports.page import render_page
from chargeback.reports.statement import Statement
from chargeback.reports.tables import tabulate
from chargeback.reports.writing import as_csv, as_json, closing_lines, for_terminal


class Form(StrEnum):
    """How a statement is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    FOCUS = "focus"


def report(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month (UTC); else this one, so far.")] = "",
    by: Annotated[By, typer.Option(help="What the table has a row for.")] = By.BUSINESS_UNIT,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
    business_unit: Annotated[str, typer.Option(metavar="NAME", help="Only this one, nothing of others.")] = "",
    store: Annotated[str, typer.Option(metavar="PATH|URL", help="Local store, or address of a local serve.")] = "",
    resource: Annotated[
        str, typer.Option(metavar="ID", help="Resource id of an Application Insights resource in Azure.")
    ] = "",
    endpoint: Annotated[str, typer.Option(metavar="URL", help="Where Azure answers, in sovereign clouds.")] = "",
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Your prices, consumers, ...: files that take the place of kql/lib's."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file.", show_default=False)] = None,
) -> None:
    """Make the statement of a month: who owes what.

    Amounts are exact until they are rounded once, half-even, per business unit; every finer table adds up to those.
    Below the table stands where all calls went: charged, or not, and why. Azure is asked day by day, as whoever
    is signed in; the exit code is 1 if the calls do not add up, and nobody should be billed then.

    \b
    Examples:
      chargeback report --month 2026-10 --store day.duckdb
      chargeback report --month 2026-10 --resource /subscriptions/.../components/chargeback --reference our-data
      chargeback report --month 2026-10 --store day.duckdb --by model --format csv
      chargeback report --month 2026-10 --store day.duckdb --format html --out statement.html
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    if reference and not reference.is_dir():
        raise ChargebackError(f"there is no folder {reference}: name the one with your prices.kql, consumers.kql, ...")
    asked = ask_month(Source(store, resource, endpoint), month, reference)
    if form is Form.TABLE and out is None:
        print_statement(asked.statement, by, business_unit)
    else:
        _write(_text(asked.statement, by, form, business_unit), out)
    if coverage(asked.statement).faults:
        print("chargeback: the calls do not add up: do not bill from this", file=sys.stderr)
        raise typer.Exit(1)


def _text(statement: Statement, by: By, form: Form, business_unit: str) -> str:
    if form is Form.HTML:
        return render_page(statement, business_unit=business_unit)
    if form is Form.FOCUS:
        return as_focus_csv(focus_rows(statement, business_unit=business_unit))
    table = tabulate(statement, by, business_unit=business_unit)
    if form is Form.JSON:
        return as_json(table)
    return as_csv(table)


def print_statement(statement: Statement, by: By, business_unit: str = "") -> None:
    """Print a statement for people: its table, and below it where all calls went."""
    table = tabulate(statement, by, business_unit=business_unit)
    columns, rows = for_terminal(table)
    print_table(columns, rows)
    print()
    for line in closing_lines(table.coverage):
        print(line)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(text.encode())
        return
    out.write_bytes(text.encode())
    print(f"chargeback: wrote {out}", file=sys.stderr)
