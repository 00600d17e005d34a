"""The expressions of a rawxml document.

They stand there unescaped (`&&`, `<`, quotes), so the document is no XML until they are out of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.policy.csharp_code import UnendedError, end_of_bracket
from tests.policy.refusal import PolicyRefusedError

TOKEN = "@expression:{number}"
PARTLY = "an expression is the whole of a value or none of it"

_OPENING = re.compile(r"\s*@(?=[({])")
_SKIPPED = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"))


@dataclass(frozen=True, slots=True)
class Expression:
    number: int
    file: str
    line: int
    code: str
    """With its brackets: `(1 + 1)` is a value, `{ return 2; }` is a body."""


@dataclass(frozen=True, slots=True)
class Extracted:
    structure: str
    """The document as XML, line for line, a token in each expression's place."""
    expressions: tuple[Expression, ...]


def extract(text: str, file: str, first_number: int = 0) -> Extracted:
    """Take the expressions out of a document; `PolicyRefusedError` if one does not end or is only part of a value."""
    reader = _Reader(text, file, first_number)
    structure = "".join(reader.pieces())
    return Extracted(structure, tuple(reader.expressions))


class _Reader:
    def __init__(self, text: str, file: str, first_number: int) -> None:
        self._text, self._file, self._number = text, file, first_number
        self.expressions: list[Expression] = []

    def pieces(self) -> Iterator[str]:
        """Yield the structure's text, markup and values in turn."""
        at = 0
        while at < len(self._text):
            if skipped := self._skipped(at):
                yield self._text[at:skipped]
                at = skipped
            elif self._text[at] == "<":
                start, at = at, self._end_of_tag(at)
                yield from self._tag(start, at)
            else:
                start, at = at, self._end_of_value(at, "<")
                yield self._value(start, at)

    def _skipped(self, at: int) -> int | None:
        for opening, closing in _SKIPPED:
            if self._text.startswith(opening, at):
                end = self._text.find(closing, at)
                return len(self._text) if end < 0 else end + len(closing)
        return None

    def _end_of_tag(self, at: int) -> int:
        while at < len(self._text) and self._text[at] != ">":
            at = self._end_of_value(at + 1, self._text[at]) + 1 if self._text[at] in "\"'" else at + 1
        return at + 1

    def _tag(self, start: int, end: int) -> Iterator[str]:
        at = start
        while at < min(end, len(self._text)):
            yield self._text[at]
            at += 1
            if self._text[at - 1] in "\"'":
                quote = self._text[at - 1]
                value_end = self._end_of_value(at, quote)
                yield self._value(at, value_end) + quote
                at = value_end + 1

    def _end_of_value(self, start: int, closing: str) -> int:
        """Return where a value ends: an expression at its beginning hides what would close it."""
        at = start
        if opening := _OPENING.match(self._text, start):
            try:
                at = end_of_bracket(self._text, opening.end())
            except UnendedError as error:
                raise self._refused(error.at, f"an expression does not end: {error}") from error
        end = self._text.find(closing, at)
        return len(self._text) if end < 0 else end

    def _value(self, start: int, end: int) -> str:
        value = self._text[start:end]
        opening = _OPENING.match(value)
        if opening is None:
            if part := re.search(r"@[({]", value):
                raise self._refused(start + part.start(), PARTLY)
            return value
        code = self._text[start + opening.end() : end_of_bracket(self._text, start + opening.end())]
        if value[opening.end() + len(code) :].strip():
            raise self._refused(start + opening.end() + len(code), PARTLY)
        number = self._number + len(self.expressions)
        self.expressions.append(Expression(number, self._file, self._line(start + opening.end()), code))
        # The lines that the expression took, so that all below it stays on its own.
        return TOKEN.format(number=number) + "\n" * value.count("\n")

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def _refused(self, at: int, why: str) -> PolicyRefusedError:
        return PolicyRefusedError([f"{self._file}:{self._line(at)}: {why}"])
