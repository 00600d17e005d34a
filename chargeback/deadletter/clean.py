"""Takes prompts, completions and keys out of a rejected body and leaves what billing and diagnosis need.

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

from chargeback.deadletter.names import ADDRESSES, CALL_IDS, ENCODED, KEPT, RESPONSES, TEXTS
from chargeback.keys import without_keys

_MOST_CONTAINERS = 100_000
_SMALL = 1 << 16
_DEEPEST = 12
_LONGEST_TEXT = 256
_LONGEST_CUT = 1024
_PUNCTUATION = str.maketrans("", "", "-_. ")
_SPACE = "\ufeff \t\r\n"
_STREAM = ("data:", "event:", ":", "id:", "retry:")

_SAFE_NAME = re.compile(r"(?![0-9a-fA-F]{32}$)[A-Za-z][A-Za-z0-9_.-]{0,63}")
_COUNT_NAME = re.compile(r"[A-Za-z][A-Za-z_. -]{0,48}[Tt]okens")
_COUNT_OR_TIME = re.compile(
    r"\s*-?\d{1,13}(\.\d{0,3})?\s*|\d{4}-\d\d-\d\d[T ][\d:.,]{5,18}(Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,2}/\d{1,2}/\d{4} [\d:]{7,8}([ \u202f\u00a0]?[AaPp][Mm])?",
    re.ASCII,
)
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*|(?i:bearer|sig|sharedaccesskey|accountkey)[ =:]+\S+")
_TEXT_NAME = re.compile(
    r"request(?!_?id)|response|message(?!-id)|prompt(?!_?tokens)|input(?!_?tokens)|choice|content|output(?!_?tokens)"
    r"|text|instructions|quer(?:y|ies)|question|answer"
    # These are parts of harmless names and values too, so only as names: `completion": `, `\\"tools\\" :`.
    r"|(?:completions?|tools?|arguments|embeddings?|delta|system|transcript)\\*[\"']?\s*[:=]",
    re.IGNORECASE,
)
# Three words in a row: somebody's text, whatever it is called.
_PROSE = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,40}[,.]?[ \t]{1,9}[^\W\d_]{1,40}[,.]?[ \t]{1,9}[^\W\d_]")
_LAST_WORD = re.compile(r"[0-9A-Za-z+/=_-]{16,}\Z")


def clean(body: bytes) -> tuple[object, bool]:
    """Return what may be kept of a body, and whether it can be read again as a record.

    A body that is no UTF-8 JSON is cut before the first name that announces text, or the first prose, and cannot be
    replayed.
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
    shown = text.replace("\0", "")  # UTF-16 and 32 show their names only without the zeros
    cuts = (_TEXT_NAME.search(shown), _PROSE.search(shown))
    found = min(filter(None, cuts), key=lambda cut: cut.start(), default=None)
    before = shown[: found.start()] if found else shown
    safe = _without_secrets(before if found else _without_last_word(before))
    removed = len(shown) - min(len(before), _LONGEST_CUT)
    return f"{safe[:_LONGEST_CUT]}{_removed(removed)}" if removed else safe[:_LONGEST_CUT]


def _without_last_word(text: str) -> str:
    """Remove a long word at the end: a body that breaks off may break off within a key, which then looks like none."""
    tail = text[-_LONGEST_TEXT:]
    return text[: len(text) - len(tail)] + _LAST_WORD.sub(lambda word: _removed(len(word.group())), tail)


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
    if name in ENCODED:
        return _encoded(text, depth)
    if name in ADDRESSES:
        return _without_secrets(text.partition("?")[0][:_LONGEST_TEXT])
    if name in KEPT and len(text) <= _LONGEST_TEXT:
        return text if name in CALL_IDS else _without_secrets(text)
    return text if _COUNT_OR_TIME.fullmatch(text) else _removed(len(text))


def _response(text: str, depth: int) -> str:
    """Clean a response that is JSON text or server-sent events; anything else is the answer itself."""
    inner = text.lstrip(_SPACE)
    kept = "".join(_events(inner, depth)) if inner.startswith(_STREAM) else _object(inner, depth)
    return kept or _removed(len(text))


def _object(text: str, depth: int) -> str | None:
    """Clean the text of a JSON object; `None` if it is anything else."""
    try:
        cleaned = _value(orjson.loads(text.encode("utf-8", "replace")), "", depth + 1)
    except orjson.JSONDecodeError:
        return None
    return orjson.dumps(cleaned).decode() if isinstance(cleaned, dict) else None


def _events(stream: str, depth: int) -> Iterator[str]:
    """Keep of a stream the first event, which names the model, and those that tell usage or an error."""
    first = True
    for data in _data_of(stream):
        telling = first or '"usage"' in data or '"error"' in data
        if telling and (cleaned := _object(data, depth)):
            yield f"data: {cleaned}\n\n"
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


def _encoded(text: str, depth: int) -> str:
    """Clean what stands in base64."""
    try:
        inner = b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return _removed(len(text))
    cleaned = _object(inner, depth)
    return b64encode(cleaned.encode()).decode() if cleaned else _removed(len(text))


def _plain(name: str) -> str:
    return name.lower().translate(_PUNCTUATION) if len(name) <= _LONGEST_TEXT else ""


def _name(name: str) -> str:
    """Keep names that look like names; somebody's text can be a name too."""
    known = _SAFE_NAME.fullmatch(name) or _COUNT_NAME.fullmatch(name) or _plain(name) in KEPT
    return name if known else _removed(len(name))


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
