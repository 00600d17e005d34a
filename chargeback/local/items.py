"""What the items of Application Insights' protocol carry, as the columns that are theirs alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

import orjson

Row: TypeAlias = dict[str, object]
"""Column -> value; a column that is missing is empty."""
Bag: TypeAlias = Mapping[str, object]

_SEVERITIES = {name: level for level, name in enumerate(("verbose", "information", "warning", "error", "critical"))}
_LEVELS = {str(level): level for level in _SEVERITIES.values()}
_LARGEST_INT = (1 << 31) - 1
_BUCKETS = (
    *((250, "<250ms"), (500, "250ms-500ms"), (1000, "500ms-1sec"), (3000, "1sec-3sec"), (7000, "3sec-7sec")),
    *((15_000, "7sec-15sec"), (30_000, "15sec-30sec"), (60_000, "30sec-1min"), (120_000, "1min-2min")),
    (300_000, "2min-5min"),
)
_DURATION = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")
_NO_BAG: Bag = MappingProxyType({})


def bag(value: object) -> Bag:
    """Return a JSON object as it is, anything else as an empty one."""
    return value if isinstance(value, dict | Mapping) else _NO_BAG


def text(value: object) -> str:
    """Return the text that a string column or property shows."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def number(value: object, default: float | None = None) -> float | None:
    """Return a JSON number, anything else as the default."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def whole(value: float) -> int:
    """Round to what an `int` column holds."""
    return round(max(-_LARGEST_INT, min(value, _LARGEST_INT)))


def _bags(data: Bag) -> Row:
    row: Row = {}
    if properties := bag(data.get("properties")):
        if set(map(type, properties.values())) != {str}:
            properties = {key: text(value) for key, value in properties.items() if value is not None}
        row["customDimensions"] = orjson.dumps(dict(properties)).decode()
    if measurements := bag(data.get("measurements")):
        row["customMeasurements"] = orjson.dumps(dict(measurements)).decode()
    return row


def _event(data: Bag) -> Iterator[Row]:
    yield {"name": text(data.get("name")), **_bags(data)}


def _message(data: Bag) -> Iterator[Row]:
    yield {"message": text(data.get("message")), "severityLevel": _severity(data), **_bags(data)}


def _request(data: Bag) -> Iterator[Row]:
    yield {column: text(data.get(column)) for column in ("id", "source", "name", "url")} | _outcome(
        data, "responseCode"
    )


def _dependency(data: Bag) -> Iterator[Row]:
    columns = ("id", "target", "type", "name", "data")
    yield {column: text(data.get(column)) for column in columns} | _outcome(data, "resultCode")


def _outcome(data: Bag, code: str) -> Row:
    duration = _milliseconds(data.get("duration"))
    bucket = next((name for limit, name in _BUCKETS if duration is not None and duration < limit), ">=5min")
    success = data.get("success", True)
    return {
        "success": str(success) if isinstance(success, bool) else text(success),
        "resultCode": text(data.get(code)),
        "duration": duration,
        "performanceBucket": bucket if duration is not None else "",
        **_bags(data),
    }


def _exception(data: Bag) -> Iterator[Row]:
    chain = data.get("exceptions")
    details = [bag(detail) for detail in chain] if isinstance(chain, list) else []
    outer, innermost = (details[0], details[-1]) if details else (_NO_BAG, _NO_BAG)
    row: Row = {"problemId": text(data.get("problemId")), "severityLevel": _severity(data), **_bags(data)}
    for prefix, detail in (("outer", outer), ("innermost", innermost)):
        frame = next((bag(frame) for frame in _list(detail.get("parsedStack"))), _NO_BAG)
        row[f"{prefix}Type"], row[f"{prefix}Message"] = text(detail.get("typeName")), text(detail.get("message"))
        row[f"{prefix}Method"], row[f"{prefix}Assembly"] = text(frame.get("method")), text(frame.get("assembly"))
    for column in ("type", "message", "method", "assembly"):
        row[column] = row[f"outer{column.capitalize()}"]
    yield row | ({"details": orjson.dumps(details).decode()} if details else {})


def _metric(data: Bag) -> Iterator[Row]:
    properties = {key: value for key, value in _bags(data).items() if key == "customDimensions"}
    for metric in map(bag, _list(data.get("metrics"))):
        value, count = number(metric.get("value")), number(metric.get("count"))
        yield {
            "name": text(metric.get("name")),
            "value": value,
            "valueCount": 1 if count is None else whole(count),
            "valueSum": value,
            "valueMin": number(metric.get("min"), value),
            "valueMax": number(metric.get("max"), value),
            "valueStdDev": number(metric.get("stdDev")),
            **properties,
        }


READERS: Mapping[str, tuple[str, Callable[[Bag], Iterator[Row]]]] = {
    "EventData": ("customEvents", _event),
    "MessageData": ("traces", _message),
    "RequestData": ("requests", _request),
    "RemoteDependencyData": ("dependencies", _dependency),
    "ExceptionData": ("exceptions", _exception),
    "MetricData": ("customMetrics", _metric),
}
"""`baseType` -> its table, and how its `baseData` becomes rows: one, or as many as it carries metrics."""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _severity(data: Bag) -> int | None:
    level = data.get("severityLevel")
    return _SEVERITIES.get(level.lower()) if isinstance(level, str) else _LEVELS.get(text(level))


def _milliseconds(value: object) -> float | None:
    """Read a duration, `d.hh:mm:ss.fff`."""
    found = _DURATION.fullmatch(text(value))
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000, 3)
