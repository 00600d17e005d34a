"""Names, places and sizes: nothing is made twice, the log is beside the gateway, sizes are as asked for."""

from __future__ import annotations

from collections import Counter
from itertools import product

from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.hardening import at
from tests.infra.checks.project import Project

NAMESPACE = "Microsoft.EventHub/namespaces"
HUB = f"{NAMESPACE}/eventhubs"


def nothing_is_made_twice(project: Project) -> list[str]:
    """No two resources share type, name and parent: each deployment would undo the other's."""
    found = []
    for private, completion in product((False, True), ("eventHub", "none")):
        given: dict[str, Value] = {"privateNetwork": private, "streamCompletion": completion, "emitTokenMetrics": True}
        made = [one for one in project.plan(project.defaults() | given).resources if not one.existing]
        # Below a parent that is a loop, children of different parents may have one name.
        keys = Counter((one.type, one.parent or "", one.scope or "", rendered(one.body.get("name"))) for one in made)
        found += [
            f"{kind} {name}: is made {count} times"
            for (kind, parent, _, name), count in keys.items()
            if count > 1 and not parent.endswith("]")
        ]
    return found


def storage_names_are_lower_case(project: Project) -> list[str]:
    """Azure takes no other letters, nor hyphens, in the name of a storage account."""
    accounts = project.plan({"name": "Contoso-X"}).of("Microsoft.Storage/storageAccounts")
    return [
        f"{one.place}: its name is {rendered(one.body.get('name'))}"
        for one in accounts
        if "contosox" not in rendered(one.body.get("name"))
    ]


def the_log_is_beside_the_gateway(project: Project) -> list[str]:
    """Diagnostic settings take a hub of the service's own region alone, which may be another than main.bicep's."""
    (log,) = (one for one in project.plan({"apimName": "theirs"}).of(NAMESPACE) if one.module == "gateway-log")
    place = rendered(log.body.get("location"))
    return [] if place == "gateway-service.found.location" else [f"{log.place}: is in {place}"]


def sizes_are_those_that_were_asked_for(project: Project) -> list[str]:
    """Throughput units of both hubs and the usage hub's retention are hubSize's; the upper bound is never the lower."""
    found = []
    for given, units, most, hours in (
        ({}, 1, 10, 168),
        ({"throughputUnits": 3, "maximumThroughputUnits": 20, "retentionHours": 24}, 3, 20, 24),
        ({"throughputUnits": 12}, 12, 12, 168),
    ):
        made = project.plan(project.defaults() | {"hubSize": given, "partitions": 5})
        for one in made.of(NAMESPACE):
            sku = one.body.get("sku")
            capacity = sku.get("capacity") if isinstance(sku, dict) else None
            if (capacity, at(one, "maximumThroughputUnits")) != (units, most):
                found.append(f"{one.place}: with hubSize {given} its units are not {units} to {most}")
        (hub,) = (one for one in made.of(HUB) if one.module == "eventhub")
        if (at(hub, "retentionDescription.retentionTimeInHours"), at(hub, "partitionCount")) != (hours, 5):
            found.append(f"{hub.place}: with hubSize {given} it must have 5 partitions and keep {hours} hours")
    return found


def callers_are_told_the_apis_path(project: Project) -> list[str]:
    """The output apiUrl ends in the path of the API that is made."""
    plan = project.plan(project.defaults())
    (api,) = plan.of("Microsoft.ApiManagement/service/apis")
    told = rendered(plan.outputs["apiUrl"])
    return [] if told.endswith(f"}}/{at(api, 'path')}") else [f"main: apiUrl is {told}"]
