"""From an envelope, as SDKs post it to `/v2.1/track`, to the rows that Application Insights shows."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from chargeback.errors import StoreError
from chargeback.local.items import READERS, Bag, Row, bag, number, text, whole
from chargeback.local.schema import ITEM_TYPES

_TAGS = {
    "ai.operation.name": "operation_Name",
    "ai.operation.id": "operation_Id",
    "ai.operation.parentId": "operation_ParentId",
    "ai.operation.syntheticSource": "operation_SyntheticSource",
    "ai.session.id": "session_Id",
    "ai.user.id": "user_Id",
    "ai.user.authUserId": "user_AuthenticatedId",
    "ai.user.accountId": "user_AccountId",
    "ai.application.ver": "application_Version",
    "ai.device.type": "client_Type",
    "ai.device.model": "client_Model",
    "ai.device.osVersion": "client_OS",
    "ai.device.browser": "client_Browser",
    "ai.cloud.role": "cloud_RoleName",
    "ai.cloud.roleInstance": "cloud_RoleInstance",
    "ai.internal.sdkVersion": "sdkVersion",
}


def rows_of(envelope: Bag) -> tuple[str, list[Row]]:
    """Return an envelope's table and its rows: one, or as many as it carries metrics.

    Raises:
        StoreError: there is no table for it, its time cannot be read, or it is no JSON.
    """
    data = bag(envelope.get("data"))
    reader = READERS.get(kind := base_type(envelope))
    if reader is None:
        raise StoreError(f"there is no table for items of type {kind!r}: send one of {', '.join(READERS)}")
    table, read = reader
    context = _context(envelope, table)
    try:
        return table, [context | row for row in read(bag(data.get("baseData")))]
    except orjson.JSONEncodeError as error:
        raise StoreError(f"an item for {table} cannot be written as JSON: {error}") from error


def has_table(kind: str) -> bool:
    """Whether items of this `baseType` can be stored."""
    return kind in READERS


def base_type(envelope: Bag) -> str:
    """Return what an envelope says it carries: `EventData`, `MessageData`, ..."""
    return text(bag(envelope.get("data")).get("baseType"))


def read_time(value: object) -> datetime | None:
    """Read an envelope's time as UTC; `None` when it is not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _context(envelope: Bag, table: str) -> Row:
    moment = read_time(envelope.get("time"))
    if moment is None:
        raise StoreError(f"an item for {table} has no time that can be read: send ISO 8601")
    row: Row = {"timestamp": moment.isoformat()[:-6], "itemType": ITEM_TYPES[table]}
    if table != "customMetrics":
        rate = number(envelope.get("sampleRate")) or 100.0
        row["itemCount"] = max(1, whole(100 / rate))
    if key := envelope.get("iKey"):
        row["iKey"] = text(key)
    for tag, value in bag(envelope.get("tags")).items():
        if column := _TAGS.get(tag):
            row[column] = text(value)
    return row
