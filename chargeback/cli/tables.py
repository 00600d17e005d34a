"""A query's answer on standard output: for people, for spreadsheets, for programs."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from chargeback.errors import ChargebackError
from chargeback.local.values import plain

Rows: TypeAlias = Sequence[Sequence[object]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NO_WIDTH = 1_000_000
_GAP = 3
"""Characters between two columns."""


class Format(StrEnum):
    """How a table is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def write(columns: Sequence[str], rows: Rows, form: Format) -> None:
    """Write a table to standard output."""
    _WRITERS[form](columns, rows)


def print_table(columns: Sequence[str], rows: Rows) -> None:
    """Print a table for people: numbers to the right, what is not known left empty, nothing cut off."""
    # Late, because most of what the command line prints is no table.
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    from chargeback.cli.screen import Screen

    names = [visible(name) for name in columns]
    cells = [[visible(text_of(value)) for value in row] for row in rows]
    numeric = [any(_is_number(row[index]) for row in rows) for index in range(len(names))]
    natural = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    least = [natural[index] if number else cell_len(names[index]) for index, number in enumerate(numeric)]
    # A file has no width: there, a table is as wide as it needs to be.
    widths = _fitted(natural, least, Screen().width if sys.stdout.isatty() else _NO_WIDTH)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, number, width in zip(names, numeric, widths, strict=True):
        table.add_column(Text(name), justify="right" if number else "left", overflow="fold", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    Screen(highlight=False, width=sum(widths) + _GAP * len(widths)).print(table)


def _fitted(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns: texts are folded, the widest first, until all has room.

    Names and numbers are not torn: a terminal that is too narrow for them folds whole lines.
    """
    widths = list(natural)
    for index in sorted(range(len(widths)), key=widths.__getitem__, reverse=True):
        excess = sum(widths) + _GAP * (len(widths) - 1) - room
        widths[index] -= max(0, min(excess, widths[index] - least[index]))
    return widths


def _write_csv(columns: Sequence[str], rows: Rows) -> None:
    """Write RFC 4180: UTF-8, a line of names, lines that end with CR LF; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([text_of(value) for value in row] for row in rows)
    sys.stdout.buffer.write(text.getvalue().encode())


def _write_json(columns: Sequence[str], rows: Rows) -> None:
    """Write a list of objects; times are ISO 8601, what is not known is null."""
    if twice := next((name for name, times in Counter(columns).items() if times > 1), None):
        raise ChargebackError(f"two columns are called {twice}: give each a name of its own, or use --format csv")
    objects = [dict(zip(columns, map(plain, row), strict=True)) for row in rows]
    sys.stdout.buffer.write(json.dumps(objects, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n")


_WRITERS: Mapping[Format, Callable[[Sequence[str], Rows], None]] = MappingProxyType(
    {Format.TABLE: print_table, Format.CSV: _write_csv, Format.JSON: _write_json}
)


def text_of(value: object) -> str:
    """Return a value as a table or a CSV file shows it."""
    shown = plain(value)
    if shown is None:
        return ""
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def visible(text: str) -> str:
    """Show characters that would act on the terminal instead of being seen; callers choose some of these texts."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
