"""The gateway's modules, planned with backends and consumers: what each makes of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chargeback.reports.compose import kql_folder
from tests.infra.bicep.checker import Files
from tests.infra.bicep.evaluation import Scope, evaluate, rounds
from tests.infra.bicep.plan import plan
from tests.infra.bicep.values import Unknown, Value, rendered
from tests.infra.gateways import FIRST, MODULES, SECOND, SHOP, backends, gateway, named_values, only


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


def test_an_account_is_looked_for_where_it_is_said_to_be() -> None:
    """The role is granted there; without a word it is the subscription and the group of the deployment."""
    file = Files().open(MODULES / "gateway-backends.bicep")
    accounts = file.modules["accounts"]
    assert accounts.repeat is not None
    assert accounts.body is not None
    where = accounts.body.get("scope")
    assert where is not None
    far: Mapping[str, Value] = {**SECOND, "resourceGroup": "models", "subscriptionId": "another"}
    scope = Scope(file, {"backends": [FIRST, far]}, lambda module, output: Unknown(f"{module}.{output}"))
    found = [
        rendered(evaluate(where, each))
        for each in rounds(evaluate(accounts.repeat.over, scope), scope, accounts.repeat.names)
    ]
    assert found == [
        "resourceGroup(subscription().subscriptionId, resourceGroup().name)",
        "resourceGroup('another', 'models')",
    ]
