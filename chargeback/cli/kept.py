"""Closed months, where they are kept: a storage account, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chargeback.cli.options import IN_STORAGE
from chargeback.errors import SettingsError, StatementError
from chargeback.reports.closing import ClosedMonth, unpack
from chargeback.settings import STORAGE, Settings

if TYPE_CHECKING:
    from chargeback.cloud.statements import Statements


def open_statements(place: str, *, to_read: bool = False) -> Statements:
    """Return where closed months are kept: a folder, or the container for `IN_STORAGE`.

    Raises:
        ChargebackError: the settings name no storage account, or a folder `to_read` is not there.
    """
    # Late, because Azure's libraries take longer to load than most commands run.
    from chargeback.cloud.statements import FolderStatements

    if place == IN_STORAGE:
        return _container()
    if to_read and not Path(place).is_dir():
        raise StatementError(f"there is no folder {place}: name the one that closed months are in")
    return FolderStatements(Path(place))


def closed_month(statements: Statements, month: str) -> ClosedMonth | None:
    """Return a closed month; `None` where the month is open.

    Raises:
        StatementError: what is kept for the month cannot be read, or is another month's.
    """
    packed = statements.read(month)
    if packed is None:
        return None
    try:
        closed = unpack(packed)
    except StatementError as error:
        raise StatementError(f"{month}: {error}") from error
    if closed.statement.month != month:
        raise StatementError(f"what is kept as {month} is the statement of {closed.statement.month}: it was renamed")
    return closed


def _container() -> Statements:
    from chargeback.cloud import sign_in
    from chargeback.cloud.statements import connect

    storage = Settings.from_environment().storage
    if not (storage.account_url or storage.connection_string):
        raise SettingsError(
            f"set {STORAGE} (or {STORAGE}__accountName) to the account that keeps closed months, or name a folder with "
            "--statements"
        )
    credential = sign_in(storage.client_id) if storage.account_url else None
    return connect(connection_string=storage.connection_string, account_url=storage.account_url, credential=credential)
