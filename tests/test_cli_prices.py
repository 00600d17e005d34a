"""`chargeback prices`: what is listed, what is found, and how an update shows, writes, and fails."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from chargeback.prices.file import read_prices
from chargeback.prices.retail import URL
from chargeback.reports.compose import kql_folder
from tests.kql.rows import counted
from tests.prices.rows import price, written
from tests.prices.service import PriceList, Reply, answer_items, page
from tests.test_cli_main import called, command, sentence

TODAY = datetime.now(UTC).date().isoformat()
SHIPPED = (kql_folder() / "lib" / "prices.kql").read_text(encoding="utf-8")


def deployments(model: str, version: str, sku: str) -> str:
    """Return a table that says the same of every deployment."""
    return (
        "let deployments = datatable(backendHost:string, deployment:string, model:string, modelVersion:string,"
        f' sku:string, modelRegion:string, validFrom:datetime)\n["", "", "{model}", "{version}", "{sku}", "",'
        " datetime(2025-01-01)];"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of reference tables: one price that was read long ago, one that was not; global standard deployments."""
    rows = (
        price("gpt-4o", "5", "2024-12-01", version="2024-11-20", source="Azure Retail Prices API 2026-01-01"),
        price("o3", "2", "2025-06-01", source="Azure Retail Prices API 2026-10-06", cached="0.5"),
    )
    (tmp_path / "prices.kql").write_text(written(*rows))
    (tmp_path / "deployments.kql").write_text(deployments("", "", "GlobalStandard"))
    return tmp_path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with calls of two models, and of one that nobody prices."""
    path = tmp_path / "calls.duckdb"
    names = ("gpt-4o-2024-11-20", "gpt-4o-2024-11-20", "o3-2025-04-16", "my-model")
    with Store(path) as opened:
        opened.add(
            [
                counted(str(number), 100, 10, model=name, modelRegion="swedencentral")
                for number, name in enumerate(names)
            ]
        )
    return path


def rows_of(*options: str | Path) -> list[dict[str, str]]:
    finished = called("prices", "list", "--format", "csv", *options)
    assert (finished.returncode, finished.stderr) == (0, b"")
    return list(csv.DictReader(io.StringIO(finished.stdout.decode())))


def test_the_list_is_what_the_file_says() -> None:
    assert len(rows_of()) == len(read_prices(SHIPPED).rows)


def test_the_list_of_a_model_on_a_day_has_what_is_in_force() -> None:
    rows = rows_of("--model", "gpt-5.6-sol", "--at", "2026-08-31")
    told = [(row["context"], row["valid from"], row["prompt"], row["completion"]) for row in rows]
    assert told == [("long 272000", "2026-07-01", "10.0", "45.0"), ("short 272000", "2026-07-01", "5.0", "30.0")]
    assert len(rows_of("--model", "gpt-5.6-sol")) > len(rows)


def test_a_models_name_may_be_written_as_a_response_has_it() -> None:
    assert {row["version"] for row in rows_of("--model", "GPT-4o-2024-11-20")} == {"2024-11-20"}


def test_the_list_for_people_leaves_out_what_no_row_has(folder: Path) -> None:
    shown = called("prices", "list", "--reference", folder).stdout.decode()
    heads = shown.splitlines()[0].split()
    assert "cached" in heads
    assert "cacheWrite" not in heads
    assert "o3" in shown


def test_a_program_gets_every_column(folder: Path) -> None:
    (first, *_) = json.loads(called("prices", "list", "--reference", folder, "--format", "json").stdout)
    assert (first["model"], first["prompt"], first["cacheWrite"]) == ("gpt-4o", 5.0, None)


def test_check_finds_what_has_no_price_and_what_is_old(folder: Path, store: Path) -> None:
    finished = called(
        "prices", "check", "--store", store, "--reference", folder, "--at", "2026-11-20", "--format", "csv"
    )
    assert finished.returncode == 1
    found = [
        (row["model"], row["calls"], row["finding"]) for row in csv.DictReader(io.StringIO(finished.stdout.decode()))
    ]
    assert found == [
        ("gpt-4o", "2", "read 323 days ago, on 2026-01-01, from Azure Retail Prices API 2026-01-01"),
        ("my-model", "1", "no price"),
    ]
    assert "gpt-4o 2024-11-20, prompt: 5 here, 2.5 there" in finished.stderr.decode()


def test_check_is_content_with_models_whose_prices_are_there(folder: Path) -> None:
    finished = called("prices", "check", "--models", "o3-2025-04-16", "--reference", folder, "--at", "2026-11-20")
    assert (finished.returncode, finished.stdout) == (0, b"")
    assert "nothing found; models and deployments in use: 1" in finished.stderr.decode()


def test_check_finds_two_rows_that_are_equally_specific(folder: Path) -> None:
    (folder / "prices.kql").write_text(written(price("o3", "1"), price("o3", "2")))
    finished = called("prices", "check", "--models", "o3", "--reference", folder, "--at", "2026-11-20")
    assert finished.returncode == 1
    assert "two rows are equally specific (they say the same of the same day)" in finished.stderr.decode()


def test_the_table_of_deployments_says_what_is_in_use(folder: Path, store: Path) -> None:
    (folder / "deployments.kql").write_text(deployments("o3", "2025-04-16", "DataZoneStandard"))
    finished = called(
        "prices", "check", "--store", store, "--reference", folder, "--at", "2026-11-20", "--format", "csv"
    )
    (row,) = csv.DictReader(io.StringIO(finished.stdout.decode()))
    assert (row["model"], row["deployment"], row["region"], row["calls"], row["finding"]) == (
        "o3",
        "datazone",
        "swedencentral",
        "4",
        "no price for this type and region",
    )


def test_an_update_is_shown_and_not_made(folder: Path, store: Path) -> None:
    before = (folder / "prices.kql").read_text()
    with PriceList(answer_items(), size=20) as service:
        finished = called("prices", "update", "--store", store, "--reference", folder, "--url", service.url)
    assert finished.returncode == 0
    assert (folder / "prices.kql").read_text() == before
    shown = finished.stdout.decode()
    assert [line[:60] for line in shown.splitlines() if line.startswith("-")] == [f"--- {folder / 'prices.kql'}"[:60]]
    added = [line for line in shown.splitlines() if line.startswith("+ ")]
    assert [line[:51] for line in added] == [
        f"+    // added on {TODAY} from: Azure Retail Prices "[:51],
        '+    "OpenAI", "gpt-4o", "2024-11-20", "global", "", "", lon'[:51],
    ]
    assert ", true, datetime(2024-12-01), 1.25, " in added[1]
    # The file says 5 of the same day, and a row is never edited: somebody has to look.
    assert "differ about the same day" in shown
    assert re.search(r"gpt-4o +2024-11-20 +global +standard +2024-12-01 +prompt +5 +2\.5", shown)
    assert "5.9 vega inp Gl 1M Tokens" in shown
    assert "Nobody lists a price of my-model, o3 2025-04-16" in shown
    said = f"Nothing is written: 1 new row, 0 models as they were. Add --write to write {folder / 'prices.kql'}."
    assert shown.splitlines()[-1] == said
    assert "page 3, 46 prices so far" in finished.stderr.decode()
    assert "armRegionName eq 'swedencentral'" in service.seen[0]


def test_an_update_is_made_once(folder: Path) -> None:
    before = (folder / "prices.kql").read_text().splitlines()
    asked = ("prices", "update", "--models", "gpt-5.6-sol,o4-mini,claude-opus-5", "--region", "Sweden Central")
    with PriceList(answer_items()) as service:
        made = called(*asked, "--reference", folder, "--url", service.url, "--write")
        after = (folder / "prices.kql").read_text()
        again = called(*asked, "--reference", folder, "--url", service.url, "--write")
    assert (made.returncode, again.returncode) == (0, 0)
    assert f"Wrote 7 new rows to {folder / 'prices.kql'}" in made.stdout.decode()
    assert [line for line in after.splitlines() if line in before] == before
    models = [row.key.model for row in read_prices(after).rows]
    assert models == ["gpt-4o", "o3", *["claude-opus-5"] * 2, *["gpt-5.6-sol"] * 4, "o4-mini"]
    assert "Nothing to write: 3 models as they were." in again.stdout.decode()
    assert (folder / "prices.kql").read_text() == after


def test_a_folder_without_prices_gets_the_shipped_ones_and_more(tmp_path: Path) -> None:
    with PriceList(answer_items()) as service:
        asked = ("--models", "o4-mini", "--region", "japaneast", "--url", service.url, "--write")
        finished = called("prices", "update", *asked, "--reference", tmp_path)
    assert finished.returncode == 0
    shipped, made = read_prices(SHIPPED), read_prices((tmp_path / "prices.kql").read_text())
    assert made.rows == shipped.rows, "datazone-apac has Japan's price already"


def test_the_address_in_the_help_is_the_one_that_is_asked() -> None:
    assert URL in called("prices", "update", "--help").stdout.decode()


def test_every_model_is_taken_only_if_that_is_said(folder: Path) -> None:
    with PriceList(answer_items()) as service:
        shown = called("prices", "update", "--all", "--reference", folder, "--url", service.url).stdout.decode()
    added = re.findall(r'^\+    "[^"]+", "([^"]+)"', shown, re.MULTILINE)
    assert {"gpt-4o", "gpt-5.6-sol", "text-embedding-3-small", "claude-opus-5", "claude-haiku-4-5"} <= set(added)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "say whose prices: --store PATH for the models in use, or --models a,b for some"),
        (("--models", "a", "--store", "b"), "say whose prices"),
        (("--all", "--models", "a"), "--all is for every model: leave out --store and --models"),
        (("--models", "a", "--reference", "gone"), "there is no folder gone"),
        (("--store", "gone.duckdb"), "there is no store gone.duckdb"),
    ],
)
def test_what_does_not_go_together_is_refused(options: tuple[str, ...], why: str) -> None:
    finished = called("prices", "update", *options)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert why in sentence(finished)


def test_what_overrules_a_price_in_force_begins_today_and_then_nothing_is_found(folder: Path) -> None:
    """Closed months keep the price of the row that was there, which says less."""
    general = price("gpt-4o", "5", "2025-01-01", tier="", source="made up 2025-01-01")
    (folder / "prices.kql").write_text(written(price("o3", tier=""), general))
    asked = ("--models", "gpt-4o", "--reference", folder)
    with PriceList(answer_items()) as service:
        finished = called("prices", "update", *asked, "--url", service.url, "--write")
    shown = finished.stdout.decode().splitlines()
    assert f"+    // gpt-4o 2024-11-20 global standard overrules line 5 from {TODAY} on" in shown
    begun = [row for row in read_prices((folder / "prices.kql").read_text()).rows if row.key.model == "gpt-4o"][1:]
    days = {(row.key.batch, row.key.deployment_type): row.valid_from.date().isoformat() for row in begun}
    assert days[False, "global"] == TODAY
    assert days[True, "global"] == "2024-12-01", "no batches had a price"
    chats = folder / "chats.duckdb"
    with Store(chats) as opened:
        opened.add([counted("1", 100, 10, model="gpt-4o-2024-11-20", modelRegion="swedencentral")])
    found = called("prices", "check", "--store", chats, "--reference", folder)
    assert (found.returncode, found.stdout) == (0, b"")
    assert "nothing found" in found.stderr.decode()
    assert "but not" not in found.stderr.decode()


def test_an_answer_that_breaks_off_every_time_is_one_sentence(folder: Path) -> None:
    cut = Reply(body=page(answer_items()), cut=True)
    with PriceList(answer_items(), *[cut] * 5) as service:
        finished = called("prices", "update", "--models", "o3", "--reference", folder, "--url", service.url)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith("no answer from ")


def test_an_empty_answer_is_an_error_and_writes_nothing(folder: Path) -> None:
    before = (folder / "prices.kql").read_text()
    with PriceList() as service:
        asked = ("--models", "o3", "--reference", folder, "--url", service.url, "--write")
        finished = command("prices", "update", *asked)
    assert finished.returncode == 2
    assert b"it may have been renamed" in finished.stderr
    assert b"Traceback" not in finished.stderr
    assert (folder / "prices.kql").read_text() == before


def test_an_answer_that_breaks_off_in_the_middle_writes_nothing(folder: Path) -> None:
    before = (folder / "prices.kql").read_text()
    with PriceList(answer_items(), Reply(body=b'{"Items": ['), size=5) as service:
        finished = called("prices", "update", "--all", "--reference", folder, "--url", service.url, "--write")
    assert finished.returncode == 2
    assert "is no price list" in finished.stderr.decode()
    assert (folder / "prices.kql").read_text() == before


def test_a_file_that_is_not_understood_is_named_with_its_line(folder: Path) -> None:
    (folder / "prices.kql").write_text(written(price("o3")).replace('"list"', "strcat('li', 'st')"))
    for words in (("list",), ("check", "--models", "o3"), ("update", "--models", "o3")):
        finished = called("prices", *words, "--reference", folder)
        assert finished.returncode == 2
        assert f"{folder / 'prices.kql'}, line 4: " in sentence(finished)


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026-11"])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    assert "is no date: write it like 2026-01-31" in sentence(called("prices", "list", "--at", day))


def test_a_file_that_would_be_too_long_is_not_written(folder: Path) -> None:
    rows = [price(f"model-{number}") for number in range(500)]
    (folder / "prices.kql").write_text(written(*rows))
    with PriceList(answer_items()) as service:
        asked = ("--models", "gpt-4o", "--reference", folder, "--url", service.url, "--write")
        finished = called("prices", "update", *asked)
    assert finished.returncode == 2
    assert "and queries and Bicep take 100,000 at most" in finished.stderr.decode()


def test_a_group_that_overlaps_another_one_is_refused(folder: Path) -> None:
    zone = price("o4-mini", "1.3", version="2025-04-16", deployment="datazone", region="nordics")
    (folder / "prices.kql").write_text(written(zone))
    (folder / "regionGroups.kql").write_text(
        "let regionGroups = datatable(regionGroup:string, region:string)\n"
        '["nordics", "swedencentral", "eu", "swedencentral"];'
    )
    with PriceList(answer_items()) as service:
        asked = ("--models", "o4-mini", "--region", "eu", "--reference", folder, "--url", service.url, "--write")
        finished = called("prices", "update", *asked)
    assert finished.returncode == 2
    assert "would be equally specific (both groups hold swedencentral)" in finished.stderr.decode()
