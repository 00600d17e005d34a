"""The tables of Application Insights, as data: columns and Kusto types, in the order that the portal shows.

Source: Microsoft's list of tables and columns for classic and workspace-based resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_BAG: Mapping[str, str] = {"customDimensions": "dynamic", "customMeasurements": "dynamic"}
_CONTEXT: Mapping[str, str] = {
    "operation_Name": "string",
    "operation_Id": "string",
    "operation_ParentId": "string",
    "operation_SyntheticSource": "string",
    "session_Id": "string",
    "user_Id": "string",
    "user_AuthenticatedId": "string",
    "user_AccountId": "string",
    "application_Version": "string",
    "client_Type": "string",
    "client_Model": "string",
    "client_OS": "string",
    "client_IP": "string",
    "client_City": "string",
    "client_StateOrProvince": "string",
    "client_CountryOrRegion": "string",
    "client_Browser": "string",
    "cloud_RoleName": "string",
    "cloud_RoleInstance": "string",
    "appId": "string",
    "appName": "string",
    "iKey": "string",
    "sdkVersion": "string",
    "itemId": "string",
}
_TAIL: Mapping[str, str] = {"itemType": "string", **_BAG, **_CONTEXT, "itemCount": "int", "_ResourceId": "string"}
_OUTCOME: Mapping[str, str] = {
    "success": "string",
    "resultCode": "string",
    "duration": "real",
    "performanceBucket": "string",
}


def _strings(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "string")


def _table(own: Mapping[str, str], tail: Mapping[str, str] = _TAIL) -> Mapping[str, str]:
    return MappingProxyType({"timestamp": "datetime", **own, **tail})


TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "customEvents": _table(_strings("name")),
        "traces": _table({"message": "string", "severityLevel": "int"}),
        "requests": _table({**_strings("id", "source", "name", "url"), **_OUTCOME}),
        "dependencies": _table({**_strings("id", "target", "type", "name", "data"), **_OUTCOME}),
        "exceptions": _table(
            {
                **_strings("problemId", "handledAt", "type", "message", "assembly", "method"),
                **_strings("outerType", "outerMessage", "outerAssembly", "outerMethod"),
                **_strings("innermostType", "innermostMessage", "innermostAssembly", "innermostMethod"),
                "severityLevel": "int",
                "details": "dynamic",
            }
        ),
        # Metrics are sums already: no itemCount and no customMeasurements, and itemType near the end.
        "customMetrics": _table(
            {"name": "string", "value": "real", "valueCount": "int"}
            | dict.fromkeys(("valueSum", "valueMin", "valueMax", "valueStdDev"), "real"),
            {"customDimensions": "dynamic", **_CONTEXT, "itemType": "string", "_ResourceId": "string"},
        ),
    }
)
"""Table -> column -> Kusto type."""

ITEM_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "customEvents": "customEvent",
        "traces": "trace",
        "requests": "request",
        "dependencies": "dependency",
        "exceptions": "exception",
        "customMetrics": "customMetric",
    }
)
"""Table -> its `itemType`."""


def tables() -> dict[str, str]:
    """Return each table's columns as Kusto declares them: `a:string, b:datetime`."""
    return {table: ", ".join(f"{name}:{kind}" for name, kind in columns.items()) for table, columns in TABLES.items()}
