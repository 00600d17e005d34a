"""What is open: calls without a cost, turned away, or of nobody; and reference rows that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from tests.kql.books import Books, write_reference
from tests.kql.month import deployment, owner
from tests.kql.rows import call, part, report

pytestmark = pytest.mark.once


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


def conflicts(folder: Path, tables: Mapping[str, Sequence[str]], **settings: str) -> list[tuple[object, ...]]:
    with Store() as empty:
        books = Books(empty, write_reference(folder, tables, settings))
        return [part(row, "file", "what", "problem") for row in books.report("reference-conflicts")]


def test_tables_that_agree_have_no_conflict(month: Books, tmp_path: Path) -> None:
    assert month.report("reference-conflicts") == []
    assert conflicts(tmp_path, {}) == []


def price_row(keys: str, since: str = "2026-01-01", band: str = '"", long(null)', kind: str = "list") -> str:
    """Return a row of prices.kql; `keys` is model, version, type, region group, tier."""
    model, version, deployment_type, region, tier = keys.split("|")
    names = f'"Maker", "{model}", "{version}", "{deployment_type}", "{region}", {band}, "{tier}"'
    nulls = ", ".join(["real(null)"] * 3)
    return f'{names}, false, datetime({since}), 1, {nulls}, 4, {nulls}, "{kind}", "", "a test"'


GROUPS = ('"near", "Sweden Central"', '"near", "france"', '"far", "japan"', '"wide", "japan"', '"wide", "france"')


# Two rows, and whether nobody can choose between them. The model's name is filled in: each pair has its own.
PAIRS = (
    (price_row("MODEL||global||"), price_row("MODEL||global||"), True),
    (price_row("MODEL||global||"), price_row("MODEL||Global||"), True),
    (price_row("MODEL||global||"), price_row("MODEL||global||", "2026-02-01"), False),
    (price_row("MODEL||global||"), price_row("MODEL||global||", kind="contract"), False),
    (price_row("MODEL||global||"), price_row("MODEL|||near|"), True),
    (price_row("MODEL||global||"), price_row("MODEL|||sweden|"), False),
    (price_row("MODEL||global||"), price_row("MODEL||||flex"), True),
    (price_row("MODEL||global||"), price_row("other-MODEL||||flex"), False),
    (price_row("MODEL||global||"), price_row("MODEL||regional||"), False),
    (price_row("MODEL|2026-05-13|||"), price_row("MODEL|0513|||"), True),
    (price_row("MODEL|2026-05-13|||"), price_row("MODEL|2026-05-14|||"), False),
    (price_row("MODEL|||near|"), price_row("MODEL|||far|"), False),
    (price_row("MODEL|||near|"), price_row("MODEL|||wide|"), True),
    (price_row("MODEL|||swedencentral|"), price_row("MODEL|||Sweden Central|"), True),
    (price_row("MODEL||||", band='"long", 200'), price_row("MODEL||||", band='"short", 200'), False),
    (price_row("MODEL||||", band='"long", 200'), price_row("MODEL||||", band='"short", 300'), True),
    (price_row("MODEL||||", band='"long", 200'), price_row("MODEL||global||"), True),
)


def test_two_prices_between_which_nobody_can_choose_are_a_conflict(tmp_path: Path) -> None:
    rows = [row.replace("MODEL", f"m{n}") for n, (one, other, _) in enumerate(PAIRS) for row in (one, other)]
    found = {str(what).split()[0] for _, what, _ in conflicts(tmp_path, {"prices": rows, "regionGroups": GROUPS})}
    assert found == {f"m{n}" for n, (*_, in_conflict) in enumerate(PAIRS) if in_conflict}


def test_a_row_that_was_replaced_before_the_other_came_is_in_no_conflict(tmp_path: Path) -> None:
    """The global price of 2026 has an edition of May; the flex price came in June."""
    january, may = price_row("a||global||"), price_row("a||global||", "2026-05-01")
    flex = price_row("a||||flex", "2026-06-01")
    found = [row[1:] for row in conflicts(tmp_path, {"prices": (january, may, flex)})]
    assert len(found) == 2
    with Store() as empty:
        rows = Books(empty, tmp_path).report("reference-conflicts")
    assert {row["validFrom"] for row in rows} == {datetime(2026, 6, 1, tzinfo=UTC)}


def discount(keys: str, percent: str = "10", usd: str = "real(null)") -> str:
    """Return a row of discounts.kql; `keys` is unit, model, part."""
    unit, model, part_name = keys.split("|")
    return f'"{unit}", "", "{model}", "", "{part_name}", {percent}, {usd}, datetime(2026-01-01), "a test"'


ALWAYS = "datetime(2026-01-01), datetime(null)"
MISTAKES: dict[str, Sequence[str]] = {
    "consumers": [owner("shop", "A"), owner("shop", "B")],
    "deployments": [deployment("chat", "a"), deployment("Chat", "b"), deployment("odd", "a", "Premium")],
    "discounts": [
        discount("A||prompt", "10", "2"),
        discount("B||", "real(null)", "2"),
        discount("C||promt"),
        discount("D||"),
        discount("D||", "20"),
        discount("E|a|"),
        discount("E||cached"),
        discount("F|P1-2026-01-01|"),
    ],
    "provisioned": [
        f'"", "two", 10, 1, 2, "", {ALWAYS}',
        f'"", "none", 10, real(null), real(null), "", {ALWAYS}',
        f'"", "empty", 0, 1, real(null), "", {ALWAYS}',
    ],
    "overheads": [
        f'"hub", 9, "fixed", "A", 0.75, {ALWAYS}',
        f'"sky", 9, "moon", "", real(null), {ALWAYS}',
        f'"log", 9, "calls", "", real(null), {ALWAYS}',
        f'"log", 8, "calls", "", real(null), {ALWAYS}',
    ],
    "budgets": ['"A", 1, datetime(2026-01-01)', '"A", 2, datetime(2026-01-01)'],
    "provisionedWeights": [f'"{name}", 1, 4, 0, 1, datetime(2026-01-01), ""' for name in ("gpt-35", "gpt-3.5")],
    "currencies": [
        '"EUR", 1, datetime(2026-01-01), ""',
        '"EUR", 2, datetime(2026-01-01), ""',
        '"SEK", 0, datetime(2026-01-01), ""',
    ],
    "prices": [
        price_row("p1||||", band='"long", long(null)'),
        price_row("p2||||", band='"huge", 9'),
        price_row("p3||world||"),
        price_row("p4||||", kind="spot"),
    ],
}
FOUND = [
    ("budgets.kql", "A", "two budgets from the same day"),
    ("consumers.kql", "shop", "two owners at one time"),
    ("currencies.kql", "EUR", "two rates from the same day, or none"),
    ("currencies.kql", "SEK", "two rates from the same day, or none"),
    ("deployments.kql", "* chat", "two rows for the same deployment from the same time"),
    ("deployments.kql", "* odd Premium", "a sku that is not known"),
    ("discounts.kql", "A * * * prompt", "both a percentage and a price"),
    ("discounts.kql", "B * * *", "a price for no part: one price for prompt and completion"),
    ("discounts.kql", "C * promt", "a part that is not known"),
    ("discounts.kql", "D * * * *", "two rows for the same tokens from the same day"),
    ("discounts.kql", "E * * * cached", "for some of the same tokens as specific as: E * a * *"),
    ("discounts.kql", "E * a * *", "for some of the same tokens as specific as: E * * * cached"),
    ("discounts.kql", "E * a * *", "no price is of that model"),
    ("overheads.kql", "hub", "fixed shares add up to 0.75, not to 1"),
    ("overheads.kql", "log", "one row, or one for each unit with its fixed share: same amount, same way"),
    ("overheads.kql", "sky moon", "an overhead is split by calls, tokens or fixed"),
    ("prices.kql", "p1 long", "a context band is short or long, and has a threshold"),
    ("prices.kql", "p2 huge", "a context band is short or long, and has a threshold"),
    ("prices.kql", "p3 world", "a deployment type is global, datazone, regional or empty"),
    ("prices.kql", "p4 spot", "a price is list or contract"),
    ("provisioned.kql", "* empty", "no units"),
    ("provisioned.kql", "* none", "a price by the hour, or one by the month: one of them"),
    ("provisioned.kql", "* two", "a price by the hour, or one by the month: one of them"),
    ("provisionedWeights.kql", "gpt-3.5", "two rows for the same model from the same day"),
]


def test_what_contradicts_itself_or_nobody_understands_is_listed_and_nothing_else(tmp_path: Path) -> None:
    assert conflicts(tmp_path, MISTAKES) == FOUND


def test_a_change_of_owner_or_of_shares_is_no_conflict(tmp_path: Path) -> None:
    moved = '"shop", "B", "", "", "", datetime(2026-05-01), datetime(null)'
    ended = '"shop", "C", "", "", "", datetime(2026-01-01), datetime(2026-01-01)'
    shares = [f'"hub", 9, "fixed", "{unit}", {share}, {ALWAYS}' for unit, share in (("A", 0.7), ("B", 0.2), ("C", 0.1))]
    later = '"hub", 5, "calls", "", real(null), datetime(2026-06-01), datetime(null)'
    tables = {"consumers": (owner("shop", "A"), moved, ended), "overheads": (*shares, later)}
    assert conflicts(tmp_path, tables) == []


def test_a_currency_without_a_rate_is_listed(tmp_path: Path) -> None:
    late = ['"EUR", 0.9, datetime(2026-10-02), ""']
    ((file, what, _),) = conflicts(tmp_path, {"currencies": late}, statementCurrency='"EUR"')
    assert (file, what) == ("currencies.kql", "EUR")


def test_what_is_shipped_is_free_of_conflicts() -> None:
    assert report("reference-conflicts", []) == []
