"""A text of KQL read from left to right, constant by constant."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import KINDS, Value, called

_USUAL = frozenset({"string", "long", "real", "decimal", "bool", "datetime"})

_BYTE_ORDER_MARK = "\ufeff"
_COMMENT = re.compile(r"//[^\n]*")
_GAP = re.compile(rf"(?:\s|{_COMMENT.pattern})*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r'"(?:\\.|[^"\\\r\n])*"|\'(?:\\.|[^\'\\\r\n])*\'|@"(?:[^"]|"")*"|@\'(?:[^\']|\'\')*\'')
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
_CALL = re.compile(r"(?P<kind>[a-z]+)\s*\(\s*(?P<inner>[^()\"']*?)\s*\)")
_QUOTES = ('"', "'", "@")
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)")


class Cursor:
    """A place in a text that is read from left to right; gaps and comments are passed over."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name, self._about = text, name, ""
        self._at = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
        self._comments: dict[int, str] = {}

    def about(self, what: str) -> None:
        """Set what a complaint says in brackets of the thing that is read: nothing, or which column of which row."""
        self._about = f" ({what})" if what else ""

    def complaint(self, what: str) -> ReferenceDataError:
        """Return the error that says what is wrong here."""
        return ReferenceDataError(
            f"{self._name}, line {self.line()}: {what}{self._about}; "
            "write it as kql/lib does, one datatable of constants"
        )

    def comments(self) -> tuple[str, ...]:
        """Return the comments that were passed over, as the file has them."""
        return tuple(self._comments.values())

    def line(self) -> int:
        """Return the line on which the next thing begins, from 1."""
        return self._text.count("\n", 0, self.here()) + 1

    def here(self) -> int:
        """Return where the next thing begins."""
        if (gap := _GAP.match(self._text, self._at)) and gap[0]:
            self._comments |= {found.start(): found[0] for found in _COMMENT.finditer(self._text, *gap.span())}
            self._at = gap.end()
        return self._at

    def since(self, start: int) -> str:
        """Return the text from `start` to what was read last."""
        return self._text[start : self._at]

    def back_to(self, place: int) -> None:
        """Go back to a place that `here` returned."""
        self._at = place

    def sees(self, sign: str) -> bool:
        """Tell whether `sign` comes next."""
        return self._text.startswith(sign, self.here())

    def takes(self, sign: str) -> bool:
        """Read `sign` if it comes next, and tell whether it did."""
        seen = self.sees(sign)
        self._at += len(sign) * seen
        return seen

    def take(self, sign: str) -> int:
        """Read `sign`; return where it stood."""
        at = self.here()
        if not self.takes(sign):
            raise self.complaint(f"here should be {sign}")
        return at

    def word(self, what: str) -> str:
        """Read a name."""
        found = _WORD.match(self._text, self.here())
        if not found:
            raise self.complaint(f"here should be {what}")
        self._at = found.end()
        return found[0]

    def kind(self) -> str:
        """Read the name of a type."""
        word = self.word("a type")
        if KINDS.get(word, word) not in _USUAL:
            raise self.complaint(f"type {word} is not known here")
        return word

    def value(self, kind: str) -> Value:
        """Read a constant of a type."""
        usual = KINDS.get(kind, kind)
        if usual == "string":
            return self._string()
        at = self.here()
        value, told = self._plain(usual)
        if told != usual:
            self._at = at
            raise self.complaint(f"here should be a {kind}")
        return value

    def constant(self) -> Value:
        """Read a constant of any type."""
        if any(map(self.sees, _QUOTES)):
            return self._string()
        return self._plain("real")[0]

    def finish(self) -> None:
        """Make sure that nothing follows."""
        if self.here() != len(self._text):
            raise self.complaint("something follows the table")

    def _string(self) -> str:
        found = _TEXT.match(self._text, self.here())
        if not found:
            raise self.complaint("here should be a text in quotes")
        text = found[0]
        if text.startswith("@"):
            value = text[2:-1].replace(text[1] * 2, text[1])
        else:
            if unknown := next((sign for sign in _ESCAPE.findall(text) if sign not in _ESCAPED), None):
                raise self.complaint(f"\\{unknown} is not read here: write the character itself")
            value = _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], text[1:-1])
        self._at = found.end()
        return value

    def _plain(self, kind: str) -> tuple[Value, str]:
        """Read a number, true, false, or a call such as `datetime(2026-10-01)` or `real(null)`."""
        at = self.here()
        if number := _NUMBER.match(self._text, at):
            self._at = number.end()
            whole = number[0].lstrip("+-").isdigit()
            # A whole number is a real too, where a real is wanted.
            fits = kind in ("real", "decimal") or (kind == "long" and whole)
            return (int(number[0]) if kind == "long" and whole else Decimal(number[0])), kind if fits else "number"
        if found := _CALL.match(self._text, at):
            inner, told = found["inner"], KINDS.get(found["kind"], found["kind"])
            self._at = found.end()
            try:
                return None if inner == "null" else called(inner, told), told
            except (ValueError, InvalidOperation):
                self._at = at
                raise self.complaint(f"{found[0]} is no {kind}") from None
        word = self.word(f"a {kind}")
        if word not in ("true", "false"):
            self._at = at
            raise self.complaint(f"{word} is no constant")
        return word == "true", "bool"
