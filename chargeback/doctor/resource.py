"""The Application Insights resource: nothing sampled, no cap that surprises, no keys that open it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chargeback.cloud.rest import Rest
from chargeback.doctor.finding import Finding, bad, not_checked, ok
from chargeback.errors import CloudError

NAMES = ("resource: sampling", "resource: daily cap", "resource: local authentication")
_COMPONENT, _WORKSPACE = "2020-02-02", "2022-10-01"
_ADVICE = {
    403: "whoever is signed in needs Reader on it",
    404: "there is no such resource: copy its id from the portal",
}


def unread(why: str, how: str) -> Iterator[Finding]:
    """Say of each line that it was not looked at."""
    return (not_checked(name, why, how) for name in NAMES)


def resource(arm: Rest, resource_id: str) -> Iterator[Finding]:
    """Look at the resource, and at the workspace under it."""
    try:
        component = _properties(arm, resource_id, _COMPONENT)
    except CloudError as error:
        yield from (bad(name, str(error), "check --resource, and who is signed in") for name in NAMES)
        return
    yield _sampling(component)
    yield _cap(arm, str(component.get("WorkspaceResourceId") or ""))
    yield _keys(component)


def _properties(arm: Rest, resource_id: str, version: str) -> Mapping[str, Any]:
    found = arm.get(resource_id.rstrip("/"), {"api-version": version}, _ADVICE).get("properties")
    return found if isinstance(found, dict) else {}


def _sampling(component: Mapping[str, Any]) -> Finding:
    share = component.get("SamplingPercentage")
    if share not in (None, 100):
        return bad(NAMES[0], f"{share} % of events are kept", "set ingestion sampling to 100 %: bills are short by it")
    return ok(NAMES[0], "every event is kept")


def _cap(arm: Rest, workspace: str) -> Finding:
    if not workspace:
        return bad(NAMES[1], "it has no workspace", "move it to a workspace: reports ask one")
    try:
        capping = _properties(arm, workspace, _WORKSPACE).get("workspaceCapping")
    except CloudError as error:
        return not_checked(NAMES[1], str(error), "grant Reader on the workspace")
    told = capping if isinstance(capping, dict) else {}
    quota = told.get("dailyQuotaGb", -1)
    if told.get("dataIngestionStatus") == "OverQuota":
        return bad(NAMES[1], f"the cap of {quota} GB is reached", "raise it: the hub holds records for its retention")
    return ok(NAMES[1], "there is none" if float(quota) < 0 else f"{quota} GB a day; an alert fires at four fifths")


def _keys(component: Mapping[str, Any]) -> Finding:
    if component.get("DisableLocalAuth") is True:
        return ok(NAMES[2], "off: an identity alone may send")
    return bad(NAMES[2], "on: whoever has the connection string may send", "switch it off, and set an identity first")
