"""The tables of reference data that this project ships: valid, unambiguous, small enough, and no price made up."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.local.store import Store
from chargeback.prices.choice import Use, fits, in_force, read_groups
from chargeback.prices.file import read_prices
from chargeback.prices.meters import Meter, read_meter
from chargeback.prices.opinion import second_opinion
from chargeback.prices.publisher import claude_rows
from chargeback.prices.review import unclear
from chargeback.prices.rows import AZURE, Key, Part, PriceKind, PriceRow
from chargeback.prices.vocabulary import vocabulary
from chargeback.reports.compose import kql_folder
from chargeback.reports.reference import parse
from tests.kql.language import VALIDATOR

TABLES = ("prices", "regionGroups", "provisionedWeights")
TEXTS = {name: (kql_folder() / "lib" / f"{name}.kql").read_text(encoding="utf-8") for name in TABLES}
PRICES = read_prices(TEXTS["prices"])
GROUPS = read_groups(TEXTS["regionGroups"])
AT = datetime(2026, 10, 14, tzinfo=UTC)
DATA = Path(__file__).parent.parent / "data" / "prices"
CLAUDES = (Part.PROMPT, Part.CACHED, Part.CACHE_WRITE, Part.CACHE_WRITE_1H, Part.COMPLETION)


@pytest.mark.parametrize("name", TABLES)
def test_each_is_read_here_as_the_local_engine_reads_it(name: str) -> None:
    table = parse(TEXTS[name], name)
    with Store() as store:
        answer = store.query(f"{TEXTS[name]}{name}")
    assert table.name == name
    assert list(table.columns.items()) == list(zip(answer.columns, answer.types, strict=True))
    ours = [tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row.values()) for row in table.rows]
    assert ours == list(answer.rows)
    assert ours


@pytest.mark.needs_node("@kusto/language-service-next")
def test_each_is_valid_for_microsofts_language_service() -> None:
    asked = {"tables": {}, "bag": "", "keys": [], "queries": {name: f"{TEXTS[name]}{name}" for name in TABLES}}
    ran = subprocess.run(["node", VALIDATOR], input=json.dumps(asked), capture_output=True, text=True, check=True)
    assert {name: answer["findings"] for name, answer in json.loads(ran.stdout).items()} == {
        name: [] for name in TABLES
    }


@pytest.mark.parametrize("name", TABLES)
def test_each_begins_with_what_it_is_and_leaves_room_in_a_query(name: str) -> None:
    """A query may have 60,000 characters with all that is put before it."""
    assert TEXTS[name].startswith("// ")
    assert max(map(len, TEXTS[name].splitlines()[:3])) <= 130
    assert len(TEXTS[name]) < 24 * 1024


def test_no_two_prices_are_equally_specific() -> None:
    assert unclear(PRICES, GROUPS) == []


def test_every_group_that_a_price_names_is_there() -> None:
    assert {row.key.region_group for row in PRICES.rows} - {""} <= set(GROUPS)


def test_every_price_is_a_list_price_with_its_source_and_day() -> None:
    assert {row.key.kind for row in PRICES.rows} == {PriceKind.LIST}
    assert all(row.read_on.isoformat() == row.source[-10:] for row in PRICES.rows)


def test_every_source_is_one_that_the_documentation_judges() -> None:
    told = (kql_folder().parent / "docs" / "prices.md").read_text(encoding="utf-8").partition("## What is shipped")[2]
    for source in {row.source[:-11] for row in PRICES.rows}:
        assert f"| `{source}` |" in told


def readings() -> Iterator[tuple[str, Meter, PriceRow, Decimal]]:
    """Yield (day, meter, the row in force that prices it, USD per million) of what answers of the API were seen."""
    for line in (DATA / "read.jsonl").read_text(encoding="utf-8").splitlines():
        read = json.loads(line)
        meter = read_meter(read["meter"], read["product"], read["unit"], vocabulary())
        assert isinstance(meter, Meter)
        uses = [Use(name, meter.deployment_type, read["region"], meter.batch) for name in meter.models]
        rows = [
            row
            for row in in_force(PRICES.rows, datetime.fromisoformat(f"{read['read']}T00:00Z")).values()
            if any(fits(row, use, GROUPS) for use in uses)
            and row.key.service_tier in ("", meter.service_tier)
            and row.key.context_band in ("", meter.context_band or "short")
        ]
        assert rows, f"{read['meter']} is about no row"
        yield from ((read["read"], meter, row, Decimal(read["usd"]) * meter.per_million) for row in rows)


def test_no_shipped_price_differs_from_a_meter_that_was_seen() -> None:
    for _, meter, row, price in readings():
        assert row.prices[meter.part] == price, f"{row.key.name} {meter.part}"


def test_rows_that_are_said_to_be_the_apis_are_what_its_meters_say_and_no_other_rows_are() -> None:
    seen: dict[tuple[Key, str], dict[Part, Decimal]] = defaultdict(dict)
    for day, meter, row, price in readings():
        seen[row.key, f"{AZURE} {day}"][meter.part] = price
    said = {(row.key, row.source): dict(row.prices) for row in PRICES.rows if row.source.startswith(AZURE)}
    whole = {
        (row.key, source)
        for row in PRICES.rows
        for key, source in seen
        if key == row.key and seen[key, source] == row.prices
    }
    assert said == {place: seen[place] for place in whole}
    assert said


def test_every_row_prices_prompts_and_all_but_embeddings_price_completions() -> None:
    for row in PRICES.rows:
        assert Part.PROMPT in row.prices
        assert (Part.COMPLETION in row.prices) is not row.key.model.startswith("text-embedding")


@pytest.mark.parametrize(
    ("model", "version", "prices"),
    [
        ("gpt-4o", "2024-11-20", ("2.5", "1.25", "10")),
        ("gpt-4o-mini", "2024-07-18", ("0.15", "0.075", "0.6")),
        ("gpt-4.1", "", ("2", "0.5", "8")),
        ("gpt-4.1-nano", "", ("0.1", "0.025", "0.4")),
        ("o1", "2024-12-17", ("15", "7.5", "60")),
        ("o3", "2025-04-16", ("2", "0.5", "8")),
        ("o3-mini", "2025-01-31", ("1.1", "0.55", "4.4")),
        ("o4-mini", "2025-04-16", ("1.1", "0.275", "4.4")),
        ("gpt-5", "", ("1.25", "0.125", "10")),
        ("gpt-5-nano", "", ("0.05", "0.005", "0.4")),
        ("deepseek-r1", "", ("1.35", None, "5.4")),
    ],
)
def test_the_main_models_have_their_global_price(model: str, version: str, prices: tuple[str | None, ...]) -> None:
    (row,) = [
        row
        for key, row in in_force(PRICES.rows, AT).items()
        if (key.model, key.model_version, key.deployment_type, key.batch) == (model, version, "global", False)
    ]
    told = tuple(row.prices.get(part) for part in (Part.PROMPT, Part.CACHED, Part.COMPLETION))
    assert told == tuple(price and Decimal(price) for price in prices)


def test_what_others_think_of_the_shipped_prices_is_known() -> None:
    """genai-prices knows publishers' prices: two models cost something else on Azure, and the rest is the same."""
    opinion = second_opinion(PRICES.rows, AT)
    assert {each.row.key.model for each in opinion.differences} == {"deepseek-r1", "gpt-oss-120b"}
    assert opinion.unknown == ()
    assert opinion.agreed > 100


def test_claude_costs_a_tenth_more_in_the_data_zone() -> None:
    (world,) = [row for row in claude_rows() if row.key.model == "claude-opus-5" and not row.key.deployment_type]
    (zone,) = [row for row in claude_rows() if row.key.model == "claude-opus-5" and row.key.deployment_type]
    told = [Decimal(text) for text in ("5", "0.5", "6.25", "10", "25")]
    assert [world.prices[part] for part in CLAUDES] == told
    dearer = [Decimal(text) for text in ("5.5", "0.55", "6.875", "11", "27.5")]
    assert (zone.key.deployment_type, [zone.prices[part] for part in CLAUDES]) == ("datazone", dearer)


def test_shipped_rows_of_claude_are_the_publishers_list() -> None:
    listed = {(row.key, row.valid_from): row for row in claude_rows()}
    for row in PRICES.rows:
        if row.key.publisher == "Anthropic":
            assert row == listed[row.key, row.valid_from]


def test_the_weights_make_microsofts_own_example() -> None:
    """1,000 requests a minute of 200 and 20 tokens, gpt-5.2: 105.88 units; with half the prompts cached 76.47."""
    (row,) = [row for row in parse(TEXTS["provisionedWeights"], "").rows if row["model"] == "gpt-5.2"]
    ratio, unit, cached = row["outputRatio"], row["promptTokensPerMinutePerUnit"], row["cachedWeight"]
    assert isinstance(ratio, Decimal)
    assert isinstance(unit, int)
    assert isinstance(cached, Decimal)
    whole = (200_000 + ratio * 20_000) / unit
    half = (100_000 + cached * 100_000 + ratio * 20_000) / unit
    assert (round(whole, 2), round(half, 2)) == (Decimal("105.88"), Decimal("76.47"))
