"""The Application Insights resource: nothing sampled, no cap that surprises, no keys that open it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chargeback.cloud.rest import Rest
from chargeback.doctor import finding
from chargeback.doctor.finding import Finding, bad, not_checked, ok
from chargeback.errors import CloudError
from chargeback.hub.patience import within

NAMES = ("resource: sampling", "resource: daily cap", "resource: local authentication")
_COMPONENT, _WORKSPACE, _BILLING = "2020-02-02", "2022-10-01", "2015-05-01"
_ADVICE = {
    403: "whoever is signed in needs Reader on it",
    404: "there is no such resource: copy its id from the portal",
}
_CHECK = "check --resource, and who is signed in (az login)"


@dataclass(frozen=True, slots=True)
class _Cap:
    """What stops ingestion for the rest of the day: the component has a cap, and so has the workspace under it."""

    gigabytes: tuple[float, ...]
    """Those that are set."""
    reached: bool


def unread(why: str, how: str) -> Iterator[Finding]:
    """Say of each line that it was not looked at."""
    return (not_checked(name, why, how) for name in NAMES)


def resource(arm: Rest, resource_id: str) -> Iterator[Finding]:
    """Look at the resource, and at the workspace under it."""
    path = resource_id.rstrip("/")
    try:
        component = within(finding.SECONDS, lambda: _properties(arm, path, _COMPONENT))
    except CloudError as error:
        yield from (bad(name, str(error), _CHECK) for name in NAMES)
        return
    except TimeoutError:
        yield from (bad(name, f"no answer within {finding.SECONDS:g} seconds", _CHECK) for name in NAMES)
        return
    yield _sampling(component)
    yield _cap_line(arm, path, str(component.get("WorkspaceResourceId") or ""))
    yield _keys(component)


def _properties(arm: Rest, path: str, version: str) -> Mapping[str, Any]:
    return _object(arm.get(path, {"api-version": version}, _ADVICE).get("properties"))


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _sampling(component: Mapping[str, Any]) -> Finding:
    share = component.get("SamplingPercentage")
    if share not in (None, 100):
        return bad(NAMES[0], f"{share} % of events are kept", "set ingestion sampling to 100 %: bills are short by it")
    return ok(NAMES[0], "every event is kept")


def _cap_line(arm: Rest, path: str, workspace: str) -> Finding:
    if not workspace:
        return bad(NAMES[1], "it has no workspace", "move it to a workspace: reports ask one")
    try:
        cap = within(finding.SECONDS, lambda: _cap(arm, path, workspace))
    except CloudError as error:
        return not_checked(NAMES[1], str(error), "grant Reader on the resource and its workspace")
    except TimeoutError:
        return bad(NAMES[1], f"no answer within {finding.SECONDS:g} seconds", _CHECK)
    lowest = f"{min(cap.gigabytes):g} GB a day" if cap.gigabytes else ""
    if cap.reached:
        return bad(
            NAMES[1], f"it is reached ({lowest or 'of unknown size'})", "raise it: the hub holds records meanwhile"
        )
    return ok(NAMES[1], f"{lowest}; an alert fires at four fifths" if lowest else "there is none")


def _cap(arm: Rest, path: str, workspace: str) -> _Cap:
    of_workspace = _object(_properties(arm, workspace, _WORKSPACE).get("workspaceCapping"))
    billing = arm.get(f"{path}/currentbillingfeatures", {"api-version": _BILLING}, _ADVICE)
    status = arm.get(f"{path}/quotastatus", {"api-version": _BILLING}, _ADVICE)
    sizes = (of_workspace.get("dailyQuotaGb"), _object(billing.get("DataVolumeCap")).get("Cap"))
    return _Cap(
        # A workspace says -1 where it has none.
        tuple(float(size) for size in sizes if size is not None and float(size) >= 0),
        of_workspace.get("dataIngestionStatus") == "OverQuota" or status.get("ShouldBeThrottled") is True,
    )


def _keys(component: Mapping[str, Any]) -> Finding:
    if component.get("DisableLocalAuth") is True:
        return ok(NAMES[2], "off: an identity alone may send")
    return bad(NAMES[2], "on: whoever has the connection string may send", "switch it off, and set an identity first")
