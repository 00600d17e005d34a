"""What is probably wrong with a file whose lines are no records; said aside, on stderr."""

from __future__ import annotations

import orjson

from chargeback.cli.bodies import Bodies
from chargeback.cli.inputs import name_of
from chargeback.cli.program import say

_OPENINGS = (b"{", b"[")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LARGEST_BODY = 16 << 20
"""Bytes up to which a file is parsed as a whole; a hub takes bodies of 1 MB, or a few."""


def hint(bodies: Bodies, file: str) -> None:
    """Say if there is nothing in a file, or if records seem to stand on several lines each."""
    if not bodies.size:
        say(f"there are no records in {name_of(file)}")
    elif is_one_value(bodies):
        say(
            f"{name_of(file)} is one JSON value over several lines, and each line is taken as a body: "
            "add --body to take it as one"
        )
    elif _first_line(bodies) in _OPENINGS:
        say(
            f"{name_of(file)} seems to hold JSON over several lines, and each line is taken as a body: put each record "
            "on a line of its own (jq -c . does), or add --body if all of it is one body"
        )


def is_one_value(bodies: Bodies) -> bool:
    """Tell whether a file is one JSON object or array over several lines."""
    first = _first_line(bodies)
    if not first.startswith(_OPENINGS) or _is_json(first) or bodies.size > _LARGEST_BODY:
        return False
    return any(_is_json(message.body.removeprefix(_BYTE_ORDER_MARK)) for message in bodies.whole())


def _first_line(bodies: Bodies) -> bytes:
    """Return the first line that is not empty."""
    lines = (message.body.removeprefix(_BYTE_ORDER_MARK).strip() for message in bodies.lines())
    return next(filter(None, lines), b"")


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
