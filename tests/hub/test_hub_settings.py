"""The hub's settings: the function's own, in both of their forms, and loud about what is missing."""

from __future__ import annotations

import pytest

from chargeback.errors import SettingsError
from chargeback.settings.hub import GATEWAY_LOG, HUB, HUB_NAME, Hub

PLAIN = "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=reader;SharedAccessKey=c2VjcmV0"


def test_a_connection_string_and_a_name_will_do() -> None:
    hub = Hub.from_environment({"EventHubConnection": PLAIN, "EVENT_HUB_NAME": "usage"})
    assert (hub.name, hub.connection_string, hub.address) == ("usage", PLAIN, "contoso.servicebus.windows.net")
    assert "c2VjcmV0" not in repr(hub)


def test_the_hub_may_stand_in_the_connection_string() -> None:
    assert Hub.from_environment({"EventHubConnection": f"{PLAIN};EntityPath=usage"}).name == "usage"


@pytest.mark.parametrize(("connection", "named"), [(HUB, HUB_NAME), GATEWAY_LOG])
def test_two_names_that_differ_are_named_with_what_to_change(connection: str, named: str) -> None:
    """The host's library follows the one in the connection string, whatever the trigger is bound to."""
    told = {connection: f"{PLAIN};EntityPath=usage", named: "USAGE"}
    assert Hub.from_environment(told, connection, named).name == "USAGE", "hubs have no case"
    with pytest.raises(SettingsError) as raised:
        Hub.from_environment(told | {named: "other"}, connection, named)
    assert str(raised.value) == (
        f"{named} names one hub and the EntityPath in {connection} another, which is the one that the function would "
        f"read: take EntityPath out of {connection}, or set {named} to the same"
    )


def test_a_namespace_and_an_identity_will_do() -> None:
    told = {
        "EventHubConnection__fullyQualifiedNamespace": "contoso.servicebus.windows.net",
        "EventHubConnection__clientId": "11111111-2222-3333-4444-555555555555",
        "EVENT_HUB_NAME": "usage",
    }
    hub = Hub.from_environment(told)
    assert (hub.connection_string, hub.namespace) == (None, "contoso.servicebus.windows.net")
    assert hub.client_id == "11111111-2222-3333-4444-555555555555"
    assert (hub.setting, hub.name_setting) == ("EventHubConnection__fullyQualifiedNamespace", "EVENT_HUB_NAME")


def test_the_gateways_log_has_settings_of_its_own() -> None:
    told = {"GatewayLogConnection": PLAIN, "GATEWAY_LOG_HUB_NAME": "gateway-log", "EventHubConnection": "else"}
    assert Hub.from_environment(told, *GATEWAY_LOG).name == "gateway-log"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "set EventHubConnection in this shell"),
        ({"EventHubConnection": PLAIN}, "set EVENT_HUB_NAME in this shell"),
        ({"EventHubConnection": "SharedAccessKey=c2VjcmV0"}, "EventHubConnection is no connection"),
        ({"EventHubConnection": PLAIN.replace("contoso.servicebus.windows.net", "")}, "is no connection string"),
        ({"EventHubConnection": PLAIN.replace("contoso.servicebus.windows.net/", "")}, "is no connection string"),
        ({"EventHubConnection": PLAIN.replace("contoso", " ")}, "is no connection string"),
        ({"EventHubConnection": PLAIN.replace("/;", ":port/;")}, "is no connection string"),
        (
            {"EventHubConnection__fullyQualifiedNamespace": "https://contoso", "EVENT_HUB_NAME": "usage"},
            "EventHubConnection__fullyQualifiedNamespace must be like",
        ),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(told: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        Hub.from_environment(told)
    assert "c2VjcmV0" not in str(raised.value)
    assert "https://contoso" not in str(raised.value)
