"""From a body to the records inside: JSON, several objects, arrays, `{"records": [...]}`, CloudEvents."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import orjson

from chargeback.jsontext import TooManyObjects, may_be_too_large, parse
from chargeback.shapes.names import CONSUMERS, meaning
from chargeback.shapes.texts import plain_text

MOST_RECORDS = 10_000
BOM = b"\xef\xbb\xbf"
_MOST_BREAKS = 16
_DEEPEST = 4
_NEXT = re.compile(r"\n(?:[^\S\n]|\ufeff)*(?=\{)")
_BLANK = re.compile(r"[\s\ufeff]*")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a body that is no JSON, or too much of it."""

    reason: str
    error_type: str
    text: bytes


def entries(body: bytes) -> list[object]:
    """Return the records in a body, parsed; what cannot be parsed as `Unreadable`, in its place."""
    try:
        values: Iterator[object] = iter([parse(body)])
    except TooManyObjects:
        return [_too_large(body)]
    except ValueError:
        # Python's own reader takes more memory, and texts that are broken may hide what they are.
        if may_be_too_large(body):
            return [_too_large(body)]
        values = _several(body)
    found = list(islice((record for value in values for record in _records(value)), MOST_RECORDS + 1))
    if len(found) > MOST_RECORDS:  # dropping the rest would lose usage in silence
        return [Unreadable("more than 10,000 records in one body", "TooLarge", body)]
    if found and all(isinstance(item, Unreadable) and item.error_type == "NotJson" for item in found):
        return [Unreadable("not JSON", "NotJson", body)]
    return found


def _too_large(body: bytes) -> Unreadable:
    return Unreadable("more than 100,000 objects in one body", "TooLarge", body)


def _records(value: object, depth: int = 0) -> Iterator[object]:
    """Yield the records in a value: of arrays, exports and CloudEvents, and of these within one another."""
    if depth > _DEEPEST:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _records(item, depth + 1)
    elif isinstance(value, dict) and isinstance(value.get("records"), list):
        yield from _records(value["records"], depth)
    elif isinstance(value, dict) and _is_cloud_event(value):
        for item in _records(_data(value), depth + 1):
            yield _addressed(item, value)
    else:
        yield value


def _several(body: bytes) -> Iterator[object]:
    """Read objects that follow one another; after a broken one, go on at the next line that begins an object."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        yield Unreadable("not UTF-8", "NotUtf8", body)
        return
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at, breaks = _skip_blank(text, 0), 0
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
        at = _skip_blank(text, end)


def _one(decoder: json.JSONDecoder, text: str, at: int) -> tuple[object, int]:
    if text[at] not in "{[":  # "5/24/2024,..." begins with a number that is nobody's record
        raise ValueError
    end = decoder.raw_decode(text, at)[1]
    return parse(text[at:end]), end


def _skip_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _refuse(name: str) -> object:
    raise ValueError(name)


def _is_cloud_event(entry: dict[str, object]) -> bool:
    return "specversion" in entry and ("data" in entry or "data_base64" in entry)


def _addressed(record: object, event: dict[str, object]) -> object:
    """Return a record of a CloudEvent, with the envelope's time and subject where it has none of its own."""
    if not isinstance(record, dict):
        return Unreadable("CloudEvent without a data object", "NotAnObject", written(event))
    if "timestamp" not in {meaning(name) for name, value in record.items() if value not in (None, "")}:
        record["timestamp"] = event.get("time")
    if not any(meaning(name) in CONSUMERS for name, value in record.items() if plain_text(value)):
        record["userId"] = event.get("subject")
    if "tokens" in record:
        record.setdefault("type", event.get("type"))
    return record


def _data(event: dict[str, object]) -> object:
    data = event.get("data", event.get("data_base64"))
    try:
        if "data" not in event and isinstance(data, str):
            return parse(b64decode(data, validate=True))
        return parse(data) if isinstance(data, str) else data
    except (binascii.Error, ValueError):
        return None


def written(entry: object) -> bytes:
    """Return the text of a record."""
    if isinstance(entry, Unreadable):
        return entry.text
    try:
        return orjson.dumps(entry)
    except TypeError:  # it reads deeper nesting than it writes; no usage is nested like that
        return b'{"removed": "a record nested too deeply to be written"}'
