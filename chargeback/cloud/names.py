"""Names for people: of a gateway's subscriptions, and of the applications of a directory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chargeback.cloud.failures import misshapen, refused, short
from chargeback.cloud.rest import Rest
from chargeback.errors import CloudError

_APIM = "2024-05-01"
_SERVICE = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.apimanagement/service/[^/]+", re.IGNORECASE
)
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_SCOPES = {"products": "product", "apis": "API", "workspaces": "workspace"}
_BATCH = 20
"""Requests in one batch, at most, by Graph's rule."""
_PATIENCE = 4
_LONGEST_WAIT = 60.0
_APIM_ADVICE = {
    403: "the identity needs the role API Management Service Reader Role on the service",
    404: "there is no such API Management service: copy its resource id from the portal (Properties)",
}
_GRAPH_ADVICE = {403: "whoever is signed in may not read applications: Application.Read.All is needed"}
_KINDS = ("applications", "servicePrincipals")
"""Where an application is looked for: registered here, else known here (another tenant's, or a managed identity)."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription of API Management."""

    subscription_id: str
    """As `context.Subscription.Id` has it, which calls carry as their consumerId."""
    display_name: str
    """Empty where nobody gave it one."""
    scope: str
    """What it opens: `product starter`, `API chat`, `all APIs`."""


def subscriptions(arm: Rest, service_id: str) -> tuple[Subscription, ...]:
    """Return all subscriptions of an API Management service.

    Raises:
        CloudError: the id is no service's, or there is no answer.
    """
    plain = service_id.rstrip("/")
    if not _SERVICE.fullmatch(plain):
        raise CloudError(
            f"{short(service_id)} is no API Management service: give the resource id that ends in "
            "/providers/Microsoft.ApiManagement/service/NAME"
        )
    try:
        return tuple(
            Subscription(
                str(found["name"]),
                _shown(found["properties"].get("displayName")),
                _scope(str(found["properties"].get("scope") or "")),
            )
            for found in arm.values(f"{plain}/subscriptions", {"api-version": _APIM}, _APIM_ADVICE)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise misshapen("API Management") from error


def subscription_names(found: Iterable[Subscription], ids: Iterable[str]) -> dict[str, str]:
    """Return id -> name for those ids that are subscriptions'; without a display name the scope is the name.

    An id may be the subscription's own or a whole resource id that ends in it.
    """
    names = {one.subscription_id.lower(): one.display_name or one.scope for one in found}
    own = {consumer_id: consumer_id.rstrip("/").rpartition("/subscriptions/")[2].lower() for consumer_id in ids}
    return {consumer_id: names[key] for consumer_id, key in own.items() if names.get(key)}


def application_names(graph: Rest, ids: Iterable[str], wait: Callable[[float], None] = time.sleep) -> dict[str, str]:
    """Return id -> display name for those client ids that the directory knows; ids of another form are left out.

    Raises:
        CloudError: there is no answer, or the directory may not be read.
    """
    names: dict[str, str] = {}
    wanted = sorted({one for one in ids if _GUID.fullmatch(one)})
    for kind in _KINDS:
        missing = [one for one in wanted if one not in names]
        for start in range(0, len(missing), _BATCH):
            names |= _asked(graph, kind, missing[start : start + _BATCH], wait)
    return names


def _asked(graph: Rest, kind: str, ids: Sequence[str], wait: Callable[[float], None]) -> dict[str, str]:
    """Ask for at most 20 applications; those that Graph puts off are asked for again."""
    names: dict[str, str] = {}
    left = list(ids)
    for turn in range(_PATIENCE):
        requests = [
            {"id": str(index), "method": "GET", "url": f"/{kind}(appId='{one}')?$select=appId,displayName"}
            for index, one in enumerate(left)
        ]
        answer = graph.post("/v1.0/$batch", {"requests": requests}, _GRAPH_ADVICE)
        later: list[str] = []
        pause = 0.0
        for one, status, response in _responses(answer, left):
            if status == 200:
                names[one] = _name(response)
            elif status in (429, 503, 504):
                later.append(one)
                pause = max(pause, _seconds(response, default=2.0**turn))
            elif status != 404:
                raise refused("Microsoft Graph", status, _said(response), _GRAPH_ADVICE)
        if not later:
            return {one: name for one, name in names.items() if name}
        left = later
        wait(min(pause, _LONGEST_WAIT))
    raise refused("Microsoft Graph", 429)


def _responses(answer: Mapping[str, Any], ids: Sequence[str]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield (client id, status, response); Graph answers in any order."""
    try:
        found = {int(response["id"]): response for response in answer["responses"]}
        if found.keys() != set(range(len(ids))):
            raise ValueError
        yield from ((ids[index], int(response["status"]), response) for index, response in found.items())
    except (KeyError, TypeError, ValueError) as error:
        raise misshapen("Microsoft Graph") from error


def _name(response: Mapping[str, Any]) -> str:
    body = response.get("body")
    return _shown(body.get("displayName")) if isinstance(body, Mapping) else ""


def _said(response: Mapping[str, Any]) -> str:
    body = response.get("body")
    error = body.get("error") if isinstance(body, Mapping) else None
    return str(error.get("message") or "") if isinstance(error, Mapping) else ""


def _seconds(response: Mapping[str, Any], default: float) -> float:
    headers = response.get("headers")
    told = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    text = told.get("retry-after", "")
    return float(text) if re.fullmatch(r"\d{1,6}", text) else default


def _shown(name: object) -> str:
    """Return a name without what would act on a terminal or break a line."""
    return _NOT_SHOWN.sub(" ", name).strip() if isinstance(name, str) else ""


def _scope(scope: str) -> str:
    """Say what a scope opens: it ends in `/products/ID`, `/apis/ID`, or `/apis` for all of them."""
    kind, _, last = scope.rstrip("/").rpartition("/")
    parent = kind.rpartition("/")[2].lower()
    return f"{_SCOPES[parent]} {last}" if parent in _SCOPES else "all APIs"
