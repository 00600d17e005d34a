"""How main.bicep puts its parts together: who is handed what, and what has to wait for what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.infra.bicep.bounds import hold
from tests.infra.bicep.declarations import BicepFile
from tests.infra.bicep.expressions import Array, Name
from tests.infra.bicep.planned import written
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project

_ACCOUNT = "Microsoft.CognitiveServices/accounts"
_INSIGHTS = "monitoring.insights.id"
_WEEK = 168


def reports_are_about_application_insights(project: Project) -> list[str]:
    """Alerts and workbook ask the component: in the workspace the tables have other names."""
    plan = project.plan()
    asked = {
        one.place: rendered(one.properties.get("scopes")) for one in plan.of("Microsoft.Insights/scheduledQueryRules")
    }
    asked |= {one.place: rendered(one.properties.get("sourceId")) for one in plan.of("Microsoft.Insights/workbooks")}
    told = {f"[{_INSIGHTS}]", f"toLower({_INSIGHTS})"}
    found = [
        f"{place}: is about {scope}, not Application Insights" for place, scope in asked.items() if scope not in told
    ]
    return found + ([] if len(asked) > 1 else ["reports: there is no alert, or no workbook"])


def an_account_that_is_there_stays_as_it_is(project: Project) -> list[str]:
    """Only an account without a name of its own is made; one that is there has users of its own."""
    model: Value = [{"name": "chat", "model": "m", "version": "1", "sku": "GlobalStandard", "capacity": 1}]
    said: Mapping[str, Value] = {"name": "first", "location": "swedencentral", "deployments": model}
    there = project.plan({"backends": [{**said, "accountName": "contoso"}]})
    made = project.plan({"backends": [said]})
    types = (_ACCOUNT, f"{_ACCOUNT}/deployments")
    found = [f"{one.place}: touches an account that is there" for one in there.of(*types)]
    if [len(made.of(one)) for one in types] != [1, 1]:
        found.append("model-account: makes no account, or no deployment, where it is asked for")
    for one in made.of(types[1]):
        if at(one, "versionUpgradeOption") != "OnceCurrentVersionExpired":
            found.append(f"{one.place}: a price belongs to a version, so that another comes only when it must")
    return found


def hubs_keep_a_week(project: Project) -> list[str]:
    """What nobody reads for a long weekend is there still, in both hubs."""
    return [
        f"{one.place}: keeps {rendered(at(one, 'retentionDescription.retentionTimeInHours'))} hours"
        for one in project.plan({"hubSize": {}}).of("Microsoft.EventHub/namespaces/eventhubs")
        if at(one, "retentionDescription.retentionTimeInHours") != _WEEK
    ]


def queries_of_callers_are_hidden(project: Project) -> list[str]:
    """A query may hold a key: what goes to Application Insights of a request shows none, on either side."""
    hidden = {"queryParams": [{"value": "*", "mode": "Hide"}]}
    diagnostics = project.plan({"emitTokenMetrics": True}).of("Microsoft.ApiManagement/service/apis/diagnostics")
    return [
        f"{one.place}: {side} shows the query"
        for one in diagnostics
        if one.body.get("name") == "applicationinsights"
        for side in ("frontend", "backend")
        if at(one, f"{side}.request.dataMasking") != hidden
    ]


def endpoints_wait_for_what_they_reach(project: Project) -> list[str]:
    """Nothing in the text says that an endpoint needs the scope's members, or its records the zones."""
    found = []
    for symbol, needed in (("privateEndpoints", "members"), ("records", "zones")):
        body = project.module("network").resources[symbol].body
        waits = body.get("dependsOn") if body else None
        named = [one.name for one in waits.items if isinstance(one, Name)] if isinstance(waits, Array) else []
        if needed not in named:
            found.append(f"network: {symbol} does not wait for {needed}")
    return found


def given_parameters_are_taken(project: Project) -> list[str]:
    """What main.parameters.json gives is within the bounds of main.bicep."""
    path = project.infra / "main.parameters.json"
    parameters = project.files.open(project.infra / "main.bicep").parameters
    file = BicepFile(Path(path.name))  # declares nothing; takes the findings
    for name, given in json.loads(path.read_text(encoding="utf-8"))["parameters"].items():
        if name in parameters:
            hold(file, name, parameters[name], written(given["value"], 1))
    return [f"{path.name}: {finding.message}" for finding in file.findings]
