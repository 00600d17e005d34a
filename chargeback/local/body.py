"""Reading the body of a POST to `/v2.1/track`: what it may be packed in, and how items are listed in it."""

from __future__ import annotations

import zlib

import orjson

from chargeback.errors import ChargebackError

# zlib's window sizes: 31 reads gzip, 15 reads zlib's own format, which HTTP calls deflate.
_PACKINGS = {"gzip": 31, "deflate": 15}


class UnreadableBody(ChargebackError):
    """A body that holds no items; nothing of it is stored."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the HTTP status and the words to answer with."""
        super().__init__(message)
        self.status = status
        self.message = message


def read_items(body: bytes, packing: str, largest: int) -> list[object]:
    """Return the items of a body: a JSON array, one object, or objects on lines of their own.

    `packing` is the `Content-Encoding`, `largest` how many bytes the body may have unpacked.

    Raises:
        UnreadableBody: it cannot be unpacked, is too large, or is no JSON.
    """
    text = _unpacked(body, packing.strip().lower(), largest)
    try:
        items = _items(text)
        orjson.dumps(items)  # reads what is nested deeper than it writes, and items are written again
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(400, f"The body is not JSON: {error}") from error
    except orjson.JSONEncodeError as error:
        raise UnreadableBody(400, "The body is nested too deeply.") from error
    return items


def _items(text: bytes) -> list[object]:
    try:
        whole: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [orjson.loads(line) for line in lines]
    return whole if isinstance(whole, list) else [whole]


def _unpacked(body: bytes, packing: str, largest: int) -> bytes:
    if packing in ("", "identity"):
        if len(body) > largest:
            raise UnreadableBody(413, f"The body is larger than {largest} bytes.")
        return body
    if packing not in _PACKINGS:
        raise UnreadableBody(415, f"Content-Encoding {packing} is not supported.")
    unpacker = zlib.decompressobj(_PACKINGS[packing])
    try:
        text = unpacker.decompress(body, largest + 1)
    except zlib.error as error:
        raise UnreadableBody(400, f"The body is not {packing}: {error}") from error
    if len(text) > largest:
        raise UnreadableBody(413, f"The body is larger than {largest} bytes.")
    if not unpacker.eof:
        raise UnreadableBody(400, f"The body is cut short: its {packing} has no end.")
    return text
