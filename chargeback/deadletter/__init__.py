"""The dead letter: rejected records, cleaned, as durable JSON lines.

One file a batch, merged by `id`, never overwritten.

Two implementations of the port `events.Keep`: blobs in the function's storage account, and a folder of the same files.
"""

from __future__ import annotations

from chargeback.deadletter.blobs import BlobDeadLetter, connect
from chargeback.deadletter.folder import FolderDeadLetter

__all__ = ["BlobDeadLetter", "FolderDeadLetter", "connect"]
