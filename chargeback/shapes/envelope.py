"""From a body to the records inside: JSON, several objects, arrays, `{"records": [...]}`, CloudEvents."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from chargeback.shapes.names import CALLER, meaning

MOST_CONTAINERS = 100_000
"""Objects and arrays in one body. A body above it is no usage, and as Python objects it would take too much memory."""
MOST_RECORDS = 10_000
_MOST_BREAKS = 16
_SMALL = 1 << 16
_BOM = b"\xef\xbb\xbf"
_NEXT = re.compile(r"\n\s*(?=\{)")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a body that is no JSON, or too much of it."""

    reason: str
    error_type: str
    text: bytes


def entries(body: bytes) -> list[object]:
    """Return the records in a body, parsed; what cannot be parsed as `Unreadable`, in its place."""
    if len(body) > _SMALL and body.count(b"{") + body.count(b"[") > MOST_CONTAINERS:
        return [Unreadable("more than 100,000 objects in one body", "TooLarge", body)]
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _several(body.removeprefix(_BOM), body)
    found = _records(value)
    return _at_most(found, body)


def _at_most(found: list[object], body: bytes) -> list[object]:
    """Return what was found, or refuse the body as a whole: dropping the rest would lose usage in silence."""
    if len(found) > MOST_RECORDS:
        return [Unreadable("more than 10,000 records in one body", "TooLarge", body)]
    return found


def _records(value: object) -> list[object]:
    if isinstance(value, dict) and isinstance(value.get("records"), list):
        value = value["records"]
    return value if isinstance(value, list) else [value]


def _several(body: bytes, original: bytes) -> list[object]:
    """Read objects that follow one another; after a broken one, go on at the next line that begins an object."""
    try:
        text = body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return [Unreadable("not UTF-8", "NotUtf8", original)]
    found = [item for value in _sequence(text) for item in ([value] if _broken(value) else _records(value))]
    if all(_broken(item) for item in found):
        return [Unreadable("not JSON", "NotJson", original)]
    return _at_most(found, original)


def _broken(value: object) -> bool:
    return isinstance(value, Unreadable)


def _sequence(text: str) -> Iterator[object]:
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = breaks = 0
    while at < len(text):
        try:
            value, end = _one(decoder, text, at)
            yield value
        except (ValueError, RecursionError):
            breaks += 1
            # A bound on the breaks keeps the time linear: each may have read to the end of the body.
            following = _NEXT.search(text, at) if breaks < _MOST_BREAKS else None
            end = following.start() if following else len(text)
            yield Unreadable("not JSON", "NotJson", text[at:end].encode())
        at = _skip_space(text, end)


def _one(decoder: json.JSONDecoder, text: str, at: int) -> tuple[object, int]:
    if text[at] not in "{[":  # "5/24/2024,..." begins with a number that is nobody's record
        raise ValueError
    end = decoder.raw_decode(text, at)[1]
    return orjson.loads(text[at:end].encode()), end


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _refuse(name: str) -> object:
    raise ValueError(name)


def unwrap(entry: dict[str, object]) -> dict[str, object] | None:
    """Return a CloudEvent's data, with the envelope's time and subject where the data has none.

    `None` if the data is no object. Anything that is no CloudEvent is returned as it is.
    """
    if "specversion" not in entry or not ("data" in entry or "data_base64" in entry):
        return entry
    data = _data(entry)
    if not isinstance(data, dict):
        return None
    known = {meaning(name) for name in data}
    if "timestamp" not in known:
        data["time"] = entry.get("time")
    if known.isdisjoint(CALLER):
        data["subject"] = entry.get("subject")
    if "tokens" in data:
        data.setdefault("type", entry.get("type"))
    return data


def _data(entry: dict[str, object]) -> object:
    data = entry.get("data", entry.get("data_base64"))
    try:
        if "data" not in entry and isinstance(data, str):
            return orjson.loads(b64decode(data, validate=True))
        return orjson.loads(data.encode("utf-8", "replace")) if isinstance(data, str) else data
    except (orjson.JSONDecodeError, binascii.Error, ValueError):
        return None
