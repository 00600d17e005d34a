"""Settings of resources that close what is open by default: the table says which, and where it may differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.project import MAIN, Project

MUST_BE: Mapping[str, Mapping[str, Value]] = {
    "Microsoft.EventHub/namespaces": {"disableLocalAuth": True, "minimumTlsVersion": "1.2"},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.CognitiveServices/accounts": {"disableLocalAuth": True},
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Web/sites": {
        "httpsOnly": True,
        "siteConfig.minTlsVersion": "1.2",
        "siteConfig.scmMinTlsVersion": "1.2",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
}
"""Type -> path below `properties` -> value."""

MAY_BE_ABSENT: Mapping[str, Mapping[str, Value]] = {
    "Microsoft.Insights/components": {"SamplingPercentage": 100},
    "Microsoft.Web/sites": {"siteConfig.ftpsState": "Disabled", "siteConfig.remoteDebuggingEnabled": False},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
}
"""The same, where leaving it out means the same: Flex Consumption, for one, knows no FTP."""

LOCAL_AUTHENTICATION = {
    "gateway-log": "a diagnostic setting writes by an authorization rule and knows no identity; the rule is named by "
    "its resource id, never read, and nothing else uses the namespace",
}
"""Module -> why its Event Hubs namespace keeps local authentication. One that does not need it is reported."""


def resources_are_closed(project: Project) -> list[str]:
    """Every resource has the settings of the tables."""
    problems, excused = [], set()
    for _, one in project.everything():
        for path, wanted in MUST_BE.get(one.type, {}).items():
            found = at(one, path)
            if path == "disableLocalAuth" and one.module in LOCAL_AUTHENTICATION and found is False:
                excused.add(one.module)
            elif found != wanted:
                problems.append(_problem(one, path, found, wanted))
        for path, wanted in MAY_BE_ABSENT.get(one.type, {}).items():
            if (found := at(one, path)) not in (wanted, None):
                problems.append(_problem(one, path, found, wanted))
    unused = LOCAL_AUTHENTICATION.keys() - excused
    return problems + [f"{module}: does not need its exception, local authentication is off" for module in unused]


def identities_are_named(project: Project) -> list[str]:
    """The function authenticates by the user-assigned identity, and by it alone."""
    problems = []
    for one in project.plan().of("Microsoft.Web/sites"):
        identity = one.body.get("identity")
        named = identity.get("userAssignedIdentities") if isinstance(identity, Mapping) else None
        if (
            not isinstance(identity, Mapping)
            or identity.get("type") != "UserAssigned"
            or not isinstance(named, Mapping)
        ):
            problems.append(f"{one.place}: its identity is not the user-assigned one alone")
        elif len(named) != 1 or not all(key.startswith("identity.") and key.endswith(".id") for key in named):
            problems.append(f"{one.place}: its identity is {sorted(named)}, not that of module identity")
    return problems


def doors_are_shut(project: Project) -> list[str]:
    """Nobody publishes with a password, a new gateway of the older tiers speaks TLS 1.2, readers are identities."""
    given: Mapping[str, Value] = {
        "apimName": "",
        "newApim": {"sku": "Developer", "email": "noreply@example.com", "name": "x"},
    }
    plan = project.plan(given)
    doors = {one.body.get("name") for one in plan.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")}
    found = [f"function: {door} may be used with a password" for door in {"ftp", "scm"} - doors]
    for one in plan.of("Microsoft.ApiManagement/service"):
        custom = one.properties.get("customProperties")
        shut = custom if isinstance(custom, Mapping) else {}
        found += [f"{one.place}: does not shut {door}" for door in _OLD_PROTOCOLS if shut.get(door) != "false"]
    for entry, one in project.everything():
        if entry.stem != MAIN:
            found += [f"{one.place}: {where} is not read as an identity" for where in _with_keys(one.properties)]
    return found


_OLD_PROTOCOLS = [
    f"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.{side}Protocols.{version}"
    for side in ("", "Backend.")
    for version in ("Tls10", "Tls11")
]


def _with_keys(value: Value, where: str = "") -> Iterator[str]:
    """Yield the data sources of a reader that are not asked for as an identity."""
    if isinstance(value, Mapping):
        source = value.get("datasource")
        if isinstance(source, Mapping) and _mode(source) != "Msi":
            yield f"{where}.datasource"
        for key, inner in value.items():
            yield from _with_keys(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _with_keys(inner, where)


def _mode(source: Mapping[str, Value]) -> Value:
    properties = source.get("properties")
    return properties.get("authenticationMode") if isinstance(properties, Mapping) else None


def who_is_given_a_role_has_an_identity(project: Project) -> list[str]:
    """A resource made here whose `identity.principalId` is read has a system-assigned identity."""
    made = {one.place: one for _, one in project.everything()}
    read = {
        place
        for one in made.values()
        for place in re.findall(r"([\w-]+\.\w+)\.identity\.principalId", rendered(one.body))
    }
    found = []
    for place in sorted(read & made.keys()):
        identity = made[place].body.get("identity")
        if not isinstance(identity, Mapping) or identity.get("type") != "SystemAssigned":
            found.append(f"{place}: is given a role, and has no system-assigned identity")
    return found


def at(one: Deployed, path: str) -> Value:
    """Return what stands at a path below a resource's properties; `None` where nothing does."""
    value: Value = one.properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _problem(one: Deployed, path: str, found: Value, wanted: Value) -> str:
    return f"{one.place}:{one.line}: {path} is {rendered(found)}, must be {rendered(wanted)}"
