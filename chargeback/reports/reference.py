"""Reference rows in `kql/lib/`: read from a file's one `datatable`, and appended to it as text.

A file is one `let name = datatable(column:type, ...)[ values ];`, perhaps with settings before or after it, such as
`let currency = "USD";`, and comments anywhere. Rows are dated and never edited, so appending leaves every line that is
there as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Cursor, Value, written


@dataclass(frozen=True, slots=True)
class Reference:
    """What one file of reference rows holds."""

    name: str
    """As queries call it."""
    columns: Mapping[str, str]
    """Column -> Kusto's name of its type, in the file's order."""
    rows: tuple[Mapping[str, Value], ...]
    """`real` and `decimal` are Decimal, exact; times are aware and UTC; null is None."""
    texts: tuple[str, ...]
    """Each row as the file has it, from its first value to its last."""
    settings: tuple[str, ...]
    """The other statements, as the file has them: `let currency = "USD";`."""
    end: int
    """Where in the text the closing bracket stands."""
    comma: bool
    """Whether a comma follows the last row."""


def read(file: Path) -> Reference:
    """Read a file's rows.

    Raises:
        ReferenceDataError: the file cannot be read, or is no single datatable of constants.
    """
    return parse(_text(file), file.name)


def parse(text: str, name: str) -> Reference:
    """Read rows from a text; `name` is how a complaint calls it.

    Raises:
        ReferenceDataError: it is no single datatable of constants.
    """
    cursor = Cursor(text, name)
    before = _settings(cursor)
    table = _defined(cursor)
    cursor.take("datatable")
    columns = _columns(cursor)
    cursor.take("[")
    rows, texts, comma = _rows(cursor, columns)
    end = cursor.take("]")
    cursor.take(";")
    after = _settings(cursor)
    cursor.finish()
    return Reference(table, columns, tuple(rows), tuple(texts), (*before, *after), end, comma)


def _defined(cursor: Cursor) -> str:
    cursor.take("let")
    name = cursor.word("a name")
    cursor.take("=")
    return name


def _settings(cursor: Cursor) -> list[str]:
    """Read statements that give a constant a name, as far as there are any."""
    settings: list[str] = []
    while cursor.sees("let"):
        start = cursor.here()
        _defined(cursor)
        if cursor.sees("datatable"):
            cursor.back_to(start)
            break
        cursor.constant()
        cursor.take(";")
        settings.append(cursor.since(start))
    return settings


def append(file: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    """Append rows to a file, all or none, and every line that is there stays; no rows change nothing.

    A column that a row does not name is empty text, or null.

    Raises:
        ReferenceDataError: the file is not understood, or a row does not fit it.
        OSError: the file cannot be written.
    """
    before = _text(file)
    after = appended(before, rows, file.name)
    if after == before:
        return
    with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as made:
        temporary = Path(made.name)
        try:
            made.write(after.encode())
            made.flush()
            os.fsync(made.fileno())
            temporary.chmod(file.stat().st_mode & 0o7777)
            temporary.replace(file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def appended(text: str, rows: Sequence[Mapping[str, Value]], name: str) -> str:
    """Return a file's text with rows before its closing bracket; `name` is how a complaint calls the file.

    Raises:
        ReferenceDataError: the text is not understood, or a row does not fit it.
    """
    found = parse(text, name)
    if not rows:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [_line(found.columns, row, name) for row in rows]
    first = "" if found.comma or not found.rows else ", "
    # At the bracket's line if it stands there alone, so that no line of the file changes.
    line_start = text.rfind("\n", 0, found.end) + 1
    alone = not text[line_start : found.end].strip()
    at, before = (line_start, "") if alone and line_start else (found.end, newline)
    grown = text[:at] + before + first + "".join(f"{line},{newline}" for line in lines) + text[at:]
    _check(found, parse(grown, name), rows, name)
    return grown


def _check(found: Reference, grown: Reference, rows: Sequence[Mapping[str, Value]], name: str) -> None:
    """Make sure that what is about to be written says what it should: a person's file is at stake."""
    wanted = [
        *found.rows,
        *({column: _given(row, column, kind) for column, kind in found.columns.items()} for row in rows),
    ]
    if list(grown.rows) != wanted or grown.settings != found.settings or grown.texts[: len(found.texts)] != found.texts:
        raise ReferenceDataError(f"{name} would not read back as it was written: add the rows by hand")


def _line(columns: Mapping[str, str], row: Mapping[str, Value], name: str) -> str:
    if unknown := row.keys() - columns.keys():
        raise ReferenceDataError(f"{name} has no column {min(unknown)}: leave it out, or add it to the file's columns")
    return ", ".join(written(_given(row, column, kind), kind, f"{name}, {column}") for column, kind in columns.items())


def _given(row: Mapping[str, Value], column: str, kind: str) -> Value:
    value = row.get(column)
    return "" if value is None and kind == "string" else value


def _columns(cursor: Cursor) -> dict[str, str]:
    cursor.take("(")
    columns: dict[str, str] = {}
    while True:
        name = cursor.word("a column")
        if name in columns:
            raise cursor.complaint(f"column {name} stands there twice")
        cursor.take(":")
        columns[name] = cursor.kind()
        if not cursor.takes(","):
            cursor.take(")")
            return columns


def _rows(cursor: Cursor, columns: Mapping[str, str]) -> tuple[list[dict[str, Value]], list[str], bool]:
    rows: list[dict[str, Value]] = []
    texts: list[str] = []
    while not cursor.sees("]"):
        start = cursor.here()
        row: dict[str, Value] = {}
        for column, kind in columns.items():
            if row:
                cursor.take(",")
            row[column] = cursor.value(kind)
        rows.append(row)
        texts.append(cursor.since(start))
        if not cursor.takes(","):
            return rows, texts, False
    return rows, texts, bool(rows)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise ReferenceDataError(f"cannot read {file} ({error.strerror}): name the folder it is in") from error
    except UnicodeDecodeError as error:
        raise ReferenceDataError(f"{file} is no UTF-8 text: save it as UTF-8") from error
