"""The function app: on Flex Consumption, from its own package, with the triggers that function_app.py has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.values import Unknown, Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project

SITE = "Microsoft.Web/sites"
PACKAGE = "${storage.account.properties.primaryEndpoints.blob}app-package"
RIGHT: Mapping[str, Value] = {
    "serverFarmId": Unknown("function.plan.id"),
    "functionAppConfig.runtime": {"name": "python", "version": "3.13"},
    "functionAppConfig.deployment.storage.type": "blobContainer",
    "functionAppConfig.deployment.storage.value": Unknown(PACKAGE),
    "functionAppConfig.deployment.storage.authentication": {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": Unknown("identity.identity.id"),
    },
    "functionAppConfig.scaleAndConcurrency.maximumInstanceCount": 40,
    "functionAppConfig.scaleAndConcurrency.alwaysReady": [],
}
"""Path below the app's properties -> value by default."""

MEMORY = (512, 2048, 4096)
"""What an instance may have (learn.microsoft.com: Flex Consumption plan)."""


def the_app_is_on_flex_consumption(project: Project) -> list[str]:
    """Plan and app are of Flex Consumption; the app runs the package of its own storage, as its identity."""
    made = project.plan(project.defaults())
    (plan,) = made.of("Microsoft.Web/serverfarms")
    (app,) = made.of(SITE)
    found = [
        f"{app.place}: {path} is {rendered(at(app, path))}" for path, value in RIGHT.items() if at(app, path) != value
    ]
    if (plan.body.get("sku"), at(plan, "reserved")) != ({"name": "FC1", "tier": "FlexConsumption"}, True):
        found.append(f"{plan.place}: is not a plan of Flex Consumption")
    if (plan.body.get("kind"), app.body.get("kind")) != ("functionapp", "functionapp,linux"):
        found.append(f"{app.place}: is no function app on Linux")
    if at(app, "functionAppConfig.scaleAndConcurrency.instanceMemoryMB") not in MEMORY:
        found.append(f"{app.place}: instanceMemoryMB must be one of {MEMORY}")
    containers = {one.body.get("name") for one in made.of("Microsoft.Storage/storageAccounts/blobServices/containers")}
    if containers != {"app-package", "chargeback-rejected", "statements"}:
        found.append(f"storage: its containers are {sorted(map(str, containers))}")
    return found


def instances_are_those_that_were_asked_for(project: Project) -> list[str]:
    """Always-ready instances are of the app's own triggers, and the limit is the parameter's."""
    code = (project.root / "function_app.py").read_text(encoding="utf-8")
    names = [f"function:{name}" for name in re.findall(r'_listen\("(\w+)"', code)]
    found = []
    for completion, wanted in (("eventHub", names), ("none", names[:1])):
        given: dict[str, Value] = {"instances": {"alwaysReady": 2, "maximum": 90}, "streamCompletion": completion}
        (app,) = project.plan(project.defaults() | given).of(SITE)
        scale = "functionAppConfig.scaleAndConcurrency"
        ready = at(app, f"{scale}.alwaysReady")
        if ready != [{"name": name, "instanceCount": 2} for name in wanted]:
            found.append(f"{app.place}: with streamCompletion {completion} always ready is {rendered(ready)}")
        if at(app, f"{scale}.maximumInstanceCount") != 90:
            found.append(f"{app.place}: has not the most instances that were asked for")
    return found


def the_app_is_in_its_subnet(project: Project) -> list[str]:
    """With a private network the app reaches its services through the function's subnet; without one, through none."""
    subnet = "network.functionSubnet.id"
    found = []
    for private, wanted in ((False, None), (True, Unknown(f"(empty({subnet}) ? null : {subnet})"))):
        (app,) = project.plan(project.defaults() | {"privateNetwork": private}).of(SITE)
        if at(app, "virtualNetworkSubnetId") != wanted:
            found.append(f"{app.place}: with privateNetwork {private} its subnet must be {rendered(wanted)}")
    return found


def the_gateway_is_found_or_made(project: Project) -> list[str]:
    """Without a name a service is made; with one nothing is made, and the service of that name is used."""
    found = []
    for name, wanted in (("", ["gateway-service.created"]), ("contoso-gateway", [])):
        made = project.plan(project.defaults() | {"apimName": name})
        if [one.place for one in made.of("Microsoft.ApiManagement/service")] != wanted:
            found.append(f"gateway-service: with apimName '{name}' it must be {wanted or 'found'}")
        if name and not all(
            _is_named(one, name) for one in made.resources if one.type == "Microsoft.ApiManagement/service"
        ):
            found.append(f"gateway: not every module is about {name}")
    return found


def _is_named(one: Deployed, name: str) -> bool:
    return one.body.get("name") == name
