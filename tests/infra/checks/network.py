"""The private network: what it closes, and when; what can be reached in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from tests.infra.bicep.declarations import described
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project


def closing_needs_a_gateway_inside(project: Project) -> list[str]:
    """The hub is closed to the public only where the gateway is inside, and a new one never is.

    Ingestion and queries are each as they say.
    """
    found = []
    for private, inside, name in product((False, True), (False, True), ("", "theirs")):
        wanted = "Disabled" if private and inside and name else "Enabled"
        asked_for: dict[str, Value] = {"privateNetwork": private, "gatewayIsInVnet": inside, "apimName": name}
        plan = project.plan({**asked_for, "streamCompletion": "none"})
        (hub,) = plan.of("Microsoft.EventHub/namespaces")
        if at(hub, "publicNetworkAccess") != wanted:
            found.append(f"eventhub: with {asked_for} it must be {wanted}")
        shut = ("Disabled", "Deny") if private else ("Enabled", "Allow")
        for account in plan.of("Microsoft.Storage/storageAccounts"):
            if (at(account, "publicNetworkAccess"), at(account, "networkAcls.defaultAction")) != shut:
                found.append(f"{account.place}: with privateNetwork {private} it must be {shut}")
        if bool(plan.of("Microsoft.Network/virtualNetworks")) is not private:
            found.append(f"network: with privateNetwork {private} it must be there only if that is true")
    answers = ("Enabled", "Disabled", "")
    for private, ingestion, queries in product((False, True), answers, answers):
        # Who says nothing of one has ingestion closed and queries open.
        said = {"ingestion": ingestion, "queries": queries}
        asked: Value = {name: answer for name, answer in said.items() if answer}
        plan = project.plan({"privateNetwork": private, "publicMonitoring": asked})
        wanted_access = (ingestion or "Disabled", queries or "Enabled") if private else ("Enabled", "Enabled")
        for one in plan.of("Microsoft.Insights/components", "Microsoft.OperationalInsights/workspaces"):
            access = (at(one, "publicNetworkAccessForIngestion"), at(one, "publicNetworkAccessForQuery"))
            if access != wanted_access:
                found.append(f"{one.place}: with privateNetwork {private}, {rendered(asked)} it is {access}")
    return found + _network(project)


_ENDPOINT = "Microsoft.Network/privateEndpoints"
_SCOPE = "Microsoft.Insights/privateLinkScopes"
_REACHED: Mapping[str, str] = {
    "eventhub.hubNamespace.id": "namespace",
    "storage.account.id": "blob",
    "statements.account.id": "blob",
    "network.scope.id": "azuremonitor",
}
"""What has a private endpoint -> its group."""
_HUB_ZONE = "privatelink.servicebus.windows.net"
_BLOB_ZONE = "privatelink.blob.${environment().suffixes.storage}"
_MONITOR_ZONES = {
    "privatelink.monitor.azure.com",
    "privatelink.oms.opinsights.azure.com",
    "privatelink.ods.opinsights.azure.com",
    "privatelink.agentsvc.azure-automation.net",
}
_ZONES = ({_HUB_ZONE}, {_BLOB_ZONE}, {_BLOB_ZONE}, _MONITOR_ZONES | {_BLOB_ZONE})
"""Of the endpoints of hub, storage, statements and Application Insights (learn.microsoft.com: private endpoint DNS)."""


def _network(project: Project) -> list[str]:
    plan = project.plan({"privateNetwork": True, "monitorAccess": "Open"})
    (network,) = plan.of("Microsoft.Network/virtualNetworks")
    subnets = at(network, "subnets")
    delegated = [
        one["name"]
        for one in (subnets if isinstance(subnets, list) else [])
        if isinstance(one, Mapping) and "'Microsoft.App/environments'" in rendered(one)
    ]
    found = (
        [] if delegated == ["function"] else ["network: the function's subnet alone is for Microsoft.App/environments"]
    )
    links = {str(one.body["name"]).rpartition("-")[0]: rendered(one.properties) for one in plan.of(_ENDPOINT)}
    for target, group in _REACHED.items():
        wanted = f"privateLinkServiceId: {target}, groupIds: ['{group}']"
        if not any(wanted in text and "network.endpointSubnet.id" in text for text in links.values()):
            found.append(f"network: has no private endpoint for {target}")
    zones = [rendered(one.body.get("name")).strip("'") for one in plan.of("Microsoft.Network/privateDnsZones")]
    if sorted(zones) != sorted({*_MONITOR_ZONES, _BLOB_ZONE, _HUB_ZONE}):
        found.append(f"network: its DNS zones are {zones}")
    if len(plan.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) != len(zones):
        found.append("network: not every DNS zone is linked to it")
    for one, wanted_zones in zip(plan.of(f"{_ENDPOINT}/privateDnsZoneGroups"), _ZONES, strict=True):
        text = rendered(at(one, "privateDnsZoneConfigs"))
        if set(re.findall(r"privateDnsZones', '?(.+?)'?\)\}", text)) != wanted_zones:
            found.append(f"{one.place}: an endpoint must have the zones {sorted(wanted_zones)}")
    decorators = {one.name for one in project.module("network").resources["members"].decorators}
    if "batchSize" not in decorators:
        found.append("network: members of a private link scope are made at the same time, which Azure refuses")
    linked = {rendered(at(one, "linkedResourceId")) for one in plan.of(f"{_SCOPE}/scopedResources")}
    if linked != {"monitoring.insights.id", "monitoring.workspace.id"}:
        found.append(f"network: its scope holds {sorted(linked)}, must hold Application Insights and the workspace")
    (scope,) = plan.of(_SCOPE)
    modes = project.plan({"privateNetwork": True, "monitorAccess": "PrivateOnly"}).of(_SCOPE)[0]
    for one, mode in ((scope, "Open"), (modes, "PrivateOnly")):
        if at(one, "accessModeSettings") != {"ingestionAccessMode": mode, "queryAccessMode": mode}:
            found.append(f"{one.place}: its access is not as monitorAccess says")
    warning = described(project.module("network").parameters["monitorAccess"].decorators) or ""
    return found + ([] if "peered" in warning else ["network: monitorAccess does not warn of peered networks"])
