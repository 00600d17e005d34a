"""Settings of resources that close what is open by default: the table says which, and where it may differ."""

from __future__ import annotations

from collections.abc import Mapping

from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.project import Project

MUST_BE: Mapping[str, Mapping[str, Value]] = {
    "Microsoft.EventHub/namespaces": {"disableLocalAuth": True, "minimumTlsVersion": "1.2"},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.CognitiveServices/accounts": {"disableLocalAuth": True},
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Web/sites": {"httpsOnly": True, "siteConfig.minTlsVersion": "1.2"},
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


def at(one: Deployed, path: str) -> Value:
    """Return what stands at a path below a resource's properties; `None` where nothing does."""
    value: Value = one.properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _problem(one: Deployed, path: str, found: Value, wanted: Value) -> str:
    return f"{one.place}:{one.line}: {path} is {rendered(found)}, must be {rendered(wanted)}"
