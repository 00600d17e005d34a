"""What is probably wrong with a file whose lines are no records; said aside, on stderr."""

from __future__ import annotations

import orjson

from chargeback.cli.bodies import Bodies
from chargeback.cli.inputs import name_of
from chargeback.cli.program import say
from chargeback.errors import ChargebackError

_OPENINGS = (b"{", b"[")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LARGEST_BODY = 16 << 20
"""Bytes up to which a file is parsed as a whole; a hub takes bodies of 1 MB, or a few."""


WHOLE = ", or add --body if all of it is one body"


def hint(bodies: Bodies, file: str, whole: str = WHOLE) -> None:
    """Say if there is nothing in a file, or if records seem to stand on several lines each.

    `whole` is how all of it is taken as one body, where a command can.
    """
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
            f"on a line of its own (jq -c . does){whole}"
        )


def refuse_one_value(bodies: Bodies, file: str, advice: str) -> None:
    """Refuse a file whose lines are the pieces of one body; none of them is a record, and each would be rejected.

    Raises:
        ChargebackError: it is such a file.
    """
    if is_one_value(bodies):
        raise ChargebackError(f"{name_of(file)} is one JSON value over several lines: {advice}")


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
