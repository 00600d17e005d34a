"""Reading `let name = datatable(...)[...];` as Python, and adding lines to it without touching the others.

Only what such a file needs is understood; anything else is refused with its line, because a row that is read otherwise
here than in Azure would be worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from chargeback.errors import PriceError
from chargeback.prices.literals import READ, TOKEN, Token, Value


@dataclass(frozen=True, slots=True)
class Table:
    """A table of reference data as it is written."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """(name, type)"""
    rows: tuple[tuple[Value, ...], ...]
    lines: tuple[int, ...]
    """The line that each row begins on, from 1."""
    comments: tuple[str, ...]
    end: int
    """Where the closing bracket is."""
    open_row: bool
    """Whether the last row has no comma after it."""

    def dicts(self) -> Iterator[dict[str, Value]]:
        """Yield the rows by column."""
        for row in self.rows:
            yield {name: value for (name, _), value in zip(self.columns, row, strict=True)}


class _Reader:
    """Takes a file apart, token by token."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._all = list(self._tokens())
        self._left = [token for token in self._all if token.kind not in ("space", "comment")]
        self._left.reverse()

    @property
    def comments(self) -> tuple[str, ...]:
        return tuple(token.text for token in self._all if token.kind == "comment")

    def _tokens(self) -> Iterator[Token]:
        at = 0
        while at < len(self._text):
            found = TOKEN.match(self._text, at)
            if found is None or found.lastgroup is None:
                self.fail(at, f"cannot read {self._text[at : at + 20].splitlines()[0]!r}")
            yield Token(found.lastgroup, found.group(), at)
            at = found.end()

    def fail(self, at: int, why: str) -> NoReturn:
        raise PriceError(f"{self._file}, line {self.line(at)}: {why}; write it as the other rows are written")

    def line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def peek(self) -> Token:
        return self._left[-1] if self._left else Token("end", "", len(self._text))

    def take(self, text: str = "", kind: str = "") -> Token:
        """Take the next token, which has to be this text or of this kind."""
        token = self.peek()
        if (text and token.text != text) or (kind and token.kind != kind):
            self.fail(token.at, f"{text or kind} is missing before {token.text or 'the end'}")
        return self._left.pop() if self._left else token


def read_table(text: str, file: str) -> Table:
    """Read the one table that a file holds; `file` is its name for messages.

    Raises:
        PriceError: the file is not of that form.
    """
    reader = _Reader(text.removeprefix("\ufeff"), file)
    reader.take("let")
    name = reader.take(kind="word").text
    reader.take("=")
    reader.take("datatable")
    columns = _columns(reader)
    rows, lines, open_row = _rows(reader, columns)
    end = reader.take("]").at + (len(text) - len(text.removeprefix("\ufeff")))
    reader.take(";")
    if reader.peek().kind != "end":
        reader.fail(reader.peek().at, "there is something after the table")
    return Table(name, columns, rows, lines, reader.comments, end, open_row)


def _columns(reader: _Reader) -> tuple[tuple[str, str], ...]:
    reader.take("(")
    columns = []
    while True:
        name = reader.take(kind="word").text
        reader.take(":")
        kind = reader.take(kind="word")
        if kind.text not in READ:
            reader.fail(kind.at, f"no column here is of the type {kind.text}")
        columns.append((name, kind.text))
        if reader.peek().text == ")":
            break
        reader.take(",")
    reader.take(")")
    return tuple(columns)


def _rows(
    reader: _Reader, columns: Sequence[tuple[str, str]]
) -> tuple[tuple[tuple[Value, ...], ...], tuple[int, ...], bool]:
    reader.take("[")
    values: list[Value] = []
    starts: list[int] = []
    after_comma = True
    while reader.peek().text != "]":
        column = columns[len(values) % len(columns)]
        token = reader.peek()
        if len(values) % len(columns) == 0:
            starts.append(reader.line(token.at))
        values.append(_value(reader, *column))
        if after_comma := reader.peek().text == ",":
            reader.take(",")
        elif reader.peek().text != "]":
            reader.fail(reader.peek().at, "a comma is missing")
    if len(values) % len(columns):
        reader.fail(reader.peek().at, f"the row that begins on line {starts[-1]} has not {len(columns)} values")
    width = len(columns)
    rows = tuple(tuple(values[start : start + width]) for start in range(0, len(values), width))
    return rows, tuple(starts), not after_comma


def _value(reader: _Reader, column: str, kind: str) -> Value:
    token = reader.take()
    try:
        return READ[kind](token)
    except (ValueError, ArithmeticError, KeyError):
        reader.fail(token.at, f"{token.text or 'the end'} is no {kind} for the column {column}")


def with_lines(text: str, table: Table, rows: Sequence[str], comment: str) -> str:
    """Return the file with a comment and rows before its closing bracket; what was there stays as it was.

    Each of `rows` is a row without the comma at its end.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    start = text.rfind("\n", 0, table.end) + 1
    at = start if not text[start : table.end].strip() else table.end
    added = [f"// {line}" for line in comment.splitlines()]
    # Only a row without a comma at its end needs one before the next; it is not the old line that gets it.
    added += [f"{', ' if table.open_row and not index else ''}{row}," for index, row in enumerate(rows)]
    lead = "" if at == start else line_end
    return text[:at] + lead + "".join(f"    {line}{line_end}" for line in added) + text[at:]
