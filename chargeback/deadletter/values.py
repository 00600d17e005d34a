"""A parsed body without its prompts, completions and keys; JSON in texts is parsed, cleaned and written again.

By permission, not by prohibition: text stays only under names that are known to carry none of it. Numbers stay, except
where they may be a prompt too (token ids, vectors).
"""

from __future__ import annotations

import binascii
import io
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

import orjson

from chargeback.deadletter.names import ENCODED, KEPT, RESPONSES, TEXTS
from chargeback.deadletter.secrets import removed, without_secrets
from chargeback.deadletter.words import LONGEST_TEXT, stay
from chargeback.jsontext import parse

_DEEPEST = 12
_PUNCTUATION = str.maketrans("", "", "-_. ")
_SHORTEST_SECRET = 8
_SPACE = "\ufeff \t\r\n"
_STREAM = ("data:", "event:", ":", "id:", "retry:")

_SAFE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_COUNT_NAME = re.compile(r"(?:[A-Za-z_.-]{1,24} ){0,3}[A-Za-z_.-]{0,48}[Tt]okens")


def cleaned(value: object, name: str = "", depth: int = 0) -> object:
    """Return what may be kept of a parsed value that stands under a name (lower case, letters and digits only)."""
    if name in TEXTS or depth > _DEEPEST:
        return None if value is None else removed(_length(value))
    if isinstance(value, dict):
        return {_name(key): cleaned(inner, _plain(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return _list(value, name, depth)
    if isinstance(value, str):
        return _text(value, name, depth)
    return value


def _list(items: list[object], name: str, depth: int) -> object:
    """Clean the objects in a list; what stands beside them, or in a list without any, may be token ids or text."""
    if items and not _hold_objects(items, depth):
        return removed(_length(items))
    return [
        cleaned(item, name, depth + 1) if isinstance(item, dict | list | None) else removed(_length(item))
        for item in items
    ]


def _hold_objects(items: list[object], depth: int) -> bool:
    return depth <= _DEEPEST and any(
        isinstance(item, dict) or (isinstance(item, list) and _hold_objects(item, depth + 1)) for item in items
    )


def _text(text: str, name: str, depth: int) -> str:
    if name in RESPONSES:
        return _json_text(text, depth) or removed(len(text))
    if name in ENCODED:
        return _encoded(text, depth) or removed(len(text))
    return stay(text, name)


def _json_text(text: str, depth: int) -> str | None:
    """Clean a text that holds JSON: whole, quoted, a line an object, or in server-sent events; `None` for any other."""
    inner = text.lstrip(_SPACE)
    if depth > _DEEPEST:
        return None
    if inner.startswith(_STREAM):
        return "".join(_events(inner, depth))
    try:
        found = parse(inner)
    except ValueError:
        return _lines(inner, depth)
    if isinstance(found, str):
        quoted = _json_text(found, depth + 1)
        return _written(quoted) if quoted else None
    kept = cleaned(found, "", depth + 1)
    return _written(kept) if isinstance(kept, dict | list) else None


def _written(value: object) -> str:
    return orjson.dumps(value).decode()


def _object(text: str, depth: int) -> str | None:
    """Clean the text of a JSON object; `None` if it is anything else."""
    try:
        kept = cleaned(parse(text), "", depth + 1)
    except ValueError:
        return None
    return _written(kept) if isinstance(kept, dict) else None


def _lines(text: str, depth: int) -> str | None:
    """Clean the lines that are objects. Of others it stays that they were there: it decides how the rest is read."""
    kept: list[str] = []
    gone = objects = 0
    for line in io.StringIO(text):
        found = _object(line, depth) if line.startswith("{") and line.rstrip().endswith("}") else None
        if found is None:
            gone += len(line.strip())
            continue
        kept += [removed(gone), found] if gone else [found]
        gone, objects = 0, objects + 1
    if gone:
        kept.append(removed(gone))
    return "\n".join(kept) if objects else None


def _events(stream: str, depth: int) -> Iterator[str]:
    """Keep of a stream the first event, which names the model, and those that tell usage or an error."""
    first = True
    for data in _data_of(stream):
        telling = first or '"usage"' in data or '"error"' in data
        if telling and (kept := _object(data, depth)):
            yield f"data: {kept}\n\n"
            first = False


def _data_of(stream: str) -> Iterator[str]:
    """Yield each event's data; one event may spread over several `data:` lines, or the blank lines may be missing."""
    pending: list[str] = []
    for raw in io.StringIO(f"{stream}\n\n", newline=None):  # not splitlines: JSON may hold U+2028 as it is
        line = raw.rstrip("\n")
        if line.startswith("data:"):
            pending.append(line[5:].strip())
        elif not line and pending:
            yield from ("\n".join(pending), *pending) if len(pending) > 1 else pending
            pending = []


def _encoded(text: str, depth: int) -> str | None:
    """Clean what stands in base64."""
    try:
        kept = cleaned(parse(b64decode(text, validate=True)), "", depth + 1)
    except (binascii.Error, ValueError):
        return None
    return b64encode(orjson.dumps(kept)).decode() if isinstance(kept, dict | list) else None


def _plain(name: str) -> str:
    return name.lower().translate(_PUNCTUATION) if len(name) <= LONGEST_TEXT else ""


def _name(name: str) -> str:
    """Keep names that look like names; somebody's text, or a key, can be a name too."""
    known = _SAFE_NAME.fullmatch(name) or _COUNT_NAME.fullmatch(name) or _plain(name) in KEPT
    return name if known and (len(name) < _SHORTEST_SECRET or without_secrets(name) == name) else removed(len(name))


def _length(value: object) -> int:
    """Return how long a text is, or anything else as JSON: step by step, as it may be too deep for a recursion."""
    if isinstance(value, str):
        return len(value)
    length, rest = 0, [value]
    while rest:
        inner = rest.pop()
        if isinstance(inner, dict):
            length += 1 + max(1, sum(len(name) + 4 for name in inner))
            rest.extend(inner.values())
        elif isinstance(inner, list):
            length += max(2, len(inner) + 1)
            rest.extend(inner)
        else:
            length += len(inner) + 2 if isinstance(inner, str) else len(orjson.dumps(inner))
    return length
