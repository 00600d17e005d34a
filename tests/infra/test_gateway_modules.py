"""The gateway's modules, planned with backends and consumers: what each makes of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chargeback.reports.compose import kql_folder
from tests.infra.bicep.plan import Deployed, Plan, plan
from tests.infra.bicep.values import Unknown, Value, rendered
from tests.infra.deployed import ROOT

MODULES = ROOT / "infra/modules"
FIRST: Mapping[str, Value] = {"name": "first", "accountName": "contoso-first"}
SECOND: Mapping[str, Value] = {"name": "second", "accountName": "contoso-second", "priority": 2, "weight": 3}
CALLERS = (ROOT / "docs/callers.md").read_text(encoding="utf-8")
SHOP: Mapping[str, Value] = {"name": "shop", "displayName": "Web shop", "businessUnit": "Retail", "costCenter": "47"}


def gateway(backends: Sequence[Value] = (), consumers: Sequence[Value] = (), **given: Value) -> Plan:
    """Plan the gateway's module about one service."""
    values: dict[str, Value] = {
        "apimName": "contoso-gateway",
        "principalId": "the-gateway",
        "apiName": "azure-openai",
        "createApi": True,
        "apiPolicy": "full",
        "hub": {"endpoint": "contoso.servicebus.windows.net", "hubName": "usage"},
        "namedValues": {},
        "backends": list(backends),
        "consumers": list(consumers),
        "tags": {},
        "emitTokenMetrics": False,
        "insightsName": "contoso-insights",
    }
    return plan(MODULES / "gateway.bicep", {**values, **given})


def backends(made: Plan) -> dict[str, Mapping[str, Any]]:
    return {str(one.body["name"]): one.properties for one in made.of("Microsoft.ApiManagement/service/backends")}


def named_values(made: Plan) -> dict[str, Value]:
    values = made.of("Microsoft.ApiManagement/service/namedValues")
    return {str(one.body["name"]): one.properties["value"] for one in values}


def only(made: Plan, kind: str) -> Deployed:
    (one,) = made.of(f"Microsoft.ApiManagement/service/{kind}")
    return one


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_busy_or_failing_backend_of_several_is_left_alone_for_as_long_as_it_says(name: str) -> None:
    (rule,) = backends(gateway([FIRST, SECOND]))[name]["circuitBreaker"]["rules"]
    condition = rule["failureCondition"]
    assert rule["acceptRetryAfter"] is True
    assert condition["statusCodeRanges"] == [{"min": 429, "max": 429}, {"min": 500, "max": 599}]
    assert condition["count"] == 1, "the next attempt, which is made at once, must meet another backend"


def test_a_backend_that_is_alone_has_no_breaker_and_is_not_asked_again_at_once() -> None:
    made = gateway([FIRST])
    assert backends(made)["first"]["circuitBreaker"] is None
    assert named_values(made)["chargeback-retry-at-once"] == "false"


def test_of_several_another_is_asked_at_once() -> None:
    assert named_values(gateway([FIRST, SECOND]))["chargeback-retry-at-once"] == "true"


def test_the_pool_has_every_backend_with_its_priority_and_weight() -> None:
    pool = backends(gateway([FIRST, SECOND]))["openai"]
    assert pool["type"] == "Pool"
    shares = [(one["priority"], one["weight"]) for one in pool["pool"]["services"]]
    assert shares == [(1, 1), (2, 3)]
    assert ["members" in rendered(one["id"]) for one in pool["pool"]["services"]] == [True, True]


def test_every_route_of_the_policies_ends_at_the_pool() -> None:
    made = gateway([FIRST, SECOND])
    routes = {value for name, value in named_values(made).items() if name.startswith("chargeback-backend-")}
    assert routes <= backends(made).keys()


def test_calls_go_where_the_account_answers_under_openai() -> None:
    url = backends(gateway([FIRST]))["first"]["url"]
    assert rendered(url).endswith(".properties.endpoint}openai")


def test_a_gateway_without_backends_of_ours_keeps_its_own() -> None:
    assert backends(gateway()) == {}


def test_tokens_are_those_of_the_tenant_unless_another_is_named() -> None:
    name = "chargeback-entra-tenant-id"
    assert named_values(gateway())[name] == Unknown("tenant().tenantId")
    assert named_values(gateway(namedValues={name: "contoso-tenant"}))[name] == "contoso-tenant"


def test_what_is_given_comes_before_what_the_deployment_makes_of_it() -> None:
    name = "chargeback-retry-at-once"
    assert named_values(gateway([FIRST], namedValues={name: "true"}))[name] == "true"


def test_the_hub_is_written_to_by_the_gateways_identity() -> None:
    logger = only(gateway(), "loggers")
    assert logger.properties == {
        "loggerType": "azureEventHub",
        "credentials": {
            "name": "usage",
            "endpointAddress": "contoso.servicebus.windows.net",
            "identityClientId": "SystemAssigned",
        },
    }


def test_the_policy_is_the_apis_own() -> None:
    policy = only(gateway(), "apis/policies")
    assert (policy.body["name"], policy.parent) == ("policy", "gateway.charged")


def test_an_api_that_is_there_is_not_made() -> None:
    made = gateway(createApi=False, apiPolicy="none")
    kinds = {one.type.removeprefix("Microsoft.ApiManagement/service/") for one in made.resources if not one.existing}
    assert kinds == {"loggers", "namedValues", "policyFragments"}


def test_nobody_calls_the_api_without_a_key() -> None:
    api = only(gateway(), "apis").properties
    assert api["subscriptionRequired"] is True
    assert api["subscriptionKeyParameterNames"] == {"header": "api-key", "query": "subscription-key"}


def test_the_deployment_in_a_url_reaches_the_policies() -> None:
    """find-deployment reads the parameter deployment-id of the operation that was called."""
    calls = gateway().of("Microsoft.ApiManagement/service/apis/operations")
    urls = {(str(one.properties["method"]), str(one.properties["urlTemplate"])) for one in calls}
    assert ("POST", "/deployments/{deployment-id}/*") in urls
    assert {("POST", "/*"), ("GET", "/*"), ("DELETE", "/*")} <= urls
    for one in calls:
        named = [part["name"] for part in one.properties["templateParameters"]]  # type: ignore[union-attr, index, call-overload]  # a list of objects, else this fails
        assert named == (["deployment-id"] if "{" in str(one.properties["urlTemplate"]) else [])


def test_a_consumer_has_a_subscription_of_its_name_to_the_api_alone() -> None:
    made = gateway(consumers=[SHOP])
    subscription = only(made, "subscriptions")
    assert subscription.body["name"] == "shop", "the policy records the subscription's name as the consumer"
    assert "products" in rendered(subscription.properties["scope"])
    assert only(made, "products/apis").body["name"] == "azure-openai"
    assert only(made, "products").properties["subscriptionRequired"] is True


def test_a_consumers_row_has_the_columns_of_consumers_kql_but_for_the_days() -> None:
    made = plan(MODULES / "consumers.bicep", {"apimName": "contoso-gateway", "apiName": "a", "consumers": [SHOP]})
    assert made.outputs["rows"] == ['"shop", "Retail", "47", "", "Web shop"']
    text = (kql_folder() / "lib/consumers.kql").read_text(encoding="utf-8")
    columns = text.split("datatable(")[1].split(")")[0].replace("\n", " ").split(",")
    assert [column.strip().split(":")[0] for column in columns] == [
        "consumerId",
        "businessUnit",
        "costCenter",
        "owner",
        "displayName",
        "validFrom",
        "validTo",
    ]


def test_a_new_account_has_no_keys_and_its_deployments() -> None:
    chat: Mapping[str, Value] = {"name": "chat", "model": "m", "version": "1", "sku": "GlobalStandard", "capacity": 10}
    made = gateway([{"name": "models", "location": "swedencentral", "deployments": [chat]}])
    (account,) = made.of("Microsoft.CognitiveServices/accounts")
    assert account.properties["disableLocalAuth"] is True
    assert account.properties["customSubDomainName"] == account.body["name"]
    (deployment,) = made.of("Microsoft.CognitiveServices/accounts/deployments")
    assert deployment.body["name"] == "chat"
    assert deployment.body["sku"] == {"name": "GlobalStandard", "capacity": 10}


def test_an_account_that_is_there_is_not_made_and_the_gateway_may_call_it() -> None:
    made = gateway([FIRST])
    assert made.of("Microsoft.CognitiveServices/accounts") == []
    (role,) = made.of("Microsoft.Authorization/roleAssignments")
    assert (role.scope, role.properties["principalId"]) == ("model-account.account", "the-gateway")


def test_the_page_for_callers_names_the_deployed_path_and_audience() -> None:
    path = only(gateway(), "apis").properties["path"]
    urls = re.findall(r"\$(?:env:)?GATEWAY(/\w+)[^\"]*", CALLERS)
    assert len(urls) >= 4
    assert set(urls) == {f"/{path}"}
    audiences = set(re.findall(r"api://[\w-]+", CALLERS))
    assert audiences == {named_values(gateway())["chargeback-entra-audience"]}


def _examples(language: str) -> list[str]:
    blocks = re.findall(rf"```{language}\n(.*?)```", CALLERS, re.DOTALL)
    return blocks or re.findall(r"^    curl .*(?:\n {8}.*)*", CALLERS, re.MULTILINE)


@pytest.mark.parametrize(("language", "count"), [("curl", 3), ("powershell", 2), ("python", 3), ("csharp", 2)])
def test_every_example_sends_the_key_that_the_api_asks_for(language: str, count: int) -> None:
    """A token does not stand in for it: the API requires a subscription."""
    examples = _examples(language)
    assert len(examples) == count
    for example in examples:
        assert re.search(r"\bapi-key\b|\bapi_key=os|AzureKeyCredential\(", example), example


def test_the_examples_in_python_are_python() -> None:
    for example in _examples("python"):
        ast.parse(example)


def test_the_bodies_that_curl_sends_are_json_and_a_stream_asks_for_its_usage() -> None:
    bodies = [json.loads(body) for body in re.findall(r"-d '([^']*)'", CALLERS)]
    assert [one.get("stream_options") for one in bodies if one.get("stream")] == [{"include_usage": True}]
