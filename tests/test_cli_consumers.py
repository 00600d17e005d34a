"""`chargeback consumers`: who belongs to nobody, and rows for them, with names from Azure where it is asked."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from chargeback.reports.reference import read
from tests.cloud.azure import Asked, Azure, Told, signed_in
from tests.kql.rows import counted
from tests.test_cli_main import called, command, sentence

PERIOD = ("--from", "2026-10-01", "--to", "2026-11-01")
PLANNER = "5f0c2b1e-7a44-4a0e-9f3e-2d6c8b1a9e10"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers"
SERVICE = f"{GROUP}/Microsoft.ApiManagement/service/gateway"
RESOURCE = f"{GROUP}/microsoft.insights/components/chargeback"
CALLS = [
    counted("a", 10, 5, "2026-10-05T14:00:00Z", consumerId="retail-web"),
    counted("b", 10, 5, "2026-10-06T14:00:00Z", consumerId="retail-web"),
    counted("c", 1, 1, "2026-10-07T09:30:00Z", consumerId=PLANNER, consumerType="application"),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with three calls of two consumers."""
    with Store(tmp_path / "calls.duckdb") as opened:
        opened.add(CALLS)
    return tmp_path / "calls.duckdb"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """Return a folder of reference rows of one's own."""
    (tmp_path / "ours").mkdir()
    shutil.copy(kql_folder() / "lib" / "consumers.kql", tmp_path / "ours")
    return tmp_path / "ours"


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Azure, to which this process signs in as a managed identity."""
    with signed_in(tmp_path, monkeypatch) as running:
        yield running


def records(output: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output.decode())))


def test_the_list_shows_who_belongs_to_nobody(store: Path) -> None:
    finished = called("consumers", "list", "--store", store, *PERIOD, "--format", "csv")
    assert (finished.returncode, finished.stderr) == (0, b"")
    web, planner = records(finished.stdout)
    assert (web["consumerId"], web["consumerType"], web["calls"], web["totalTokens"]) == (
        *("retail-web", "subscription", "2", "30"),
    )
    assert (planner["consumerId"], planner["consumerType"]) == (PLANNER, "application")


def test_an_empty_list_says_that_all_is_well(store: Path) -> None:
    finished = called("consumers", "list", "--store", store, "--from", "2025-01-01", "--to", "2025-02-01")
    assert finished.returncode == 0
    assert sentence(finished) == "every consumer from 2025-01-01 to 2025-02-01 (UTC) belongs to a business unit"


def test_the_list_knows_the_owners_of_a_folder(store: Path, reference: Path) -> None:
    file = reference / "consumers.kql"
    row = '"retail-web", "Retail", "", "", "", datetime(2026-10-01), datetime(null),\n];'
    file.write_text(file.read_text().replace("];", row))
    finished = called("consumers", "list", "--store", store, "--reference", reference, *PERIOD, "--format", "csv")
    assert [one["consumerId"] for one in records(finished.stdout)] == [PLANNER]


@pytest.mark.parametrize("words", [("list",), ("name",), ("list", "--store", "a", "--resource", "b")])
def test_one_source_is_needed(words: tuple[str, ...]) -> None:
    finished = called("consumers", *words)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith("name one source")


def test_rows_are_shown_first_and_nothing_is_written(store: Path, reference: Path) -> None:
    before = (reference / "consumers.kql").read_bytes()
    finished = called("consumers", "name", "--store", store, "--reference", reference, *PERIOD)
    assert finished.returncode == 0
    assert b"retail-web" in finished.stdout
    assert sentence(finished).startswith("2 rows, not written: add --write")
    assert (reference / "consumers.kql").read_bytes() == before


def test_rows_are_written_once_without_names_and_a_person_fills_them_in(store: Path, reference: Path) -> None:
    words = ("consumers", "name", "--store", store, "--reference", reference, "--write", *PERIOD)
    assert sentence(called(*words)).startswith("appended 2 rows to ")
    once = (reference / "consumers.kql").read_text()
    assert once.splitlines()[-3:] == [
        '"retail-web", "", "", "", "", datetime(2026-10-05), datetime(null),',
        f'"{PLANNER}", "", "", "", "", datetime(2026-10-07), datetime(null),',
        "];",
    ]
    assert sentence(called(*words)).startswith("every consumer ")
    assert (reference / "consumers.kql").read_text() == once


def test_a_server_that_holds_the_store_is_asked_as_well(store: Path, reference: Path) -> None:
    with Store(store) as opened, LocalApplicationInsights(opened) as local:
        words = ("--store", local.endpoint, "--reference", reference, "--write", *PERIOD)
        finished = called("consumers", "name", *words)
    assert sentence(finished).startswith("appended 2 rows")
    assert len(read(reference / "consumers.kql").rows) == 2


def everything(asked: Asked) -> Told:
    """Answer as API Management, as Graph, or as Application Insights."""
    if asked.path.endswith("/subscriptions"):
        names = {"displayName": "Retail web shop", "scope": f"{SERVICE}/apis"}
        return Told({"value": [{"name": "Retail-Web", "properties": names}]})
    if asked.path.endswith("/$batch"):
        body = {"appId": PLANNER, "displayName": 'Planner "beta"'}
        return Told({"responses": [{"id": "0", "status": 200, "body": body}]})
    columns = {"consumerId": "string", "consumerType": "string", "calls": "long", "firstCall": "datetime"}
    rows = [["retail-web", "subscription", 2, "2026-10-05T14:00:00Z"]]
    listed = [{"name": name, "type": kind} for name, kind in columns.items()]
    return Told({"tables": [{"name": "PrimaryResult", "columns": listed, "rows": rows}]})


def test_names_come_from_api_management_and_graph_as_whoever_is_signed_in(
    store: Path, reference: Path, azure: Azure
) -> None:
    azure.answers(everything)
    names = ("--apim", SERVICE, "--management", azure.endpoint, "--graph", "--graph-endpoint", azure.endpoint)
    finished = called("consumers", "name", "--store", store, "--reference", reference, "--write", *names, *PERIOD)
    assert sentence(finished).startswith("appended 2 rows")
    assert [row["displayName"] for row in read(reference / "consumers.kql").rows] == [
        "Retail web shop",
        'Planner "beta"',
    ]
    assert {asked.headers["authorization"] for asked in azure.asked} == {"Bearer made-up"}


def test_a_name_that_comes_later_gets_a_row_of_its_own(store: Path, reference: Path, azure: Azure) -> None:
    words = ("consumers", "name", "--store", store, "--reference", reference, "--write", *PERIOD)
    called(*words)
    first = (reference / "consumers.kql").read_text().splitlines()
    azure.answers(everything)
    finished = called(*words, "--apim", SERVICE, "--management", azure.endpoint)
    assert sentence(finished).startswith("appended 1 row ")
    second = (reference / "consumers.kql").read_text().splitlines()
    assert second[: len(first) - 1] == first[:-1]
    assert second[len(first) - 1].startswith('"retail-web", "", "", "", "Retail web shop", datetime(')


def test_a_resource_in_azure_is_asked_as_whoever_is_signed_in(reference: Path, azure: Azure) -> None:
    azure.answers(everything)
    words = ("--resource", RESOURCE, "--endpoint", azure.endpoint, "--reference", reference, "--write")
    assert sentence(called("consumers", "name", *words, *PERIOD)).startswith("appended 1 row ")
    (asked,) = azure.asked
    assert asked.path == f"/v1{RESOURCE}/query"
    assert "let periodStart = datetime(2026-10-01T00:00:00" in json.loads(asked.body)["query"]


def test_a_part_of_an_answer_is_a_failure(reference: Path, azure: Azure) -> None:
    whole = everything(Asked("POST", "/query", {}, {}, b"")).body
    assert isinstance(whole, dict)
    azure.tells(Told(whole | {"error": {"code": "PartialError", "message": "too much"}}))
    words = ("--resource", RESOURCE, "--endpoint", azure.endpoint)
    for asked in (("list",), ("name", "--reference", reference, "--write")):
        finished = called("consumers", *asked, *words, *PERIOD)
        assert (finished.returncode, finished.stdout) == (2, b"")
        assert "answered in part" in sentence(finished)
    assert read(reference / "consumers.kql").rows == ()


def test_where_nobody_is_signed_in_one_sentence_says_so() -> None:
    with Azure() as identity:
        identity.tells(Told({"error": {"code": "invalid_scope", "message": "no identity"}}, 400))
        settings = {
            "IDENTITY_ENDPOINT": f"{identity.endpoint}/msi/token",
            "IDENTITY_HEADER": "secret",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "NO_PROXY": "*",
        }
        finished = command("consumers", "list", "--resource", RESOURCE, settings=settings)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith("no token for Application Insights chargeback: sign in (az login)")


def test_when_azure_refuses_nothing_is_written(store: Path, reference: Path, azure: Azure) -> None:
    azure.tells(Told({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403))
    words = ("--reference", reference, "--write", "--apim", SERVICE, "--management", azure.endpoint)
    finished = called("consumers", "name", "--store", store, *words, *PERIOD)
    assert finished.returncode == 2
    assert "API Management Service Reader Role" in sentence(finished)
    assert read(reference / "consumers.kql").rows == ()


def test_a_folder_without_the_file_is_said(store: Path, tmp_path: Path) -> None:
    finished = called("consumers", "name", "--store", store, "--reference", tmp_path, *PERIOD)
    assert finished.returncode == 2
    assert "consumers.kql" in sentence(finished)
