"""The demo's end: the month's statement in money, as a table and as a page, and that it is the ledger's to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

from chargeback.cli.demo_screen import sentences, show_proof
from chargeback.cli.months import ask_month
from chargeback.cli.program import command, shown
from chargeback.cli.proof import Line
from chargeback.cli.sources import Source
from chargeback.cli.statements import print_statement
from chargeback.errors import ChargebackError
from chargeback.local.day import REFERENCE, Day
from chargeback.local.day.bill import Bill, cents
from chargeback.local.day.truth import Fate
from chargeback.reports.coverage import WORDS, coverage
from chargeback.reports.groups import By
from chargeback.reports.page import render_page
from chargeback.reports.page.figures import month_in_words
from chargeback.reports.rounding import NOTHING
from chargeback.reports.statement import Statement
from chargeback.reports.tables import Table, tabulate

_FATES: Mapping[str, Fate] = {
    "line": Fate.CHARGED,
    "unpriced": Fate.TOTAL_ONLY,
    "unknown-usage": Fate.UNKNOWN,
    "maybe-billed": Fate.MAYBE_BILLED,
    "not-billed": Fate.FREE,
}
"""Class of the statement -> the ledger's word for it. The day has no call of any other class."""


def state(day: Day, store: Path, page: Path) -> None:
    """Show the statement of the day's month from `store`, write it as a page, and compare it with the ledger.

    Raises:
        ChargebackError: an amount or a count differs, or the calls do not add up.
    """
    statement = ask_month(Source(str(store), ""), month_of(day), REFERENCE).statement
    sentences.print(f"\nThe statement of {month_in_words(statement.month)}, by business unit")
    print_statement(statement, By.BUSINESS_UNIT)
    page.write_bytes(render_page(statement).encode())
    print(f"\nThe same as a page, to be opened in a browser: {shown(page)}")
    if faults := coverage(statement).faults:
        raise ChargebackError(f"the calls of the statement do not add up ({faults[0]}): please report this")
    lines = prove_money(day, statement)
    show_proof("The proof, in US dollars", "statement", lines)
    total = tabulate(statement, By.BUSINESS_UNIT).total.amounts.charged_cost
    sentences.print(
        f"All {len(lines)} amounts and counts equal the ledger's, to the cent; the sum is {total:,} USD in both."
    )


def month_of(day: Day) -> str:
    """Return the month that the day is in: `2026-10`."""
    return f"{day.date:%Y-%m}"


def prove_money(day: Day, statement: Statement) -> list[Line]:
    """Compare ledger and statement: what each business unit owes, rounded, their sum, and the calls of each class."""
    table = tabulate(statement, By.BUSINESS_UNIT)
    rows = {row.names[0]: row for row in table.rows}
    bills = {unit: day.bills.get(unit, Bill()) for unit in sorted(day.bills.keys() | rows.keys())}
    lines = []
    for unit, bill in bills.items():
        amounts = rows[unit].amounts if unit in rows else NOTHING
        lines += [
            Line(f"{unit}: calls charged", bill.fates[Fate.CHARGED], rows[unit].calls if unit in rows else 0),
            Line(f"{unit}: by list", cents(bill.at_list), amounts.list_cost),
            Line(f"{unit}: by contract", cents(bill.by_contract), amounts.contract_cost),
            Line(unit, cents(bill.charged), amounts.charged_cost),
        ]
    whole = table.total.amounts
    return [
        *lines,
        Line("all: by list", _sum(cents(bill.at_list) for bill in bills.values()), whole.list_cost),
        Line("all: by contract", _sum(cents(bill.by_contract) for bill in bills.values()), whole.contract_cost),
        Line("all", _sum(cents(bill.charged) for bill in bills.values()), whole.charged_cost),
        *_classes(day, table),
    ]


def _classes(day: Day, table: Table) -> list[Line]:
    lines = []
    for name, calls in table.coverage.terms:
        ledger = sum(bill.fates[_FATES[name]] for bill in day.bills.values()) if name in _FATES else 0
        lines.append(Line(f"calls: {WORDS.get(name, name)}", ledger, calls))
    everything = sum(bill.fates.total() for bill in day.bills.values())
    return [*lines, Line("calls: all", everything, table.coverage.calls)]


_sum = partial(sum, start=Decimal(0))


def ask_again(day: Day, store: Path) -> None:
    """Say how to make the statement again; in lines that can be copied, so none is folded."""
    print(f"\nMake the statement again: {command()} report --month {month_of(day)} --store {shown(store)} \\")
    print(f"              --reference {shown(REFERENCE)}")
