"""`chargeback query`: asks a local store."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli.inputs import STANDARD_INPUT, name_of
from chargeback.cli.tables import Format, write
from chargeback.errors import ChargebackError, QueryError
from chargeback.reports.compose import Period, compose


def query(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A query (.kql); - is standard input.")],
    store: Annotated[
        str, typer.Option(metavar="PATH|URL", help="DuckDB file of the local store, or address of a local serve.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TABLE,
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day (or time) of the period.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="First day (or time) after it.")] = "",
) -> None:
    """Ask a local store in KQL.

    The store is a file that no other process holds, or the address of the chargeback local serve that holds it.
    The pieces of kql/lib that the query names are put before it. A query that uses the period asks about this
    month unless --from and --to (ISO 8601, UTC) say otherwise; the period ends before the second.

    \b
    Examples:
      chargeback query kql/reports/tokens-by-consumer.kql --store day.duckdb --from 2026-10-01 --to 2026-11-01
      echo 'usage | summarize sum(totalTokens) by model' | chargeback query - --store day.duckdb --format csv
      chargeback query kql/reports/coverage.kql --store http://127.0.0.1:8125
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    text = _read(file)
    if all(line.strip().startswith("//") or not line.strip() for line in text.splitlines()):
        raise ChargebackError(f"there is no query in {name_of(file)}: write one, or name another file")
    kql = _composed(text, _period(start, end))
    # Late, because what asks a server is more than most commands need.
    from chargeback.cli.asking import ask

    try:
        columns, rows = ask(store, kql)
    except QueryError as error:
        raise QueryError(_in_file(str(error), kql.count("\n") - text.count("\n"))) from error
    write(columns, rows, form)


def _read(file: str) -> str:
    try:
        return (sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise ChargebackError(
            f"cannot read {name_of(file)} ({error.strerror}): name a file that holds a query"
        ) from error
    except UnicodeDecodeError as error:
        raise ChargebackError(f"{name_of(file)} is no text: name a file that holds a query") from error


def _period(start: str, end: str) -> Period | None:
    if not start and not end:
        return None
    if not start or not end:
        raise ChargebackError("a period has two ends: give both --from and --to, or neither")
    period = _moment(start, "--from"), _moment(end, "--to")
    if period[0] >= period[1]:
        raise ChargebackError(f"the period from {start} to {end} is empty: give the earlier date to --from")
    return period


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ChargebackError(f"{option} {text} is no date: write it like 2026-01-31 or 2026-01-31T12:00Z") from None


def _composed(text: str, period: Period | None) -> str:
    kql = compose(text, period=period)
    if period is not None and kql == compose(text):
        raise ChargebackError("the query does not use the period: leave out --from and --to, or name periodStart in it")
    return kql


def _in_file(words: str, lines_before: int) -> str:
    """Tell where a mistake is in the file that was given, instead of in the text with the libraries before it."""

    def place(found: re.Match[str]) -> str:
        line = int(found[1]) - lines_before
        return f" at line {line}, character {int(found[2]) + 1}" if line > 0 else " in kql/lib"

    return re.sub(r" at (\d+):(\d+)", place, words)
