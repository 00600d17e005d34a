"""Rows of meters: parts together, a row for each change, and what disagrees is told, never chosen."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chargeback.prices.gather import Gathered, gather
from chargeback.prices.items import RetailPrice
from chargeback.prices.rows import ModelName, Part, PriceRow
from chargeback.prices.vocabulary import vocabulary
from tests.prices.service import Item, answer_items

READ_ON = date(2026, 10, 6)
SWEDEN = {"swedencentral": frozenset({"swedencentral"})}


def item(meter: str, price: float, since: str = "2026-01-01", region: str = "eastus2", **more: object) -> Item:
    """Return one item of the API; a price of a thousand tokens, unless the name says a million."""
    unit = "1M" if "1M Tokens" in meter else "1K"
    product = "Azure OpenAI GPT5" if unit == "1M" else "Azure OpenAI"
    return {
        "meterName": meter,
        "productName": product,
        "unitOfMeasure": unit,
        "retailPrice": price,
        "currencyCode": "USD",
        "armRegionName": region,
        "effectiveStartDate": f"{since}T00:00:00Z",
        "meterId": f"id of {meter}",
        "type": "Consumption",
    } | more


def gathered(
    items: Collection[Item],
    wanted: Collection[ModelName] | None = None,
    places: dict[str, frozenset[str]] | None = None,
) -> Gathered:
    prices = [RetailPrice.model_validate(json.loads(json.dumps(each), parse_float=Decimal)) for each in items]
    return gather(prices, wanted, places or {}, READ_ON, vocabulary())


def azure(found: Gathered) -> list[PriceRow]:
    """Return the rows that come from meters."""
    return [row for row in found.rows if row.key.publisher != "Anthropic"]


def told(row: PriceRow) -> tuple[object, ...]:
    """Return what a row is about in short, with its prompt, cached and completion prices."""
    key = row.key
    what = f"{key.name} {key.deployment_type} {key.region_group} {key.service_tier or 'batch'} {key.context_band}"
    prices = (row.prices.get(part) for part in (Part.PROMPT, Part.CACHED, Part.COMPLETION))
    return " ".join(what.split()), row.valid_from.date().isoformat(), *(price and float(price) for price in prices)


def test_an_answer_of_the_api_becomes_the_rows_that_a_person_would_write() -> None:
    found = gathered(answer_items(), places=SWEDEN)
    assert [told(row) for row in azure(found)] == [
        ("gpt-4o 2024-11-20 global batch", "2024-12-01", 1.25, None, 5.0),
        ("gpt-4o 2024-11-20 global standard", "2024-12-01", 2.5, 1.25, 10.0),
        ("gpt-5.6-sol global standard long", "2026-07-01", 10.0, 1.0, 45.0),
        ("gpt-5.6-sol global standard long", "2026-09-01", 8.0, 0.8, 30.0),
        ("gpt-5.6-sol global standard short", "2026-07-01", 5.0, 0.5, 30.0),
        ("gpt-5.6-sol global standard short", "2026-09-01", 4.0, 0.4, 20.0),
        ("o4-mini 2025-04-16 datazone swedencentral standard", "2025-04-01", 1.21, 0.303, 4.84),
        ("text-embedding-3-small global standard", "2024-06-01", 0.02, None, None),
    ]
    assert {row.source for row in azure(found)} == {"Azure Retail Prices API 2026-10-06"}


def test_what_became_no_row_is_told_with_the_reason() -> None:
    found = gathered(answer_items())
    assert [(each.meter, each.why) for each in found.unknown] == [
        ("5.9 vega inp Gl 1M Tokens", "unknown words: 5.9 vega")
    ]
    assert [each.meter for each in found.no_column] == ["gpt rt aud 0828 cchd Inp glbl Tokens"]
    assert [(problem.key.model, problem.why) for problem in found.problems] == [("gpt-4o-mini", "only prompt")]
    assert found.others == {
        "fine-tuning: says ft": 1,
        "for volumes above a minimum": 1,
        "no token price: priced by the page": 1,
        "no token price: provisioned throughput, priced by the hour": 1,
        "of another cloud": 1,
    }


def test_the_meters_of_a_row_are_named_in_it() -> None:
    (row, *_) = azure(gathered([item("gpt 4.1 Inp glbl Tokens", 0.002), item("gpt 4.1 Outp glbl Tokens", 0.008)]))
    assert row.meter_id == "prompt=id of gpt 4.1 Inp glbl Tokens completion=id of gpt 4.1 Outp glbl Tokens"


def test_prices_are_multiplied_exactly() -> None:
    (row, *_) = azure(
        gathered([item("gpt 4.1 nano Inp glbl Tokens", 0.0001), item("gpt 4.1 nano Outp glbl Tokens", 0.0000275)])
    )
    assert row.prices == {Part.PROMPT: Decimal("0.1"), Part.COMPLETION: Decimal("0.0275")}


def test_a_part_that_came_later_makes_a_second_row() -> None:
    rows = azure(
        gathered(
            [
                item("gpt 4.1 Inp glbl Tokens", 0.002, "2025-04-01"),
                item("gpt 4.1 Outp glbl Tokens", 0.008, "2025-04-01"),
                item("gpt 4.1 cached Inp glbl Tokens", 0.0005, "2025-06-01"),
            ]
        )
    )
    assert [told(row)[1:] for row in rows] == [("2025-04-01", 2.0, None, 8.0), ("2025-06-01", 2.0, 0.5, 8.0)]


def test_a_price_that_is_announced_is_a_row_of_its_day() -> None:
    rows = azure(
        gathered(
            [
                item("gpt 4.1 Inp glbl Tokens", 0.002),
                item("gpt 4.1 Outp glbl Tokens", 0.008),
                item("gpt 4.1 Outp glbl Tokens", 0.006, "2027-01-01"),
            ]
        )
    )
    assert [(row.valid_from, told(row)[4]) for row in rows] == [
        (datetime(2026, 1, 1, tzinfo=UTC), 8.0),
        (datetime(2027, 1, 1, tzinfo=UTC), 6.0),
    ]


def test_a_price_without_its_other_half_makes_no_row() -> None:
    found = gathered([item("gpt 4.1 Inp glbl Tokens", 0.002), item("gpt 4.1 cached Inp glbl Tokens", 0.0005)])
    assert azure(found) == []
    assert [problem.why for problem in found.problems] == ["only prompt, cached"]


def test_regions_that_start_on_different_days_with_one_price_make_one_row() -> None:
    rows = azure(
        gathered(
            [
                item(f"gpt 4.1 {word} glbl Tokens", price, since, region)
                for word, price in (("Inp", 0.002), ("Outp", 0.008))
                for since, region in (("2025-04-01", "eastus2"), ("2025-12-01", "westus2"), ("2025-11-01", ""))
            ]
        )
    )
    assert [told(row)[1] for row in rows] == ["2025-04-01"]


def test_global_prices_that_differ_between_regions_are_told_and_not_chosen() -> None:
    found = gathered(
        [
            item("gpt 4.1 Inp glbl Tokens", 0.002),
            item("gpt 4.1 Inp glbl Tokens", 0.0021, region="westus2"),
            item("gpt 4.1 Outp glbl Tokens", 0.008),
        ]
    )
    assert azure(found) == []
    assert [problem.why for problem in found.problems] == ["prompt is 2 in eastus2, 2.1 in westus2"]


def test_two_meters_of_one_region_that_disagree_are_told_and_not_chosen() -> None:
    found = gathered(
        [
            item("gpt 4.1 Inp glbl Tokens", 0.002),
            item("gpt-4.1-Input-global Tokens", 0.003),
            item("gpt 4.1 Outp glbl Tokens", 0.008),
        ]
    )
    assert azure(found) == []
    assert [problem.why for problem in found.problems] == ["prompt is 2 in eastus2, 3 in eastus2"]


def test_a_disagreement_that_ends_leaves_the_rows_before_and_after_it() -> None:
    """One region gets a new price in July, the other in August: July is told, August is a row."""
    completion = [item("gpt 4.1 Outp glbl Tokens", 0.008, "2026-01-01", region) for region in ("eastus2", "westus2")]
    prompt = [
        item("gpt 4.1 Inp glbl Tokens", price, since, region)
        for since, price, region in (
            ("2026-01-01", 0.002, "eastus2"),
            ("2026-01-01", 0.002, "westus2"),
            ("2026-07-01", 0.001, "eastus2"),
            ("2026-08-01", 0.001, "westus2"),
        )
    ]
    found = gathered([*completion, *prompt])
    assert [told(row)[1:3] for row in azure(found)] == [("2026-01-01", 2.0), ("2026-08-01", 1.0)]
    assert [problem.valid_from.month for problem in found.problems] == [7]


def test_a_group_of_regions_gets_one_row_if_its_regions_agree() -> None:
    zones = {"us-eu": frozenset({"eastus2", "swedencentral"}), "all": frozenset({"eastus2", "japaneast"})}
    found = gathered(answer_items(), {ModelName("o4-mini")}, zones)
    assert [told(row)[0] for row in azure(found)] == ["o4-mini 2025-04-16 datazone us-eu standard"]
    # Until 2026-06-01 the second group has one price. It gets no row of that time: the row would count to this day.
    ((key, why),) = [(problem.key, problem.why) for problem in found.problems]
    assert (key.region_group, why) == ("all", "prompt is 1.21 in eastus2, 1.32 in japaneast")


def test_data_zone_and_regional_prices_are_for_the_places_that_are_asked_for() -> None:
    assert not [row for row in azure(gathered(answer_items())) if row.key.deployment_type != "global"]


@pytest.mark.parametrize(
    ("wanted", "models"),
    [
        ({ModelName("gpt-4o")}, {"gpt-4o 2024-11-20"}),
        ({ModelName("gpt-4o", "2024-11-20")}, {"gpt-4o 2024-11-20"}),
        ({ModelName("gpt-4o", "2024-08-06")}, set()),
        ({ModelName("gpt-5.6-sol", "2026-07-09")}, {"gpt-5.6-sol"}),
        ({ModelName("claude-opus-5", "20260801")}, {"claude-opus-5"}),
    ],
)
def test_only_models_in_use_get_rows(wanted: set[ModelName], models: set[str]) -> None:
    assert {str(row.key.name) for row in gathered(answer_items(), wanted).rows} == models


def test_a_model_that_nobody_prices_is_told() -> None:
    found = gathered(answer_items(), {ModelName("gpt-4o"), ModelName("my-model"), ModelName("claude-opus-5")})
    assert found.without == (ModelName("my-model"),)


def test_one_meter_may_price_two_models() -> None:
    meters = [
        item(f"Grok4 Fast {word} glbl Tokens", price, productName="Azure Grok Models")
        for word, price in (("Inp", 0.0002), ("Outp", 0.0005))
    ]
    assert [str(row.key.name) for row in azure(gathered(meters))] == [
        "grok-4-fast-non-reasoning",
        "grok-4-fast-reasoning",
    ]


def test_a_plain_meter_is_for_short_prompts_if_the_model_has_another_for_long_ones() -> None:
    meters = [
        item(f"4.3 {words} Tokens", price, productName="Azure Grok Models")
        for words, price in (
            ("Inp Glbl", 0.00125),
            ("Outp Glbl", 0.0025),
            ("Inp Glbl L", 0.0025),
            ("Outp Glbl L", 0.005),
        )
    ]
    rows = azure(gathered(meters))
    assert [(row.key.context_band, row.context_threshold, told(row)[2]) for row in rows] == [
        ("long", 199_999, 2.5),
        ("short", 199_999, 1.25),
    ]


def test_long_context_of_a_publisher_whose_threshold_nobody_knows_is_told() -> None:
    meters = [
        item(f"R1 LongCo {word} glbl Tokens", 0.001, productName="Azure Deepseek Models") for word in ("Inp", "Outp")
    ]
    found = gathered(meters)
    assert azure(found) == []
    assert [problem.why for problem in found.problems] == ["nobody told where long context begins with DeepSeek"]
