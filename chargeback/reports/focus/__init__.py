"""A statement in the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification, and a check of such rows.

How a chargeback is said in its words:

- The rows are the internal ledger's, whose invoices go to business units (`SubAccountId`), one a month. What nobody
  owns has no sub account and no invoice; `x_AllocationStatus` says why.
- Usage is one row for each line and part of its calls, with exact amounts. Reserved capacity is billed by one Purchase
  row for each unit and reservation; its Usage rows bill 0 and carry the amortised cost, used and unused.
- The statement is rounded once per unit: the difference is one Adjustment row. So `BilledCost` of a unit's rows adds up
  to what its statement says, and every other row can be multiplied out. `ListCost` and `ContractedCost` add up likewise
  over the rows that are no Purchase, since a purchase repeats the costs of its use.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from chargeback.reports.focus.charges import charges
from chargeback.reports.focus.details import OWN_COLUMNS
from chargeback.reports.focus.facts import COLUMNS
from chargeback.reports.focus.rows import FocusRow, Ledger, row_of
from chargeback.reports.statement import Statement
from chargeback.reports.texts import encodable
from chargeback.reports.units import of_unit

HEADER: tuple[str, ...] = (*(column.name for column in COLUMNS), *OWN_COLUMNS)
"""All columns, in order: the 57 of FOCUS 1.2, then our own."""

OUR_LEDGER = Ledger()


def focus_rows(statement: Statement, *, business_unit: str = "", ledger: Ledger = OUR_LEDGER) -> list[FocusRow]:
    """Return the statement's rows, every column in each, None where it is null; of one business unit, if one is named.

    Raises:
        ReportError: a line cannot be written: its parts do not add up to its cost, or an amount is no number; or the
            statement has no such business unit.
    """
    if business_unit:
        statement = of_unit(statement, business_unit)
    written = (row_of(charge, statement, ledger) for charge in charges(statement))
    return [{column: row.get(column) for column in HEADER} for row in written]


def as_focus_csv(rows: Sequence[FocusRow]) -> str:
    """Write rows as RFC 4180: a line of names, lines that end with CR LF, null as nothing."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows([row[column] or "" for column in HEADER] for row in rows)
    return encodable(text.getvalue())
