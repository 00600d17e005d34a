"""Closing a month for good, and what is there to say of one that is closed."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from chargeback.cli.controls import Controls, Fetched, compared, fetch
from chargeback.cli.corrected import closed_around, difference, with_corrections
from chargeback.cli.kept import closed_month, open_statements
from chargeback.cli.months import ask_month, month_of
from chargeback.cli.options import folder_of
from chargeback.cli.sources import Source
from chargeback.cli.statements import print_statement
from chargeback.cli.tables import print_table
from chargeback.cli.verifying import print_proof
from chargeback.errors import ChargebackError, StatementError
from chargeback.reports.closing import ClosedMonth, pack
from chargeback.reports.compose import kql_folder
from chargeback.reports.correction_table import correction_table
from chargeback.reports.coverage import coverage
from chargeback.reports.in_force import reference_in_force
from chargeback.reports.reconcile_writing import doubts, summary
from chargeback.reports.reconciliation import Reconciliation
from chargeback.reports.statement import Statement

if TYPE_CHECKING:
    from chargeback.cloud.statements import Statements

_LATE = timedelta(days=8)
"""How long after a month its report still finds what arrives, as kql/lib/usage.kql looks."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a month is closed with."""

    source: Source
    reference: Path | None
    place: str
    """Where closed months are kept."""
    controls: Controls
    at_least: float
    """Per cent of Azure's figures that should be explained; less is said, and does not keep a month open."""
    without_reconcile: bool
    early: bool
    """Whether to close before late records are all in."""


def close_or_show(month: str, show: str, terms: Terms) -> bool:
    """Close a month, or print one that is closed; tell whether there is a difference to look at.

    Raises:
        ChargebackError: not exactly one of the two is named, or as `close_month` and `show_month`.
    """
    if bool(month) == bool(show):
        raise ChargebackError("name the month to close with --month, or one to print again with --show")
    folder_of(terms.reference)
    statements = open_statements(terms.place, to_read=bool(show))
    return not show_month(show, statements, terms.reference) if show else close_month(month, statements, terms)


def close_month(month: str, statements: Statements, terms: Terms) -> bool:
    """Close a month that is open; of one that is closed print what has come to light since, and tell if there is any.

    Raises:
        ChargebackError: the month is not over, its calls do not add up, none of them is charged, or anything cannot be
            read or kept.
    """
    name = f"{month_of(month)[0]:%Y-%m}"
    closed = closed_month(statements, name)
    if closed is not None:
        return _print_difference(closed.statement, statements, terms)
    check_over(name, terms.early, datetime.now(UTC))
    _check_controls(terms)
    made = _made(name, statements, terms)
    packed = pack(made)
    where = statements.write(name, packed)
    print_statement(made.statement)
    if made.reconciliation is not None:
        print("\n".join(["", *summary(made.reconciliation)]))
    print(f"chargeback: closed {name}: {where}, SHA-256 {hashlib.sha256(packed).hexdigest()}", file=sys.stderr)
    return False


def _check_controls(terms: Terms) -> None:
    if terms.without_reconcile and terms.controls.any:
        raise ChargebackError("--without-reconcile compares with nothing: leave it out, or what is to be compared with")
    if not (terms.without_reconcile or terms.controls.any):
        raise ChargebackError(
            "name what to compare the month with (--account, --apim, --bill) before it is closed for good, or add "
            "--without-reconcile"
        )


def _made(name: str, statements: Statements, terms: Terms) -> ClosedMonth:
    others = closed_around(statements, name)
    fetched = None if terms.without_reconcile else fetch(terms.controls, name)
    asked = ask_month(terms.source, name, terms.reference)
    if faults := coverage(asked.statement).faults:
        raise StatementError(f"the calls of {name} do not add up ({faults[0]}): nothing is closed; see the report")
    statement = with_corrections(asked.statement, others, terms.source, terms.reference)
    if not statement.lines:
        raise StatementError(
            f"nothing of {name} is charged ({statement.calls} calls): nothing is closed; does the source hold the "
            "month's calls, and --reference the prices?"
        )
    rows = reference_in_force(kql_folder() / "lib", terms.reference, month_of(name))
    return ClosedMonth(statement, asked.inputs, rows, _reconciled(fetched, asked.statement, terms))


def _reconciled(fetched: Fetched | None, statement: Statement, terms: Terms) -> Reconciliation | None:
    if fetched is None:
        return None
    at_least = Decimal(str(terms.at_least))
    found = compared(fetched, statement, terms.source, terms.reference, at_least)
    for said in doubts(found, at_least):
        print(f"chargeback: {said}", file=sys.stderr)
    return found


def check_over(name: str, early: bool, now: datetime) -> None:
    """Refuse a month that is not over, and one whose late records are not all in unless that is wanted.

    Raises:
        StatementError: it is too early to close it.
    """
    end = month_of(name)[1]
    if now < end:
        raise StatementError(f"{name} is not over: close it from {end + _LATE:%Y-%m-%d} on")
    if now < end + _LATE:
        told = f"late records of {name} are looked for until {end + _LATE:%Y-%m-%d} (UTC)"
        if not early:
            raise StatementError(f"{told}: close it then, or add --early and charge them as corrections")
        print(f"chargeback: {told}: what still comes will be a correction of it", file=sys.stderr)


def _print_difference(closed: Statement, statements: Statements, terms: Terms) -> bool:
    lines = difference(closed.month, statements, terms.source, terms.reference)
    if lines:
        print_table(*correction_table(lines, closed))
        said = "an open month charges these corrections: see its report with --statements, and close it"
    else:
        said = "nothing has come to light that is not charged"
    print(f"chargeback: {closed.month} is closed already, and stays as it is: {said}", file=sys.stderr)
    return bool(lines)


def show_month(month: str, statements: Statements, reference: Path | None) -> bool:
    """Print a closed month from its file alone; tell whether its lines are what its own inputs give.

    Raises:
        ChargebackError: the month is not closed, or its file is not as it was written.
    """
    name = f"{month_of(month)[0]:%Y-%m}"
    closed = closed_month(statements, name)
    if closed is None:
        raise StatementError(f"{name} is not closed: chargeback report shows it as it is so far")
    print_statement(closed.statement)
    print()
    return print_proof(closed, reference)
