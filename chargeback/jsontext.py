"""JSON as it is really sent: orjson's strictness, but a cut emoji costs one character and not the record.

A policy that cuts a text at so many UTF-16 units may leave half of a surrogate pair; JavaScript and .NET write it as
`\\ud83d`. No UTF-8 text can hold it, so strict readers refuse the whole document, and the usage in it.
"""

from __future__ import annotations

import re

import orjson

# Every escape is matched, so that the second half of an escaped backslash (`\\ud83d`) begins none.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_REPLACEMENT = rb"\ufffd"


def parse(text: bytes | str) -> object:
    """Return the value of a JSON document; half a surrogate pair in it becomes U+FFFD.

    Raises:
        ValueError: it is no JSON, or nested deeper than 1,024.
    """
    document = text.encode("utf-8", "replace") if isinstance(text, str) else text
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        whole = _ESCAPE.sub(lambda escape: _REPLACEMENT if escape[1] else escape[0], document)
        if whole == document:
            raise
        return orjson.loads(whole)
