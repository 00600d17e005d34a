"""What api.xml does to a request on its way: nothing but what its fragments say."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.policy.gateway import Gateway
from tests.policy.result import Result

pytestmark = pytest.mark.needs_mono

Call: TypeAlias = Callable[..., Result]

POLICIES = Path(__file__).parent.parent.parent / "infra" / "policies"
JSON = {"Content-Type": "application/json"}
ANSWER = {"headers": JSON, "body": {"model": "gpt-4o", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}}
URL = "https://openai.backend.example/openai/deployments/gpt-4o/chat/completions"


@contextmanager
def standing(policy: Path) -> Iterator[Call]:
    """Let policies stand for calls: `call(case, {named value: value})`."""
    standard = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    with ExitStack() as stack:

        @cache
        def gateway(named: str) -> Gateway:
            return stack.enter_context(Gateway(policy, POLICIES, json.loads(named)))

        def call(case: Mapping[str, Any], named: Mapping[str, str] | None = None) -> Result:
            return gateway(json.dumps({**standard, **(named or {})})).run({"response": ANSWER, **case})

        yield call


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    with standing(POLICIES / "api.xml") as calls:
        yield calls


def token(**claims: object) -> str:
    """Return a bearer token of these claims."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return f"Bearer {'.'.join(parts)}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        " ",
        "{}",
        "null",
        "not JSON",
        '{"messages": [ ] , "n":1.10, "seed":1E+2, "at":"2024-05-01T10:00:00+02:00", "e":"\\u00e9\\/", "n":2}',
        '{"model":"gpt-4o","messages":[{"content":"' + "x" * 100_000 + '"}]}',
        "\ufeff" + '{"model":"gpt-4o","stream":true}',
        '{"a":' * 10_000,
        '{"stream":true',
        '{"stream":true}{"stream":true}',
        "data: {}\r\n\r\n",
        "漢字\U0001f600\x00\x01",
    ],
    ids=range(14),
)
@pytest.mark.parametrize("path", ["/openai/deployments/gpt-4o/chat/completions", "/openai/v1/chat/completions"])
def test_the_callers_body_goes_on_as_it_came(call: Call, path: str, body: str | None) -> None:
    request = {"path": path, "headers": JSON, **({} if body is None else {"body": body})}
    result = call({"request": request})
    assert (result.thrown, result.backend_calls, result.backend_request_body) == ([], 1, body)


@pytest.mark.parametrize("head", ["{", " {", "\r\n\t{ "])
@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", None])
def test_a_stream_is_asked_for_usage_behind_the_first_brace_and_nothing_else_changes(
    call: Call, head: str, kind: str | None
) -> None:
    rest = '"n":1.10,\n"stream" : true,"messages":[{"content":"{\\"stream\\": false}\\\\"}] }\n '
    headers = {} if kind is None else {"Content-Type": kind}
    sent = call({"request": {"headers": headers, "body": head + rest}}).backend_request_body
    inserted = '"stream_options":{"include_usage":true},'
    before, brace, after = head.partition("{")
    assert sent == before + brace + inserted + after + rest


def test_only_the_listed_headers_are_removed(call: Call) -> None:
    kept = {
        "Accept": "text/event-stream",
        "api-key-hint": "a",
        "Content-Type": "application/json",
        "OpenAI-Organization": "org",
        "Priority": "7",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "User-Agent": "OpenAI/Python 1.54.0",
        "x-cost-center": "CC-1042",
        "x-forwarded-for": "203.0.113.9",
        "x-ms-client-request-id": "b1f0",
        "x-ratelimit-remaining-tokens": "5",
        "x-stainless-retry-count": "2",
    }
    gone = {"Ocp-Apim-Subscription-Key": "k", "api-key": "k", "x-ms-spillover-deployment": "dear"}
    result = call({"request": {"headers": {**kept, **gone}, "body": "{}"}})
    assert result.backend_request_headers == {**kept, "Authorization": "Bearer gateway-token"}


@pytest.mark.parametrize("name", ["Ocp-Apim-Subscription-Key", "ocp-apim-subscription-key", "api-key", "API-Key"])
@pytest.mark.parametrize("parameter", ["subscription-key", "Subscription-Key"])
def test_the_callers_keys_reach_no_backend(call: Call, name: str, parameter: str) -> None:
    request = {"headers": {name: "PLANTED", "Authorization": "Bearer sk-PLANTED"}, "query": {parameter: "PLANTED"}}
    result = call({"request": {**request, "body": "{}"}})
    assert "PLANTED" not in str(result.backend_request_headers) + str(result.backend_urls)
    assert "PLANTED" not in str(result.records)


def test_the_rest_of_the_query_goes_on(call: Call) -> None:
    query = {"api-version": "2024-10-21", "subscription-key": "k", "subscription-key-hint": "h"}
    assert call({"request": {"query": query}}).backend_urls == [URL + "?api-version=2024-10-21&subscription-key-hint=h"]


def test_a_dearer_deployment_for_spill_over_is_for_the_owner_to_allow(call: Call) -> None:
    case = {"request": {"headers": {"X-MS-Spillover-Deployment": "dear"}}}
    assert "X-MS-Spillover-Deployment" not in call(case).backend_request_headers
    allowed = call(case, {"chargeback-allow-spillover-header": "on"})
    assert allowed.backend_request_headers["X-MS-Spillover-Deployment"] == "dear"


POOLS = {f"chargeback-backend-{pool}": pool for pool in ("default", "provisioned", "regional", "datazone")}
BY_PRIORITY = {
    "provisioned": ["0", "1", "100", "007"],
    "regional": ["101", "300", "500"],
    "datazone": ["501", "1000"],
    "default": ["", "-1", "1001", "99999999999999999999", "1.5", "1e2", "high", "0x10", "5,6", "1;drop"],
}


@pytest.mark.parametrize(("pool", "priority"), [(pool, each) for pool, some in BY_PRIORITY.items() for each in some])
def test_the_priority_chooses_the_pool(call: Call, pool: str, priority: str) -> None:
    result = call({"request": {"headers": {"Priority": priority}}}, POOLS)
    assert result.backend_urls == [URL.replace("openai.", f"{pool}.", 1)]
    assert (result.records[0]["backendId"], result.records[0]["backendHost"]) == (pool, f"{pool}.backend.example")


def test_without_a_priority_the_default_pool_serves(call: Call) -> None:
    assert call({}, POOLS).records[0]["backendId"] == "default"


def test_two_priorities_are_none(call: Call) -> None:
    assert call({"request": {"headers": {"Priority": ["5", "600"]}}}, POOLS).records[0]["backendId"] == "default"


def test_the_application_is_the_callers_and_the_backend_sees_the_gateways_token(call: Call) -> None:
    result = call({"request": {"headers": {"Authorization": token(appid="app-1", azp="app-2")}}})
    assert result.records[0]["appId"] == "app-1"
    assert result.backend_request_headers == {"Authorization": "Bearer gateway-token"}


@pytest.mark.parametrize("claims", [{}, {"appid": ""}, {"appid": None}, {"appid": []}, {"APPID": "app-1"}])
def test_a_token_that_names_no_application_is_nobodys(call: Call, claims: dict[str, object]) -> None:
    result = call({"request": {"headers": {"Authorization": token(**claims)}}})
    assert (result.thrown, result.records[0]["appId"]) == ([], None)


ONE_APPLICATION = {"chargeback-entra-applications": "app-1"}


@pytest.mark.parametrize("claims", [{}, {"appid": "app-2"}, {"azp": "app-10"}, {"appid": ["app-2", "app-1"]}])
@pytest.mark.parametrize("forged", [{}, {"x-chargeback-application": "allowed"}])
def test_an_application_that_is_not_on_the_list_calls_nothing(
    call: Call, claims: dict[str, Any], forged: dict[str, str]
) -> None:
    result = call({"request": {"headers": {"Authorization": token(**claims), **forged}}}, ONE_APPLICATION)
    assert (result.client_status, result.backend_calls, result.thrown) == (403, 0, [])
    assert json.loads(result.client_body)["message"] == "This application may not call this API."
    assert [record["statusCode"] for record in result.records] == [403]


def test_an_application_on_the_list_calls_and_the_check_leaves_no_trace(call: Call) -> None:
    result = call({"request": {"headers": {"Authorization": token(azp="APP-1")}}}, ONE_APPLICATION)
    assert (result.client_status, result.records[0]["appId"]) == (200, "APP-1")
    assert result.backend_request_headers == {"Authorization": "Bearer gateway-token"}


@pytest.mark.parametrize("reason", ["TokenExpired", "TokenAudienceNotAllowed", "TokenSignatureInvalid"])
@pytest.mark.parametrize("tokens", ["accept", "require"])
def test_a_token_that_is_sent_must_be_valid(call: Call, tokens: str, reason: str) -> None:
    case = {"tokens": reason, "request": {"headers": {"Authorization": token(appid="app-1")}}}
    result = call(case, {"chargeback-entra-tokens": tokens})
    assert (result.client_status, result.backend_calls) == (401, 0)
    assert [(record["note"], record["appId"]) for record in result.records] == [(f"error:{reason}", None)]


def test_the_urls_deployment_is_the_one_that_is_recorded(call: Call) -> None:
    request = {"matched": {"deployment-id": "from-url"}, "headers": JSON, "body": {"model": "from-body"}}
    assert call({"request": request}).records[0]["deploymentId"] == "from-url"
