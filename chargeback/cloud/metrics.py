"""Azure Monitor's own metrics, per day: tokens per deployment of an account, requests of a gateway.

The management API is asked directly: azure-monitor-query has no metrics since 2.0, and azure-monitor-querymetrics wants
a role on the whole subscription and cannot tell which metrics a resource has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from chargeback.cloud.failures import misshapen, short
from chargeback.cloud.rest import Rest
from chargeback.errors import CloudError
from chargeback.reports.compose import Period
from chargeback.reports.metered import METRICS, Account, AccountMetrics, GatewayMetrics, Metered

_MONITOR = "2023-10-01"
_ACCOUNTS = "2024-10-01"
_DEPLOYMENT = "ModelDeploymentName"
_API = "ApiId"
_REQUESTS = "Requests"
_MOST_SERIES = 1000
_GROUP = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/"
_ACCOUNT = re.compile(_GROUP + r"microsoft\.cognitiveservices/accounts/[^/]+", re.IGNORECASE)
_GATEWAY = re.compile(_GROUP + r"microsoft\.apimanagement/service/[^/]+", re.IGNORECASE)
_ADVICE = {
    403: "the identity needs the role Monitoring Reader on the resource",
    404: "there is no such resource: copy its resource id from the portal (Properties)",
}
_AMISS = (KeyError, TypeError, ValueError, AttributeError)


def account_metrics(arm: Rest, account_id: str, period: Period) -> AccountMetrics:
    """Return the tokens that an account's metrics count in a period of whole days (UTC).

    Azure keeps metrics for 93 days; of days before that there is nothing.

    Raises:
        CloudError: the id is no account's, or there is no answer, or more than 1000 deployments.
    """
    resource_id = _checked(account_id, _ACCOUNT, "/providers/Microsoft.CognitiveServices/accounts/NAME")
    account = _account(arm, resource_id)
    wanted = [metric for metrics in METRICS.values() for metric in metrics]
    found = _definitions(arm, resource_id)
    there = [metric for metric in wanted if _DEPLOYMENT.lower() in found.get(metric.lower(), frozenset())]
    metered = tuple(
        Metered(metric, deployment, day, amount)
        for metric in there
        for deployment, day, amount in _daily(arm, resource_id, metric, period, f"{_DEPLOYMENT} eq '*'")
    )
    return AccountMetrics(account, metered, tuple(metric for metric in wanted if metric not in there))


def gateway_requests(arm: Rest, service_id: str, period: Period, api_ids: Sequence[str] = ()) -> GatewayMetrics:
    """Return a gateway's requests per day of a period of whole days (UTC), of all its APIs or of those named.

    Requests of workspace gateways and of self-hosted gateways are not in this metric.

    Raises:
        CloudError: the id is no API Management service's, or there is no answer.
    """
    resource_id = _checked(service_id, _GATEWAY, "/providers/Microsoft.ApiManagement/service/NAME")
    dimensions = _definitions(arm, resource_id).get(_REQUESTS.lower())
    if dimensions is None or (api_ids and _API.lower() not in dimensions):
        return GatewayMetrics(resource_id, {}, missing=True)
    quoted = [f"{_API} eq '{api_id.replace(chr(39), chr(39) * 2)}'" for api_id in api_ids]
    requests: dict[date, int] = {}
    for _, day, amount in _daily(arm, resource_id, _REQUESTS, period, " or ".join(quoted)):
        requests[day] = requests.get(day, 0) + amount
    return GatewayMetrics(resource_id, requests, missing=False)


def _checked(resource_id: str, form: re.Pattern[str], ending: str) -> str:
    plain = resource_id.rstrip("/")
    if not form.fullmatch(plain):
        raise CloudError(f"{short(resource_id)} is not the right kind of resource: give the id that ends in {ending}")
    return plain


def _account(arm: Rest, resource_id: str) -> Account:
    properties = arm.get(resource_id, {"api-version": _ACCOUNTS}, _ADVICE).get("properties")
    if not isinstance(properties, dict):
        raise misshapen(resource_id)
    endpoints = properties.get("endpoints")
    addresses = [properties.get("endpoint"), *(endpoints.values() if isinstance(endpoints, dict) else ())]
    hosts = {urlsplit(address).hostname for address in addresses if isinstance(address, str)}
    if domain := properties.get("customSubDomainName"):
        suffixes = ("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com")
        hosts |= {f"{domain}.{suffix}".lower() for suffix in suffixes}
    return Account(resource_id, tuple(sorted(host for host in hosts if host)))


def _definitions(arm: Rest, resource_id: str) -> dict[str, frozenset[str]]:
    """Return metric -> its dimensions, all in lower case."""
    path = f"{resource_id}/providers/Microsoft.Insights/metricDefinitions"
    try:
        return {
            str(found["name"]["value"]).lower(): frozenset(
                str(dimension["value"]).lower() for dimension in found.get("dimensions") or ()
            )
            for found in arm.values(path, {"api-version": _MONITOR}, _ADVICE)
        }
    except _AMISS as error:
        raise misshapen(f"Azure Monitor, of {resource_id}") from error


def _daily(arm: Rest, resource_id: str, metric: str, period: Period, split: str) -> Iterator[tuple[str, date, int]]:
    """Yield (value of the dimension, day, total) of a metric; a day without a total is left out."""
    start, end = (moment.astimezone(UTC) for moment in period)
    parameters = {
        "api-version": _MONITOR,
        "metricnames": metric,
        "timespan": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        "interval": "P1D",
        "aggregation": "Total",
    }
    if split:
        parameters |= {"$filter": split, "top": str(_MOST_SERIES)}
    answer = arm.get(f"{resource_id}/providers/Microsoft.Insights/metrics", parameters, _ADVICE)
    try:
        (found,) = answer["value"]
        series: list[dict[str, Any]] = found["timeseries"]
        rows = [row for one in series for row in _points(one, start, end)]
    except _AMISS as error:
        raise misshapen(f"Azure Monitor, of {resource_id}") from error
    if len(series) >= _MOST_SERIES:
        raise CloudError(f"{metric} has {_MOST_SERIES} series or more, and Azure Monitor lists no more: ask for fewer")
    if str(found.get("errorCode") or "Success") != "Success":
        raise CloudError(f"Azure Monitor has no whole answer for {metric} ({found['errorCode']}): try again later")
    yield from rows


def _points(series: dict[str, Any], start: datetime, end: datetime) -> Iterator[tuple[str, date, int]]:
    values = [str(pair["value"]) for pair in series.get("metadatavalues") or ()]
    for point in series["data"]:
        moment = datetime.fromisoformat(point["timeStamp"]).astimezone(UTC)
        total = point.get("total")
        if total is None or not start <= moment < end:
            continue
        if moment.time() != datetime.min.time() or moment + timedelta(days=1) > end:
            raise ValueError(moment)
        yield (values[0] if values else "", moment.date(), _count(total))


def _count(total: object) -> int:
    if not isinstance(total, int | Decimal) or isinstance(total, bool) or total != int(total) or total < 0:
        raise ValueError(total)
    return int(total)
