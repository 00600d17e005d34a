"""Record bodies from a file or from standard input: one a line, each exactly as it stands."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from chargeback.cli.inputs import STANDARD_INPUT, name_of
from chargeback.errors import ChargebackError
from chargeback.pipeline import Message, Position

BATCH = 1000
"""Bodies the pipeline takes at a time, as many as the host hands to the function."""
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a file holds; its records are told apart by the file's hash and their line."""

    stream: BinaryIO
    start: int
    size: int
    """Bytes from `start` to the end."""
    file_id: str
    """First 16 hex digits of the SHA-256 of these bytes."""

    def lines(self) -> Iterator[Message]:
        """Give each line as a body, without its newline and otherwise verbatim. A newline at the end ends, no more."""
        self.stream.seek(self.start)
        for number, line in enumerate(self.stream, 1):
            yield self._message(line.removesuffix(b"\n"), number)

    def whole(self) -> Iterator[Message]:
        """Give everything as one body."""
        self.stream.seek(self.start)
        yield self._message(self.stream.read(), 1)

    def batches(self, whole: bool = False) -> Iterator[list[Message]]:
        """Give the lines in batches; or everything as one body, in a batch of its own."""
        messages = self.whole() if whole else self.lines()
        while batch := list(islice(messages, BATCH)):
            yield batch

    def _message(self, body: bytes, line: int) -> Message:
        return Message(body, Position(file_id=self.file_id, line=line))


@contextmanager
def open_bodies(file: str) -> Iterator[Bodies]:
    """Open a file, or standard input for `-`, and read it once for its identity.

    Raises:
        ChargebackError: it cannot be read.
    """
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(_open(file))
            if not stream.seekable():
                # A pipe cannot be read twice, and its identity is known only at its end.
                copy = opened.enter_context(tempfile.TemporaryFile())
                copyfileobj(stream, copy, _STEP)
                copy.seek(0)
                stream = copy
            bodies = _identify(stream)
        except OSError as error:
            raise ChargebackError(
                f"cannot read {name_of(file)} ({error.strerror}): name a file with a record body on each line, "
                "or - for standard input"
            ) from error
        yield bodies


def _open(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == STANDARD_INPUT else Path(file).open("rb")


def _identify(stream: BinaryIO) -> Bodies:
    start, size, digest = stream.tell(), 0, hashlib.sha256()
    while block := stream.read(_STEP):
        size += len(block)
        digest.update(block)
    return Bodies(stream, start, size, digest.hexdigest()[:16])
