"""The gateway's logs and metrics, by identity where there is one, and the order of a first deployment."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.infra.bicep.checker import Files
from tests.infra.bicep.expressions import Array, Name
from tests.infra.bicep.plan import Deployed, Plan, plan
from tests.infra.bicep.values import Unknown, Value, rendered
from tests.infra.deployed import ROOT
from tests.infra.gateways import MODULES, gateway

AFTER = {
    ("modules/gateway.bicep", "policyFragments"): {"logger", "settings"},
    ("modules/gateway.bicep", "policy"): {"policyFragments", "api", "pool", "metrics"},
    ("modules/gateway.bicep", "metrics"): {"api"},
    ("modules/gateway.bicep", "subscriptions"): {"api"},
    ("modules/token-metrics.bicep", "logger"): {"publishes"},
    ("modules/model-account.bicep", "calls"): {"created"},
    ("main.bicep", "gatewayLog"): {"gateway"},
}
"""What must be there before; Azure refuses a policy that names what is not. The names themselves say nothing of it."""


def log() -> Plan:
    given: dict[str, Value] = {
        "apimName": "contoso-gateway",
        "location": "westeurope",
        "tags": {},
        "apiName": "azure-openai",
        "namespaceName": "contoso-log",
        "receiverPrincipalId": "the-function",
        "consumerGroup": "chargeback",
    }
    return plan(MODULES / "gateway-log.bicep", given)


def one(made: Plan, kind: str) -> Deployed:
    (only,) = made.of(kind)
    return only


@pytest.mark.parametrize(("file", "name"), AFTER)
def test_a_first_deployment_makes_what_others_need_before_them(file: str, name: str) -> None:
    declared = Files().open(ROOT / "infra" / file)
    body = (declared.resources.get(name) or declared.modules[name]).body
    assert body is not None
    written = body.get("dependsOn")
    assert isinstance(written, Array)
    assert AFTER[(file, name)] <= {item.name for item in written.items if isinstance(item, Name)}


def test_the_log_goes_to_the_hub_that_the_function_reads_under_a_rule_that_diagnostic_settings_demand() -> None:
    made = log()
    setting = one(made, "Microsoft.Insights/diagnosticSettings")
    assert rendered(setting.properties["eventHubAuthorizationRuleId"]) == "gateway-log.sends.id"
    assert setting.properties["eventHubName"] == one(made, "Microsoft.EventHub/namespaces/eventhubs").body["name"]
    rule = one(made, "Microsoft.EventHub/namespaces/authorizationRules")
    assert rule.properties["rights"] == ["Manage", "Send", "Listen"]
    assert one(made, "Microsoft.EventHub/namespaces/eventhubs/consumergroups").body["name"] == "chargeback"


def test_azure_monitor_may_write_to_the_log_as_a_trusted_service() -> None:
    rules = one(log(), "Microsoft.EventHub/namespaces/networkRuleSets")
    assert (rules.body["name"], rules.properties["trustedServiceAccessEnabled"]) == ("default", True)


def test_the_log_is_in_the_gateways_region() -> None:
    assert one(log(), "Microsoft.EventHub/namespaces").body["location"] == "westeurope"


def test_token_metrics_are_sent_by_the_gateways_identity_and_reach_the_component() -> None:
    made = gateway(emitTokenMetrics=True)
    loggers = {str(logger.body["name"]): logger for logger in made.of("Microsoft.ApiManagement/service/loggers")}
    credentials = loggers["chargeback-insights"].properties["credentials"]
    assert isinstance(credentials, Mapping)
    assert credentials == {
        "connectionString": Unknown("token-metrics.component.properties.ConnectionString"),
        "identityClientId": "SystemAssigned",
    }
    diagnostic = one(made, "Microsoft.ApiManagement/service/apis/diagnostics")
    assert (diagnostic.body["name"], diagnostic.properties["metrics"]) == ("applicationinsights", True)
