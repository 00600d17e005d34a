"""The storage account: dead letters can be written; and the clock, by the date of its answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError

from chargeback.deadletter.blobs import container_of
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok
from chargeback.settings import STORAGE, Storage

WRITABLE, CLOCK = "storage: writable", "clock"
_ADVICE = f"check {STORAGE}, and that the identity has Storage Blob Data Contributor or more"
_MOST_SECONDS = 60.0
"""The service refuses events that are further ahead."""


def storage(told: Storage, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Write where dead letters go, and take it away again; compare the clocks by the answer's date."""
    if not (told.folder or told.account_url or told.connection_string):
        yield not_checked(WRITABLE, "no storage account is set, or its settings cannot be read")
        yield not_checked(CLOCK, "there is no answer to read a date from")
        return
    if told.folder:
        yield looked_at(WRITABLE, lambda: _folder(Path(told.folder or "")), _ADVICE)
        yield not_checked(CLOCK, "a folder has no clock of its own")
        return
    dates: list[datetime] = []
    yield looked_at(WRITABLE, lambda: _blob(told, dates), _ADVICE)
    yield _clock(dates, now()) if dates else not_checked(CLOCK, "there is no answer to read a date from")


def _folder(folder: Path) -> Finding:
    probe = folder / f"doctor-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return bad(WRITABLE, f"the folder cannot be written ({error.strerror})", "choose another folder")
    return ok(WRITABLE, "a file was written and taken away again")


def _blob(told: Storage, dates: list[datetime]) -> Finding:
    def note(response: Any) -> None:
        if date := response.http_response.headers.get("Date"):
            dates.append(parsedate_to_datetime(date).astimezone(UTC))

    container = container_of(told)
    with suppress(ResourceExistsError):
        container.create_container(raw_response_hook=note)  # it has a date when it refuses, too
    probe = container.get_blob_client(f"doctor/{secrets.token_hex(8)}")
    probe.upload_blob(b"", overwrite=False, raw_response_hook=note)
    probe.delete_blob()
    return ok(WRITABLE, f"a blob was written to {told.container} and taken away again")


def _clock(dates: list[datetime], now: datetime) -> Finding:
    apart = abs((now - dates[-1]).total_seconds())
    if apart > _MOST_SECONDS:
        return bad(CLOCK, f"{apart:.0f} seconds apart from the storage account's", "set this machine's clock by NTP")
    return ok(CLOCK, f"{apart:.0f} seconds apart from the storage account's")
