"""Where a piece of C# ends: brackets are matched outside of literals and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

CLOSING = {"(": ")", "{": "}"}

_LITERAL = re.compile(r"""(?P<prefix>[@$]{0,2})(?P<quote>["'])""")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


class UnendedError(Exception):
    """A bracket or a literal that is opened and never closed."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def end_of_bracket(text: str, start: int) -> int:
    """Return the index behind the bracket that closes the one at `start`."""
    opening = text[start]
    closing = CLOSING[opening]
    depth = 0
    for at in _code(text, start):
        if text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if depth == 0:
                return at + 1
    raise UnendedError(f"{opening} is never closed", start)


def without_literals(code: str) -> str:
    """Return the code alone: literals and comments are blanks, lines stay lines. What is interpolated stays."""
    kept = set(_code(code, 0, into_holes=True))
    return "".join(char if at in kept or char == "\n" else " " for at, char in enumerate(code))


def _code(text: str, start: int, *, into_holes: bool = False) -> Iterator[int]:
    """Yield the index of every character that is neither in a literal nor in a comment."""
    at = start
    while at < len(text):
        if comment := _COMMENT.match(text, at):
            at = comment.end()
        elif literal := _LITERAL.match(text, at):
            holes: list[tuple[int, int]] = []
            end = _end_of_literal(text, literal, holes)
            if into_holes:
                for first, last in holes:
                    yield from (first + inner for inner in _code(text[first:last], 0, into_holes=True))
            at = end
        else:
            yield at
            at += 1


def _end_of_literal(text: str, opening: re.Match[str], holes: list[tuple[int, int]]) -> int:
    """Return the index behind a string or character literal; note the {holes} of an interpolated one."""
    verbatim, interpolated = "@" in opening["prefix"], "$" in opening["prefix"]
    quote, at = opening["quote"], opening.end()
    while at < len(text):
        char, pair = text[at], text[at : at + 2]
        if interpolated and char == "{" and pair != "{{":
            end = end_of_bracket(text, at)
            holes.append((at + 1, end - 1))
            at = end
        elif (verbatim and pair == quote * 2) or (not verbatim and char == "\\") or (interpolated and pair == "{{"):
            at += 2
        elif char == quote:
            return at + 1
        elif char == "\n" and not verbatim:
            break
        else:
            at += 1
    raise UnendedError("a literal is never closed", opening.start())
