"""What the peer must know of AMQP 1.0's bytes that Proton does not show.

AMQP lets a sender leave out fields at a list's end that are null, and Proton does; azure-eventhub 5.15.1 reads past the
end of such a list. So each performative that leaves here is spelled out (AMQP 1.0, part 2, section 2.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from proton import Data, Described, symbol, ulong

ANNOTATIONS, PAYLOAD = 0x72, 0x75
_FIRST_SECTION, _LAST_SECTION = 0x70, 0x78
_FIXED = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
"""Upper half of a constructor -> bytes of the value behind it (part 1, section 1.2)."""
_SMALL = (0xA, 0xC, 0xE)
"""Those whose size is one byte; the others' is four."""
_FIELDS = {0x10: 10, 0x11: 8, 0x12: 14, 0x13: 11, 0x14: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1}
"""Performative -> how many fields it has."""
_EMPTY_LIST, _LIST8, _LIST32, _NULL, _HEADER = 0x45, 0xC0, 0xD0, b"\x40", 8


class Section(NamedTuple):
    code: int
    start: int
    value: int
    """Where its value starts, behind the descriptor."""
    end: int


def sections(message: bytes) -> Iterator[Section]:
    """Yield the sections of an encoded message.

    Raises:
        ValueError: it is none.
    """
    at = 0
    while at < len(message):
        value = _end(message, at + 1)
        end = _end(message, value)
        code = int.from_bytes(message[at + 2 : value], "big")
        if message[at] or not _FIRST_SECTION <= code <= _LAST_SECTION or end > len(message):
            raise ValueError("no AMQP message")
        yield Section(code, at, value, end)
        at = end


def _end(data: bytes, at: int) -> int:
    """Return where the value that starts at `at` ends.

    Raises:
        ValueError: the data end first.
    """
    if at >= len(data):
        raise ValueError("no AMQP value")
    kind = data[at] >> 4
    if kind in _FIXED:
        return at + 1 + _FIXED[kind]
    if kind in _SMALL:
        return at + 2 + int.from_bytes(data[at + 1 : at + 2], "big")
    return at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")


def annotations_of(message: bytes) -> dict[str, Any]:
    """Return a message's annotations; `x-opt-partition-key` says where it wants to go."""
    for section in sections(message):
        if section.code == ANNOTATIONS:
            return _decoded(message[section.value : section.end])
    return {}


def _decoded(value: bytes) -> dict[str, Any]:
    data = Data()
    data.decode(value)
    found = data.get_object()
    assert isinstance(found, dict)
    return {str(name): item for name, item in found.items()}


def annotated(message: bytes, added: Mapping[str, Any]) -> bytes:
    """Return a message with more annotations; its other sections keep their bytes."""
    before, after = 0, 0
    for section in sections(message):
        if section.code < ANNOTATIONS:
            before = after = section.end
        if section.code == ANNOTATIONS:
            after = section.end
    told: Any = {symbol(name): value for name, value in {**annotations_of(message), **added}.items()}
    data = Data()
    data.put_object(Described(ulong(ANNOTATIONS), told))
    return message[:before] + bytes(data.encode()) + message[after:]


def messages_in(transfer: bytes) -> list[bytes]:
    """Return the messages of one transfer.

    Proton hides the field that says "a batch" (0x80013700), so a batch is told by its shape: every data section of it
    is itself an AMQP message with a body.
    """
    bodies = [_binary(transfer[one.value : one.end]) for one in sections(transfer) if one.code == PAYLOAD]
    return bodies if bodies and all(_has_a_body(body) for body in bodies) else [transfer]


def _binary(value: bytes) -> bytes:
    return value[2:] if value[0] == 0xA0 else value[5:]


def _has_a_body(message: bytes) -> bool:
    try:
        return any(section.code >= PAYLOAD for section in sections(message))
    except ValueError:
        return False


def frames(stream: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole frames (or protocol headers) that a stream begins with, and the rest."""
    found: list[bytes] = []
    while len(stream) >= _HEADER:
        size = _HEADER if stream.startswith(b"AMQP") else int.from_bytes(stream[:4], "big")
        if len(stream) < size:
            break
        found.append(stream[:size])
        stream = stream[size:]
    return found, stream


def spelled_out(frame: bytes) -> bytes:
    """Return a frame whose performative has all its fields; a header, a heartbeat and SASL stay as they are."""
    if len(frame) <= _HEADER or frame[5] != 0:
        return frame
    code, kind = frame[10], frame[11]
    start = {_EMPTY_LIST: 12, _LIST8: 14, _LIST32: 20}[kind]
    end = _end(frame, 11)
    count = {_EMPTY_LIST: b"", _LIST8: frame[13:14], _LIST32: frame[16:20]}[kind]
    fields = frame[start:end] + _NULL * (_FIELDS[code] - int.from_bytes(count, "big"))
    size = (len(fields) + 4).to_bytes(4, "big") + _FIELDS[code].to_bytes(4, "big")
    performative = bytes((0, 0x53, code, _LIST32)) + size + fields
    whole = frame[4:8] + performative + frame[end:]
    return (len(whole) + 4).to_bytes(4, "big") + whole
