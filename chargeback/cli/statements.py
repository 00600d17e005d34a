"""A statement on a terminal: its table, the calls in it and in none of it, and the corrections among its amounts."""

from __future__ import annotations

from chargeback.cli.tables import print_table
from chargeback.reports.correction_table import correction_table, of_closed_months
from chargeback.reports.groups import By
from chargeback.reports.statement import Statement
from chargeback.reports.tables import tabulate
from chargeback.reports.writing import closing_lines, for_terminal


def print_statement(statement: Statement, by: By = By.BUSINESS_UNIT, business_unit: str = "") -> None:
    """Print a statement by `by`, of all business units or of one."""
    table = tabulate(statement, by, business_unit=business_unit)
    columns, rows = for_terminal(table)
    print_table(columns, rows)
    print()
    for line in closing_lines(table.coverage):
        print(line)
    if lines := of_closed_months(statement, business_unit):
        print("\nCorrections of closed months, which are in the amounts above:")
        print_table(*correction_table(lines, statement))
