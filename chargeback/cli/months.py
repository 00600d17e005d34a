"""A month on the command line, and the statement that a source of numbers gives for it."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from chargeback.cli.sources import Source
from chargeback.errors import ChargebackError
from chargeback.reports.answer import Answer, joined, moment
from chargeback.reports.checking import check
from chargeback.reports.compose import Period, compose, kql_folder
from chargeback.reports.lines import QUERY, made_now, statement_of
from chargeback.reports.overheads import QUERY as OVERHEADS
from chargeback.reports.overheads import overhead_lines
from chargeback.reports.recalculating import SPREAD
from chargeback.reports.reference import Reference, read
from chargeback.reports.statement import Line, Statement

_OWN_LINE = 'let idleCapacity = "own-line";'


@dataclass(frozen=True, slots=True)
class Asked:
    """A month as it was asked about."""

    statement: Statement
    inputs: Mapping[date, Answer]
    """Day (UTC) -> the rows that the statement's lines of that day are made of."""


def month_of(text: str) -> Period:
    """Return a month, `2026-10`, as a period; without a text, this month.

    Raises:
        ChargebackError: it is no month.
    """
    if not text:
        text = f"{datetime.now(UTC):%Y-%m}"
    try:
        # A month is the name of a file too: one way to write it, and four digits of a year wherever it is written.
        if not re.fullmatch("[1-9][0-9]{3}-[0-9]{2}", text):
            raise ValueError(text)
        year, month = int(text[:4]), int(text[5:])
        start = datetime(year, month, 1, tzinfo=UTC)
        return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    except ValueError:
        raise ChargebackError(f"--month {text} is no month: write it like 2026-10") from None


def ask_month(source: Source, month: str, reference: Path | None) -> Asked:
    """Return the statement of a month.

    Azure is asked day by day, because its answers have an end; the local store at once.

    Raises:
        ChargebackError: the month, the source or the reference data is none, or does not answer as a whole.
    """
    period = month_of(month)
    tables = check(kql_folder() / "lib", reference)
    whole = query_of(QUERY, period, reference)
    # Idle capacity is divided over the month, of which a day knows nothing.
    spread = SPREAD in whole

    def of_day(day: Period) -> str:
        return query_of(QUERY, day, reference).replace(SPREAD, _OWN_LINE)

    if source.resource:
        by_day = source.by_day(of_day, _until_now(period), _tell_day)
    else:
        by_day = _by_day(source.answer(whole.replace(SPREAD, _OWN_LINE), period))
    currency = tables["currencies"].setting("statementCurrency").strip('"')
    # A month without calls has no rows, and no day that could say so.
    answer = joined(by_day) if by_day else Answer((), (), ())
    statement = statement_of(answer, f"{period[0]:%Y-%m}", currency, made_now(), hashes_of(whole), spread=spread)
    overheads: tuple[Line, ...] = ()
    if tables["overheads"].setting("includeOverheads") == "true":
        answer = source.answer(compose(OVERHEADS, period=period, reference=reference), period)
        overheads = overhead_lines(answer, statement)
    return Asked(replace(statement, lines=(*statement.lines, *overheads)), by_day)


def query_of(name: str, period: Period, reference: Path | None) -> str:
    """Return one of `kql/reports/`, whole, for a period, with the reference rows of a folder."""
    text = (kql_folder() / "reports" / f"{name}.kql").read_text(encoding="utf-8")
    return compose(text, period=period, reference=reference)


def hashes_of(whole: str) -> dict[str, str]:
    """Return what a statement keeps of its query: the report's file -> SHA-256 of all that was asked."""
    return {f"{QUERY}.kql": hashlib.sha256(whole.encode()).hexdigest()}


def read_rows(name: str, reference: Path | None) -> Reference:
    """Return the rows of a reference file: the folder's, else the library's.

    Raises:
        ReferenceDataError: the file cannot be read.
    """
    return read(_file(name, reference))


def _file(name: str, reference: Path | None) -> Path:
    own = reference / name if reference else None
    return own if own and own.is_file() else kql_folder() / "lib" / name


def _until_now(period: Period) -> Period:
    """Leave out days that have not begun."""
    now = datetime.now(UTC)
    return (period[0], min(period[1], now)) if now > period[0] else period


def _by_day(answer: Answer) -> dict[date, Answer]:
    """Sort a month's rows by their day."""
    place = answer.columns.index("day")
    days: dict[date, list[tuple[object, ...]]] = {}
    for row in answer.rows:
        days.setdefault(moment(row[place]).date(), []).append(row)
    return {day: replace(answer, rows=tuple(rows)) for day, rows in days.items()}


def _tell_day(day: date, rows: int) -> None:
    print(f"chargeback: {day}: {rows} rows", file=sys.stderr)
