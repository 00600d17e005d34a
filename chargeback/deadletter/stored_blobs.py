"""Dead letters in the function's storage account, read back."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.storage.blob import BlobClient, ContainerClient

from chargeback.deadletter.stored import LETTERS, REPLAYED, Content, File, written_marks
from chargeback.errors import DeadLetterError, ForbiddenError
from chargeback.settings import STORAGE

SETTLED = {"replayed": "true"}
"""Blob index tag by which a lifecycle rule may delete a file of letters."""
_FORBIDDEN = 403


class StoredBlobs:
    """Reads what `BlobDeadLetter` keeps."""

    def __init__(self, container: ContainerClient) -> None:
        """Use a container; one that does not exist holds nothing."""
        # Without a handler Python prints the libraries' warnings: a page of them where nobody is signed in.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        self._container = container
        self.where = f"the container {container.container_name}"

    def check(self) -> None:
        """Refuse a container that is not there."""
        try:
            there = self._container.exists()
        except AzureError as error:
            raise self._failed("read", error) from error
        if not there:
            raise DeadLetterError(f"{self.where} is not there: check {STORAGE} and CHARGEBACK_DEAD_LETTER_CONTAINER")

    def files(self) -> list[File]:
        """Return the blobs of letters."""
        try:
            found = {blob.name: blob.last_modified for blob in self._container.list_blobs()}
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            raise self._failed("read", error) from error
        return [
            File(name, modified, name + REPLAYED in found) for name, modified in found.items() if name.endswith(LETTERS)
        ]

    def read(self, path: str) -> Content | None:
        """Return what a blob holds; whether it is settled its only tag says."""
        try:
            found = self._container.download_blob(path)
            return Content(found.readall(), found.properties.etag, bool(found.properties.tag_count))
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise self._failed("read", error) from error

    def marks(self, path: str) -> bytes:
        """Return the marks beside a blob."""
        try:
            return self._container.download_blob(path + REPLAYED).readall()
        except ResourceNotFoundError:
            return b""
        except AzureError as error:
            raise self._failed("read", error) from error

    def mark(self, path: str, marks: Sequence[bytes]) -> None:
        """Append marks to an append blob: a block is there whole or not at all, whoever else appends."""
        blob = self._container.get_blob_client(path + REPLAYED)
        text = written_marks(marks)
        try:
            try:
                blob.append_block(text)
            except ResourceNotFoundError:
                _begin(blob)
                blob.append_block(text)
        except AzureError as error:
            raise self._failed("written", error) from error

    def settle(self, path: str, content: Content) -> bool:
        """Tag a blob if it is still as it was read, by writing the same once more with the tag.

        Only a write can be bound to what was read; setting a tag cannot. A letter that the function adds later takes
        the tag away, because it writes the blob anew.
        """
        blob = self._container.get_blob_client(path)
        try:
            blob.upload_blob(
                content.text,
                overwrite=True,
                tags=SETTLED,
                etag=content.version,
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN:
                raise ForbiddenError(
                    f"{path} cannot be tagged: only the role Storage Blob Data Owner may write index tags"
                ) from error
            raise self._failed("written", error) from error
        except AzureError as error:
            raise self._failed("written", error) from error
        return True

    def _failed(self, doing: str, error: AzureError) -> DeadLetterError:
        status = getattr(error, "status_code", None)
        told = f"{type(error).__name__}{f', {status}' if status else ''}"
        return DeadLetterError(f"{self.where} cannot be {doing} ({told}): {_advice(error, status)}")


def _begin(blob: BlobClient) -> None:
    """Make a blob of marks, unless somebody else did meanwhile: making it again would empty it."""
    try:
        blob.create_append_blob(match_condition=MatchConditions.IfMissing)
    except (ResourceExistsError, ResourceModifiedError):
        return


def _advice(error: AzureError, status: int | None) -> str:
    if isinstance(error, ClientAuthenticationError) or status == _FORBIDDEN:
        return (
            f"sign in (az login) as somebody with the role Storage Blob Data Owner on it, or check the key in {STORAGE}"
        )
    if isinstance(error, ServiceRequestError):
        return f"check the account's name in {STORAGE}, and that this machine may reach it"
    return f"try again, and check {STORAGE}"
