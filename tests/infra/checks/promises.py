"""What infra/ promises of the data: nothing is sampled, capped by surprise, deleted too early, or closed by mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping

import yaml

from tests.infra.bicep.declarations import allowed
from tests.infra.bicep.expressions import Text
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project

_NOTHING: dict[str, Value] = {}
PRICING = "Microsoft.Insights/components/pricingPlans"


def nothing_is_sampled_or_capped(project: Project) -> list[str]:
    """Application Insights samples nothing, keeps events for 730 days, and has no cap but its own, at its highest."""
    defaults = project.defaults()
    found = []
    for name, wanted in (("retentionDays", 730), ("dailyCapGb", 1000), ("streamCompletion", "eventHub")):
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
        (workspace, "workspaceCapping.dailyQuotaGb", -1),
    ):
        if at(one, path) != wanted:
            found.append(f"{one.place}: {path} is {rendered(at(one, path))}, must be {wanted}")
    # Application Insights stops at 100 GB a day where nobody says more.
    if caps := [at(one, "cap") for one in plan.of(PRICING) if at(one, "cap") != 7]:
        found.append(f"monitoring: with dailyCapGb 7 the cap is {rendered(caps)}")
    if not plan.of(PRICING):
        found.append("monitoring: nobody says that the cap is dailyCapGb")
    return found


DEFAULTS: Mapping[str, Value] = {
    "alertEmails": [],
    "apimName": "",
    "backends": [],
    "consumers": [],
    "emitTokenMetrics": False,
    "financePrincipalId": "",
    "gatewayIsInVnet": False,
    "immutableStatementDays": 0,
    "monitorAccess": "Open",
    "namedValues": {},
    "operatorsPrincipalId": "",
    "privateNetwork": False,
    "pythonVersion": "3.13",
}
"""What nobody is given, and nothing is shut or paid for, unless somebody asks."""


CHOICES: Mapping[str, list[str]] = {
    "apiPolicy": ["full", "minimal", "none"],
    "monitorAccess": ["Open", "PrivateOnly"],
    "pythonVersion": ["3.11", "3.12", "3.13"],
    "streamCompletion": ["eventHub", "none"],
}
"""What a parameter may be: these rules, and docs/deploy.md, name the values."""


def defaults_are_cautious(project: Project) -> list[str]:
    """main.bicep's defaults are those of the table; an API that is not made here keeps its policy."""
    defaults = project.defaults()
    found = [
        f"main: {name} is {rendered(defaults.get(name))} by default, must be {rendered(value)}"
        for name, value in DEFAULTS.items()
        if defaults.get(name, "") != value
    ]
    parameters = project.files.open(project.infra / "main.bicep").parameters
    choices = {name: allowed(parameter) for name, parameter in parameters.items() if allowed(parameter)}
    found += [f"main: {name} may be {choices.get(name)}" for name in CHOICES if choices.get(name) != CHOICES[name]]
    asked = project.plan({"apiPolicy": "none", "createApi": False})
    replaced = {"Microsoft.ApiManagement/service/apis", "Microsoft.ApiManagement/service/apis/policies"}
    found += [f"{one.place}: replaces what an existing API has" for one in asked.of(*replaced)]
    policy = rendered(defaults.get("apiPolicy"))
    return found + (
        [] if policy == "(main.createApi ? 'full' : 'none')" else [f"main: apiPolicy is {policy} by default"]
    )


def only_replayed_letters_are_deleted(project: Project) -> list[str]:
    """One lifecycle rule: dead letters with the tag replayed=true."""
    (policy,) = project.plan().of("Microsoft.Storage/storageAccounts/managementPolicies")
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
    return found


def statements_stay_and_checkpoints_go(project: Project) -> list[str]:
    """Statements have versions, and days if asked; the account of checkpoints has neither versions nor soft deletion.

    A checkpoint sets a blob's metadata, which is one more version each time, and Event Hubs says to switch both off.
    """
    plan = project.plan({"immutableStatementDays": 30})
    kept = {one.module: one for one in plan.of("Microsoft.Storage/storageAccounts/blobServices")}
    found = []
    for module, wanted in (("statements", True), ("storage", False)):
        for path in ("isVersioningEnabled", "deleteRetentionPolicy.enabled"):
            if module not in kept or at(kept[module], path) is not wanted:
                found.append(f"{module}: {path} must be {str(wanted).lower()}")
    places = {
        str(one.body["name"]): one.module
        for one in plan.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    }
    if places != {"app-package": "storage", "chargeback-rejected": "storage", "statements": "statements"}:
        found.append(f"storage: the containers are {places}")
    policies = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
    days = [(one.module, at(one, "immutabilityPeriodSinceCreationInDays")) for one in plan.of(policies)]
    if days != [("statements", 30)] or project.plan({"immutableStatementDays": 0}).of(policies):
        found.append("statements: they are not kept for the days that immutableStatementDays says")
    return found


def readers_find_their_hub(project: Project) -> list[str]:
    """Other readers name the hub that main.bicep makes, and a consumer group of it that is not the function's."""
    plan = project.plan({"streamCompletion": "none"})
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
