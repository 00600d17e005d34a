"""Dead letters as blobs in the function's own storage account."""

from __future__ import annotations

from collections.abc import Sequence

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient, ExponentialRetry

from chargeback.deadletter.lines import merge, path_of
from chargeback.errors import DeadLetterError
from chargeback.events import DeadLetter, Position
from chargeback.settings import STORAGE, Storage

_ATTEMPTS = 8
_CONNECT_SECONDS = 5
_READ_SECONDS = 20


class BlobDeadLetter:
    """Keeps dead letters in one container; safe to share between threads and with other instances."""

    def __init__(self, container: ContainerClient) -> None:
        """Use a container, which is made when the first letter comes."""
        self._container = container

    def keep(self, first: Position, letters: Sequence[DeadLetter]) -> str:
        """Store a batch's letters; return the blob's path in the container.

        Raises:
            DeadLetterError: the letters are not known to be stored.
        """
        path = path_of(first, letters)
        try:
            for _ in range(_ATTEMPTS):
                if self._merge(self._container.get_blob_client(path), letters):
                    return path
        except AzureError as error:
            raise DeadLetterError(
                f"{path} cannot be stored ({type(error).__name__}): check {STORAGE} and the identity's role"
            ) from error
        raise DeadLetterError(f"{path} is being written by others all the time; the host will deliver the batch again")

    def _merge(self, blob: BlobClient, letters: Sequence[DeadLetter]) -> bool:
        """Write what the blob does not hold, unless somebody else wrote it meanwhile (False: look again)."""
        try:
            found = blob.download_blob()
            existing, etag = found.readall(), found.properties.etag
        except ResourceNotFoundError:
            existing, etag = b"", None
        merged = merge(existing, letters)
        if merged is None:
            return True
        try:
            if etag is None:
                blob.upload_blob(merged, overwrite=False)
            else:
                blob.upload_blob(merged, overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        except (ResourceExistsError, ResourceModifiedError):
            return False
        except ResourceNotFoundError:
            self._make_container()
            return False
        return True

    def _make_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:
            return


def connect(storage: Storage) -> BlobDeadLetter:
    """Return the dead letter of the settings' storage account; nothing is written before the first letter.

    Raises:
        DeadLetterError: the settings name no storage account.
    """
    return BlobDeadLetter(container_of(storage))


def container_of(storage: Storage) -> ContainerClient:
    """Return the container that the settings name; nothing is asked of it yet.

    Raises:
        DeadLetterError: the settings name no storage account.
    """
    try:
        return _service(storage).get_container_client(storage.container)
    except ValueError as error:
        raise DeadLetterError(f"{STORAGE} is no storage connection string: copy it whole from the portal") from error


def _service(storage: Storage) -> BlobServiceClient:
    # Gives up well before the function's time is over: the host delivers the batch again.
    retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=2, random_jitter_range=1)
    if storage.account_url:
        from azure.identity import DefaultAzureCredential  # not needed with a connection string

        credential = DefaultAzureCredential(managed_identity_client_id=storage.client_id)
        return BlobServiceClient(
            storage.account_url,
            credential=credential,
            retry_policy=retry,
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        )
    if storage.connection_string:
        return BlobServiceClient.from_connection_string(
            storage.connection_string,
            retry_policy=retry,
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        )
    raise DeadLetterError(f"set {STORAGE} (or {STORAGE}__accountName): rejected records have nowhere to go")
