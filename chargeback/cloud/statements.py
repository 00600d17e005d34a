"""Where closed months are kept: a blob container, or a folder. What is there is never written again."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import BinaryIO, Protocol

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings, ExponentialRetry

from chargeback.cloud.failures import short
from chargeback.errors import StatementError

CONTAINER = "statements"
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_ENDING = ".json.gz"
_NAME = re.compile(rf"({_MONTH.pattern}){re.escape(_ENDING)}")


class Statements(Protocol):
    """A place for closed months."""

    def write(self, month: str, packed: bytes) -> str:
        """Keep a closed month for good; return where it is.

        Raises:
            StatementError: the month is closed already, or cannot be kept.
        """

    def read(self, month: str) -> bytes | None:
        """Return a closed month as it was kept; `None` where the month is open.

        Raises:
            StatementError: it cannot be read.
        """

    def months(self) -> tuple[str, ...]:
        """Return the closed months, in order.

        Raises:
            StatementError: they cannot be listed.
        """


class BlobStatements:
    """Closed months as blobs; a service with two writers keeps the first."""

    def __init__(self, container: ContainerClient) -> None:
        """Use a container, which is made when the first month is closed."""
        self._container = container

    def write(self, month: str, packed: bytes) -> str:
        """Keep a closed month for good; return the blob's address."""
        blob = self._container.get_blob_client(_name(month))
        settings = ContentSettings(content_type="application/gzip")
        try:
            try:
                blob.upload_blob(packed, overwrite=False, content_settings=settings)
            except ResourceNotFoundError:
                self._make_container()
                blob.upload_blob(packed, overwrite=False, content_settings=settings)
        except ResourceExistsError as error:
            raise _closed(month, blob.url) from error
        except AzureError as error:
            raise self._failed(error) from error
        return str(blob.url)

    def read(self, month: str) -> bytes | None:
        """Return a closed month as it was kept; `None` where the month is open."""
        try:
            return self._container.get_blob_client(_name(month)).download_blob().readall()
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise self._failed(error) from error

    def months(self) -> tuple[str, ...]:
        """Return the closed months, in order."""
        try:
            names = list(self._container.list_blob_names())
        except ResourceNotFoundError:
            return ()
        except AzureError as error:
            raise self._failed(error) from error
        return _months(names)

    def _make_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:
            return

    def _failed(self, error: AzureError) -> StatementError:
        status = getattr(error, "status_code", None)
        told = f"{type(error).__name__}{f', {status}' if status else ''}"
        return StatementError(
            f"the container {self._container.container_name} cannot be used ({told}): check the storage account, and "
            "that the identity has the role Storage Blob Data Contributor"
        )


class FolderStatements:
    """Closed months as files of a folder, which is made when the first month is closed."""

    def __init__(self, folder: Path) -> None:
        """Use a folder."""
        self._folder = folder

    def write(self, month: str, packed: bytes) -> str:
        """Keep a closed month for good; return the file's path."""
        file = self._folder / _name(month)
        temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as made:
                _keep(file, made, packed)
        except OSError as error:
            raise StatementError(f"{file} cannot be written ({error.strerror}): name another folder") from error
        return str(file)

    def read(self, month: str) -> bytes | None:
        """Return a closed month as it was kept; `None` where the month is open."""
        file = self._folder / _name(month)
        try:
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StatementError(f"{file} cannot be read ({error.strerror}): name another folder") from error

    def months(self) -> tuple[str, ...]:
        """Return the closed months, in order."""
        try:
            return _months([file.name for file in self._folder.iterdir()])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StatementError(f"{self._folder} cannot be read ({error.strerror}): name another folder") from error


def connect(
    *, connection_string: str | None = None, account_url: str | None = None, credential: TokenCredential | None = None
) -> BlobStatements:
    """Return the closed months of a storage account: by its connection string, else by its address and an identity.

    Raises:
        StatementError: neither is given, or the connection string is none.
    """
    # Somebody waits for it: it gives up sooner than the library would.
    retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=2)
    try:
        if account_url and credential:
            service = BlobServiceClient(account_url, credential=credential, retry_policy=retry)
        elif connection_string:
            service = BlobServiceClient.from_connection_string(connection_string, retry_policy=retry)
        else:
            raise StatementError("there is no storage account to keep closed months in: name one, or a folder")
    except ValueError as error:
        raise StatementError(f"that is no storage account ({short(str(error))}): copy it from the portal") from error
    return BlobStatements(service.get_container_client(CONTAINER))


def _name(month: str) -> str:
    if not _MONTH.fullmatch(month):
        raise StatementError(f"{short(month)} is no month: write it like 2026-10")
    return month + _ENDING


def _keep(file: Path, made: BinaryIO, packed: bytes) -> None:
    """Write into a file of a passing name, and give it its own; the passing name is gone in any case."""
    try:
        made.write(packed)
        made.flush()
        os.fsync(made.fileno())
        # Unlike a rename, a link fails where there is a file: of two writers one wins, and it wins whole.
        file.hardlink_to(made.name)
    except FileExistsError as error:
        raise _closed(file.name.removesuffix(_ENDING), str(file)) from error
    finally:
        Path(made.name).unlink(missing_ok=True)


def _months(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(found[1] for name in names if (found := _NAME.fullmatch(name))))


def _closed(month: str, where: str) -> StatementError:
    return StatementError(
        f"{month} is closed already ({where}): what came to light since is charged as corrections in an open month"
    )
