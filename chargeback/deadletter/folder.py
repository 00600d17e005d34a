"""Dead letters as files in a folder: for the demo and for `replay --store`, where there is no storage account."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chargeback.deadletter.lines import merge, path_of
from chargeback.errors import DeadLetterError
from chargeback.events import DeadLetter, Position


class FolderDeadLetter:
    """Keeps the same files as `BlobDeadLetter` below a folder. One writer at a time."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made when the first letter comes."""
        self._folder = folder

    def keep(self, first: Position, letters: Sequence[DeadLetter]) -> str:
        """Store a batch's letters; return the file's path below the folder.

        Raises:
            DeadLetterError: the file cannot be written.
        """
        path = path_of(first, letters)
        file = self._folder / path
        try:
            merged = merge(file.read_bytes() if file.exists() else b"", letters)
            if merged is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                _replace(file, merged)
        except OSError as error:
            raise DeadLetterError(f"dead letters cannot be stored in {file}: {error.strerror}") from error
        return path


def _replace(file: Path, content: bytes) -> None:
    """Put the whole new file in place at once, and on the disk before anybody relies on it."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
        try:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(file)
        except OSError:
            Path(draft.name).unlink()
            raise
