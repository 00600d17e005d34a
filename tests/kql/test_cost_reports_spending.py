"""Who spent what on which model, day by day, against which budget. tests/kql/month.py has the month, worked out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chargeback.local.store import Store
from tests.kql.books import Books, write_reference
from tests.kql.month import deployment, owner, price
from tests.kql.rows import NOON, Row, counted, part

pytestmark = pytest.mark.once


def near(*numbers: float | None) -> object:
    """Expect reals: sums of them are right to a billionth."""
    return pytest.approx(numbers, abs=1e-9)


def costs(row: Row) -> tuple[object, ...]:
    return part(row, "listCost", "contractCost", "chargedCost")


def test_each_model_has_its_tokens_and_its_cost_at_three_prices(month: Books) -> None:
    """alpha: r1 and b1, and without a cost i1, k1, m1. gamma: the purchase, used and not."""
    rows = {(row["model"], row["lineKind"]): row for row in month.report("cost-by-model")}

    names = ("publisher", "deploymentType", "calls", "callsWithoutCost", "promptTokens", "cachedTokens")
    assert {key: part(row, *names) for key, row in rows.items()} == {
        ("gamma", "provisioned"): ("", "global", 3, 0, 90_000, 6_000),
        ("", "idle"): ("", "", 0, 0, 0, 0),
        ("alpha", "tokens"): ("Maker", "global", 8, 3, 1_200_100, 400_150),
        ("beta", "tokens"): ("Maker", "global", 3, 1, 1_499_995, 0),
        ("delta", "tokens"): ("", "global", 1, 1, 1_000, 0),
        ("unknown", "tokens"): ("", "", 1, 1, 2_000, 0),
    }
    assert costs(rows["gamma", "provisioned"]) == near(20.0, 20.0, 20.0)
    assert costs(rows["", "idle"]) == near(20.0, 20.0, 20.0)
    assert costs(rows["alpha", "tokens"]) == near(14.95, 11.96, 10.86)
    assert costs(rows["beta", "tokens"]) == near(2.505, 2.505, 2.505)
    assert costs(rows["delta", "tokens"]) == (None, None, None)
    assert costs(rows["unknown", "tokens"]) == (None, None, None)


def test_each_consumer_has_its_unit_and_its_cost(month: Books) -> None:
    rows = {row["consumerId"]: row for row in month.report("cost-by-consumer")}

    names = ("businessUnit", "costCenter", "consumerName", "calls", "callsWithoutCost", "totalTokens")
    assert {key: part(row, *names) for key, row in rows.items()} == {
        "bank": ("Bank", "CC-2", "Loans", 7, 2, 339_020),
        "": ("", "", "idle capacity", 0, 0, 0),
        "retail": ("Retail", "CC-1", "Web shop", 7, 4, 1_602_369),
        "lab": ("Lab", "CC-3", "lab", 1, 0, 7_500),
        "stranger": ("", "", "stranger", 1, 0, 1_250_000),
    }
    assert costs(rows["bank"]) == near(21.216666667, 20.306666667, 20.006666667)
    assert costs(rows["retail"]) == near(10.905, 8.825, 8.025)
    assert costs(rows["stranger"]) == near(2.0, 2.0, 2.0)


def test_every_day_has_a_row_and_its_average_over_a_week(month: Books) -> None:
    """The 6th averages six days, the 10th those from the 4th on: (8.025 + 5.34 + 40) / 7."""
    rows = month.report("cost-per-day")
    assert [row["day"].day for row in rows] == list(range(1, 32))  # type: ignore[attr-defined]  # a time
    days = dict(enumerate(rows, start=1))

    names = ("chargedCost", "idleCost", "sevenDayAverage")
    assert part(days[4], "calls", *names) == (0, 0.0, 0.0, 0.0)
    assert part(days[5], *names) == near(8.025, 0.0, 1.605)
    assert part(days[6], *names) == near(5.34, 0.0, 2.2275)
    assert part(days[10], *names) == near(40.0, 20.0, 7.623571429)
    assert part(days[17], *names) == near(0.0, 0.0, 0.0)
    assert part(days[7], "calls", "callsWithoutCost", "totalTokens") == (9, 6, 3_139)


def test_days_that_are_still_to_come_have_no_row(month: Books) -> None:
    rows = month.report("cost-per-day", now=datetime(2026, 10, 6, 12, tzinfo=UTC))
    assert [row["day"].day for row in rows] == [1, 2, 3, 4, 5, 6]  # type: ignore[attr-defined]  # a time


def test_each_unit_has_its_models_and_idle_hours_are_nobodys(month: Books) -> None:
    """r1, r2; b1, p2 and p3; p1; s1; hours 1 and 3. What has no cost is not here."""
    rows = {(row["businessUnit"], row["model"]): row for row in month.report("cost-by-unit-and-model")}
    assert {key: part(row, "calls", "lineKind") for key, row in rows.items()} == {
        ("Retail", "alpha"): (1, "tokens"),
        ("Retail", "beta"): (1, "tokens"),
        ("Bank", "alpha"): (1, "tokens"),
        ("Bank", "gamma"): (2, "provisioned"),
        ("Lab", "gamma"): (1, "provisioned"),
        ("", "beta"): (1, "tokens"),
        ("", "idle capacity"): (0, "idle"),
    }
    assert costs(rows["Retail", "alpha"]) == near(10.40, 8.32, 7.52)
    assert costs(rows["Bank", "alpha"]) == near(4.55, 3.64, 3.34)
    assert costs(rows["Bank", "gamma"]) == near(50 / 3, 50 / 3, 50 / 3)
    assert costs(rows["Lab", "gamma"]) == near(10 / 3, 10 / 3, 10 / 3)
    assert costs(rows["", "beta"]) == near(2.0, 2.0, 2.0)
    assert costs(rows["", "idle capacity"]) == near(20.0, 20.0, 20.0)
    days = {row["day"] for row in month.report("cost-by-unit-and-model") if row["lineKind"] != "tokens"}
    assert days == {datetime(2026, 10, 10, tzinfo=UTC)}


@pytest.mark.parametrize("name", ["cost-by-model", "cost-by-consumer", "cost-per-day"])
def test_every_table_adds_up_to_the_same_exact_sum(month: Books, name: str) -> None:
    total = sum(float(str(row["chargedCost"])) for row in month.report(name) if row["chargedCost"] is not None)
    assert total == pytest.approx(53.365, abs=1e-9)
    assert sum(int(str(row["calls"])) for row in month.report(name)) == 16


def test_the_dearest_consumers_come_first_with_their_shares(month: Books) -> None:
    """Of 33.365: what nobody used is nobody's."""
    rows = month.report("top-consumers")
    assert [part(row, "rank", "businessUnit", "consumerId", "calls") for row in rows] == [
        (1, "Bank", "bank", 3),
        (2, "Retail", "retail", 2),
        (3, "Lab", "lab", 1),
        (4, "", "stranger", 1),
    ]
    shares = tuple(row["shareOfCost"] for row in rows)
    assert shares == near(20.006666667 / 33.365, 8.025 / 33.365, 3.333333333 / 33.365, 2 / 33.365)
    assert rows[-1]["shareUpToHere"] == pytest.approx(1.0, abs=1e-9)


def test_a_budget_is_the_one_in_force_when_the_month_begins(month: Books) -> None:
    rows = month.report("budget")
    assert [part(row, "businessUnit", "spent", "budget", "forecast", "status") for row in rows] == [
        ("Retail", 8.02, 8.0, 8.02, "over budget"),
        ("Bank", 20.01, 25.0, 20.01, "within budget"),
        ("Ghost", 0.0, 5.0, 0.0, "within budget"),
        ("Lab", 3.33, None, 3.33, "no budget"),
    ]
    assert tuple(row["used"] for row in rows[:3]) == near(1.003125, 0.800266667, 0.0)
    assert part(rows[3], "used", "forecastUsed") == (None, None)


def test_in_mid_month_the_forecast_is_linear(month: Books) -> None:
    """After 10 of 31 days: 8.025 x 3.1 = 24.8775, 20.00667 x 3.1 = 62.0207."""
    rows = month.report("budget", now=datetime(2026, 10, 11, tzinfo=UTC))
    assert [part(row, "businessUnit", "spent", "forecast", "status") for row in rows[:2]] == [
        ("Retail", 8.02, 24.88, "over budget"),
        ("Bank", 20.01, 62.02, "will be over budget"),
    ]
    assert rows[0]["forecastUsed"] == pytest.approx(24.8775 / 8, abs=1e-9)


def test_a_month_that_has_not_begun_has_no_forecast(month: Books) -> None:
    rows = month.report("budget", now=datetime(2026, 9, 30, tzinfo=UTC))
    assert {row["forecast"] for row in rows} == {None}


def test_cached_tokens_save_what_they_would_have_cost_as_plain_ones(month: Books) -> None:
    """Read: 400,000 at 0.8 instead of 8. Written, by Bank, whose prompt costs 5: 1.24 instead of 0.50."""
    alpha, beta = month.report("cached-savings")
    assert part(alpha, "model", "calls", "promptTokens", "cachedTokens", "cacheWriteTokens") == (
        *("alpha", 2, 1_200_000, 400_000, 100_000),
    )
    names = ("cachedShare", "chargedCost", "cachedCost", "cachedAtPromptPrice", "saved", "extraForWrites", "savedInAll")
    assert part(alpha, *names) == near(1 / 3, 10.86, 0.32, 3.20, 2.88, 0.74, 2.14)
    assert part(beta, "model", *names[1:]) == ("beta", pytest.approx(2.505), 0.0, 0.0, 0.0, 0.0, 0.0)


def test_the_cost_query_of_old_has_right_numbers(month: Books) -> None:
    """What has no price has no cost, and calls without one are counted."""
    rows = {(row["subscriptionId"], row["deploymentId"]): row for row in month.report("cost-query")}
    counts = ("calls", "callsWithoutCost", "totalPromptTokens", "totalCompletionTokens")
    assert {key: part(row, *counts) for key, row in rows.items()} == {
        ("bank", "ptu"): (2, 0, 84_000, 3_000),
        ("retail", "chat"): (4, 2, 1_000_100, 100_007),
        ("bank", "chat"): (4, 1, 200_000, 50_000),
        ("lab", "ptu"): (1, 0, 6_000, 1_500),
        ("stranger", "small"): (1, 0, 1_000_000, 250_000),
        ("retail", "small"): (2, 1, 499_995, 1_257),
        ("bank", "mystery"): (1, 1, 2_000, 20),
        ("retail", "new"): (1, 1, 1_000, 10),
    }
    names = ("totalPromptTokenCost", "totalCompletionTokenCost", "totalCost")
    assert part(rows["retail", "chat"], *names) == near(5.12, 2.40, 7.52)
    assert part(rows["bank", "chat"], *names) == near(1.74, 1.60, 3.34)
    assert part(rows["retail", "small"], *names) == near(0.5, 0.005, 0.505)
    assert part(rows["bank", "ptu"], *names) == (None, None, pytest.approx(16.666666667, abs=1e-9))
    assert part(rows["retail", "new"], *names) == (None, None, None)


def test_a_call_has_its_own_cost(month: Books) -> None:
    alpha, beta = month.report("cost-per-call")
    names = ("calls", "chargedCost", "average", "p50", "p99", "dearest")
    assert part(alpha, "model", "publisher") == ("alpha", "Maker")
    assert part(alpha, *names) == near(2, 10.86, 5.43, 3.34, 7.52, 7.52)
    assert part(beta, *names) == near(2, 2.505, 1.2525, 0.505, 2.0, 2.0)


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """A hundred calls that cost 1 to 100 USD; call n is of consumer n modulo 12. One more costs nothing."""
    calls = [
        counted(f"call-{number}", number * 100_000, 0, NOON, consumerId=f"c{number % 12}", deploymentId="chat")
        for number in range(1, 101)
    ]
    free = counted("free", 0, 0, NOON, consumerId="c1", deploymentId="chat")
    tables = {
        "prices": [price("alpha", "10", "40")],
        "deployments": [deployment("chat", "alpha")],
        "consumers": [owner("c4", "Four")],
    }
    with Store() as store:
        store.add([*calls, free])
        yield Books(store, write_reference(tmp_path_factory.mktemp("hundred"), tables))


def test_percentiles_are_of_single_calls(hundred: Books) -> None:
    (row,) = hundred.report("cost-per-call")
    names = ("calls", "chargedCost", "average", "p50", "p90", "p95", "p99", "dearest")
    assert part(row, *names) == near(101, 5050.0, 50.0, 50.0, 90.0, 95.0, 99.0, 100.0)


def test_all_but_the_dearest_ten_are_one_row(hundred: Books) -> None:
    """c4 has 4 + 16 + ... + 100 = 468; the least, c5 and c6, have 376 and 384. All are 5,050."""
    *ten, others = hundred.report("top-consumers")
    assert [row["consumerId"] for row in ten] == ["c4", "c3", "c2", "c1", "c0", "c11", "c10", "c9", "c8", "c7"]
    assert part(ten[0], "rank", "businessUnit", "chargedCost") == (1, "Four", pytest.approx(468.0, abs=1e-9))
    assert part(others, "rank", "consumerName", "calls", "chargedCost") == (
        *(11, "all others: 2", 16),
        pytest.approx(760.0, abs=1e-9),
    )
    assert part(ten[1], "shareUpToHere") == near(927 / 5050)
    assert others["shareUpToHere"] == pytest.approx(1.0, abs=1e-9)
