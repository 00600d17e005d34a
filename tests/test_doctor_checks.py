"""The doctor's checks, one by one: each is red for the reason that it names, and green when that is mended."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from chargeback.doctor import finding as findings
from chargeback.doctor.finding import Finding, State, looked_at, ok
from chargeback.doctor.ingestion import DOCTOR_EVENT
from chargeback.doctor.round import at_once
from chargeback.doctor.versions import versions
from chargeback.errors import ChargebackError
from chargeback.local.faults import Fault
from chargeback.local.server import LocalApplicationInsights
from chargeback.reports.compose import kql_folder
from tests.cloud.azure import Asked, Told, signed_in
from tests.faults.served import HttpHandler, HttpServer, Served
from tests.kql.rows import NOON, ask, counted, event, log_row, pending, rejected
from tests.test_cli_doctor import COMPONENT, NOBODY, WORKSPACE, states, told
from tests.test_cli_main import ROOT, called

SECRET = "c2VjcmV0LW9mLXRoaXMtdGVzdA=="
REFUSING = f"Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey={SECRET};UseDevelopmentEmulator=true"
HUB = f"Endpoint=sb://contoso.example/;SharedAccessKeyName=a;SharedAccessKey={SECRET}"


# Settings.


def test_every_malformed_setting_is_named_at_once_and_none_is_quoted() -> None:
    settings = {
        "CHARGEBACK_GZIP": f"perhaps {SECRET}",
        "CHARGEBACK_DELIVERY_SECONDS": f"long {SECRET}",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={SECRET}",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"Authorization={SECRET}",
        "AzureWebJobsStorage": f"key={SECRET}",
        "CHARGEBACK_DEAD_LETTER_CONTAINER": f"Not_A_Name {SECRET}",
        "EventHubConnection": f"Endpoint=sb://contoso.example/;SharedAccessKey={SECRET}",
        "GATEWAY_LOG_HUB_NAME": "log",
        "GatewayLogConnection": SECRET,
    }
    lines = told(settings)
    wanted = {
        "settings: function": ("CHARGEBACK_GZIP", "CHARGEBACK_DELIVERY_SECONDS"),
        "settings: Application Insights": (
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        ),
        "settings: storage": ("AzureWebJobsStorage", "CHARGEBACK_DEAD_LETTER_CONTAINER"),
        "settings: Event Hubs": ("EventHubConnection",),
        "settings: consumer group": ("EVENT_HUB_CONSUMER_GROUP",),
        "settings: gateway log": ("GatewayLogConnection",),
    }
    for name, variables in wanted.items():
        assert lines[name]["state"] == "bad", name
        assert [variable for variable in variables if variable not in lines[name]["seen"]] == []
    assert SECRET.rstrip("=") not in json.dumps(lines)
    # By half of what belongs together nothing is sent or written.
    assert states(lines, "storage: writable", "Application Insights: takes events") == ["not checked"] * 2


def test_no_probe_is_written_where_one_of_the_settings_about_it_is_malformed() -> None:
    """With a container's name left out it would go to another container than the function's."""
    account = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a"
    lines = told({"AzureWebJobsStorage": account, "CHARGEBACK_DEAD_LETTER_CONTAINER": "Not_A_Name"})
    assert states(lines, "settings: storage", "storage: writable") == ["bad", "not checked"]


def test_no_event_is_sent_as_nobody_where_how_to_sign_in_is_malformed() -> None:
    with LocalApplicationInsights() as insights:
        wrong = {"APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=Basic"}
        lines = told({"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string, **wrong})
        assert insights.requests == []
    names = ("settings: Application Insights", "Application Insights: takes events")
    assert states(lines, *names) == ["bad", "not checked"]


def test_settings_that_are_all_well_formed_are_green(tmp_path: Path) -> None:
    lines = told(
        {
            "CHARGEBACK_GZIP": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY,
            "CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path),
            "EventHubConnection__fullyQualifiedNamespace": "nowhere.invalid",
            "EVENT_HUB_NAME": "usage",
            "EVENT_HUB_CONSUMER_GROUP": "chargeback",
            "GATEWAY_LOG_HUB_NAME": "log",
            "GatewayLogConnection": "Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true",
        }
    )
    of_settings = [line["state"] for name, line in lines.items() if name.startswith("settings: ")]
    assert of_settings == ["ok"] * 6


def test_a_hub_whose_connection_and_name_are_both_missing_is_told_of_both() -> None:
    seen = told({})["settings: Event Hubs"]["seen"]
    assert "EventHubConnection" in seen
    assert "EVENT_HUB_NAME" in seen
    seen = told({"EVENT_HUB_NAME": "usage"})["settings: Event Hubs"]["seen"]
    assert "EVENT_HUB_NAME" not in seen


def test_a_name_in_the_connection_string_does_not_bind_the_trigger() -> None:
    """The host does not start where %EVENT_HUB_NAME% is nothing; the hub itself can be looked at."""
    lines = told({"EventHubConnection": f"{REFUSING};EntityPath=usage"})
    line = lines["settings: Event Hubs"]
    assert (line["state"], line["seen"]) == ("bad", "EVENT_HUB_NAME is not set: the app does not start without it")
    assert line["advice"].startswith("set it in this shell")
    assert lines["hub: reachable"]["state"] == "bad"


@pytest.mark.parametrize(
    ("line", "connection", "named"),
    [
        ("settings: Event Hubs", "EventHubConnection", "EVENT_HUB_NAME"),
        ("settings: gateway log", "GatewayLogConnection", "GATEWAY_LOG_HUB_NAME"),
    ],
)
def test_two_names_of_a_hub_that_differ_are_red(line: str, connection: str, named: str) -> None:
    found = told({connection: f"{HUB};EntityPath=usage", named: "other"})[line]
    assert (found["state"], found["advice"]) == ("bad", "correct it")
    assert found["seen"].startswith(f"{named} names one hub and the EntityPath in {connection} another")


@pytest.mark.parametrize("settings", [{}, {"EVENT_HUB_NAME": "usage"}, {"EventHubConnection": REFUSING}])
def test_what_is_not_set_is_to_be_set_and_what_is_malformed_to_be_corrected(settings: dict[str, str]) -> None:
    lines = told(settings)
    missing = ("Event Hubs", "Application Insights", "storage", "consumer group")
    advice = [lines[f"settings: {name}"]["advice"] for name in missing]
    assert [text for text in advice if not text.startswith("set it in this shell")] == []
    wrong = told({"EventHubConnection": "nonsense", "EVENT_HUB_NAME": "usage"})
    assert wrong["settings: Event Hubs"]["advice"] == "correct it"


@pytest.mark.parametrize("text", [f"AccountName=a;AccountKey={SECRET[:-1]}", f'"AccountName=a;AccountKey={SECRET}"'])
def test_a_storage_account_that_cannot_be_signed_for_is_red_at_its_setting(text: str) -> None:
    lines = told({"AzureWebJobsStorage": text})
    assert states(lines, "settings: storage", "storage: writable") == ["bad", "not checked"]
    assert lines["settings: storage"]["seen"].startswith(
        "AzureWebJobsStorage is no storage connection string, or is in"
    )
    assert SECRET[:-2] not in json.dumps(lines)


def test_a_hub_that_is_not_reached_is_told_by_the_setting_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    monkeypatch.setattr(findings, "SECONDS", 5.0)
    settings = {"EventHubConnection__fullyQualifiedNamespace": "nowhere.invalid", "EVENT_HUB_NAME": "usage"}
    line = told(settings)["hub: reachable"]
    assert line["state"] == "bad"
    assert line["advice"].startswith("check EventHubConnection__fullyQualifiedNamespace and EVENT_HUB_NAME, and")


@pytest.mark.parametrize("connection", ["Endpoint=sb://contoso.example/", f"Endpoint=http://a/;{HUB[31:]}", "nonsense"])
def test_a_connection_string_that_the_library_cannot_read_is_a_line_and_no_trace(connection: str) -> None:
    line = told({"EventHubConnection": connection, "EVENT_HUB_NAME": "usage"})["settings: Event Hubs"]
    assert line["state"] == "bad"
    assert "copy it whole from the portal" in line["seen"]


# What a look can run into.


def _refused(status: int, code: str) -> HttpResponseError:
    error = HttpResponseError(message=f"Authorization: {SECRET}")
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]  # as Azure Storage's errors have it
    return error


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (ChargebackError("the words"), "the words"),
        (_refused(403, "AuthorizationFailure"), "it answered 403 (AuthorizationFailure)"),
        (ServiceRequestError(SECRET), "no answer (ServiceRequestError)"),
        (AzureError(SECRET), "no answer (AzureError)"),
        (ValueError(SECRET), "it cannot be looked at (ValueError)"),
        (PermissionError(13, SECRET), "it cannot be looked at (PermissionError)"),
    ],
)
def test_what_a_look_raises_is_a_finding_without_the_errors_own_words(error: Exception, seen: str) -> None:
    def look() -> Finding:
        raise error

    assert looked_at("x", look, "do this") == Finding("x", State.BAD, seen, "do this")


def test_families_are_looked_at_side_by_side_and_told_in_order() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=10)

    def family(name: str) -> Callable[[], Iterator[Finding]]:
        def look() -> Iterator[Finding]:
            both.wait()
            yield ok(name, "1")
            yield ok(name, "2")

        return look

    waited: list[str] = []
    lines = [(line.name, line.seen) for line in at_once({"b": family("b"), "a": family("a")}, waited.append)]
    assert lines == [("b", "1"), ("b", "2"), ("a", "1"), ("a", "2")]
    assert list(dict.fromkeys(waited)) == ["b", "a"]


def test_what_a_family_raises_is_raised() -> None:
    def look() -> Iterator[Finding]:
        yield ok("x", "1")
        raise KeyError("x")

    with pytest.raises(KeyError):
        list(at_once({"x": look}, lambda _: None))


# Storage and the clock.


class _Storage(HttpServer):
    status, hours = 201, 0.0


class _Handler(HttpHandler):
    server: _Storage

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002  (the base class calls it so)
        """Return the Date of every answer."""
        return format_datetime(datetime.now(UTC) + timedelta(hours=self.server.hours), usegmt=True)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {"x-ms-error-code": "AuthenticationFailed"} if self.server.status == 403 else {"ETag": '"1"'}
        if self.server.status == 201:
            headers["Last-Modified"] = self.date_time_string()
        self.answer(self.server.status, headers, b"")

    def do_DELETE(self) -> None:
        self.answer(202 if self.server.status == 201 else self.server.status, {}, b"")


@pytest.mark.parametrize(
    ("status", "hours", "wanted", "seen"),
    [
        (201, 0, ["ok", "ok"], "a blob was written to chargeback-rejected"),
        (201, 0.5, ["ok", "bad"], "a blob was written"),
        (201, -0.5, ["ok", "bad"], "a blob was written"),
        # A clock that is far off is why a shared key is refused: the refusal itself says the time.
        (403, 0.5, ["bad", "bad"], "it answered 403 (AuthenticationFailed)"),
        (403, 0, ["bad", "ok"], "it answered 403 (AuthenticationFailed)"),
    ],
)
def test_the_clock_is_read_from_whatever_the_storage_account_answers(
    status: int, hours: float, wanted: list[str], seen: str
) -> None:
    server = _Storage(_Handler)
    server.status, server.hours = status, hours
    with Served(server) as running:
        account = f"AccountName=a;AccountKey={SECRET};BlobEndpoint=http://127.0.0.1:{running.port}/a;"
        lines = told({"AzureWebJobsStorage": f"DefaultEndpointsProtocol=http;{account}"})
    assert states(lines, "storage: writable", "clock") == wanted
    assert seen in lines["storage: writable"]["seen"]
    assert hours == 0 or lines["clock"]["seen"].startswith(("1800 ", "1799 ", "1801 "))


# Application Insights.


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("status", status=439), "439"),
        (Fault("status", status=401), "401"),
        (
            Fault("refuse_items", item_status=400, message="108: Field 'name' on type 'EventData' is too long"),
            "too long",
        ),
        (Fault("html"), "without accounting for"),
    ],
)
def test_an_event_that_is_not_taken_is_red_in_the_services_words(fault: Fault, said: str) -> None:
    with LocalApplicationInsights() as insights:
        settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string}
        insights.faults.switch_on(fault)
        line = told(settings)["Application Insights: takes events"]
        assert (line["state"], said in line["seen"]) == ("bad", True), line
        insights.faults.switch_off()
        line = told(settings)["Application Insights: takes events"]
        assert (line["state"], line["seen"]) == ("ok", "it took the event Chargeback doctor")


def test_the_event_is_sent_as_whom_the_function_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where identities alone may send, an event without a token would be red on a road that is whole."""

    def takes_with_a_token(asked: Asked) -> Told:
        if asked.headers.get("authorization") != "Bearer made-up":
            return Told({}, status=401)
        return Told({"itemsReceived": 1, "itemsAccepted": 1, "errors": []})

    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(takes_with_a_token)
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000001"
        settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": f"{key};IngestionEndpoint={azure.endpoint}/"}
        assert told(settings)["Application Insights: takes events"]["state"] == "bad"
        settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = "Authorization=AAD"
        assert told(settings)["Application Insights: takes events"]["state"] == "ok"


def _asks_events(folder: str) -> list[Path]:
    return [file for file in sorted(kql_folder().glob(f"{folder}/*.kql")) if "customEvents" in file.read_text()]


ASK_EVENTS = [
    file.read_text(encoding="utf-8") for folder in ("reports", "alerts", "examples") for file in _asks_events(folder)
]
"""Every query that looks at events by itself; all others look at the two tables that the library makes of them."""


def test_two_tables_are_made_of_events() -> None:
    assert [file.stem for file in _asks_events("lib")] == ["outcomes", "usage"]
    assert len(ASK_EVENTS) >= 7


@pytest.mark.parametrize(
    "query", ["usageRows | project name, customDimensions", "outcomeRows", *ASK_EVENTS], ids=lambda query: query[:40]
)
def test_no_report_and_no_alert_says_anything_else_for_the_doctors_event(query: str) -> None:
    calls = [
        counted("a", 10, 5, model="gpt-4o"),
        pending("b"),
        log_row("b", promptTokens=7, completionTokens=3),
        rejected("c"),
    ]
    ours = event(DOCTOR_EVENT, NOON, {"reason": "a test of the road"})
    assert ask([*calls, ours, ours], query) == ask(calls, query)


def test_the_events_of_that_test_are_counted() -> None:
    """Where nothing were counted, nothing else would be either."""
    assert {row["recordId"] for row in ask([counted("a", 10, 5), pending("b")], "usageRows")} == {"a", "b"}
    assert len(ask([rejected("c")], "outcomeRows")) == 1


# The resource.


def _answers(billing: Mapping[str, object], status: Mapping[str, object], workspace: Told) -> Callable[[Asked], Told]:
    def answer(asked: Asked) -> Told:
        component = {"WorkspaceResourceId": WORKSPACE, "SamplingPercentage": 100, "DisableLocalAuth": True}
        known = {
            COMPONENT: Told({"properties": component}),
            f"{COMPONENT}/currentbillingfeatures": Told(billing),
            f"{COMPONENT}/quotastatus": Told(status),
            WORKSPACE: workspace,
        }
        empty = Told({"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]})
        return {path.lower(): told_ for path, told_ in known.items()}.get(asked.path.lower(), empty)

    return answer


@pytest.mark.parametrize(
    ("billing", "status", "workspace", "state", "seen"),
    [
        ({}, {}, Told({"properties": {"workspaceCapping": {"dailyQuotaGb": -1.0}}}), "ok", "there is none"),
        (
            {"DataVolumeCap": {"Cap": 2.5}},
            {"ShouldBeThrottled": False},
            Told({"properties": {"workspaceCapping": {"dailyQuotaGb": 5}}}),
            "ok",
            "2.5 GB a day",
        ),
        (
            {"DataVolumeCap": {"Cap": 2.5}},
            {"ShouldBeThrottled": True},
            Told({"properties": {"workspaceCapping": {"dailyQuotaGb": -1.0}}}),
            "bad",
            "it is reached (2.5 GB a day)",
        ),
        (
            {"DataVolumeCap": {"Cap": 100}},
            {},
            Told({"properties": {"workspaceCapping": {"dailyQuotaGb": 1, "dataIngestionStatus": "OverQuota"}}}),
            "bad",
            "it is reached (1 GB a day)",
        ),
        ({}, {}, Told({"error": {"message": "no"}}, status=403), "not checked", "403"),
    ],
)
def test_the_cap_is_the_components_or_the_workspaces(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    billing: Mapping[str, object],
    status: Mapping[str, object],
    workspace: Told,
    state: str,
    seen: str,
) -> None:
    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(_answers(billing, status, workspace))
        lines = told({}, "--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
    assert lines["resource: daily cap"]["state"] == state
    assert seen in lines["resource: daily cap"]["seen"]
    assert lines["identity: Azure management"]["state"] == "ok"


def test_whoever_gets_no_token_for_azures_management_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in(tmp_path, monkeypatch) as azure:
        monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
        lines = told({}, "--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
    assert states(lines, "identity: Azure management", "resource: sampling") == ["bad", "bad"]
    assert "no token" in lines["resource: sampling"]["seen"]


def test_a_management_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "SECONDS", 1.0)
    let_go = threading.Event()

    def wait(_: Asked) -> Told:
        let_go.wait(20)
        return Told(status=500)

    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(wait)
        began = time.monotonic()
        lines = told({}, "--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
        assert time.monotonic() - began < 10
        let_go.set()
    names = ("resource: sampling", "resource: daily cap", "resource: local authentication", "streams: the log's ids")
    assert [(lines[name]["state"], lines[name]["seen"]) for name in names] == [
        ("bad", "no answer within 1 seconds")
    ] * 4


# Versions.


@pytest.mark.parametrize(
    ("bundle", "state"),
    [
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"}, State.OK),
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"}, State.OK),
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 6.0.0)"}, State.BAD),
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[3.*, 4.0.0)"}, State.BAD),
        ({"id": "Microsoft.Azure.Functions.ExtensionBundle.Preview", "version": "[4.0.0, 5.0.0)"}, State.BAD),
        ({"version": "[4.0.0, 5.0.0)"}, State.BAD),
        (None, State.BAD),
    ],
)
def test_the_bundle_is_the_one_that_is_tested(tmp_path: Path, bundle: object, state: State) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"extensionBundle": bundle}))
    assert next(iter(versions(tmp_path))).state is state


@pytest.mark.parametrize("line", ["pydantic", "pydantic>=1", "pydantic~=2.0", "-r others.txt"])
def test_a_requirement_that_is_not_pinned_is_red(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"# a comment\n\n{line}\n")
    assert [(one.state, "is not pinned" in one.seen) for one in versions(tmp_path)][1] == (State.BAD, True)


# Live streams, asked where reports ask.


def test_the_newest_stream_is_looked_for_in_a_local_store() -> None:
    moment = datetime.now(UTC) - timedelta(hours=1)
    at = f"{moment:%Y-%m-%dT%H:%M:%S.000Z}"
    with LocalApplicationInsights() as insights:
        insights.store.add([pending("a", at), log_row("other", at, promptTokens=1)])
        line = told({}, "--store", insights.endpoint)["streams: the log's ids"]
        assert (line["state"], "none is about the newest stream" in line["seen"]) == ("bad", True), line
        insights.store.add([log_row("a", at, promptTokens=1)])
        assert told({}, "--store", insights.endpoint)["streams: the log's ids"]["state"] == "ok"


@pytest.mark.parametrize(("of_the_newest", "state"), [(1, "ok"), (0, "bad")])
def test_the_newest_stream_is_looked_for_in_azure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_the_newest: int, state: str
) -> None:
    columns = [{"name": name, "type": "long"} for name in ("streams", "ofTheLog", "ofTheNewest")]

    def answer(asked: Asked) -> Told:
        if asked.method == "POST":
            return Told({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [[3, 2, of_the_newest]]}]})
        return Told({"error": {"message": "no"}}, status=403)

    with signed_in(tmp_path, monkeypatch) as azure:
        azure.answers(answer)
        lines = told({}, "--resource", COMPONENT, "--management", azure.endpoint, "--endpoint", azure.endpoint)
    assert lines["streams: the log's ids"]["state"] == state


def test_a_store_that_is_not_there_is_red() -> None:
    line = told({}, "--store", "nowhere.duckdb")["streams: the log's ids"]
    assert line["state"] == "bad"


# What is printed.


def test_no_setting_is_printed_whatever_fails(tmp_path: Path) -> None:
    settings = {
        "EventHubConnection": f"Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey={SECRET};UseDevelopmentEmulator=true",
        "EVENT_HUB_NAME": "usage",
        "EVENT_HUB_CONSUMER_GROUP": "$Default",
        "AzureWebJobsStorage": f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={SECRET};BlobEndpoint=http://127.0.0.1:9/a",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": NOBODY,
    }
    finished = called("doctor", "--app", str(tmp_path), settings=settings)
    said = finished.stdout.decode() + finished.stderr.decode()
    assert finished.returncode == 1
    assert SECRET.rstrip("=") not in said
    assert NOBODY.partition("=")[2].partition(";")[0] not in said
    assert "Traceback" not in said


def test_a_terminal_gets_colours_and_is_told_what_is_waited_for() -> None:
    import os
    import pty
    import subprocess
    import sys

    from tests.test_cli_main import environment

    ours, theirs = pty.openpty()
    env = environment({"TERM": "xterm", "COLUMNS": "200"})
    for name in ("NO_COLOR", "FORCE_COLOR"):
        env.pop(name, None)
    line = [sys.executable, "-m", "chargeback", "doctor", "--app", str(ROOT)]
    with subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not piece:
                break
            said += piece
        os.close(ours)
    assert process.returncode == 1
    text = said.decode()
    assert "\x1b[31mWRONG " in text
    assert "\x1b[32mok    " in text
    assert "looking at settings ..." in text
    assert "looking at streams ..." in text
    assert text.rstrip().endswith("not checked")
