"""What is open: calls without a cost, turned away, or of nobody; and reference rows that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from tests.kql.books import Books, write_reference
from tests.kql.month import REFERENCE, deployment, owner
from tests.kql.rows import Row, call, part, report


def test_calls_without_a_price_are_listed_with_what_is_missing(month: Books) -> None:
    rows = month.report("unpriced")
    names = ("cause", "model", "deployment", "calls", "promptTokens", "completionTokens")
    assert [part(row, *names) for row in rows] == [
        ("model not known: add the deployment to deployments.kql", "unknown", "mystery", 1, 2_000, 20),
        ("no price: add one to prices.kql", "delta", "new", 1, 1_000, 10),
    ]
    assert rows[0]["firstDay"] == datetime(2026, 10, 7, tzinfo=UTC)


def test_calls_whose_parts_do_not_fit_are_listed_one_by_one_as_they_came(month: Books) -> None:
    rows = month.report("inconsistent")
    assert [part(row, "recordId", "consumerId", "promptTokens", "cachedTokens") for row in rows] == [
        ("i1", "retail", 100, 150),
        ("i2", "retail", -5, None),
    ]
    assert [row["why"] for row in rows] == [
        "parts of the prompt are more than the prompt",
        "a count is negative, parts of the prompt are more than the prompt",
    ]


def test_whoever_is_turned_away_is_listed_with_the_hour_in_which_it_happened_most() -> None:
    def turned_away(number: int, time: str, **properties: object) -> dict[str, object]:
        told = {"consumerId": "bank", "consumerType": "subscription", "deploymentId": "chat", "statusCode": 429}
        return call(f"n{number}", time, **(told | properties))

    calls = [
        turned_away(1, "2026-10-07T08:10:00Z", forwarded=False),
        turned_away(2, "2026-10-07T09:10:00Z", forwarded=True),
        turned_away(3, "2026-10-07T09:20:00Z"),
        turned_away(4, "2026-10-08T10:00:00Z", statusCode=200),
        turned_away(5, "2026-10-08T10:00:00Z", deploymentId="", consumerId=""),
        turned_away(6, "2026-10-08T10:00:00Z", consumerId="good", statusCode=200),
    ]
    bank, nobody = report("throttled", calls)
    names = ("calls", "throttled", "byGateway", "byService", "shareOfCalls", "inBusiestHour")
    assert part(bank, "consumerId", "deployment", *names) == ("bank", "chat", 4, 3, 1, 2, 0.75, 2)
    assert part(nobody, "consumerId", "deployment", *names) == ("unknown", "unknown", 1, 1, 0, 1, 1.0, 1)
    assert part(bank, "firstTime", "lastTime", "busiestHour") == (
        datetime(2026, 10, 7, 8, 10, tzinfo=UTC),
        datetime(2026, 10, 7, 9, 20, tzinfo=UTC),
        datetime(2026, 10, 7, 9, tzinfo=UTC),
    )


def conflicts(folder: Path, settings: dict[str, str] | None = None, **tables: Sequence[str]) -> list[tuple[object, ...]]:
    with Store() as empty:
        books = Books(empty, write_reference(folder, tables, settings or {}))
        return [part(row, "file", "what", "problem") for row in books.report("reference-conflicts")]


def test_tables_that_agree_have_no_conflict(month: Books, tmp_path: Path) -> None:
    assert month.report("reference-conflicts") == []
    assert conflicts(tmp_path) == []


def price_row(keys: str, since: str = "2026-01-01", band: str = '"", long(null)', kind: str = "list") -> str:
    """Return a row of prices.kql; `keys` is model, version, type, region group, tier."""
    model, version, deployment_type, region, tier = keys.split("|")
    names = f'"Maker", "{model}", "{version}", "{deployment_type}", "{region}", {band}, "{tier}"'
    nulls = ", ".join(["real(null)"] * 3)
    return (
        f"{names}, false, datetime({since}), 1, {nulls}, 4, {nulls}, "
        f'"{kind}", "", "a test"'
    )


GROUPS = ('"near", "Sweden Central"', '"near", "france"', '"far", "japan"', '"wide", "japan"', '"wide", "france"')


@pytest.mark.parametrize(
    ("one", "other", "in_conflict"),
    [
        (price_row("a||global||"), price_row("a||global||"), True),
        (price_row("a||global||"), price_row("A||Global||"), True),
        (price_row("a||global||"), price_row("a||global||", "2026-02-01"), False),
        (price_row("a||global||"), price_row("a||global||", kind="contract"), False),
        (price_row("a||global||"), price_row("a|||near|"), True),
        (price_row("a||global||"), price_row("a|||sweden|"), False),
        (price_row("a||global||"), price_row("a||||flex"), True),
        (price_row("a||global||"), price_row("b||||flex"), False),
        (price_row("a||global||"), price_row("a||regional||"), False),
        (price_row("a|2026-05-13|||"), price_row("a|0513|||"), True),
        (price_row("a|2026-05-13|||"), price_row("a|2026-05-14|||"), False),
        (price_row("a|||near|"), price_row("a|||far|"), False),
        (price_row("a|||near|"), price_row("a|||wide|"), True),
        (price_row("a|||swedencentral|"), price_row("a|||Sweden Central|"), True),
        (price_row("a||||", band='"long", 200'), price_row("a||||", band='"short", 200'), False),
        (price_row("a||||", band='"long", 200'), price_row("a||||", band='"short", 300'), True),
        (price_row("a||||", band='"long", 200'), price_row("a||global||"), True),
    ],
)
def test_two_prices_between_which_nobody_can_choose_are_a_conflict(
    tmp_path: Path, one: str, other: str, in_conflict: bool
) -> None:
    found = conflicts(tmp_path, prices=(one, other), regionGroups=GROUPS)
    assert bool(found) == in_conflict, found
    assert {file for file, *_ in found} <= {"prices.kql"}


def test_a_row_that_was_replaced_before_the_other_came_is_in_no_conflict(tmp_path: Path) -> None:
    """The global price of 2026 has an edition of May; the flex price came in June."""
    january, may = price_row("a||global||"), price_row("a||global||", "2026-05-01")
    flex = price_row("a||||flex", "2026-06-01")
    found = [row[1:] for row in conflicts(tmp_path, prices=(january, may, flex))]
    assert len(found) == 2
    with Store() as empty:
        rows = Books(empty, tmp_path).report("reference-conflicts")
    assert {row["validFrom"] for row in rows} == {datetime(2026, 6, 1, tzinfo=UTC)}


def discount(keys: str, percent: str = "10", usd: str = "real(null)") -> str:
    """Return a row of discounts.kql; `keys` is unit, model, part."""
    unit, model, part_name = keys.split("|")
    return f'"{unit}", "", "{model}", "", "{part_name}", {percent}, {usd}, datetime(2026-01-01), "a test"'


ALWAYS = "datetime(2026-01-01), datetime(null)"
CASES: Sequence[tuple[str, dict[str, Sequence[str]], str]] = [
    ("two owners at one time", {"consumers": [owner("shop", "A"), owner("shop", "B")]}, "shop"),
    (
        "two rows for the same deployment from the same time",
        {"deployments": [deployment("chat", "a"), deployment("Chat", "b")]},
        "* chat",
    ),
    ("a sku that is not known", {"deployments": [deployment("chat", "a", "Premium")]}, "* chat Premium"),
    ("both a percentage and a price", {"discounts": [discount("A||prompt", "10", "2")]}, "A * * * prompt"),
    ("a price for no part", {"discounts": [discount("A||", "real(null)", "2")]}, "A * * *"),
    ("a part that is not known", {"discounts": [discount("A||promt")]}, "A * promt"),
    ("two rows for the same tokens", {"discounts": [discount("A||"), discount("A||", "20")]}, "A * * * *"),
    ("as specific as: * * a", {"discounts": [discount("A||"), discount("|a|")]}, "A * * * *"),
    ("one of them", {"provisioned": [f'"", "ptu", 10, 1, 2, "", {ALWAYS}']}, "* ptu"),
    ("one of them", {"provisioned": [f'"", "ptu", 10, real(null), real(null), "", {ALWAYS}']}, "* ptu"),
    ("no units", {"provisioned": [f'"", "ptu", 0, 1, real(null), "", {ALWAYS}']}, "* ptu"),
    ("add up to 0.75", {"overheads": [f'"hub", 9, "fixed", "A", 0.75, {ALWAYS}']}, "hub"),
    ("split by calls, tokens or fixed", {"overheads": [f'"hub", 9, "moon", "", real(null), {ALWAYS}']}, "hub moon"),
    (
        "same amount",
        {"overheads": [f'"hub", 9, "calls", "", real(null), {ALWAYS}', f'"hub", 8, "calls", "", real(null), {ALWAYS}']},
        "hub",
    ),
    ("two budgets", {"budgets": ['"A", 1, datetime(2026-01-01)', '"A", 2, datetime(2026-01-01)']}, "A"),
    (
        "two rows for the same model",
        {"provisionedWeights": [f'"{name}", 1, 4, 0, 1, datetime(2026-01-01), ""' for name in ("gpt-35", "gpt-3.5")]},
        "gpt-3.5",
    ),
    ("two rates", {"currencies": ['"EUR", 1, datetime(2026-01-01), ""', '"EUR", 2, datetime(2026-01-01), ""']}, "EUR"),
    ("two rates from the same day, or none", {"currencies": ['"EUR", 0, datetime(2026-01-01), ""']}, "EUR"),
    ("a context band is", {"prices": [price_row("a||||", band='"long", long(null)')]}, "a long"),
    ("a context band is", {"prices": [price_row("a||||", band='"huge", 9')]}, "a huge"),
    ("a deployment type is", {"prices": [price_row("a||world||")]}, "a world"),
    ("a price is list or contract", {"prices": [price_row("a||||", kind="spot")]}, "a spot"),
]


@pytest.mark.parametrize(("problem", "tables", "what"), CASES)
def test_what_nobody_understands_is_listed(
    tmp_path: Path, problem: str, tables: dict[str, Sequence[str]], what: str
) -> None:
    found = conflicts(tmp_path, **tables)
    assert [name for _, name, told in found if problem in str(told)] in ([what], [what, what]), found


def test_a_change_of_owner_or_of_shares_is_no_conflict(tmp_path: Path) -> None:
    moved = '"shop", "B", "", "", "", datetime(2026-05-01), datetime(null)'
    ended = '"shop", "C", "", "", "", datetime(2026-01-01), datetime(2026-01-01)'
    shares = [f'"hub", 9, "fixed", "{unit}", {share}, {ALWAYS}' for unit, share in (("A", 0.7), ("B", 0.2), ("C", 0.1))]
    later = '"hub", 5, "calls", "", real(null), datetime(2026-06-01), datetime(null)'
    assert conflicts(tmp_path, consumers=(owner("shop", "A"), moved, ended), overheads=(*shares, later)) == []


def test_a_currency_without_a_rate_is_listed(tmp_path: Path) -> None:
    late = ['"EUR", 0.9, datetime(2026-10-02), ""']
    ((file, what, _),) = conflicts(tmp_path, {"statementCurrency": '"EUR"'}, currencies=late)
    assert (file, what) == ("currencies.kql", "EUR")


def test_what_is_shipped_is_free_of_conflicts() -> None:
    assert report("reference-conflicts", []) == []


def test_a_purchase_that_is_running_has_no_hours_to_come(month_store: Store, tmp_path: Path) -> None:
    """At 02:30 on the 10th two hours and a half are bought: 25 USD, of which hour 1 was not used."""
    rows: Sequence[Row] = Books(month_store, write_reference(tmp_path, REFERENCE)).report(
        "provisioned-utilisation", now=datetime(2026, 10, 10, 2, 30, tzinfo=UTC)
    )
    assert [part(row, "hours", "idleHours", "usd", "idleUsd") for row in rows] == [(3, 1, 25.0, 10.0)]
