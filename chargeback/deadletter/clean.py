"""Takes prompts, completions and keys out of a rejected body and leaves what billing and diagnosis need.

By permission, not by prohibition: text stays only under names that are known to carry none of it. Numbers stay, except
where they may be a prompt too (token ids, vectors).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson

from chargeback.deadletter.names import ADDRESSES, CALL_IDS, KEPT, RESPONSES, TEXTS
from chargeback.keys import without_keys

_MOST_CONTAINERS = 100_000
_SMALL = 1 << 16
_DEEPEST = 12
_LONGEST_TEXT = 256
_LONGEST_CUT = 1024
_PUNCTUATION = str.maketrans("", "", "-_. ")

_SAFE_NAME = re.compile(r"(?![0-9a-fA-F]{32}$)[A-Za-z][A-Za-z0-9_.-]{0,63}")
_COUNT_OR_TIME = re.compile(
    r"\s*-?\d{1,13}(\.\d{0,3})?\s*|\d{4}-\d\d-\d\d[T ][\d:.,]{5,18}(Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,2}/\d{1,2}/\d{4} [\d:]{7,8}([ \u202f\u00a0]?[AaPp][Mm])?",
    re.ASCII,
)
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*|(?i:bearer|sig|sharedaccesskey|accountkey)[ =:]+\S+")
_TEXT_NAME = re.compile(
    r"request(?!_?id)|response|message(?!-id)|prompt(?!_?tokens)|input(?!_?tokens)|choice|content|output(?!_?tokens)"
    r"|text|instructions|quer(?:y|ies)|question|answer",
    re.IGNORECASE,
)


def clean(body: bytes) -> tuple[object, bool]:
    """Return what may be kept of a body, and whether it can be read again as a record.

    A body that is no UTF-8 JSON is cut before the first name that announces text, and cannot be replayed.
    """
    try:
        text, utf8 = body.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        text, utf8 = body.decode("latin-1"), False
    if len(body) <= _SMALL or body.count(b"{") + body.count(b"[") <= _MOST_CONTAINERS:
        try:
            return _value(orjson.loads(text.encode()), "", 0), utf8
        except orjson.JSONDecodeError:
            pass
    return _cut(text), False


def _cut(text: str) -> str:
    found = _TEXT_NAME.search(text)
    before = text[: found.start()] if found else text
    kept = _without_secrets(before)[:_LONGEST_CUT]
    removed = len(text) - min(len(before), _LONGEST_CUT)
    return f"{kept}{_removed(removed)}" if removed else kept


def _without_secrets(text: str) -> str:
    return _TOKEN.sub(lambda secret: _removed(len(secret.group())), without_keys(text))


def _removed(length: int) -> str:
    return f"<removed {length} characters>"


def _value(value: object, name: str, depth: int) -> object:
    if name in TEXTS or depth > _DEEPEST:
        return None if value is None else _removed(_length(value))
    if isinstance(value, dict):
        return {_name(key): _value(inner, _plain(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return _list(value, name, depth)
    if isinstance(value, str):
        return _text(value, name, depth)
    return value


def _list(items: list[object], name: str, depth: int) -> object:
    """Clean objects one by one; a list of anything else may be token ids, a vector or lines of text."""
    if all(isinstance(item, dict) for item in items):
        return [_value(item, name, depth + 1) for item in items]
    return _removed(_length(items))


def _text(text: str, name: str, depth: int) -> str:
    if name in RESPONSES:
        return _response(text, depth)
    if name in ADDRESSES:
        return _without_secrets(text.partition("?")[0][:_LONGEST_TEXT])
    if name in KEPT and len(text) <= _LONGEST_TEXT:
        return text if name in CALL_IDS else _without_secrets(text)
    return text if _COUNT_OR_TIME.fullmatch(text) else _removed(len(text))


def _response(text: str, depth: int) -> str:
    """Clean a response that is JSON text or server-sent events; anything else is the answer itself."""
    if text.lstrip().startswith(("data:", "event:")):
        return "".join(_events(text.splitlines(), depth)) or _removed(len(text))
    try:
        cleaned = _value(orjson.loads(text.encode("utf-8", "replace")), "", depth + 1)
    except orjson.JSONDecodeError:
        return _removed(len(text))
    return orjson.dumps(cleaned).decode() if isinstance(cleaned, dict) else _removed(len(text))


def _events(lines: Iterable[str], depth: int) -> Iterable[str]:
    """Keep of a stream the events that tell usage."""
    for line in lines:
        if line.startswith("data:") and '"usage"' in line:
            yield f"data: {_response(line[5:].strip(), depth)}\n\n"


def _plain(name: str) -> str:
    return name.lower().translate(_PUNCTUATION) if len(name) <= _LONGEST_TEXT else ""


def _name(name: str) -> str:
    """Keep names that look like names; somebody's text can be a name too."""
    return name if _SAFE_NAME.fullmatch(name) else _removed(len(name))


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(orjson.dumps(value))
