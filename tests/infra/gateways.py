"""What infra/modules/gateway.bicep deploys about one service, by what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.infra.bicep.plan import Deployed, Plan, plan
from tests.infra.bicep.values import Value
from tests.infra.deployed import ROOT

MODULES = ROOT / "infra/modules"
FIRST: Mapping[str, Value] = {"name": "first", "accountName": "contoso-first"}
SECOND: Mapping[str, Value] = {"name": "second", "accountName": "contoso-second", "priority": 2, "weight": 3}
SHOP: Mapping[str, Value] = {"name": "shop", "displayName": "Web shop", "businessUnit": "Retail", "costCenter": "47"}


def gateway(backends: Sequence[Value] = (), consumers: Sequence[Value] = (), **given: Value) -> Plan:
    """Plan the gateway's module about one service."""
    values: dict[str, Value] = {
        "apimName": "contoso-gateway",
        "principalId": "the-gateway",
        "apiName": "azure-openai",
        "createApi": True,
        "apiPolicy": "full",
        "hub": {"endpoint": "contoso.servicebus.windows.net", "hubName": "usage"},
        "namedValues": {},
        "backends": list(backends),
        "consumers": list(consumers),
        "tags": {},
        "emitTokenMetrics": False,
        "insightsName": "contoso-insights",
    }
    return plan(MODULES / "gateway.bicep", {**values, **given})


def backends(made: Plan) -> dict[str, Mapping[str, Any]]:
    return {str(one.body["name"]): one.properties for one in made.of("Microsoft.ApiManagement/service/backends")}


def named_values(made: Plan) -> dict[str, Value]:
    values = made.of("Microsoft.ApiManagement/service/namedValues")
    return {str(one.body["name"]): one.properties["value"] for one in values}


def only(made: Plan, kind: str) -> Deployed:
    (one,) = made.of(f"Microsoft.ApiManagement/service/{kind}")
    return one
