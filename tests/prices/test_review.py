"""Which models in use have no price, which prices are old, and which rows nobody could choose between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from chargeback.errors import ReferenceDataError
from chargeback.prices.choice import UNKNOWN, Use, in_force, read_groups
from chargeback.prices.file import confirmation, read_prices
from chargeback.prices.review import review, unclear
from chargeback.prices.rows import ModelName, PriceKind, PriceRow, model_name
from chargeback.prices.uses import Calls, Deployments, uses
from tests.prices.rows import file_of, price

AT = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
ZONES = {"datazone-eu": frozenset({"swedencentral"}), "nordics": frozenset({"swedencentral", "norwayeast"})}


def use(model: str, deployment: str = "", region: str = "", batch: bool = False) -> Use:
    return Use(model_name(model), deployment, region, batch)


def found(rows: list[PriceRow], *wanted: Use, at: datetime = AT) -> list[str]:
    return [f"{each.use.name}: {each.what}" for each in review(file_of(*rows), wanted, ZONES, at)]


def test_a_model_with_a_price_is_no_finding() -> None:
    assert found([price("gpt-4.1")], use("gpt-4.1"), use("GPT-4.1-2025-04-14"), use("gpt-4.1", "global")) == []


def test_a_model_without_a_price_is_found_and_told_what_there_is_instead() -> None:
    rows = [price("gpt-4o", version="2024-11-20"), price("gpt-4o", version="2024-08-06"), price("o3")]
    assert found(rows, use("gpt-4o"), use("gpt-4o-2024-05-13"), use("my-model"), use("gpt-4o-2024-11-20")) == [
        "gpt-4o: no price; there is one for 2024-08-06, 2024-11-20",
        "gpt-4o 2024-05-13: no price; there is one for 2024-08-06, 2024-11-20",
        "my-model: no price",
    ]


def test_a_price_has_to_be_for_the_deployment_that_is_in_use() -> None:
    rows = [price("o3"), price("o3", deployment="datazone", region="datazone-eu"), price("o3", batch=True)]
    assert found(rows, use("o3", "datazone", "swedencentral"), use("o3", "global", "japaneast")) == []
    assert found(rows, use("o3", "global", batch=True)) == []
    assert found(rows, use("o3", "datazone", "japaneast")) == ["o3: no price for this type and region"]
    assert found(rows, use("o3", "regional", "swedencentral")) == ["o3: no price for this type and region"]


def test_calls_whose_deployment_nobody_knows_have_a_price_only_for_any_deployment() -> None:
    somewhere = Use(ModelName("o3"), UNKNOWN, UNKNOWN)
    assert found([price("o3")], somewhere) == ["o3: no price until deployments.kql says how it is deployed"]
    assert found([price("o3", deployment="")], somewhere) == []


def test_versions_are_compared_without_hyphens_and_a_day_of_any_year_is_one() -> None:
    rows = [price("gpt-4o", version="2024-11-20"), price("gpt-4", version="turbo-2024-04-09")]
    assert found(rows, use("gpt-4o-20241120"), use("gpt-4o-1120"), use("gpt-4-2024-04-09")) == []
    assert found(rows, use("gpt-4o-0806")) == ["gpt-4o 0806: no price; there is one for 2024-11-20"]


def test_a_price_that_begins_tomorrow_is_none_today() -> None:
    assert found([price("o3", since="2026-11-21")], use("o3")) == ["o3: no price"]
    assert found([price("o3", since="2026-11-20")], use("o3")) == []


@pytest.mark.parametrize(
    ("read", "what"),
    [("2026-08-22", []), ("2026-08-21", ["o3: read 91 days ago, on 2026-08-21, from list 2026-08-21"])],
)
def test_a_list_price_is_old_after_ninety_days(read: str, what: list[str]) -> None:
    assert found([price("o3", source=f"list {read}")], use("o3")) == what


@pytest.mark.parametrize(
    "winner",
    [
        [price("gpt-4o", version="2024-11-20")],
        [price("gpt-4o", version="2024-11-20", tier="")],
        [price("gpt-4o", version="2024-11-20", tier="", band=band) for band in ("short", "long")],
    ],
)
def test_a_row_that_another_overrules_for_these_calls_may_be_old(winner: list[PriceRow]) -> None:
    old = price("gpt-4o", "5", "2025-01-01", tier="", source="made up 2025-01-01")
    assert found([old, *winner], use("gpt-4o-2024-11-20", "global", UNKNOWN)) == []
    assert found([old, *winner], use("gpt-4o-2024-11-20")) == []
    assert len(found([old, *winner], use("gpt-4o-2024-08-06", "global", UNKNOWN))) == 1


@pytest.mark.parametrize(
    "other",
    [
        price("gpt-4o", version="2024-11-20", band="short"),
        price("gpt-4o", version="2024-11-20", region="swedencentral"),
        price("gpt-4o", version="2024-11-20", tier="priority"),
        price("gpt-4o", version="2024-11-20", kind=PriceKind.CONTRACT),
    ],
)
def test_a_row_that_still_prices_some_of_these_calls_is_old(other: PriceRow) -> None:
    old = price("gpt-4o", "5", "2025-01-01", tier="", source="made up 2025-01-01")
    assert len(found([old, other], use("gpt-4o-2024-11-20", "global"))) == 1


def test_a_price_for_a_tier_counts_for_calls_of_that_tier() -> None:
    old = price("o3", tier="priority", source="list 2025-01-01")
    assert found([price("o3"), old], use("o3")) == []
    assert found([price("o3"), old], replace(use("o3"), tier="priority")) == [
        "o3: read 688 days ago, on 2025-01-01, from list 2025-01-01"
    ]
    assert found([price("o3")], replace(use("o3"), tier="flex")) == ["o3: no price for the tier flex"]


def test_a_contracts_price_does_not_age() -> None:
    assert found([price("o3", source="contract 2020-01-01", kind=PriceKind.CONTRACT)], use("o3")) == []


def test_a_price_that_was_confirmed_is_not_old() -> None:
    file = file_of(price("o3", source="Azure Retail Prices API 2026-01-01"))
    comment = confirmation(date(2026, 11, 1), "Azure Retail Prices API", ["o3"])
    confirmed = read_prices(file.with_rows([], comment))
    assert len(review(file, [use("o3")], ZONES, AT)) == 1
    assert review(confirmed, [use("o3")], ZONES, AT) == []


def test_two_rows_about_the_same_calls_from_the_same_day_are_a_clash() -> None:
    (clash,) = unclear(file_of(price("o3", "1"), price("o3", "2")), ZONES)
    assert clash.why == "they say the same of the same day"
    assert unclear(file_of(price("o3", "1"), price("o3", "2", "2026-01-02")), ZONES) == []


def test_two_groups_with_a_region_in_common_are_a_clash_at_any_time() -> None:
    rows = [
        price("o3", deployment="datazone", region="datazone-eu"),
        price("o3", since="2026-06-01", deployment="datazone", region="nordics"),
    ]
    assert [clash.why for clash in unclear(file_of(*rows), ZONES)] == ["both groups hold swedencentral"]


@pytest.mark.parametrize(
    "other",
    [
        price("o3", deployment="datazone", region="swedencentral"),
        price("o3", deployment="datazone"),
        price("o3", deployment="datazone", region="datazone-eu", tier="priority"),
        price("o3", deployment="datazone", region="datazone-eu", kind=PriceKind.CONTRACT),
        price("o3", deployment="datazone", region="datazone-eu", version="2025-04-16"),
    ],
)
def test_a_row_that_is_more_specific_is_no_clash(other: PriceRow) -> None:
    assert unclear(file_of(price("o3", deployment="datazone", region="datazone-eu"), other), ZONES) == []


def test_two_rows_that_each_say_what_the_other_leaves_open_are_a_clash() -> None:
    rows = [price("o3", version="2025-04-16", tier=""), price("o3", since="2026-06-01")]
    assert [clash.why for clash in unclear(file_of(*rows), ZONES)] == [
        "each names something that the other leaves open"
    ]
    assert unclear(file_of(price("o3", version="2025-04-16", tier=""), price("o3", tier="")), ZONES) == []
    assert unclear(file_of(price("o3", version="2025-04-16"), price("o3", version="2024-12-17")), ZONES) == []


def test_the_publisher_makes_no_difference() -> None:
    other = price("o3")
    rows = [other, replace(other, key=replace(other.key, publisher="Somebody"))]
    assert len(unclear(file_of(*rows), ZONES)) == 1


def test_of_rows_about_the_same_calls_the_latest_that_is_valid_counts() -> None:
    rows = [price("o3", "3", "2026-12-01"), price("o3", "1", "2025-01-01"), price("o3", "2", "2026-06-01")]
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert [str(row.valid_from.date()) for row in in_force(rows, at).values()] == ["2026-06-01"]
    assert [str(row.valid_from.date()) for row in in_force(rows, at.replace(month=5)).values()] == ["2025-01-01"]


DEPLOYMENTS = """let deployments = datatable(backendHost:string, deployment:string, model:string, modelVersion:string,
    sku:string, modelRegion:string, validFrom:datetime)
[
    "", "chat", "gpt-4o", "2024-08-06", "GlobalStandard", "", datetime(2025-01-01),
    "", "chat", "gpt-4o", "2024-11-20", "DataZoneStandard", "Sweden Central", datetime(2026-01-01),
    "a.openai.azure.com", "chat", "gpt-35-turbo", "0125", "Standard", "eastus", datetime(2026-01-01),
    "", "night", "gpt-4.1", "", "GlobalBatch", "", datetime(2026-01-01),
    "", "reserved", "gpt-4.1", "", "ProvisionedManaged", "eastus", datetime(2026-01-01),
    "", "", "", "", "GlobalStandard", "", datetime(2025-01-01),
];
"""


def calls(model: str, deployment: str = "", host: str = "", region: str = "", number: int = 1) -> Calls:
    return Calls(model, deployment, host, region, number)


def test_the_table_of_deployments_comes_before_what_a_response_names() -> None:
    known = Deployments(DEPLOYMENTS, "deployments.kql")
    found, nameless = uses(
        [
            calls("chat", "chat"),
            calls("", "Chat", "b.openai.azure.com", number=2),
            calls("", "chat", "A.openai.azure.com"),
            calls("gpt-4.1", "night"),
            calls("gpt-4.1", "reserved"),
            calls("gpt-5-2025-08-07", "other", region="East US 2"),
            calls("", "other", number=5),
        ],
        known,
    )
    assert found == {
        Use(ModelName("gpt-4o", "2024-11-20"), "datazone", "swedencentral"): 3,
        Use(ModelName("gpt-3.5-turbo", "0125"), "regional", "eastus"): 1,
        Use(ModelName("gpt-4.1"), "global", UNKNOWN, batch=True): 1,
        Use(ModelName("gpt-5", "2025-08-07"), "global", "eastus2"): 1,
    }
    assert nameless == 5


def test_without_a_table_the_response_is_believed() -> None:
    found, nameless = uses([calls("gpt-4.1-2025-04-14"), calls("gpt-4.1-2025-04-14", "x")], Deployments("", ""))
    assert found == {Use(ModelName("gpt-4.1", "2025-04-14"), UNKNOWN, UNKNOWN): 2}
    assert nameless == 0


def test_the_tier_of_calls_is_read_as_the_queries_read_it() -> None:
    told = ("", "default", "auto", "Standard", "priority", "batch")
    found, _ = uses([Calls("o3", "", "", "", 1, tier) for tier in told], Deployments("", ""))
    anywhere = Use(ModelName("o3"), UNKNOWN, UNKNOWN)
    assert found == {anywhere: 4, replace(anywhere, tier="priority"): 1, replace(anywhere, batch=True): 1}


def test_a_table_of_deployments_of_another_form_is_refused() -> None:
    with pytest.raises(ReferenceDataError, match=r"has not the columns of deployments\.kql"):
        Deployments("let deployments = datatable(name:string)['x'];", "mine.kql")


def test_groups_of_regions_are_read() -> None:
    text = 'let regionGroups = datatable(regionGroup:string, region:string)["eu", "a", "eu", "b", "us", "c"];'
    assert read_groups(text) == {"eu": frozenset({"a", "b"}), "us": frozenset({"c"})}
