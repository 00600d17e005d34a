"""What a value must look like, by its column's type and format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from chargeback.reports.currencies import MINOR_DIGITS
from chargeback.reports.focus.facts import Column

_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SIMPLE = r"[A-Z][A-Za-z]*"
_SIZE = r"(?:[KMGTPE]i?)?[bB]"
_UNIT = re.compile(rf"(?:[1-9]\d* )?(?:{_SIZE}|{_SIMPLE})(?:-{_SIMPLE}s)?(?:/(?:[1-9]\d* )?{_SIMPLE})?")


def wrong(column: Column, value: str) -> Iterator[str]:
    """Yield what is wrong with a value that is not null, each as what it must be."""
    if not value.strip():
        yield "must not be blank: leave it null"
        return
    if column.type != "String" and (found := _TYPES[column.type](value)):
        yield found
        return
    if column.allowed and value not in column.allowed:
        yield f"must be one of {', '.join(column.allowed)}"
    if column.non_negative and value.startswith("-") and value.strip("-0."):
        yield "must not be negative"
    if column.format == "currency" and value not in MINOR_DIGITS:
        yield "must be a currency's code of ISO 4217"
    if column.format == "unit" and not _UNIT.fullmatch(value):
        yield "must be a unit like Tokens, 1000 Tokens or PTU-Hours"


def _decimal(value: str) -> str:
    return "" if _DECIMAL.fullmatch(value) else "must be a plain decimal number"


def _time(value: str) -> str:
    if not _TIME.fullmatch(value):
        return "must be a time in UTC like 2026-10-01T00:00:00Z"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "must be a time that exists"
    return ""


def _json(value: str) -> str:
    try:
        pairs = json.loads(value, object_pairs_hook=lambda pairs: pairs, parse_constant=_no_number)
    except ValueError:
        return "must be a JSON object"
    if not isinstance(pairs, list) or not value.lstrip().startswith("{"):
        return "must be a JSON object"
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        return "must not have a key twice"
    return "must not hold objects or arrays" if any(isinstance(held, list) for _, held in pairs) else ""


def _no_number(word: str) -> None:
    raise ValueError(word)


_TYPES: Mapping[str, Callable[[str], str]] = MappingProxyType({"Decimal": _decimal, "Date/Time": _time, "JSON": _json})
