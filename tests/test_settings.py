"""Settings: read once, checked, and loud about what is wrong without quoting it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from chargeback.errors import SettingsError
from chargeback.events import USAGE_EVENT
from chargeback.settings import Ingestion, Settings, Storage, parse_pairs

KEY = "0A1B2C3D-0000-4000-8000-00000000ABCD"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
STORAGE = "AzureWebJobsStorage"
PORTAL = (
    f"InstrumentationKey={KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;"
    "LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId=12345678-0000-4000-8000-000000000000"
)


def settings(**environment: str) -> Settings:
    return Settings.from_environment(environment)


def ingestion(text: str, **others: str) -> Ingestion:
    found = settings(**{CONNECTION: text}, **others).ingestion
    assert found is not None
    return found


def refusal(**environment: str) -> str:
    """Return the sentence with which settings are refused; it quotes no value."""
    with pytest.raises(SettingsError) as raised:
        settings(**environment)
    for value in environment.values():
        assert len(value) < 8 or value not in str(raised.value)
    return str(raised.value)


def test_with_nothing_set_the_defaults_hold() -> None:
    assert settings() == Settings(
        ingestion=None,
        connection_string=None,
        storage=Storage(None, None, None, "chargeback-rejected"),
        event_name=USAGE_EVENT,
        delivery_seconds=120.0,
        gzip=True,
        role="chargeback",
        instance="",
        gateway_log=False,
    )


def test_everything_can_be_set() -> None:
    read = settings(
        **{
            CONNECTION: PORTAL,
            AUTHENTICATION: "Authorization=AAD;ClientId=22222222-0000-4000-8000-000000000000",
            f"{STORAGE}__accountName": "stchargeback",
            f"{STORAGE}__clientId": "33333333-0000-4000-8000-000000000000",
            "CHARGEBACK_DEAD_LETTER_CONTAINER": "dead-letters",
            "CHARGEBACK_EVENT_NAME": "Usage",
            "CHARGEBACK_DELIVERY_SECONDS": "90.5",
            "CHARGEBACK_GZIP": "FALSE",
            "WEBSITE_SITE_NAME": "func-chargeback",
            "WEBSITE_INSTANCE_ID": "f" * 100,
            "GATEWAY_LOG_HUB_NAME": "gateway-log",
        }
    )
    assert read == Settings(
        Ingestion(
            KEY.lower(),
            "https://westeurope-5.in.applicationinsights.azure.com",
            "https://monitor.azure.com/",
            True,
            "22222222-0000-4000-8000-000000000000",
        ),
        PORTAL,
        Storage(
            None,
            "https://stchargeback.blob.core.windows.net",
            "33333333-0000-4000-8000-000000000000",
            "dead-letters",
        ),
        "Usage",
        90.5,
        False,
        "func-chargeback",
        "f" * 64,
        True,
    )


# The connection string.


@pytest.mark.parametrize(
    ("rest", "endpoint"),
    [
        ("", "https://dc.services.visualstudio.com"),
        (";EndpointSuffix=applicationinsights.azure.cn", "https://dc.applicationinsights.azure.cn"),
        (";EndpointSuffix=ai.contoso.com;Location=westus2", "https://westus2.dc.ai.contoso.com"),
        (";IngestionEndpoint=https://a.example/;EndpointSuffix=b.example", "https://a.example"),
        (";IngestionEndpoint=http://127.0.0.1:8125/", "http://127.0.0.1:8125"),
        (";IngestionEndpoint=http://localhost:8125", "http://localhost:8125"),
        (";IngestionEndpoint=http://[::1]:8125", "http://[::1]:8125"),
        (";IngestionEndpoint=HTTPS://A.example", "HTTPS://A.example"),
        ("; ingestionendpoint = https://a.example ;;", "https://a.example"),
    ],
)
def test_the_connection_string_tells_where_to_send(rest: str, endpoint: str) -> None:
    assert ingestion(f"InstrumentationKey={KEY}{rest}") == Ingestion(KEY.lower(), endpoint)


def test_the_connection_string_may_name_another_audience() -> None:
    assert ingestion(f"{PORTAL};AADAudience=https://monitor.azure.us").audience == "https://monitor.azure.us"


@pytest.mark.parametrize(
    "text",
    [
        "IngestionEndpoint=https://a.example",
        "InstrumentationKey=",
        f"InstrumentationKey={KEY[:-1]}",
        f"InstrumentationKey={KEY}x",
        f"InstrumentationKey={{{KEY}}}",
        f"IKey={KEY}",
    ],
)
def test_a_connection_string_without_a_key_is_refused(text: str) -> None:
    assert refusal(**{CONNECTION: text}).startswith(f"{CONNECTION} has no InstrumentationKey")


@pytest.mark.parametrize(
    "text", [KEY, f"InstrumentationKey={KEY};x", f"InstrumentationKey={KEY};InstrumentationKey={KEY}"]
)
def test_a_connection_string_of_another_form_is_refused(text: str) -> None:
    assert refusal(**{CONNECTION: text}) == (
        f"{CONNECTION} is not of the form Name=value;Name=value: copy it whole from the portal"
    )


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://a.example",
        "http://127.0.0.1.example",
        "http://127.0.0.1@a.example",
        "ftp://a.example",
        "a.example",
        "https://",
        "https:///x",
        "https://[::1",
    ],
)
def test_an_endpoint_that_would_send_in_the_clear_or_nowhere_is_refused(endpoint: str) -> None:
    assert "no https address" in refusal(**{CONNECTION: f"InstrumentationKey={KEY};IngestionEndpoint={endpoint}"})


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_connection_string_is_none(blank: str) -> None:
    assert settings(**{CONNECTION: blank}).ingestion is None


# The authentication string.


@pytest.mark.parametrize(
    ("text", "entra", "client"),
    [
        ("", False, None),
        ("Authorization=AAD", True, None),
        ("authorization=aad;clientid=", True, None),
        ("Authorization=AAD;ClientId=abc", True, "abc"),
    ],
)
def test_the_authentication_string_tells_as_whom_to_send(text: str, entra: bool, client: str | None) -> None:
    read = ingestion(PORTAL, **{AUTHENTICATION: text})
    assert (read.entra, read.client_id) == (entra, client)


@pytest.mark.parametrize("text", ["Authorization=Key", "ClientId=abc", "AAD"])
def test_an_authentication_string_that_asks_for_something_else_is_refused(text: str) -> None:
    assert AUTHENTICATION in refusal(**{CONNECTION: PORTAL, AUTHENTICATION: text})


# Storage.


@pytest.mark.parametrize(
    ("environment", "storage"),
    [
        ({STORAGE: "UseDevelopmentStorage=true"}, Storage("UseDevelopmentStorage=true")),
        ({STORAGE: "AccountName=a;AccountKey=YQ=="}, Storage("AccountName=a;AccountKey=YQ==")),
        ({f"{STORAGE}__blobServiceUri": "https://x.example"}, Storage(None, "https://x.example")),
        (
            {f"{STORAGE}__accountName": "a", f"{STORAGE}__blobServiceUri": "https://x.example"},
            Storage(None, "https://x.example"),
        ),
        ({"CHARGEBACK_DEAD_LETTER_FOLDER": "/tmp/dead"}, Storage(folder="/tmp/dead")),  # noqa: S108  (never opened)
    ],
)
def test_the_storage_is_a_connection_string_an_account_or_a_folder(
    environment: Mapping[str, str], storage: Storage
) -> None:
    assert settings(**environment).storage == storage


@pytest.mark.parametrize(
    "text",
    [
        "stchargeback-account",
        "'UseDevelopmentStorage=true'",
        '"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=YQ=="',
        "AccountName=a;AccountKey=b",
        "AccountName=a;AccountKey=c2VjcmV0LXR3bw",
        "AccountKey = ;AccountName=a",
    ],
)
def test_a_storage_that_is_no_connection_string_is_refused(text: str) -> None:
    assert refusal(**{STORAGE: text}) == (
        "AzureWebJobsStorage is no storage connection string, or is in quotes, or its AccountKey is not whole: copy it "
        "whole from the portal, or set AzureWebJobsStorage__accountName for an identity"
    )


@pytest.mark.parametrize("mark", ["WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME"])
def test_a_folder_is_refused_in_azure_where_it_would_be_gone_with_the_instance(mark: str) -> None:
    environment = {"CHARGEBACK_DEAD_LETTER_FOLDER": "/home/dead-letters", mark: "1"}
    assert settings(**{mark: "1"}).instance == "1"
    assert refusal(**environment).startswith("CHARGEBACK_DEAD_LETTER_FOLDER")


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Dead", "dead--letters", "-dead", "dead-", "dead letters", "d\u00e9ad"]
)
def test_a_container_name_that_azure_would_refuse_is_refused(name: str) -> None:
    assert refusal(CHARGEBACK_DEAD_LETTER_CONTAINER=name).startswith("CHARGEBACK_DEAD_LETTER_CONTAINER must be")


def test_the_storage_account_key_is_not_shown_with_the_settings() -> None:
    assert "c2VjcmV0" not in repr(settings(**{STORAGE: "AccountName=a;AccountKey=c2VjcmV0"}))


# The rest.


@pytest.mark.parametrize("text", ["0", "0.9", "201", "1e2", "-5", "two", "nan", "120s", " 120"])
def test_a_time_to_deliver_that_is_no_sensible_number_is_refused(text: str) -> None:
    assert refusal(CHARGEBACK_DELIVERY_SECONDS=text).startswith("CHARGEBACK_DELIVERY_SECONDS must be a number")


@pytest.mark.parametrize(("text", "seconds"), [("", 120.0), ("1", 1.0), ("200", 200.0), ("12.5", 12.5)])
def test_the_time_to_deliver_is_between_one_and_200_seconds(text: str, seconds: float) -> None:
    assert settings(CHARGEBACK_DELIVERY_SECONDS=text).delivery_seconds == seconds


@pytest.mark.parametrize("text", ["yes", "1", "on", " true"])
def test_a_switch_is_true_or_false(text: str) -> None:
    assert refusal(CHARGEBACK_GZIP=text) == "CHARGEBACK_GZIP must be true or false"


def test_an_event_name_that_application_insights_would_refuse_is_refused() -> None:
    assert settings(CHARGEBACK_EVENT_NAME="n" * 512).event_name == "n" * 512
    assert "512 characters" in refusal(CHARGEBACK_EVENT_NAME="n" * 513)


def test_pairs_keep_what_follows_the_first_equals_sign() -> None:
    assert parse_pairs("A=b==; c = d ", "X") == {"a": "b==", "c": "d"}


def test_every_refusal_begins_with_the_name_of_its_variable() -> None:
    wrong = {
        CONNECTION: "wrong-as-it-is",
        STORAGE: "wrong-as-it-is",
        "CHARGEBACK_DEAD_LETTER_CONTAINER": "Wrong",
        "CHARGEBACK_DELIVERY_SECONDS": "wrong",
        "CHARGEBACK_GZIP": "wrong",
    }
    for name, value in wrong.items():
        assert re.match(rf"{name}\b", refusal(**{name: value}))
