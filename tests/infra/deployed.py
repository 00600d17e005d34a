"""What infra/modules/reports.bicep deploys: its expressions evaluated, as the Bicep compiler and Azure would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from tests.infra.bicep.plan import Plan, plan
from tests.infra.bicep.values import Value

ROOT = Path(__file__).parents[2]
INSIGHTS = "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/components/chargeback-insights"
Json: TypeAlias = dict[str, Any]


@cache
def reports(daily_cap: int = 5) -> Plan:
    """Plan the reports' module about one Application Insights component."""
    given: dict[str, Value] = {"name": "chargeback", "location": "westeurope", "tags": {}, "insightsId": INSIGHTS}
    return plan(
        ROOT / "infra/modules/reports.bicep", {**given, "alertEmails": ["ops@example.com"], "dailyCapGb": daily_cap}
    )


def pack() -> dict[str, Mapping[str, Any]]:
    """Return the query pack: report -> its query's properties."""
    queries = reports().of("Microsoft.OperationalInsights/queryPacks/queries")
    return {str(one.properties["displayName"]).removeprefix("Chargeback: "): one.properties for one in queries}


def workbook() -> tuple[Mapping[str, Any], Json]:
    """Return the workbook's properties, and what it shows."""
    (only,) = reports().of("Microsoft.Insights/workbooks")
    text = only.properties["serializedData"]
    assert isinstance(text, str), f"not known before a deployment: {text}"
    shown: Json = json.loads(text)
    return only.properties, shown


def alerts(daily_cap: int = 5) -> dict[str, Mapping[str, Any]]:
    """Return the alert rules' properties by name."""
    rules = reports(daily_cap).of("Microsoft.Insights/scheduledQueryRules")
    return {str(one.body["name"]).removeprefix("chargeback-"): one.properties for one in rules}
