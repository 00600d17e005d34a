"""The dead letter: rejected records, cleaned, as durable JSON lines.

One file a batch, merged by `id`, never overwritten.

Two implementations of the port `events.Keep`: blobs in the function's storage account, and a folder of the same files.
Two of `stored.Stored`, which reads them back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chargeback.deadletter.folder import FolderDeadLetter
from chargeback.errors import DeadLetterError
from chargeback.settings import STORAGE, Storage

if TYPE_CHECKING:
    from chargeback.deadletter.blobs import BlobDeadLetter
    from chargeback.deadletter.stored import Stored

__all__ = ["FolderDeadLetter", "connect", "open_stored"]


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


def open_stored(storage: Storage) -> Stored:
    """Return what the dead letter that the settings name holds; nothing is read yet.

    Raises:
        DeadLetterError: the settings name none.
    """
    # Late, both: the function only writes.
    if storage.folder:
        from chargeback.deadletter.stored_folder import StoredFolder

        return StoredFolder(Path(storage.folder))
    if not (storage.connection_string or storage.account_url):
        raise DeadLetterError(
            f"set {STORAGE} in this shell as it stands in the function app's settings (or {STORAGE}__accountName and "
            "sign in; or CHARGEBACK_DEAD_LETTER_FOLDER for a folder): it says where rejected records are"
        )
    from chargeback.deadletter import blobs, stored_blobs

    return stored_blobs.StoredBlobs(blobs.container_of(storage))
