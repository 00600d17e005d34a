"""Dead letters in a folder of this machine, read back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chargeback.deadletter.stored import LETTERS, REPLAYED, Content, File, written_marks
from chargeback.errors import DeadLetterError


class StoredFolder:
    """Reads what `FolderDeadLetter` keeps."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; one that does not exist holds nothing."""
        self._folder = folder
        self.where = f"the folder {folder}"

    def check(self) -> None:
        """Refuse a folder that is not there."""
        if not self._folder.is_dir():
            raise DeadLetterError(f"{self.where} is not there: check CHARGEBACK_DEAD_LETTER_FOLDER")

    def files(self) -> list[File]:
        """Return the files of letters."""
        if self._folder.exists():  # where a file stands in its place, it would hold none
            self.check()
        try:
            return [
                File(
                    file.relative_to(self._folder).as_posix(),
                    datetime.fromtimestamp(file.stat().st_mtime, UTC),
                    _beside(file).exists(),
                )
                for file in self._folder.rglob(f"*{LETTERS}")
            ]
        except OSError as error:
            raise self._failed("read", error) from error

    def read(self, path: str) -> Content | None:
        """Return what a file holds. Nobody deletes in a folder: none is ever settled."""
        try:
            return Content((self._folder / path).read_bytes(), "", settled=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error

    def marks(self, path: str) -> bytes:
        """Return the marks beside a file."""
        try:
            return _beside(self._folder / path).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._failed("read", error) from error

    def mark(self, path: str, marks: Sequence[bytes]) -> None:
        """Append marks: one write, and on the disk before anybody relies on it."""
        try:
            with _beside(self._folder / path).open("ab", buffering=0) as file:
                file.write(written_marks(marks))
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed("written", error) from error

    def settle(self, path: str, content: Content) -> bool:  # noqa: ARG002  (a folder has nothing to note it with)
        """Do nothing: the marks say it all."""
        return True

    def _failed(self, doing: str, error: OSError) -> DeadLetterError:
        file = error.filename or self._folder
        return DeadLetterError(f"{file} cannot be {doing} ({error.strerror}): look at CHARGEBACK_DEAD_LETTER_FOLDER")


def _beside(file: Path) -> Path:
    return file.with_name(file.name + REPLAYED)
