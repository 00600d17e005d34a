"""The times that policies write: ISO 8601, and .NET's culture and invariant forms. All are UTC unless they say so."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from chargeback.errors import UnreadableRecord

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
# .NET puts U+202F between time and AM/PM on newer systems, and U+00A0 has been seen too.
_DOTNET = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d):(\d\d)(?:[ \u202f\u00a0]?([AP])M)?", re.ASCII)


def read_time(value: object) -> datetime | None:
    """Read a record's time as UTC; null and empty text are no time.

    Raises:
        UnreadableRecord: it is in none of the three forms, or no such moment exists.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return _moment(value.strip().upper())
        except (ValueError, OverflowError):
            pass
    raise UnreadableRecord("time is not in a known form", "InvalidTime")


def _moment(text: str) -> datetime:
    if _ISO.match(text):
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    found = _DOTNET.fullmatch(text)
    if not found:
        raise ValueError
    month, day, year, hour, minute, second = (int(part) for part in found.groups()[:6])
    if half := found[7]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half == "P" else 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
