"""Values of an answer as JSON has them: times in ISO 8601, durations as Kusto writes them, no NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta


def plain(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return _timespan(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def _timespan(value: timedelta) -> str:
    """Write a duration as Kusto does: `[-][d.]hh:mm:ss[.fffffff]`."""
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(length.seconds, 60)
    days = f"{length.days}." if length.days else ""
    part = f".{length.microseconds * 10:07d}" if length.microseconds else ""
    return f"{sign}{days}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{part}"
