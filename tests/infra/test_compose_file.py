"""compose.yaml: what `func start` is told in local.settings.json.example is what the containers offer, both ways.

No container engine runs here; syntax and agreement are all that is shown.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from chargeback.settings import parse_pairs
from tests.infra.deployed import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SETTINGS = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
EMULATOR = json.loads((ROOT / "infra/local/event-hubs.json").read_text(encoding="utf-8"))["UserConfig"]
LOCAL = (ROOT / "docs/local.md").read_text(encoding="utf-8")


def published(service: str) -> dict[str, str]:
    """Return a service's ports: on this machine -> in the container. Nothing may be reached from elsewhere."""
    ports = [re.fullmatch(r"127\.0\.0\.1:(\d+):(\d+)", port) for port in COMPOSE["services"][service]["ports"]]
    assert all(ports), "a port is published to other machines"
    return {found[1]: found[2] for found in ports if found}


def hubs() -> dict[str, dict[str, Any]]:
    (namespace,) = EMULATOR["NamespaceConfig"]
    assert (namespace["Type"], namespace["Name"]) == ("EventHub", "emulatorNs1"), "the emulator knows no other"
    return {hub["Name"]: hub for hub in namespace["Entities"]}


def test_it_is_a_compose_file_of_pinned_images() -> None:
    assert COMPOSE.keys() <= {"name", "services", "volumes", "networks"}
    for service in COMPOSE["services"].values():
        assert service.keys() <= {"image", "command", "ports", "depends_on", "environment", "volumes"}
        assert re.fullmatch(r"mcr\.microsoft\.com/[\w/-]+:\d+\.\d+\.\d+", service["image"])
        assert set(service.get("depends_on", ())) <= COMPOSE["services"].keys()


def test_nothing_but_what_the_two_programs_are_told_is_in_their_environment() -> None:
    assert COMPOSE["services"]["event-hubs"]["environment"].keys() == {"ACCEPT_EULA", "BLOB_SERVER", "METADATA_SERVER"}
    assert "environment" not in COMPOSE["services"]["azurite"]


def test_azurite_takes_calls_of_the_other_container_and_of_newer_clients() -> None:
    program, *options = COMPOSE["services"]["azurite"]["command"].split()
    told = " ".join(options)
    assert program == "azurite"
    assert all(f"--{kind}Host 0.0.0.0" in told for kind in ("blob", "queue", "table"))
    assert "--skipApiVersionCheck" in options
    assert "Port" not in told, "the ports that are published are its own"


def test_the_emulator_keeps_its_own_data_in_this_azurite() -> None:
    environment = COMPOSE["services"]["event-hubs"]["environment"]
    assert environment["BLOB_SERVER"] == environment["METADATA_SERVER"] == "azurite"
    assert "azurite" in COMPOSE["services"]["event-hubs"]["depends_on"]


def test_the_licence_is_accepted_by_whoever_starts_it() -> None:
    assert COMPOSE["services"]["event-hubs"]["environment"]["ACCEPT_EULA"].startswith("${ACCEPT_EULA:?")
    assert "ACCEPT_EULA=Y docker compose up" in LOCAL


def test_the_hub_and_its_consumer_group_are_those_of_the_settings() -> None:
    for hub in hubs().values():
        groups = {"$Default"} | {group["Name"] for group in hub["ConsumerGroups"]}
        assert SETTINGS["EVENT_HUB_CONSUMER_GROUP"] in groups, "both triggers read with it"
        assert isinstance(hub["PartitionCount"], str), "the emulator wants text"
        assert 1 <= int(hub["PartitionCount"]) <= 32


def test_the_hubs_are_those_of_the_settings_and_of_the_page_and_no_other() -> None:
    (log,) = re.findall(r"set `GATEWAY_LOG_HUB_NAME` to `([\w-]+)`", LOCAL)
    assert hubs().keys() == {SETTINGS["EVENT_HUB_NAME"], log}
    assert f"name: '{log}'" in (ROOT / "infra/modules/gateway-log.bicep").read_text(encoding="utf-8")
    assert SETTINGS["GATEWAY_LOG_HUB_NAME"] == SETTINGS["GatewayLogConnection"] == "", "off until it is asked for"


def test_the_other_readers_have_the_consumer_groups_that_they_have_in_azure() -> None:
    module = (ROOT / "infra/modules/eventhub.bicep").read_text(encoding="utf-8")
    (deployed,) = re.findall(r"param consumerGroups array = \[(.*)\]", module)
    _function, *readers = re.findall(r"'([\w-]+)'", deployed)
    assert [group["Name"] for group in hubs()[SETTINGS["EVENT_HUB_NAME"]]["ConsumerGroups"]] == readers


def test_the_settings_connect_to_the_ports_that_are_published() -> None:
    pairs = parse_pairs(SETTINGS["EventHubConnection"], "EventHubConnection")
    assert pairs["usedevelopmentemulator"] == "true"
    assert pairs["endpoint"] == "sb://127.0.0.1", "the emulator's port is AMQP's own, 5672"
    assert published("event-hubs") == {"5672": "5672"}
    assert SETTINGS["AzureWebJobsStorage"] == "UseDevelopmentStorage=true", "ports 10000 to 10002"
    assert published("azurite") == {port: port for port in ("10000", "10001", "10002")}


def test_the_configuration_is_mounted_where_the_emulator_looks() -> None:
    (mount,) = COMPOSE["services"]["event-hubs"]["volumes"]
    source, target, mode = mount.split(":")
    assert (ROOT / source).is_file()
    assert (target, mode) == ("/Eventhubs_Emulator/ConfigFiles/Config.json", "ro")


def test_the_dead_letters_container_is_made_by_the_function_and_named_by_the_settings() -> None:
    assert SETTINGS["CHARGEBACK_DEAD_LETTER_FOLDER"] == "", "else nothing would go to Azurite"
    assert SETTINGS["CHARGEBACK_DEAD_LETTER_CONTAINER"]


def test_the_local_application_insights_listens_where_the_settings_send() -> None:
    connection = parse_pairs(SETTINGS["APPLICATIONINSIGHTS_CONNECTION_STRING"], "APPLICATIONINSIGHTS_CONNECTION_STRING")
    assert connection["ingestionendpoint"] == "http://127.0.0.1:8125/"
    assert "local serve --port 8125" in LOCAL


def test_the_page_names_every_address() -> None:
    for port in ("5672", "10000", "8125"):
        assert f":{port}" in LOCAL
