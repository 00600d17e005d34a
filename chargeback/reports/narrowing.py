"""Tables of constants in fewer letters: what every row says is said once."""

from __future__ import annotations

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Value, written
from chargeback.reports.reference import Reference, parse


def narrowed(statement: str, file: str) -> str:
    """Return a `let` of a datatable without the columns that are the same in every row, which are added afterwards.

    The table has the same columns in the same order. What is not shorter that way, or no table of constants, is returned
    as it is; `file` is where it is from.
    """
    try:
        shorter = _narrowed(parse(statement, file))
    except ReferenceDataError:
        return statement
    return min(shorter, statement, key=len)


def _narrowed(table: Reference) -> str:
    kinds, rows = table.columns, table.rows
    same = [column for column in kinds if rows and all(row[column] == rows[0][column] for row in rows)]
    kept = [column for column in kinds if column not in same]
    if not same or not kept or table.settings:
        raise ReferenceDataError(f"{table.name} cannot be made narrower")
    cells = "\n".join(",".join(_cell(row[column], kinds[column]) for column in kept) + "," for row in rows)
    added = ",".join(f"{column}={_expression(rows[0][column], kinds[column])}" for column in same)
    declared = ",".join(f"{column}:{kinds[column]}" for column in kept)
    return f"let {table.name} = datatable({declared})\n[\n{cells}\n]\n|extend {added}\n|project {','.join(kinds)};"


def _cell(value: Value, kind: str) -> str:
    return written(value, kind, "a cell")


def _expression(value: Value, kind: str) -> str:
    """Return a constant that has its type without a column that says so: 11 alone is a long."""
    text = written(value, kind, "a constant")
    return f"real({text})" if kind in ("real", "double") and value is not None else text
