"""The dead letter: rejected records, cleaned, as durable JSON lines.

One file a batch, merged by `id`, never overwritten.

Two implementations of the port `events.Keep`: blobs in the function's storage account, and a folder of the same files.
"""

from __future__ import annotations

from pathlib import Path

from chargeback.deadletter import blobs
from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.deadletter.folder import FolderDeadLetter
from chargeback.settings import Storage


def connect(storage: Storage) -> BlobDeadLetter | FolderDeadLetter:
    """Return the dead letter that the settings name; nothing is written before the first letter.

    Raises:
        DeadLetterError: the settings name none.
    """
    return FolderDeadLetter(Path(storage.folder)) if storage.folder else blobs.connect(storage)


__all__ = ["BlobDeadLetter", "FolderDeadLetter", "connect"]
