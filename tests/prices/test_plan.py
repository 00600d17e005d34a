"""What an update adds: nothing that is in force already, nothing behind the file's back, and never an edit."""

from __future__ import annotations

import difflib
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from chargeback.prices.file import read_prices
from chargeback.prices.plan import Plan, last_read, plan
from chargeback.prices.rows import ModelName, PriceKind, PriceRow
from tests.prices.rows import file_of, price

TODAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
ZONES = {"datazone-eu": frozenset({"swedencentral", "francecentral"})}


def planned(file: list[PriceRow], *candidates: PriceRow, today: date = TODAY) -> Plan:
    before = file_of(*file)
    made = plan(candidates, before, ZONES, today)
    changes = [line for line in difflib.ndiff(before.text.splitlines(), made.text.splitlines()) if line[0] in "-?"]
    assert changes == [], "a line that was there has changed"
    return made


def test_a_new_model_is_added_under_a_dated_comment_with_its_source() -> None:
    made = planned([price("gpt-4.1")], price("gpt-5", source="Azure Retail Prices API 2026-11-20"))
    assert [row.key.model for row in read_prices(made.text).rows] == ["gpt-4.1", "gpt-5"]
    assert "\n    // added on 2026-11-20 from: Azure Retail Prices API 2026-11-20\n" in made.text


def test_a_price_that_is_in_force_is_not_written_again() -> None:
    made = planned([price("gpt-4.1", "2.0", "2025-04-01")], price("gpt-4.1", "2", "2026-01-01"))
    assert made.added == ()
    assert made.confirmed == (ModelName("gpt-4.1"),)


def test_a_new_price_is_a_new_row_of_its_day() -> None:
    made = planned([price("gpt-4.1", "2", "2025-04-01")], price("gpt-4.1", "1.5", "2026-12-01"))
    assert [row.valid_from.date() for row in made.added] == [date(2026, 12, 1)]
    assert made.confirmed == ()


def test_a_price_that_goes_back_to_what_it_was_is_written_again() -> None:
    old = [price("gpt-4.1", "2", "2025-04-01"), price("gpt-4.1", "3", "2026-01-01")]
    assert len(planned(old, price("gpt-4.1", "2", "2026-06-01")).added) == 1


def test_a_part_that_is_new_is_a_new_price() -> None:
    old = price("gpt-4.1", "2", "2025-04-01")
    assert len(planned([old], price("gpt-4.1", "2", "2025-04-02", cached="0.5")).added) == 1


def test_a_source_that_differs_about_the_same_day_is_told_and_changes_nothing() -> None:
    made = planned([price("gpt-4.1", "2", "2026-01-01")], price("gpt-4.1", "3", "2026-01-01"))
    assert made.added == ()
    ((ours, theirs),) = [(each.ours, each.theirs) for each in made.contradictions]
    assert (float(ours.prices["prompt"]), float(theirs.prices["prompt"])) == (2.0, 3.0)  # type: ignore[index]  # a part's name is the part


def test_what_was_before_the_files_first_row_is_not_added() -> None:
    """Months that are closed would have other prices than when they were closed."""
    made = planned([price("gpt-4.1", "2", "2026-01-01")], price("gpt-4.1", "3", "2025-04-01"))
    assert (made.added, made.contradictions) == ((), ())


def test_the_whole_history_of_a_new_model_is_added() -> None:
    made = planned([], price("gpt-4.1", "3", "2025-04-01"), price("gpt-4.1", "2", "2026-01-01"))
    assert len(made.added) == 2


def test_a_contracts_price_stands_beside_the_list_price() -> None:
    contract = price("gpt-4.1", "1.8", kind=PriceKind.CONTRACT, source="contract 2026")
    made = planned([contract], price("gpt-4.1", "2"))
    assert [row.key.kind for row in made.added] == [PriceKind.LIST]
    # What a contract does not name is paid at the list's price: months that are closed had none.
    assert [row.valid_from for row in made.added] == [MIDNIGHT]
    assert "    // gpt-4.1 global standard stands beside the contract of line 4 from 2026-11-20 on\n" in made.text


@pytest.mark.parametrize(
    "other",
    [
        price("gpt-4.1", version="2025-04-14"),
        price("gpt-4.1", deployment="datazone", region="eastus2"),
        price("gpt-4.1", tier="priority"),
        price("gpt-4.1", batch=True),
        price("gpt-4.1", band="long"),
    ],
)
def test_a_row_about_other_calls_is_another_price(other: PriceRow) -> None:
    (added,) = planned([price("gpt-4.1")], other).added
    assert (added.key, added.prices) == (other.key, other.prices)


def test_a_region_whose_group_has_the_same_price_gets_no_row() -> None:
    zone = price("gpt-4.1", "2.2", deployment="datazone", region="datazone-eu")
    here = price("gpt-4.1", "2.2", deployment="datazone", region="swedencentral")
    made = planned([zone], here)
    assert (made.added, made.confirmed) == ((), (ModelName("gpt-4.1"),))


def test_a_group_and_its_region_that_come_together_make_one_row() -> None:
    zone = price("gpt-4.1", "2.2", deployment="datazone", region="datazone-eu")
    here = price("gpt-4.1", "2.2", deployment="datazone", region="francecentral")
    assert planned([], here, zone).added == planned([], zone, here).added == (zone,)


def test_a_region_that_differs_from_its_group_gets_a_row() -> None:
    zone = price("gpt-4.1", "2.2", deployment="datazone", region="datazone-eu")
    here = price("gpt-4.1", "2.4", deployment="datazone", region="swedencentral")
    made = planned([zone], here)
    assert made.added == (replace(here, valid_from=MIDNIGHT),)
    assert "    // gpt-4.1 datazone swedencentral standard overrules line 4 from 2026-11-20 on\n" in made.text


# What says more than a row of the file wins over it, and would do so in months that are closed.


ANY = price("gpt-4o", "5", "2025-01-01", tier="")
READ = "Azure Retail Prices API 2026-11-20"
HISTORY = (
    price("gpt-4o", "2.5", "2024-12-01", version="2024-11-20", source=READ),
    price("gpt-4o", "2", "2026-02-01", version="2024-11-20", source=READ),
    price("gpt-4o", "1", "2026-12-01", version="2024-11-20", source=READ),
)


def test_what_overrules_a_price_in_force_begins_today_and_says_so() -> None:
    made = planned([price("o3"), ANY], *HISTORY)
    assert made.added == (replace(HISTORY[1], valid_from=MIDNIGHT), HISTORY[2])
    assert "    // gpt-4o 2024-11-20 global standard overrules line 5 from 2026-11-20 on\n" in made.text
    again = plan(HISTORY, read_prices(made.text), ZONES, date(2026, 11, 21))
    assert (again.added, again.contradictions, again.text) == ((), (), made.text)


def test_what_has_begun_today_is_confirmed_like_any_other_price() -> None:
    made = read_prices(planned([ANY], *HISTORY[:2]).text)
    assert plan(HISTORY[:2], made, ZONES, TODAY).confirmed == (ModelName("gpt-4o", "2024-11-20"),)


@pytest.mark.parametrize(
    "row",
    [
        price("GPT-4o", tier=""),
        price("gpt-4o-2024-11-20", deployment=""),
        price("gpt-4o", version="1120", deployment=""),
        price("gpt-4o", version="20241120", tier=""),
        replace(ANY, key=replace(ANY.key, publisher="Azure OpenAI")),
    ],
)
def test_rows_that_fit_the_same_calls_are_known_by_what_the_queries_know(row: PriceRow) -> None:
    """A model as somebody wrote it down, a version in any form, whoever publishes it."""
    assert [one.valid_from for one in planned([row], HISTORY[0]).added] == [MIDNIGHT]


@pytest.mark.parametrize(
    "row",
    [
        price("gpt-4o", version="2024-08-06"),
        price("gpt-4o", deployment="datazone"),
        price("gpt-4o", tier="priority"),
        price("gpt-4o", batch=True),
        price("gpt-4o-mini", tier=""),
        # It says more itself, and goes on pricing what it prices.
        price("gpt-4o", version="2024-11-20", region="swedencentral"),
        # It has not priced anything yet.
        price("gpt-4o", since="2026-11-21"),
    ],
)
def test_a_row_that_takes_no_calls_from_another_has_its_whole_history(row: PriceRow) -> None:
    made = planned([row], HISTORY[0])
    assert (made.added, "overrules" in made.text) == ((HISTORY[0],), False)


def test_rows_of_one_update_do_not_hold_each_other_up() -> None:
    """Nothing of their model was priced before."""
    assert planned([], ANY, HISTORY[0]).added == (ANY, HISTORY[0])


def test_that_a_source_still_says_the_same_is_noted_once_in_thirty_days() -> None:
    old = [price("gpt-4.1", source="Azure Retail Prices API 2026-10-06"), price("o3"), price("gpt-5")]
    again = [price("gpt-4.1", source="x 2026-11-20"), price("o3", source="x 2026-11-20")]
    candidates = [price(row.key.model, source="Azure Retail Prices API 2026-11-20") for row in again]
    first = planned(old, *candidates)
    assert "    // 2026-11-20 Azure Retail Prices API confirms: gpt-4.1, o3\n" in first.text
    noted = read_prices(first.text)
    assert {row.key.model: last_read(row, noted) for row in noted.rows} == {
        "gpt-4.1": date(2026, 11, 20),
        "o3": date(2026, 11, 20),
        "gpt-5": date(2026, 10, 6),
    }
    assert plan(candidates, noted, ZONES, date(2026, 12, 19)).text == noted.text
    assert plan(candidates, noted, ZONES, date(2026, 12, 20)).text != noted.text


def test_what_somebody_else_read_is_confirmed_by_azures_own_list() -> None:
    theirs = price("gpt-4.1", source="mosaic-apim 2026-09-30")
    noted = read_prices(planned([theirs], price("gpt-4.1", source="Azure Retail Prices API 2026-11-20")).text)
    assert last_read(noted.rows[0], noted) == date(2026, 11, 20)


def test_a_contracts_price_is_not_confirmed_again_and_again() -> None:
    contract = price("gpt-4.1", source="contract 2020-01-01", kind=PriceKind.CONTRACT)
    made = planned([contract, price("gpt-4.1", source="list 2026-11-19")], price("gpt-4.1"))
    assert (made.confirmed, "confirms" in made.text) == ((ModelName("gpt-4.1"),), False)


def test_a_publishers_list_is_not_confirmed_by_azures() -> None:
    claude = price("claude-opus-5", source="Anthropic list prices 2026-01-01")
    assert planned([claude], claude).text == file_of(claude).text


def test_an_update_that_is_run_twice_adds_nothing_the_second_time() -> None:
    today = "Azure Retail Prices API 2026-11-20"
    candidates = [
        price("gpt-4.1", "3", "2025-04-01", source=today),
        price("gpt-4.1", "2", source=today),
        price("o3", band="short", source=today),
    ]
    first = planned([], *candidates)
    again = plan(candidates, read_prices(first.text), ZONES, TODAY)
    assert (again.added, again.contradictions, again.text) == ((), (), first.text)
