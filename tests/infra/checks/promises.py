"""What infra/ promises of the data: nothing is sampled, capped by surprise, deleted too early, or closed by mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product

import yaml

from tests.infra.bicep.declarations import described
from tests.infra.bicep.expressions import Text
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project

_NOTHING: dict[str, Value] = {}


def nothing_is_sampled_or_capped(project: Project) -> list[str]:
    """Application Insights samples nothing, events are kept for 730 days, and no cap is set unless somebody asks."""
    defaults = project.defaults()
    found = []
    for name, wanted in (("retentionDays", 730), ("dailyCapGb", -1), ("streamCompletion", "eventHub")):
        if defaults.get(name) != wanted:
            found.append(f"main: {name} is {rendered(defaults.get(name))} by default, must be {wanted}")
    plan = project.plan({"retentionDays": 400, "dailyCapGb": 7})
    (insights,) = plan.of("Microsoft.Insights/components")
    (workspace,) = plan.of("Microsoft.OperationalInsights/workspaces")
    tables = plan.of("Microsoft.OperationalInsights/workspaces/tables")
    if {str(one.body["name"]): at(one, "retentionInDays") for one in tables} != {"AppEvents": 400}:
        found.append("monitoring: AppEvents is not kept for retentionDays")
    for one, path, wanted in (
        (insights, "SamplingPercentage", 100),
        (workspace, "retentionInDays", 400),
        (workspace, "workspaceCapping.dailyQuotaGb", 7),
    ):
        if at(one, path) != wanted:
            found.append(f"{one.place}: {path} is {rendered(at(one, path))}, must be {wanted}")
    return found


def only_replayed_letters_are_deleted(project: Project) -> list[str]:
    """One lifecycle rule: dead letters with the tag replayed=true. Statements have versions, and days if asked."""
    plan = project.plan({"immutableStatementDays": 30})
    (policy,) = plan.of("Microsoft.Storage/storageAccounts/managementPolicies")
    rules = at(policy, "policy.rules")
    found = []
    for rule in rules if isinstance(rules, list) else []:
        filters = rule["definition"]["filters"] if isinstance(rule, Mapping) else _NOTHING
        if filters.get("blobIndexMatch") != [{"name": "replayed", "op": "==", "value": "true"}]:
            found.append(f"{policy.place}: deletes blobs without the tag replayed=true")
        if filters.get("prefixMatch") != ["chargeback-rejected/"]:
            found.append(f"{policy.place}: deletes outside of the dead letters")
    if not isinstance(rules, list) or len(rules) != 1:
        found.append(f"{policy.place}: has not one rule")
    (blobs,) = plan.of("Microsoft.Storage/storageAccounts/blobServices")
    if at(blobs, "isVersioningEnabled") is not True:
        found.append(f"{blobs.place}: keeps no versions, and statements are overwritten unseen")
    policies = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
    days = [at(one, "immutabilityPeriodSinceCreationInDays") for one in plan.of(policies)]
    if days != [30] or project.plan({"immutableStatementDays": 0}).of(policies):
        found.append("storage: statements are not kept for the days that immutableStatementDays says")
    return found


def closing_needs_a_gateway_inside(project: Project) -> list[str]:
    """The hub is closed to the public only where the gateway is inside; ingestion and queries each as they say."""
    found = []
    for private, inside in product((False, True), repeat=2):
        wanted = "Disabled" if private and inside else "Enabled"
        plan = project.plan({"privateNetwork": private, "gatewayIsInVnet": inside, "streamCompletion": "none"})
        (hub,) = plan.of("Microsoft.EventHub/namespaces")
        if at(hub, "publicNetworkAccess") != wanted:
            found.append(f"eventhub: with privateNetwork {private}, gatewayIsInVnet {inside} it must be {wanted}")
        if bool(plan.of("Microsoft.Network/virtualNetworks")) is not private:
            found.append(f"network: with privateNetwork {private} it must be there only if that is true")
    plan = project.plan({"privateNetwork": True, "publicMonitoring": {"ingestion": "Disabled", "queries": "Enabled"}})
    for one in plan.of("Microsoft.Insights/components", "Microsoft.OperationalInsights/workspaces"):
        access = (at(one, "publicNetworkAccessForIngestion"), at(one, "publicNetworkAccessForQuery"))
        if access != ("Disabled", "Enabled"):
            found.append(f"{one.place}: ingestion and queries are {access}, must be closed and open")
    if project.defaults().get("publicMonitoring") != {"ingestion": "Disabled", "queries": "Enabled"}:
        found.append("main: by default ingestion must be closed and queries open in a private network")
    return found + _network(project)


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
    groups = {
        rendered(at(one, "privateLinkServiceConnections")) for one in plan.of("Microsoft.Network/privateEndpoints")
    }
    for group in ("namespace", "blob", "azuremonitor"):
        if not any(f"['{group}']" in text for text in groups):
            found.append(f"network: has no private endpoint for {group}")
    warning = described(project.module("network").parameters["monitorAccess"].decorators) or ""
    return found + ([] if "peered" in warning else ["network: monitorAccess does not warn of peered networks"])


def readers_find_their_hub(project: Project) -> list[str]:
    """Other readers name the hub that main.bicep makes, and a consumer group of it that is not the function's."""
    plan = project.plan()
    hubs = {one.body.get("name") for one in plan.of("Microsoft.EventHub/namespaces/eventhubs")}
    groups = [str(one.body.get("name")) for one in plan.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")]
    found = [] if {"chargeback", "stream-analytics", "fabric"} <= {*groups} else [f"eventhub: its groups are {groups}"]
    for entry in project.entries[1:]:
        parameters = project.files.open(entry).parameters
        named = {name: parameters[name].default for name in ("hubName", "consumerGroup") if name in parameters}
        texts = {name: default.literal if isinstance(default, Text) else None for name, default in named.items()}
        if texts.get("hubName") not in hubs:
            found.append(f"{entry.stem}: main.bicep makes no hub {texts.get('hubName')}")
        if texts.get("consumerGroup") not in groups[1:]:
            found.append(f"{entry.stem}: {texts.get('consumerGroup')} is no consumer group for other readers")
    return found


def parameters_and_services_fit(project: Project) -> list[str]:
    """main.parameters.json names parameters of main.bicep, all that are required; azd's service is the app's tag."""
    parameters = project.files.open(project.infra / "main.bicep").parameters
    given = json.loads((project.infra / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    found = [f"main.parameters.json: main.bicep has no parameter {name}" for name in given.keys() - parameters.keys()]
    required = {name for name, parameter in parameters.items() if not parameter.optional}
    found += [f"main.parameters.json: lacks {name}" for name in required - given.keys()]
    services = yaml.safe_load((project.root / "azure.yaml").read_text(encoding="utf-8"))
    (app,) = project.plan({"tags": _NOTHING}).of("Microsoft.Web/sites")
    tags = app.body.get("tags")
    if not isinstance(tags, Mapping) or tags.get("azd-service-name") not in services["services"]:
        found.append("azure.yaml: no service has the name of the function app's tag azd-service-name")
    if (services["infra"]["path"], services["infra"]["module"]) != ("infra", "main"):
        found.append("azure.yaml: its infra is not infra/main.bicep")
    return found
