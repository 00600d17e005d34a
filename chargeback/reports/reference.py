"""Reference rows in `kql/lib/`: read from a file's one `datatable`.

A file is one `let name = datatable(column:type, ...)[ values ];`, perhaps with settings before or after it, such as
`let currency = "USD";`, and comments anywhere. Anything else is refused with its line: a row that is read otherwise
here than in Azure would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chargeback.errors import ReferenceDataError
from chargeback.reports.cursor import Cursor
from chargeback.reports.literals import Value


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
    lines: tuple[int, ...]
    """The line that each row begins on, from 1."""
    comments: tuple[str, ...]
    """As the file has them, from their `//` on."""
    settings: tuple[str, ...]
    """The other statements, as the file has them: `let currency = "USD";`."""
    end: int
    """Where in the text the closing bracket stands."""
    comma: bool
    """Whether a comma follows the last row."""

    def setting(self, name: str) -> str:
        """Return what a setting is, as the file has it: `"USD"`, with its quotes. Empty where it is not so plain."""
        start = f"let {name} = "
        return next((text[len(start) : -1] for text in self.settings if text.startswith(start)), "")


def read(file: Path) -> Reference:
    """Read a file's rows.

    Raises:
        ReferenceDataError: the file cannot be read, or is no single datatable of constants.
    """
    return parse(text_of(file), file.name)


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
    rows, texts, lines, comma = _rows(cursor, columns)
    end = cursor.take("]")
    cursor.take(";")
    after = _settings(cursor)
    cursor.finish()
    return Reference(
        *(table, columns, tuple(rows), tuple(texts), tuple(lines), cursor.comments(), (*before, *after), end, comma)
    )


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


def _rows(cursor: Cursor, columns: Mapping[str, str]) -> tuple[list[dict[str, Value]], list[str], list[int], bool]:
    rows: list[dict[str, Value]] = []
    texts: list[str] = []
    lines: list[int] = []
    comma = False
    while not cursor.sees("]") and (comma or not rows):
        start = cursor.here()
        lines.append(cursor.line())
        rows.append(_row(cursor, columns))
        texts.append(cursor.since(start))
        comma = cursor.takes(",")
    if not cursor.sees("]"):
        raise cursor.complaint("here should be , or ]")
    return rows, texts, lines, comma


def _row(cursor: Cursor, columns: Mapping[str, str]) -> dict[str, Value]:
    row: dict[str, Value] = {}
    line = cursor.line()
    for column, kind in columns.items():
        cursor.about(f"{column} of the row on line {line}")
        if row:
            cursor.take(",")
        row[column] = cursor.value(kind)
    cursor.about("")
    return row


def text_of(file: Path) -> str:
    """Return what a file holds, its line ends as they are.

    Raises:
        ReferenceDataError: it cannot be read.
    """
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise ReferenceDataError(f"cannot read {file} ({error.strerror}): name the folder it is in") from error
    except UnicodeDecodeError as error:
        raise ReferenceDataError(f"{file} is no UTF-8 text: save it as UTF-8") from error
