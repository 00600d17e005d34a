"""`chargeback query`: asks a local store, or prints what to ask in the portal."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli import options
from chargeback.cli.inputs import STANDARD_INPUT, name_of
from chargeback.cli.periods import period_of
from chargeback.cli.program import shown
from chargeback.cli.tables import Format, Rows, write
from chargeback.errors import ChargebackError, QueryError
from chargeback.reports.compose import Period, compose, for_pasting
from chargeback.reports.months import others


def query(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A query (.kql); - is standard input.")],
    store: Annotated[
        str, typer.Option(metavar="PATH|URL", help="DuckDB file of the local store, or address of a local serve.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TABLE,
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day (or time) of the period.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="First day (or time) after it.")] = "",
    reference: options.Reference = None,
    text: Annotated[bool, typer.Option("--text", help="Print the query, ready for the portal; ask nothing.")] = False,
) -> None:
    """Ask a local store in KQL.

    The store is a file that no other process holds, or the address of the chargeback local serve that holds it.
    The pieces of kql/lib that the query names are put before it. A query that uses the period asks about this
    month unless --from and --to (ISO 8601, UTC) say otherwise; the period ends before the second. If the app's
    CHARGEBACK_EVENT_NAME is not the default, usageEventName in kql/lib/usage.kql has to be the same.

    --text needs no store: it prints all of the query, to be pasted into Logs of the Application Insights resource.

    \b
    Examples:
      chargeback query kql/reports/tokens-by-consumer.kql --store day.duckdb --from 2026-10-01 --to 2026-11-01
      echo 'usage | summarize sum(totalTokens) by model' | chargeback query - --store day.duckdb --format csv
      chargeback query kql/reports/coverage.kql --store http://127.0.0.1:8125
      chargeback query kql/reports/coverage.kql --text --from 2026-10-01 --to 2026-11-01
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    source = _read(file)
    kql = _composed(source, period_of(start, end), options.folder_of(reference))
    if text:
        sys.stdout.buffer.write(for_pasting(kql).encode())
        return
    columns, rows = _answer(store, kql, lines_before=kql.count("\n") - source.count("\n"))
    write(columns, rows, form)
    if not rows and "let periodStart" in kql:
        about = f"the period from {start} to {end}" if start else "this month"
        _tell_empty(file, kql, about)


def _answer(store: str, kql: str, lines_before: int) -> tuple[list[str], Rows]:
    if not store:
        raise ChargebackError("name a store with --store, or add --text to see the query as it would be asked")
    # Late, because what asks a server is more than most commands need.
    from chargeback.cli.asking import ask

    try:
        return ask(store, kql)
    except QueryError as error:
        raise QueryError(_in_file(str(error), lines_before)) from error


def _tell_empty(file: str, kql: str, about: str) -> None:
    """Say aside that there is nothing, and about what; column heads alone could as well be a mistake."""
    said = f"no rows in {about} (UTC)"
    if "let usageEventName" in kql and Path(file).name != others().name:
        said += (
            "; calls that came too late for their month, or are dated ahead of it, are listed by "
            f"{shown(others())}, asked about the month in which they came"
        )
    print(f"chargeback: {said}", file=sys.stderr)


def _read(file: str) -> str:
    text = _text(file)
    if all(line.strip().startswith("//") or not line.strip() for line in text.splitlines()):
        raise ChargebackError(f"there is no query in {name_of(file)}: write one, or name another file")
    return text


def _text(file: str) -> str:
    try:
        return (sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise ChargebackError(
            f"cannot read {name_of(file)} ({error.strerror}): name a file that holds a query"
        ) from error
    except UnicodeDecodeError as error:
        raise ChargebackError(f"{name_of(file)} is no text: name a file that holds a query") from error


def _composed(text: str, period: Period | None, reference: Path | None) -> str:
    kql = compose(text, period=period, reference=reference)
    if period is not None and kql == compose(text, reference=reference):
        raise ChargebackError("the query does not use the period: leave out --from and --to, or name periodStart in it")
    return kql


def _in_file(words: str, lines_before: int) -> str:
    """Tell where a mistake is in the file that was given, instead of in the text with the libraries before it."""

    def place(found: re.Match[str]) -> str:
        line = int(found[1]) - lines_before
        return f" at line {line}, character {int(found[2]) + 1}" if line > 0 else " in kql/lib"

    return re.sub(r" at (\d+):(\d+)", place, words)
