"""The files around the function that only the host reads: each value chosen, and in step with the code."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from chargeback.settings import Settings
from chargeback.settings.process import quiet_telemetry

ROOT = Path(__file__).parent.parent

# What the platform sets by itself, and another project's variable that nobody needs to set.
OF_THE_PLATFORM = {"WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME"}
OF_OPENTELEMETRY = {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"}
# What the host and Microsoft's worker read, and our code does not.
OF_THE_HOST = {"FUNCTIONS_WORKER_RUNTIME", "PYTHON_ENABLE_OPENTELEMETRY"}


class Asked(Mapping[str, str]):
    """An environment that remembers which of its variables somebody asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.names: set[str] = set()
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@pytest.fixture
def example() -> dict[str, str]:
    """The values of local.settings.json.example."""
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    return values


@pytest.fixture
def host() -> dict[str, object]:
    """What host.json says."""
    found: dict[str, object] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return found


def read_by_the_settings(example: Mapping[str, str]) -> set[str]:
    """Return what settings.py asks for; `Name__part` stands for an identity in place of the setting `Name`."""
    asked = Asked(example)
    Settings.from_environment(asked)
    return {name.partition("__")[0] for name in asked.names}


def test_the_readme_names_what_an_identity_needs() -> None:
    asked = Asked({})
    Settings.from_environment(asked)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in asked.names if "__" in name and name not in readme} == set()


def set_for_telemetry(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return what settings.py sets for Microsoft's telemetry where nobody else has."""
    monkeypatch.setattr(os, "environ", {})
    quiet_telemetry(Settings())
    return set(os.environ)


def bound() -> set[str]:
    """Return the settings that the triggers name: `%NAME%`, and connections by their bare names."""
    tree = ast.parse((ROOT / "function_app.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    resolved = {found[1] for text in texts if (found := re.fullmatch(r"%(\w+)%", text))}
    return resolved | {text for text in texts if re.fullmatch(r"\w+Connection", text)}


def test_the_example_has_every_setting_that_anybody_reads_and_no_other(
    example: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = read_by_the_settings(example) | bound() | set_for_telemetry(monkeypatch)
    assert set(example) == (ours - OF_THE_PLATFORM - OF_OPENTELEMETRY) | OF_THE_HOST


def test_the_triggers_settings_are_found_in_the_source() -> None:
    assert bound() == {
        *("EVENT_HUB_NAME", "EVENT_HUB_CONSUMER_GROUP", "EventHubConnection"),
        *("GATEWAY_LOG_HUB_NAME", "GatewayLogConnection"),
    }


def test_the_example_can_be_used_as_it_is(example: dict[str, str]) -> None:
    """Its values are the defaults, or lead to this machine."""
    settings = Settings.from_environment(example)
    assert settings.ingestion is not None
    assert settings.ingestion.endpoint == "http://127.0.0.1:8125"
    assert settings.storage.connection_string == "UseDevelopmentStorage=true"
    assert not settings.gateway_log
    defaults = Settings()
    assert settings.event_name == defaults.event_name
    assert settings.delivery_seconds == defaults.delivery_seconds
    assert settings.gzip == defaults.gzip
    assert settings.storage.container == defaults.storage.container


def test_the_example_holds_no_secret(example: dict[str, str]) -> None:
    """The emulator's connection string has a placeholder where a key would be."""
    assert "SharedAccessKey=SAS_KEY_VALUE" in example["EventHubConnection"]
    assert not any(re.search(r"(?:AccountKey|sig)=", value) for value in example.values())


def test_every_value_of_host_json_is_as_it_was_chosen(host: dict[str, object]) -> None:
    """docs/design.md says why for each."""
    assert host == {
        "version": "2.0",
        "functionTimeout": "00:10:00",
        "telemetryMode": "OpenTelemetry",
        "logging": {"logLevel": {"default": "Warning", "Host.Results": "Information", "Function": "Information"}},
        "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"},
        "extensions": {
            "eventHubs": {
                "maxEventBatchSize": 1000,
                "minEventBatchSize": 1,
                "prefetchCount": 3000,
                "batchCheckpointFrequency": 1,
                "initialOffsetOptions": {"type": "fromStart"},
                "clientRetryOptions": {
                    "mode": "exponential",
                    "tryTimeout": "00:01:00",
                    "delay": "00:00:00.80",
                    "maximumDelay": "00:01:00",
                    "maximumRetries": 3,
                },
            }
        },
    }


def test_a_batch_has_its_time_before_the_host_takes_the_function_down(host: dict[str, object]) -> None:
    """A batch may deliver twice, and store its letters between: each may take a third of the function's time."""
    hours, minutes, seconds = (int(part) for part in str(host["functionTimeout"]).split(":"))
    longest = Settings.from_environment({"CHARGEBACK_DELIVERY_SECONDS": "200"}).delivery_seconds
    assert 3 * longest <= hours * 3600 + minutes * 60 + seconds
