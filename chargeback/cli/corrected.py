"""Corrections of closed months, made for a month that is open."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chargeback.cli.kept import closed_month
from chargeback.cli.months import ask_month
from chargeback.cli.sources import Source
from chargeback.errors import StatementError
from chargeback.reports.closing import ClosedMonth
from chargeback.reports.corrections import corrections
from chargeback.reports.statement import Line, Statement

if TYPE_CHECKING:
    from chargeback.cloud.statements import Statements

_MONTHS_BACK = 12
"""How many months before the open one are looked at: each is run again."""


def closed_around(statements: Statements, month: str) -> dict[str, ClosedMonth]:
    """Return the closed months from a year before a month on; one that is not as it was written is refused.

    Raises:
        StatementError: a closed month cannot be read.
    """
    return _closed_since(statements, _months_before(month, _MONTHS_BACK))


def with_corrections(
    statement: Statement, closed: Mapping[str, ClosedMonth], source: Source, reference: Path | None
) -> Statement:
    """Return an open month's statement with the corrections of the closed months before it.

    What a closed month has charged is not charged again. A month whose calls the log no longer has is left alone.

    Raises:
        ChargebackError: the source does not answer.
    """
    made: list[Line] = []
    for month in sorted(month for month in closed if month < statement.month):
        try:
            lines = _since_closed(closed, month, source, reference)
        except StatementError as error:
            print(f"chargeback: {month} is not corrected: {error}", file=sys.stderr)
            continue
        print(f"chargeback: {month} is closed; corrections of it: {len(lines)}", file=sys.stderr)
        made += lines
    return replace(statement, lines=(*statement.lines, *made))


def difference(month: str, statements: Statements, source: Source, reference: Path | None) -> tuple[Line, ...]:
    """Return what has come to light of a closed month and is in no month that is closed since.

    Raises:
        ChargebackError: a closed month cannot be read or run again, or the source does not answer.
    """
    return _since_closed(_closed_since(statements, month), month, source, reference)


def _closed_since(statements: Statements, first: str) -> dict[str, ClosedMonth]:
    found = {month: closed_month(statements, month) for month in statements.months() if month >= first}
    return {month: closed for month, closed in found.items() if closed is not None}


def _since_closed(
    closed: Mapping[str, ClosedMonth], month: str, source: Source, reference: Path | None
) -> tuple[Line, ...]:
    before = closed[month].statement
    later = ask_month(source, month, reference).statement
    if later.calls < before.calls:
        raise StatementError(
            f"{later.calls:,} of the {before.calls:,} calls that {month} was closed with are left in the log: "
            "nothing is given back for the others; name the store or resource that has them all"
        )
    return corrections(before, later, charged=_lines(one for name, one in closed.items() if name != month))


def _lines(months: Iterable[ClosedMonth]) -> Iterable[Line]:
    return (line for month in months for line in month.statement.lines)


def _months_before(month: str, count: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
