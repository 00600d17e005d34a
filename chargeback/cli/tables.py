"""A query's answer on standard output: for people, for spreadsheets, for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chargeback.errors import ChargebackError

Rows: TypeAlias = Sequence[Sequence[object]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NO_WIDTH = 1_000_000


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
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = any(_is_number(row[index]) for row in rows)
        table.add_column(Text(_visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_visible(text_of(value))) for value in row))
    # A file has no width: there, a table is as wide as it needs to be.
    Console(highlight=False, width=None if sys.stdout.isatty() else _NO_WIDTH).print(table)


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
    objects = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
    sys.stdout.buffer.write(json.dumps(objects, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n")


_WRITERS: Mapping[Format, Callable[[Sequence[str], Rows], None]] = MappingProxyType(
    {Format.TABLE: print_table, Format.CSV: _write_csv, Format.JSON: _write_json}
)


def text_of(value: object) -> str:
    """Return a value as a table or a CSV file shows it."""
    plain = _plain(value)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return _timespan(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def _timespan(value: timedelta) -> str:
    """Write a duration as Kusto does: `[-][d.]hh:mm:ss[.fffffff]`."""
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(length.seconds, 60)
    days = f"{length.days}." if length.days else ""
    part = f".{length.microseconds * 10:07d}" if length.microseconds else ""
    return f"{sign}{days}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{part}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _visible(text: str) -> str:
    """Show characters that would act on the terminal instead of being seen; callers choose some of these texts."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
