"""Dead letters read back: what stands on a line, which lines were sent again, and where files of both are.

Beside `<name>.jsonl` stands `<name>.jsonl.replayed`: a line for each letter that was sent again, its mark. A file of
letters whose lines are all marked is settled, and may be deleted after a while; one with any other line never is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import orjson

from chargeback.events import Position

REPLAYED = ".replayed"
"""Ending of the file of marks beside a file of letters."""
LETTERS = ".jsonl"
_MARK = re.compile(rb"[0-9a-f]{64}")
_PLACE = ("namespace", "hub", "partitionId", "sequenceNumber")


@dataclass(frozen=True, slots=True)
class Letter:
    """One line of a file of dead letters."""

    record_id: str
    shape: str
    reason: str
    replayable: bool
    """Whether its body is a record still, and not only what is left of one."""
    position: Position
    body: object
    """What was kept of the record: parsed JSON, or text."""
    mark: bytes
    """What tells this letter from others, 32 bytes: its record, and the place on the hub where it was rejected."""
    fields: Mapping[str, object]
    """Everything that stands on the line."""


class File(NamedTuple):
    """A file of letters."""

    path: str
    modified: datetime
    marked: bool
    """Whether there is a file of marks beside it."""


class Content(NamedTuple):
    """What a file held at one moment."""

    text: bytes
    version: str
    settled: bool
    """Whether it is known to hold nothing that waits to be sent again."""


class Stored(Protocol):
    """A place with dead letters; its calls are safe to make from several threads."""

    @property
    def where(self) -> str:
        """Where it is, in words."""

    def check(self) -> None:
        """Refuse a place that is not there; for all else it is one that holds nothing.

        Raises:
            DeadLetterError: it is not there, or cannot be asked.
        """

    def files(self) -> list[File]:
        """Return the files of letters, in no order.

        Raises:
            DeadLetterError: they cannot be listed; so do the others, about one file.
        """

    def read(self, path: str) -> Content | None:
        """Return what a file of letters holds; `None` if it is gone."""

    def marks(self, path: str) -> bytes:
        """Return what stands in the file of marks beside a file of letters; nothing if there is none."""

    def mark(self, path: str, marks: Sequence[bytes]) -> None:
        """Note durably that letters of a file were sent again. Others may do so at the same time."""

    def settle(self, path: str, content: Content) -> bool:
        """Note that all letters of a file were sent again, if it is still as it was read (false: it is not).

        Raises:
            ForbiddenError: whoever asks may not.
        """


def letter_of(line: bytes) -> Letter | None:
    """Read a line; `None` if it is no dead letter (a torn write)."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("id"), str) or "body" not in found:
        return None
    try:
        mark = _mark(found)
    except orjson.JSONEncodeError:  # nested deeper than anything that is kept: somebody else's line
        return None
    return Letter(
        record_id=found["id"],
        shape=_text(found.get("recordShape")),
        reason=_text(found.get("reason")),
        replayable=found.get("replayable") is True,
        position=_position(found),
        body=found["body"],
        mark=mark,
        fields=found,
    )


def letters_of(text: bytes) -> tuple[list[Letter], int]:
    """Read a file's lines; return its letters by their place on the hub, and how many lines are none."""
    found = [letter_of(line) for line in text.split(b"\n") if line.strip()]
    letters = [letter for letter in found if letter is not None]
    return sorted(letters, key=_place), len(found) - len(letters)


def marks_of(text: bytes) -> set[bytes]:
    """Read a file of marks; what is none (a torn write) marks nothing."""
    return {bytes.fromhex(line.decode()) for line in text.split(b"\n") if _MARK.fullmatch(line)}


def written_marks(marks: Iterable[bytes]) -> bytes:
    """Write marks to be appended; the first begins a line, wherever an earlier write may have broken off."""
    return b"".join(b"\n" + mark.hex().encode() for mark in marks) + b"\n"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mark(found: Mapping[str, object]) -> bytes:
    """Tell a letter by its record and its place: one that is sent again and rejected again is another letter."""
    record = [found.get("id"), found.get("sha256"), found.get("body")]
    return hashlib.sha256(orjson.dumps([*record, *map(found.get, _PLACE)])).digest()


def _position(found: Mapping[str, object]) -> Position:
    namespace, hub, partition, number = map(found.get, _PLACE)
    return Position(
        _text(namespace) or "-",
        _text(hub) or "-",
        partition if isinstance(partition, str) else None,
        number if isinstance(number, int) else None,
        _moment(found.get("enqueuedTime")),
        _text(found.get("offset")) or None,
    )


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _place(letter: Letter) -> tuple[str, int]:
    return letter.position.partition_id or "", letter.position.sequence_number or 0
