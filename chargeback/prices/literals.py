"""The words of a table of reference data, and the values that they write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = str | int | Decimal | bool | datetime | None

TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<comment>//[^\n]*)
    | (?P<text>"(?:\\["'\\nt]|[^"\\\n])*"|'(?:\\["'\\nt]|[^'\\\n])*')
    | (?P<typed>(?:datetime|real|double|long|int|bool)\([^()"'\n]*\))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z_]\w*) | (?P<mark>[=()\[\],:;])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the file and where it stands."""

    kind: str
    text: str
    at: int


def _inner(token: Token, *names: str) -> str | None:
    """Return what stands in `real(...)`, or the number itself; `None` for null."""
    if token.kind == "number":
        return token.text
    name, _, rest = token.text.partition("(")
    if token.kind != "typed" or name not in names:
        raise ValueError(token.text)
    inner = rest.removesuffix(")").strip()
    return None if inner == "null" else inner


def _string(token: Token) -> Value:
    if token.kind != "text":
        raise ValueError(token.text)
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1])


def _long(token: Token) -> Value:
    inner = _inner(token, "long", "int")
    return None if inner is None else int(inner)


def _real(token: Token) -> Value:
    inner = _inner(token, "real", "double")
    if inner is None:
        return None
    value = Decimal(inner)
    if not value.is_finite():
        raise ValueError(inner)
    return value


def _bool(token: Token) -> Value:
    return {"true": True, "false": False, "bool(true)": True, "bool(false)": False}[token.text]


def _datetime(token: Token) -> Value:
    if token.kind != "typed":
        raise ValueError(token.text)
    inner = _inner(token, "datetime")
    if inner is None:
        return None
    moment = datetime.fromisoformat(inner)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


READ = {"string": _string, "long": _long, "real": _real, "bool": _bool, "datetime": _datetime}
"""Type of a column -> what reads its values; each raises `ValueError` or `KeyError` for what is none."""
