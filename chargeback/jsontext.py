r"""JSON as it is really sent: orjson's strictness, but a cut emoji costs one character and not the record.

A policy that cuts a text at so many UTF-16 units may leave half of a surrogate pair; JavaScript and .NET write it as
`\ud83d`. No UTF-8 text can hold it, so strict readers refuse the whole document, and the usage in it.
"""

from __future__ import annotations

import re

import orjson

MOST_CONTAINERS = 100_000
"""Objects and arrays in one document. One above it is no usage, and as Python objects it would take too much memory."""
_SMALL = 1 << 16

# Every escape is matched, so that the second half of an escaped backslash (`\\\\ud83d`) begins none.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_REPLACEMENT = rb"\ufffd"
_NEITHER_QUOTES_NOR_OPENINGS = bytes(set(range(256)) - set(b'"{['))


class TooManyObjects(ValueError):
    """A document of more objects and arrays than any usage has."""


def parse(text: bytes | str) -> object:
    """Return the value of a JSON document; half a surrogate pair in it becomes U+FFFD.

    Raises:
        TooManyObjects: it has more than 100,000 objects and arrays.
        ValueError: it is no JSON, or nested deeper than 1,024.
    """
    document = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if may_be_too_large(document) and _openings(document) > MOST_CONTAINERS:
        raise TooManyObjects
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        whole = _ESCAPE.sub(lambda escape: _REPLACEMENT if escape[1] else escape[0], document)
        if whole == document:
            raise
        return orjson.loads(whole)


def may_be_too_large(document: bytes) -> bool:
    """Tell whether a document has that many braces and brackets; those within texts count here."""
    return len(document) > _SMALL and document.count(b"{") + document.count(b"[") > MOST_CONTAINERS


def _openings(document: bytes) -> int:
    """Count the objects and arrays of a document as far as it is JSON: braces and brackets outside texts."""
    unescaped = document.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = unescaped.translate(None, _NEITHER_QUOTES_NOR_OPENINGS).split(b'"')[::2]
    return sum(map(len, outside))
