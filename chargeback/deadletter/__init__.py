"""The dead letter: rejected records, cleaned, as durable JSON lines.

One file a batch, merged by `id`, never overwritten.

Two implementations of the port `events.Keep`: blobs in the function's storage account, and a folder of the same files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chargeback.deadletter.folder import FolderDeadLetter
from chargeback.settings import Storage

if TYPE_CHECKING:
    from chargeback.deadletter.blobs import BlobDeadLetter

__all__ = ["FolderDeadLetter", "connect"]


def connect(storage: Storage) -> BlobDeadLetter | FolderDeadLetter:
    """Return the dead letter that the settings name; nothing is written before the first letter.

    Raises:
        DeadLetterError: the settings name none.
    """
    if storage.folder:
        return FolderDeadLetter(Path(storage.folder))
    # The storage library is a tenth of what an instance loads, and is not needed before the first batch.
    from chargeback.deadletter import blobs

    return blobs.connect(storage)
