"""Reference rows appended to a file as text: rows are dated and never edited, so every line that is there stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Value, written
from chargeback.reports.reference import Reference, parse, text_of

_READABLE = 0o644


def append(file: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    """Append rows to a file, all or none, and every line that is there stays; no rows change nothing.

    A column that a row does not name is empty text, or null.

    Raises:
        ReferenceDataError: the file is not understood, or a row does not fit it.
        OSError: the file cannot be written.
    """
    before = text_of(file)
    after = appended(before, rows, file.name)
    if after != before:
        replace(file, before, after)


def replace(file: Path, before: str, after: str) -> None:
    """Put a file's new text in place at once, if the file is still as it was read; a new file has "" before.

    A link stays a link, and the file keeps its mode.

    Raises:
        ReferenceDataError: somebody else has changed it meanwhile.
        OSError: it cannot be written.
    """
    target = file.resolve()
    if target.exists() and text_of(target) != before:
        raise ReferenceDataError(f"{file} has changed meanwhile: run the command again")
    with NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as made:
        draft = Path(made.name)
        try:
            made.write(after.encode())
            made.flush()
            os.fsync(made.fileno())
            if target.exists():
                shutil.copymode(target, draft)
            else:
                draft.chmod(_READABLE)
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def appended(text: str, rows: Sequence[Mapping[str, Value]], name: str, comment: str = "") -> str:
    """Return a file's text with rows before its closing bracket, below a comment if there is one.

    New lines are indented as the last row is. `name` is how a complaint calls the file.

    Raises:
        ReferenceDataError: the text is not understood, or a row does not fit it.
    """
    found = parse(text, name)
    if not rows and not comment:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    # Only a row without a comma at its end needs one before the next; it is not the old line that gets it.
    first = "" if found.comma or not found.rows else ", "
    lines = [f"// {line}" for line in comment.splitlines()]
    lines += [f"{first * (not at)}{row_text(found.columns, row, name)}," for at, row in enumerate(rows)]
    # At the bracket's line if it stands there alone, so that no line of the file changes.
    line_start = text.rfind("\n", 0, found.end) + 1
    alone = not text[line_start : found.end].strip()
    at, before = (line_start, "") if alone and line_start else (found.end, newline)
    indent = _indent(text, found)
    grown = text[:at] + before + "".join(f"{indent}{line}{newline}" for line in lines) + text[at:]
    _check(found, parse(grown, name), rows, name)
    return grown


def _indent(text: str, found: Reference) -> str:
    if not found.rows:
        return ""
    line = text.split("\n")[found.lines[-1] - 1]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _check(found: Reference, grown: Reference, rows: Sequence[Mapping[str, Value]], name: str) -> None:
    """Make sure that what is about to be written says what it should: a person's file is at stake."""
    wanted = [
        *found.rows,
        *({column: _given(row, column, kind) for column, kind in found.columns.items()} for row in rows),
    ]
    if list(grown.rows) != wanted or grown.settings != found.settings or grown.texts[: len(found.texts)] != found.texts:
        raise ReferenceDataError(f"{name} would not read back as it was written: add the rows by hand")


def row_text(columns: Mapping[str, str], row: Mapping[str, Value], name: str) -> str:
    """Return a row as a file with these columns has it, without the comma at its end.

    Raises:
        ReferenceDataError: the row does not fit the columns; `name` is how the complaint calls the file.
    """
    if unknown := row.keys() - columns.keys():
        raise ReferenceDataError(f"{name} has no column {min(unknown)}: leave it out, or add it to the file's columns")
    return ", ".join(written(_given(row, column, kind), kind, f"{name}, {column}") for column, kind in columns.items())


def _given(row: Mapping[str, Value], column: str, kind: str) -> Value:
    value = row.get(column)
    return "" if value is None and kind == "string" else value
