"""Constants as KQL writes them: read, and written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from chargeback.errors import ReferenceDataError

Value: TypeAlias = str | int | Decimal | bool | datetime | None

KINDS = {"int": "long", "double": "real", "date": "datetime", "boolean": "bool"}
"""Another name of a type -> the usual one."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What no text of a row may hold."""


def called(inner: str, kind: str) -> Value:
    """Return what stands in a call such as `datetime(2026-10-01)` or `real(0.1)`.

    Raises:
        ValueError: it is no value of the type.
        InvalidOperation: likewise.
    """
    if kind in ("real", "decimal"):
        number = Decimal(inner)
        if number.is_finite():
            return number
    elif kind == "long":
        return int(inner)
    elif kind == "bool" and inner in ("true", "false"):
        return inner == "true"
    elif kind == "datetime":
        moment = datetime.fromisoformat(inner)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    raise ValueError(inner)


def written(value: Value, kind: str, where: str) -> str:
    """Return a value as KQL has it; `where` is how a complaint calls its place.

    Raises:
        ReferenceDataError: the value is not of the type, or cannot be written in one line.
    """
    usual = KINDS.get(kind, kind)
    match value:
        case None if usual != "string":
            return f"{usual}(null)"
        case str() if usual == "string" and not CONTROL.search(value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case bool() if usual == "bool":
            return "true" if value else "false"
        case datetime() if usual == "datetime" and value.tzinfo is not None:
            return f"datetime({_moment(value)})"
        case int() if usual in ("long", "real", "decimal") and not isinstance(value, bool):
            return f"decimal({value})" if usual == "decimal" else str(value)
        case Decimal() if usual in ("real", "decimal") and value.is_finite():
            return f"decimal({value:f})" if usual == "decimal" else f"{value:f}"
    raise ReferenceDataError(f"{where}: {value!r} cannot be written as {kind} in one line: give another value")


def _moment(value: datetime) -> str:
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.date().isoformat() if utc == datetime.combine(utc.date(), datetime.min.time()) else f"{utc.isoformat()}Z"
