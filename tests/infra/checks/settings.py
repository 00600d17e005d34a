"""Who is told which setting: one table that Azure's app, this machine's example and the code must each equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chargeback.settings import Settings
from tests.infra.bicep.values import Value
from tests.infra.checks.project import Project


class Setting(NamedTuple):
    """Where a setting is given, and who reads it."""

    azure: str
    """`yes`, `log` (only where the gateway's log is read), or empty."""
    local: bool
    read_by: str
    """`settings` (our own), `host` (Azure Functions), `telemetry` (libraries), or `platform`, which gives it itself."""


TABLE: Mapping[str, Setting] = {
    "FUNCTIONS_WORKER_RUNTIME": Setting("", True, "host"),
    "AzureWebJobsStorage": Setting("", True, "settings"),
    "AzureWebJobsStorage__accountName": Setting("yes", False, "settings"),
    "AzureWebJobsStorage__blobServiceUri": Setting("", False, "settings"),
    "AzureWebJobsStorage__clientId": Setting("yes", False, "settings"),
    "AzureWebJobsStorage__credential": Setting("yes", False, "host"),
    "EVENT_HUB_NAME": Setting("yes", True, "host"),
    "EVENT_HUB_CONSUMER_GROUP": Setting("yes", True, "host"),
    "EventHubConnection": Setting("", True, "host"),
    "EventHubConnection__fullyQualifiedNamespace": Setting("yes", False, "host"),
    "EventHubConnection__clientId": Setting("yes", False, "host"),
    "EventHubConnection__credential": Setting("yes", False, "host"),
    "GATEWAY_LOG_HUB_NAME": Setting("yes", True, "settings"),
    "GatewayLogConnection": Setting("", True, "host"),
    "GatewayLogConnection__fullyQualifiedNamespace": Setting("log", False, "host"),
    "GatewayLogConnection__clientId": Setting("log", False, "host"),
    "GatewayLogConnection__credential": Setting("log", False, "host"),
    "APPLICATIONINSIGHTS_CONNECTION_STRING": Setting("yes", True, "settings"),
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": Setting("yes", True, "settings"),
    "CHARGEBACK_EVENT_NAME": Setting("", True, "settings"),
    "CHARGEBACK_DEAD_LETTER_CONTAINER": Setting("yes", True, "settings"),
    "CHARGEBACK_DEAD_LETTER_FOLDER": Setting("", True, "settings"),
    "CHARGEBACK_DELIVERY_SECONDS": Setting("", True, "settings"),
    "CHARGEBACK_GZIP": Setting("", True, "settings"),
    "PYTHON_ENABLE_OPENTELEMETRY": Setting("yes", True, "telemetry"),
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": Setting("yes", True, "telemetry"),
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": Setting("yes", True, "telemetry"),
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": Setting("yes", True, "telemetry"),
    "WEBSITE_SITE_NAME": Setting("", False, "platform"),
    "WEBSITE_INSTANCE_ID": Setting("", False, "platform"),
    "WEBSITE_POD_NAME": Setting("", False, "platform"),
}
"""Without `__` it is the plain form, a connection string on this machine; with it, the form of an identity."""

REFUSED = frozenset(
    {
        *("FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_EXTENSION_VERSION"),
        *("WEBSITE_RUN_FROM_PACKAGE", "SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD", "WEBSITE_TIME_ZONE", "TZ"),
        *("FUNCTIONS_MAX_HTTP_CONCURRENCY", "FUNCTIONS_WORKER_PROCESS_COUNT"),
        *("FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT"),
        *("WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "WEBSITE_CONTENTOVERVNET"),
        *("WEBSITE_NODE_DEFAULT_VERSION", "WEBSITE_SKIP_CONTENTSHARE_VALIDATION", "WEBSITE_USE_PLACEHOLDER"),
        *("WEBSITE_VNET_ROUTE_ALL", "XDT_MicrosoftApplicationInsights_Mode"),
    }
)
"""What Flex Consumption refuses or ignores (learn.microsoft.com: App settings reference, and Flex Consumption plan)."""

_IDENTITY = "identity.identity.properties.clientId"
_HOST_NAME = "replace(replace({}.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')"
VALUES: Mapping[str, str] = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "monitoring.insights.properties.ConnectionString",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"Authorization=AAD;ClientId=${{{_IDENTITY}}}",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "AzureWebJobsStorage__accountName": "storage.account.name",
    "AzureWebJobsStorage__clientId": _IDENTITY,
    "AzureWebJobsStorage__credential": "managedidentity",
    "CHARGEBACK_DEAD_LETTER_CONTAINER": "chargeback-rejected",
    "EVENT_HUB_CONSUMER_GROUP": "eventhub.groups[0].name",
    "EVENT_HUB_NAME": "chargeback",
    "EventHubConnection__clientId": _IDENTITY,
    "EventHubConnection__credential": "managedidentity",
    "EventHubConnection__fullyQualifiedNamespace": _HOST_NAME.format("eventhub.hubNamespace"),
    "GATEWAY_LOG_HUB_NAME": "gateway-log",
    "GatewayLogConnection__clientId": _IDENTITY,
    "GatewayLogConnection__credential": "managedidentity",
    "GatewayLogConnection__fullyQualifiedNamespace": _HOST_NAME.format("gateway-log.hubNamespace"),
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
}
"""Setting -> its value in Azure, in terms of the resources that it comes from."""


def azure_has_its_settings(project: Project) -> list[str]:
    """The app in Azure has the settings of the table's column and no others, with and without the gateway's log."""
    found = []
    for choice, wanted in (("eventHub", {"yes", "log"}), ("none", {"yes"})):
        given = _in_azure(project, choice)
        names = {name for name, setting in TABLE.items() if setting.azure in wanted}
        found += [f"function, streamCompletion {choice}: lacks {name}" for name in names - given.keys()]
        found += [f"function, streamCompletion {choice}: {name} is not in the table" for name in given.keys() - names]
        found += [f"function: {name} is refused by Flex Consumption" for name in given.keys() & REFUSED]
        values = VALUES if choice == "eventHub" else {**VALUES, "GATEWAY_LOG_HUB_NAME": ""}
        found += [
            f"function, streamCompletion {choice}: {name} is {value}, must be {values[name]}"
            for name, value in given.items()
            if name in values and value != values[name]
        ]
    return found


def _in_azure(project: Project, stream_completion: str) -> dict[str, Value]:
    (app,) = project.plan({"streamCompletion": stream_completion}).of("Microsoft.Web/sites")
    config = app.properties.get("siteConfig")
    settings = config.get("appSettings") if isinstance(config, Mapping) else None
    if not isinstance(settings, list):
        return {}
    pairs = [one for one in settings if isinstance(one, Mapping)]
    return {str(one["name"]): _text(one["value"]) for one in pairs}


def _text(value: Value) -> Value:
    return value if isinstance(value, str) else getattr(value, "text", value)


def the_example_has_its_settings(project: Project) -> list[str]:
    """local.settings.json.example has those of its column, in its form, and no others."""
    text = (project.root / "local.settings.json.example").read_text(encoding="utf-8")
    given = json.loads(text)["Values"]
    wanted = {name for name, setting in TABLE.items() if setting.local}
    file = "local.settings.json.example"
    return [
        *(f"{file}: lacks {name}" for name in wanted - given.keys()),
        *(f"{file}: {name} is not in the table" for name in given.keys() - wanted),
    ]


def the_code_reads_its_settings(project: Project) -> list[str]:
    """chargeback.settings asks for those of its column and no others; function_app.py names those of the host."""
    asked = set(_asked())
    wanted = {name for name, setting in TABLE.items() if setting.read_by in ("settings", "platform")}
    found = [f"chargeback.settings: asks for {name}, which is not in the table" for name in asked - wanted]
    found += [f"chargeback.settings: does not ask for {name}" for name in wanted - asked]
    code = (project.root / "function_app.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"%(\w+)%"', code)) | set(re.findall(r'"(\w+Connection)"', code))
    return found + [f"function_app.py: {name} is not in the table" for name in named - TABLE.keys()]


class _Listening(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]  # as a Mapping's
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def _asked() -> Iterator[str]:
    """Yield every variable that the settings read: whole sets of them, since one decides about another."""
    connection = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000001"}
    for given in ({}, connection, {"CHARGEBACK_DEAD_LETTER_FOLDER": "letters"}):
        environment = _Listening(given)
        Settings.from_environment(environment)
        yield from environment.asked
