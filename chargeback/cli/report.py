"""`chargeback report`: a month's statement, for people, spreadsheets, programs, managers and FinOps tools."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli import options
from chargeback.cli.months import ask_month, month_of
from chargeback.cli.program import shown
from chargeback.cli.sources import Source
from chargeback.cli.statements import print_statement
from chargeback.reports.coverage import coverage
from chargeback.reports.focus import as_focus_csv, focus_rows
from chargeback.reports.groups import By
from chargeback.reports.months import others
from chargeback.reports.page import render_page
from chargeback.reports.statement import Statement
from chargeback.reports.tables import tabulate
from chargeback.reports.writing import as_csv, as_json


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
    store: options.Store = "",
    resource: options.Resource = "",
    endpoint: options.Endpoint = "",
    reference: options.Reference = None,
    statements: options.Statements = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file.", show_default=False)] = None,
) -> None:
    """Make the statement of a month: who owes what.

    Amounts are exact until they are rounded once, half-even, per business unit; every finer table adds up to those.
    Below the table stands where all calls went: charged, or not, and why. With --statements a closed month is shown as
    it was closed, and an open one with what has come to light of closed ones. Azure is asked day by day, as whoever
    is signed in; the exit code is 1 if the calls do not add up, and nobody should be billed then.

    \b
    Examples:
      chargeback report --month 2026-10 --store day.duckdb
      chargeback report --month 2026-10 --resource /subscriptions/.../components/chargeback --reference our-data
      chargeback report --month 2026-10 --store day.duckdb --by model --format csv
      chargeback report --month 2026-10 --store day.duckdb --format html --out statement.html
      chargeback report --month 2026-11 --store day.duckdb --statements closed
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    statement = _statement(Source(store, resource, endpoint), month, options.folder_of(reference), statements)
    if form is Form.TABLE and out is None:
        print_statement(statement, by, business_unit)
    else:
        _write(_text(statement, by, form, business_unit), out)
    _tell_none(statement)
    if coverage(statement).faults:
        print("chargeback: the calls do not add up: do not bill from this", file=sys.stderr)
        raise typer.Exit(1)


def _statement(source: Source, month: str, reference: Path | None, place: str) -> Statement:
    if not place:
        return ask_month(source, month, reference).statement
    # Late, because closed months are more than most reports need.
    from chargeback.cli.corrected import closed_around, with_corrections
    from chargeback.cli.kept import closed_month, open_statements

    statements = open_statements(place, to_read=True)
    name = f"{month_of(month)[0]:%Y-%m}"
    closed = closed_month(statements, name)
    if closed is None:
        around = closed_around(statements, name)
        return with_corrections(ask_month(source, month, reference).statement, around, source, reference)
    print(
        f"chargeback: {name} is closed: this is what was charged; close --month tells what has come to light since",
        file=sys.stderr,
    )
    return closed.statement


def _text(statement: Statement, by: By, form: Form, business_unit: str) -> str:
    if form is Form.HTML:
        return render_page(statement, business_unit=business_unit)
    if form is Form.FOCUS:
        return as_focus_csv(focus_rows(statement, business_unit=business_unit))
    table = tabulate(statement, by, business_unit=business_unit)
    if form is Form.JSON:
        return as_json(table)
    return as_csv(table)


def _tell_none(statement: Statement) -> None:
    """Say aside where calls may be that are not in their month: an empty statement could as well be a mistake."""
    if statement.calls:
        return
    print(
        f"chargeback: no calls in {statement.month}; those that came too late for their month are listed by "
        f"{shown(others())}, asked about the month in which they came",
        file=sys.stderr,
    )


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(text.encode())
        return
    out.write_bytes(text.encode())
    print(f"chargeback: wrote {out}", file=sys.stderr)
