"""`chargeback doctor`: each line is green when it should be and red for the right reason, over real parts."""

from __future__ import annotations

import gc
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeback.doctor import finding as findings
from chargeback.doctor.finding import Finding, State, looked_at, ok
from chargeback.doctor.storage import _clock
from chargeback.doctor.streams import streams
from chargeback.doctor.versions import versions
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.reports.answer import Answer
from tests.cloud.azure import Asked, Azure, Told, signed_in
from tests.faults.azurite import Azurite
from tests.kql.rows import counted, log_row, pending
from tests.test_cli_main import ROOT, called, sentence

pytestmark = [
    pytest.mark.needs_node("azurite"),
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOBODY = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:9/"
COMPONENT = "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/components/insights"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/microsoft.operationalinsights/workspaces/logs"


def told(settings: Mapping[str, str], *words: str) -> dict[str, dict[str, str]]:
    """Run the doctor; return its lines by name. The exit code says whether one is red."""
    finished = called("doctor", "--json", "--app", str(ROOT), *words, settings=settings)
    lines = {line["name"]: line for line in json.loads(finished.stdout)}
    assert finished.returncode == any(line["state"] == "bad" for line in lines.values())
    for line in lines.values():
        assert (line["state"] != "bad") or line["advice"], line
    return lines


def states(lines: Mapping[str, Mapping[str, str]], *names: str) -> list[str]:
    return [lines[name]["state"] for name in names]


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture
def insights() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights() as running:
        yield running


def test_with_nothing_set_everything_that_is_missing_is_named_at_once() -> None:
    lines = told({})
    missing = ("Application Insights", "storage", "Event Hubs", "consumer group")
    assert states(lines, *(f"settings: {name}" for name in missing)) == ["bad"] * 4
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING is not set" in lines["settings: Application Insights"]["seen"]
    assert "AzureWebJobsStorage is not set" in lines["settings: storage"]["seen"]
    assert lines["settings: Event Hubs"]["seen"].startswith("set EventHubConnection ")
    assert lines["hub: reachable"]["state"] == lines["storage: writable"]["state"] == "not checked"


def test_a_malformed_setting_is_named_and_not_quoted() -> None:
    lines = told({"APPLICATIONINSIGHTS_CONNECTION_STRING": "SharedAccessKey=c2VjcmV0", "CHARGEBACK_GZIP": "perhaps"})
    assert lines["settings: function"]["state"] == "bad"
    assert "c2VjcmV0" not in json.dumps(lines)


def test_a_whole_road_is_green(azurite: Azurite, insights: LocalApplicationInsights) -> None:
    hub_peer = pytest.importorskip("tests.peers.hub", reason="the peer is Qpid Proton")
    with hub_peer.HubPeer("usage", partitions=2) as peer, azurite.container() as container:
        settings = {
            "EventHubConnection": peer.connection_string,
            "EVENT_HUB_NAME": "usage",
            "EVENT_HUB_CONSUMER_GROUP": "$Default",
            "AzureWebJobsStorage": azurite.connection_string,
            "CHARGEBACK_DEAD_LETTER_CONTAINER": container.container_name,
            "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        }
        lines = told(settings)
        assert not [line for line in lines.values() if line["state"] == "bad"]
        green = ("hub: reachable", "hub: consumer group", "hub: lag", "storage: writable", "clock")
        assert states(lines, *green, "Application Insights: takes events") == ["ok"] * 6
        assert lines["hub: reachable"]["seen"] == "2 partitions"
        assert list(container.list_blob_names()) == [], "the probe is taken away again"
    gc.collect()
    names = insights.store.query("customEvents | project name").rows
    assert names == (("Chargeback doctor",),)


def test_no_report_counts_the_doctors_event(insights: LocalApplicationInsights) -> None:
    told({"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string})
    from chargeback.reports.compose import compose

    for name in ("usage", "outcomeRows"):
        assert insights.store.query(compose(name)).rows == ()
    for name in ("duplicates", "in-no-report"):
        text = (ROOT / f"kql/reports/{name}.kql").read_text(encoding="utf-8")
        assert insights.store.query(compose(text)).rows == (), "these two look at events by themselves"
    alert = (ROOT / "kql/alerts/no-usage.kql").read_text(encoding="utf-8")
    assert insights.store.query(alert).rows == ((0,),)


@pytest.mark.needs_proton
def test_a_group_that_is_not_there_and_partitions_that_nobody_read_are_red(azurite: Azurite) -> None:
    from azure.eventhub import EventData, EventHubProducerClient

    from tests.peers.hub import HubPeer

    with HubPeer("usage", partitions=2) as peer:
        with EventHubProducerClient.from_connection_string(peer.connection_string) as producer:
            batch = producer.create_batch(partition_id="1")
            batch.add(EventData("x"))
            producer.send_batch(batch)
        settings = {
            "EventHubConnection": peer.connection_string,
            "EVENT_HUB_NAME": "usage",
            "EVENT_HUB_CONSUMER_GROUP": "nobodys",
            "AzureWebJobsStorage": azurite.connection_string,
        }
        lines = told(settings)
        assert states(lines, "hub: reachable", "hub: consumer group", "hub: lag") == ["ok", "bad", "bad"]
        assert lines["hub: lag"]["seen"] == "partition 1 was never read; 1 events behind, in partitions 1: 1"
        checkpoint(azurite, "usage", "$Default", "1", 0)
        lines = told(settings | {"EVENT_HUB_CONSUMER_GROUP": "$Default"})
        assert states(lines, "hub: consumer group", "hub: lag") == ["ok", "ok"]
        assert lines["hub: lag"]["seen"] == "none"
    gc.collect()


def checkpoint(azurite: Azurite, hub: str, group: str, partition: str, number: int) -> None:
    """Write a checkpoint as the host of Azure Functions does."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client("azure-webjobs-eventhub")
        with suppress(ResourceExistsError):
            container.create_container()
        name = f"127.0.0.1/{hub}/{group}/checkpoint/{partition}".lower()
        container.upload_blob(name, b"", overwrite=True, metadata={"sequencenumber": str(number), "offset": "0"})


def test_a_hub_that_nobody_answers_for_is_red() -> None:
    settings = {
        "EventHubConnection": "Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true",
        "EVENT_HUB_NAME": "usage",
        "EVENT_HUB_CONSUMER_GROUP": "$Default",
    }
    lines = told(settings)
    assert states(lines, "hub: reachable", "hub: lag") == ["bad", "not checked"]


def test_a_storage_account_that_does_not_answer_and_a_folder_that_cannot_be_written_are_red(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lines = told({"CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path / "file" / "letters")})
    assert lines["storage: writable"]["state"] == "bad"
    assert told({"CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path / "letters")})["storage: writable"]["state"] == "ok"
    assert list((tmp_path / "letters").iterdir()) == [], "the probe is taken away again"
    gone = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;"
    lines = told({"AzureWebJobsStorage": gone})
    assert states(lines, "storage: writable", "clock") == ["bad", "not checked"]


def test_an_endpoint_that_refuses_is_told_in_its_words() -> None:
    line = told({"APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY})["Application Insights: takes events"]
    assert line["state"] == "bad"
    assert "no answer from Application Insights" in line["seen"]


def test_clocks_that_are_a_minute_apart_are_red() -> None:
    assert _clock([NOW], NOW + timedelta(seconds=59)).state is State.OK
    finding = _clock([NOW], NOW - timedelta(seconds=61))
    assert (finding.state, finding.seen) == (State.BAD, "61 seconds apart from the storage account's")


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("Event Hubs", {"EventHubConnection__fullyQualifiedNamespace": "contoso.example", "EVENT_HUB_NAME": "usage"}),
        (
            "gateway log",
            {"GatewayLogConnection__fullyQualifiedNamespace": "contoso.example", "GATEWAY_LOG_HUB_NAME": "log"},
        ),
        ("storage", {"AzureWebJobsStorage__blobServiceUri": "https://127.0.0.1:9"}),
        (
            "Application Insights",
            {
                "APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY,
                "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD",
            },
        ),
    ],
)
def test_an_identity_without_a_token_is_red_and_one_with_a_token_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, settings: dict[str, str]
) -> None:
    name = f"identity: {service}"
    assert told({})[name]["state"] == "not checked"
    with signed_in(tmp_path, monkeypatch):
        assert told(settings)[name]["state"] == "ok"
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    assert told(settings)[name]["state"] == "bad"


@pytest.mark.parametrize(
    ("connection", "named"),
    [("EventHubConnection", "EVENT_HUB_NAME"), ("GatewayLogConnection", "GATEWAY_LOG_HUB_NAME")],
)
def test_a_token_is_for_the_hubs_and_of_the_identity_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str, named: str
) -> None:
    settings = {f"{connection}__fullyQualifiedNamespace": "contoso.example", named: "usage"}
    with signed_in(tmp_path, monkeypatch), Azure() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity.endpoint}/msi/token")
        identity.tells(Told({"access_token": "made-up", "expires_on": "4102444800", "token_type": "Bearer"}))
        told(settings | {f"{connection}__clientId": "11111111-2222-3333-4444-555555555555"})
    asked = {(one.parameters["resource"], one.parameters.get("client_id")) for one in identity.asked}
    assert ("https://eventhubs.azure.net", "11111111-2222-3333-4444-555555555555") in asked
    assert {resource for resource, _ in asked} == {"https://eventhubs.azure.net"}


@pytest.mark.needs_proton
def test_the_gateways_log_is_looked_at_where_it_is_set(azurite: Azurite) -> None:
    """Two hubs: the function's group is there on the one and lacks on the other, which is far behind."""
    from tests.peers.hub import HubPeer

    with HubPeer("log", partitions=1) as peer:
        for number in range(10_002):
            peer.partitions[0].append(b"\x00Su\xa0\x01x", None, number)
        settings = {
            "GatewayLogConnection": peer.connection_string,
            "GATEWAY_LOG_HUB_NAME": "log",
            "EVENT_HUB_CONSUMER_GROUP": "$Default",
            "AzureWebJobsStorage": azurite.connection_string,
        }
        checkpoint(azurite, "log", "$Default", "0", 1)
        lines = told(settings)
        names = [f"gateway log: {what}" for what in ("reachable", "consumer group", "lag")]
        assert states(lines, "settings: gateway log", *names) == ["ok", "ok", "ok", "ok"]
        assert lines["gateway log: lag"]["seen"] == "10000 events behind, in partitions 0: 10000"
        checkpoint(azurite, "log", "$Default", "0", 0)
        assert told(settings)["gateway log: lag"]["state"] == "bad"
    gc.collect()


def azure_resource(component: Mapping[str, object], capping: Mapping[str, object]) -> object:
    def answer(asked: Asked) -> Told:
        if asked.path.lower() == COMPONENT.lower():
            return Told({"properties": {"WorkspaceResourceId": WORKSPACE, **component}})
        if asked.path.lower() == WORKSPACE.lower():
            return Told({"properties": {"workspaceCapping": capping}})
        return Told({"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]})

    return answer


@pytest.mark.parametrize(
    ("component", "capping", "wanted"),
    [
        ({"SamplingPercentage": 100, "DisableLocalAuth": True}, {"dailyQuotaGb": -1.0}, ["ok", "ok", "ok"]),
        ({"SamplingPercentage": 50.0, "DisableLocalAuth": True}, {"dailyQuotaGb": 5.0}, ["bad", "ok", "ok"]),
        (
            {"DisableLocalAuth": False},
            {"dailyQuotaGb": 5.0, "dataIngestionStatus": "OverQuota"},
            ["ok", "bad", "bad"],
        ),
    ],
)
def test_the_resource_is_looked_at_where_it_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    component: Mapping[str, object],
    capping: Mapping[str, object],
    wanted: list[str],
) -> None:
    names = ("resource: sampling", "resource: daily cap", "resource: local authentication")
    assert states(told({}), *names) == ["not checked"] * 3
    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(azure_resource(component, capping))  # type: ignore[arg-type]  # it is such a function
        words = ("--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
        assert states(told({}, *words), *names) == wanted


def test_a_resource_without_a_workspace_has_a_cap_that_nobody_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(azure_resource({"WorkspaceResourceId": None}, {}))  # type: ignore[arg-type]  # it is a function
        words = ("--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
        line = told({}, *words)["resource: daily cap"]
    assert (line["state"], line["seen"]) == ("bad", "it has no workspace")


def test_a_cap_that_nobody_answers_about_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "SECONDS", 2.0)
    told_of_the_resource, over = azure_resource({}, {}), threading.Event()

    def answer(asked: Asked) -> Told:
        if asked.path.lower() == WORKSPACE.lower():
            over.wait(30)
        found: Told = told_of_the_resource(asked)  # type: ignore[operator]  # it is a function
        return found

    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(answer)
        words = ("--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
        line = told({}, *words)["resource: daily cap"]
        over.set()
    assert (line["state"], line["seen"]) == ("bad", "no answer within 2 seconds")


def test_a_resource_that_may_not_be_read_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in(tmp_path, monkeypatch) as azure:
        azure.tells(Told({"error": {"message": "no"}}, status=403))
        words = ("--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
        assert told({}, *words)["resource: sampling"]["state"] == "bad"


def test_versions_are_those_of_the_folder(tmp_path: Path) -> None:
    assert [finding.state for finding in versions(ROOT)] == [State.OK, State.OK]
    assert [finding.state for finding in versions(tmp_path)] == [State.NOT_CHECKED] * 2
    (tmp_path / "host.json").write_text('{"extensionBundle": {"version": "[3.0.0, 4.0.0)"}}')
    (tmp_path / "requirements.txt").write_text('pydantic==0.0.1\norjson==9; python_version < "3.9"\nnot-there==1\n')
    bundle, packages = versions(tmp_path)
    assert (bundle.state, packages.state) == (State.BAD, State.BAD)
    assert "pydantic is " in packages.seen
    assert "not-there is missing, not 1" in packages.seen
    assert "orjson" not in packages.seen
    (tmp_path / "requirements.txt").write_text("pydantic==0.0.1\n", encoding="utf-16")
    (_, packages) = versions(tmp_path)
    assert (packages.state, packages.seen) == (State.BAD, "requirements.txt cannot be read (UnicodeDecodeError)")


OLD, NEW = "2026-11-20T11:00:00.000Z", "2026-11-20T11:59:00.000Z"


@pytest.mark.parametrize(
    ("rows", "state", "said"),
    [
        ([counted("a", 1, 1, OLD)], State.NOT_CHECKED, "no live stream"),
        ([pending("a", NEW)], State.NOT_CHECKED, "no live stream"),
        ([pending("a", OLD)], State.BAD, "no row of the gateway's log at all"),
        ([pending("a", OLD), log_row("other", OLD, promptTokens=1)], State.BAD, "none is about the newest stream"),
        ([pending("a", OLD), log_row("a", OLD, promptTokens=1)], State.OK, "has its row"),
    ],
)
def test_the_newest_stream_must_have_its_row_in_the_log(rows: list[dict[str, object]], state: State, said: str) -> None:
    with Store() as store:
        store.add(rows)

        def ask(kql: str, _: object) -> Answer:
            answer = store.query(kql, now=NOW)
            return Answer(answer.columns, answer.types, answer.rows)

        finding = streams(ask, NOW)
    assert (finding.state, said in finding.seen) == (state, True)


def test_a_check_that_does_not_end_is_given_up() -> None:
    def wait() -> Finding:
        threading.Event().wait(5)
        return ok("x", "y")

    finding = looked_at("hub: reachable", wait, "check it", seconds=0.1)
    assert (finding.state, finding.seen) == (State.BAD, "no answer within 0.1 seconds")


def test_lines_say_in_words_what_colours_say() -> None:
    finished = called("doctor", "--app", str(ROOT))
    assert finished.returncode == 1
    lines = finished.stdout.decode().splitlines()
    assert "WRONG settings: storage: AzureWebJobsStorage is not set" in lines
    assert "ok    versions: extension bundle: [4.0.0, 5.0.0)" in lines
    assert "\x1b" not in finished.stdout.decode()
    advice = lines[lines.index("WRONG settings: storage: AzureWebJobsStorage is not set") + 1]
    assert advice == (
        "      set it in this shell as it stands in the function app's settings, or AzureWebJobsStorage__accountName"
    )
    counts = [sum(line.startswith(mark) for line in lines) for mark in ("ok    ", "WRONG ", "-     ")]
    assert min(counts) > 0
    assert lines[-1] == "{} right, {} wrong, {} not checked".format(*counts)


def test_two_sources_are_one_too_many() -> None:
    finished = called("doctor", "--store", "a", "--resource", "b")
    assert finished.returncode == 2
    assert sentence(finished).startswith("name one source")


def test_every_line_has_its_row_in_the_runbook(azurite: Azurite) -> None:
    """With the gateway's log set, every line there can be is there."""
    hub = "Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"
    lines = told(
        {"GATEWAY_LOG_HUB_NAME": "log", "GatewayLogConnection": hub, "AzureWebJobsStorage": azurite.connection_string}
    )
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8").partition("The doctor\n")[2].partition("\n## ")[0]
    rows = {name for row in re.findall(r"(?m)^\| (`[^|]+`) \|", page) for name in re.findall(r"`([^`]+)`", row)}
    assert rows == lines.keys()
