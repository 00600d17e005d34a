"""Tables of constants in fewer letters: what many rows say is said once. The table that comes out is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Value, written
from chargeback.reports.reference import parse

_WORTH = 1000
"""Letters that numbering a column's texts must save: a table of numbers is harder to read."""


def narrowed(statement: str, file: str) -> str:
    """Return a `let` of a datatable in fewer letters, with the same columns in the same order.

    A column that is the same in every row is added afterwards; long texts that come again and again are numbered. What
    is not shorter that way, or no table of constants, stays as it is; `file` is where it is from.
    """
    try:
        table = parse(statement, file)
        columns = [_column(name, kind, [row[name] for row in table.rows]) for name, kind in table.columns.items()]
    except ReferenceDataError:
        return statement
    kept = [column for column in columns if column.cells]
    if not kept or table.settings:
        return statement
    rows = zip(*(column.cells for column in kept), strict=True)
    cells = "\n".join(",".join(row) + "," for row in rows)
    declared = ",".join(f"{column.name}:{column.kind}" for column in kept)
    added = ",".join(f"{column.name}={column.added}" for column in columns if column.added)
    order = f"|extend {added}\n|project {','.join(table.columns)}" if added else ""
    shorter = f"let {table.name} = datatable({declared})\n[\n{cells}\n]\n{order};"
    return min(shorter, statement, key=len)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    cells: tuple[str, ...]
    """As the table has them; none where every row says the same."""
    added: str = ""
    """What gives the column its values afterwards."""


def _column(name: str, kind: str, values: Sequence[Value]) -> _Column:
    cells = tuple(written(value, kind, name) for value in values)
    if len(set(cells)) == 1:
        # Without a column that says so, 11 is a long.
        is_real = kind in ("real", "double") and values[0] is not None
        return _Column(name, kind, (), f"real({cells[0]})" if is_real else cells[0])
    if kind == "string" and cells:
        return _numbered(_Column(name, kind, cells))
    return _Column(name, kind, cells)


def _numbered(column: _Column) -> _Column:
    texts = list(dict.fromkeys(column.cells))
    numbers = {text: f'"{number}"' for number, text in enumerate(texts)}
    chosen = ",".join(f"{column.name}=={numbers[text]},{text}" for text in texts[:-1])
    cells = tuple(numbers[text] for text in column.cells)
    saved = sum(map(len, column.cells)) - sum(map(len, cells)) - len(chosen)
    return replace(column, cells=cells, added=f"case({chosen},{texts[-1]})") if saved > _WORTH else column
