"""Constants as KQL writes them: read from a text, and written into one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from chargeback.errors import ReferenceDataError

Value: TypeAlias = str | int | Decimal | bool | datetime | None

_KINDS = {"int": "long", "double": "real", "date": "datetime", "boolean": "bool"}
"""Another name of a type -> the usual one."""
KINDS = frozenset({"string", "long", "real", "decimal", "bool", "datetime"})

_GAP = re.compile(r"(?:\s|//[^\n]*)*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r'"(?:\\.|[^"\\\r\n])*"|\'(?:\\.|[^\'\\\r\n])*\'|@"(?:[^"]|"")*"|@\'(?:[^\']|\'\')*\'')
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
_CALL = re.compile(r"(?P<kind>[a-z]+)\s*\(\s*(?P<inner>[^()\"']*?)\s*\)")
_QUOTES = ('"', "'", "@")
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Cursor:
    """A place in a text that is read from left to right; gaps and comments are passed over."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name, self._at = text, name, 0

    def complaint(self, what: str) -> ReferenceDataError:
        """Return the error that says what is wrong here."""
        line = self._text.count("\n", 0, self.here()) + 1
        return ReferenceDataError(f"{self._name}, line {line}: {what}; a reference file is one datatable of constants")

    def here(self) -> int:
        """Return where the next thing begins."""
        gap = _GAP.match(self._text, self._at)
        self._at = gap.end() if gap else self._at
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
        if _KINDS.get(word, word) not in KINDS:
            raise self.complaint(f"type {word} is not known here")
        return word

    def value(self, kind: str) -> Value:
        """Read a constant of a type."""
        usual = _KINDS.get(kind, kind)
        value, told = (self._string(), "string") if usual == "string" else self._plain(usual)
        if told != usual:
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
            inner, told = found["inner"], _KINDS.get(found["kind"], found["kind"])
            self._at = found.end()
            try:
                return None if inner == "null" else _called(inner, told), told
            except (ValueError, InvalidOperation):
                self._at = at
                raise self.complaint(f"{found[0]} is no {kind}") from None
        word = self.word(f"a {kind}")
        if word not in ("true", "false"):
            self._at = at
            raise self.complaint(f"{word} is no constant")
        return word == "true", "bool"


def _called(inner: str, kind: str) -> Value:
    if kind in ("real", "decimal"):
        number = Decimal(inner)
        if number.is_finite():
            return number
    elif kind == "long":
        return int(inner)
    elif kind == "bool" and inner in ("true", "false"):
        return inner == "true"
    elif kind == "datetime":
        moment = datetime.fromisoformat(inner)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    raise ValueError(inner)


def written(value: Value, kind: str, where: str) -> str:
    """Return a value as KQL has it; `where` is how a complaint calls its place.

    Raises:
        ReferenceDataError: the value is not of the type, or cannot be written in one line.
    """
    usual = _KINDS.get(kind, kind)
    match value:
        case None if usual != "string":
            return f"{usual}(null)"
        case str() if usual == "string" and not _CONTROL.search(value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case bool() if usual == "bool":
            return "true" if value else "false"
        case datetime() if usual == "datetime" and value.tzinfo is not None:
            return f"datetime({_moment(value)})"
        case int() if usual in ("long", "real", "decimal") and not isinstance(value, bool):
            return f"decimal({value})" if usual == "decimal" else str(value)
        case Decimal() if usual in ("real", "decimal") and value.is_finite():
            return f"decimal({value:f})" if usual == "decimal" else f"{value:f}"
    raise ReferenceDataError(f"{where}: {value!r} cannot be written as {kind} in one line: give another value")


def _moment(value: datetime) -> str:
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.date().isoformat() if utc == datetime.combine(utc.date(), datetime.min.time()) else f"{utc.isoformat()}Z"
