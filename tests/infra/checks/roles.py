"""Who may do what, where: all of it, so that a role that is missing and one that is too many are both found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.built_in_roles import BUILT_IN_ROLES, TOO_MUCH
from tests.infra.checks.project import Project

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
FUNCTION, GATEWAY, OPERATORS, FINANCE, READER = "the function", "the gateway", "operators", "finance", "the reader"


class Grant(NamedTuple):
    who: str
    role: str
    on: str
    """Module and symbol of the resource."""


MAY: Mapping[Grant, str] = {
    Grant(GATEWAY, "Azure Event Hubs Data Sender", "eventhub.hub"): "always",
    Grant(FUNCTION, "Azure Event Hubs Data Receiver", "eventhub.hub"): "always",
    Grant(FUNCTION, "Azure Event Hubs Data Receiver", "gateway-log.hub"): "log",
    Grant(FUNCTION, "Storage Blob Data Owner", "storage.account"): "always",
    Grant(FUNCTION, "Monitoring Metrics Publisher", "monitoring.insights"): "always",
    Grant(GATEWAY, "Cognitive Services OpenAI User", "model-account.account"): "backends",
    Grant(GATEWAY, "Monitoring Metrics Publisher", "token-metrics.component"): "metrics",
    Grant(OPERATORS, "Azure Event Hubs Data Sender", "readers.hub"): "operators",
    Grant(OPERATORS, "Azure Event Hubs Data Receiver", "readers.hub"): "operators",
    Grant(OPERATORS, "Storage Blob Data Contributor", "readers.deadLetters"): "operators",
    Grant(OPERATORS, "readers.tagging.id", "readers.deadLetters"): "operators",
    Grant(OPERATORS, "Monitoring Reader", "readers.insights"): "operators",
    Grant(FINANCE, "Log Analytics Reader", "readers.insights"): "finance",
    Grant(FINANCE, "Reader", "readers.workbook"): "finance",
}
"""What main.bicep grants, and when. The host of Azure Functions needs the owner's role: its leases are blobs."""

_BACKEND: Value = {"name": "first", "accountName": "contoso-first"}
GIVEN: tuple[tuple[Mapping[str, Value], frozenset[str]], ...] = (
    ({}, frozenset({"always", "log"})),
    ({"apimName": "contoso-gateway"}, frozenset({"always", "log"})),
    ({"privateNetwork": True}, frozenset({"always", "log"})),
    ({"streamCompletion": "none"}, frozenset({"always"})),
    ({"operatorsPrincipalId": "operators"}, frozenset({"always", "log", "operators"})),
    ({"financePrincipalId": "finance"}, frozenset({"always", "log", "finance"})),
    ({"emitTokenMetrics": True}, frozenset({"always", "log", "metrics"})),
    ({"backends": [_BACKEND]}, frozenset({"always", "log", "backends"})),
)
"""What differs from the defaults -> whose grants are made then."""

ALTERNATIVES: frozenset[Grant] = frozenset({Grant(READER, "Azure Event Hubs Data Receiver", "stream-analytics.hub")})
"""What the other readers of infra/alternatives are granted: to receive."""

_WHO = {
    "identity.identity.properties.principalId": FUNCTION,
    "gateway-service.created.identity.principalId": GATEWAY,
    "gateway-service.found.identity.principalId": GATEWAY,
    "main.operatorsPrincipalId": OPERATORS,
    "'operators'": OPERATORS,
    "main.financePrincipalId": FINANCE,
    "'finance'": FINANCE,
    "stream-analytics.job.identity.principalId": READER,
}
_GATEWAY = r"gateway-service\.created\.identity\.principalId : gateway-service\.found\.identity\.principalId\)$"
"""A new service, or one that is there."""
_TAGS_ALONE = {
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/write",
}


def everybody_may_what_they_need(project: Project) -> list[str]:
    """The role assignments are those of the table: none is missing, none is too many, none is too much."""
    granted = {grant_of(one): one for _, one in project.everything() if one.type == ASSIGNMENT}
    may = MAY.keys() | ALTERNATIVES
    found = [f"{grant.who} lacks {grant.role} on {grant.on}" for grant in may - granted.keys()]
    for grant, one in granted.items():
        if grant not in may:
            found.append(f"{one.place}:{one.line}: {grant.who} has {grant.role} on {grant.on}, which is in no table")
        if grant.role in TOO_MUCH:
            found.append(f"{one.place}:{one.line}: {grant.role} is too much for anybody")
    return found


def grants_follow_the_parameters(project: Project) -> list[str]:
    """Each grant is made when the table says so, and only then."""
    found = []
    for changes, when in GIVEN:
        made = project.plan(project.defaults() | dict(changes))
        granted = {grant_of(one) for one in made.of(ASSIGNMENT)}
        wanted = {grant for grant, then in MAY.items() if then in when}
        given = rendered(changes)
        found += [f"with {given}: {grant.who} lacks {grant.role} on {grant.on}" for grant in wanted - granted]
        found += [f"with {given}: {grant.who} has {grant.role} on {grant.on}" for grant in granted - wanted]
    return found


def assignments_are_named_alike(project: Project) -> list[str]:
    """An assignment's name is the guid of its scope, principal and role: the same on every deployment."""
    found = []
    for entry, one in project.everything():
        if one.type != ASSIGNMENT:
            continue
        name = rendered(one.body.get("name"))
        parts = (f"{one.scope}.id", rendered(one.properties.get("principalId")), _role_id(one))
        # What is made in the same file has no identity yet when names are made: its own name stands for it.
        own = (parts[0], f"{entry.stem}.jobName", parts[2])
        if name not in (f"guid({', '.join(parts)})", f"guid({', '.join(own)})"):
            found.append(f"{one.place}:{one.line}: its name is {name}, not guid(scope, principal, role)")
        if one.properties.get("principalType") not in ("ServicePrincipal", "Group"):
            found.append(f"{one.place}:{one.line}: says not what its principal is")
    return found


def a_role_of_ones_own_is_narrow(project: Project) -> list[str]:
    """The one role that is made here lets nobody do more than read and write blob index tags."""
    found = []
    for one in project.plan().of("Microsoft.Authorization/roleDefinitions"):
        permissions = one.properties.get("permissions")
        actions = {
            str(action)
            for permission in (permissions if isinstance(permissions, list) else [])
            for kind in ("actions", "dataActions")
            for action in _items(permission, kind)
        }
        if actions != _TAGS_ALONE:
            found.append(f"{one.place}:{one.line}: may {sorted(actions)}")
    return found


def _items(permission: Value, kind: str) -> list[Value]:
    found = permission.get(kind) if isinstance(permission, dict) else None
    return found if isinstance(found, list) else []


def grant_of(one: Deployed) -> Grant:
    """Return who is granted which role, on what."""
    principal = rendered(one.properties.get("principalId"))
    who = GATEWAY if re.search(_GATEWAY, principal) else _WHO.get(principal, principal)
    role = _role_id(one).strip("'")
    return Grant(who, BUILT_IN_ROLES.get(role, role), one.scope or "the resource group")


def _role_id(one: Deployed) -> str:
    text = rendered(one.properties.get("roleDefinitionId"))
    found = re.fullmatch(
        r"subscriptionResourceId\('Microsoft\.Authorization/roleDefinitions', ('[0-9a-f-]{36}')\)", text
    )
    return found[1] if found else text
