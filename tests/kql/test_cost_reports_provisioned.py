"""Provisioned throughput: how full it was, who used it, and whether buying some would have paid (see month.py)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from tests.kql.books import Books, write_reference
from tests.kql.month import REFERENCE, deployment, price
from tests.kql.rows import counted, part

pytestmark = pytest.mark.once


def near(*numbers: float) -> object:
    """Expect reals: sums of them are right to a billionth."""
    return pytest.approx(numbers, abs=1e-9)


def test_a_purchase_is_as_full_as_its_weighted_tokens(month: Books) -> None:
    """Hour 0 holds 36,000 of 60,000, hour 2 66,000: 102,000 are 17 unit-hours of 40."""
    (row,) = month.report("provisioned-utilisation")
    names = ("deployment", "reservationId", "hours", "hoursUsed", "idleHours", "calls", "hoursOver")
    assert part(row, *names) == ("ptu", "r-1", 4, 2, 2, 3, 1)
    numbers = ("weightedTokens", "unitHours", "average", "p95", "peak", "usd", "idleUsd")
    assert part(row, *numbers) == near(102_000, 40, 0.425, 1.1, 1.1, 40, 20)


def test_each_hour_of_a_purchase_is_there_used_or_not(month: Books) -> None:
    rows = month.report("provisioned-hours")
    assert [part(row, "calls", "used", "usd") for row in rows] == [
        (2, True, 10.0),
        (0, False, 10.0),
        (1, True, 10.0),
        (0, False, 10.0),
    ]
    assert tuple(row["utilisation"] for row in rows) == near(0.6, 0.0, 1.1, 0.0)
    assert [row["hour"].hour for row in rows] == [0, 1, 2, 3]  # type: ignore[attr-defined]  # a time


def test_a_purchase_is_divided_by_weighted_tokens_hour_by_hour(month: Books) -> None:
    idle, bank, lab = month.report("provisioned-allocation")
    names = ("businessUnit", "consumerId", "consumerName", "calls")
    assert part(idle, *names) == ("", "", "idle capacity", 0)
    assert part(bank, *names) == ("Bank", "bank", "Loans", 2)
    assert part(lab, *names) == ("Lab", "lab", "lab", 1)
    numbers = ("weightedTokens", "unitHours", "share", "usd")
    assert part(idle, *numbers) == near(0, 20, 0.5, 20)
    assert part(bank, *numbers) == near(90_000, 50 / 3, 5 / 12, 50 / 3)
    assert part(lab, *numbers) == near(12_000, 10 / 3, 1 / 12, 10 / 3)


def test_idle_capacity_may_be_spread_over_those_who_used_the_rest(month_store: Store, tmp_path: Path) -> None:
    """20 USD more, by weighted tokens: 12,000 of 102,000 are Lab's."""
    reference = write_reference(tmp_path, REFERENCE, {"idleCapacity": '"spread"'})
    bank, lab = Books(month_store, reference).report("provisioned-allocation")
    assert part(bank, "usd", "share") == near(50 / 3 + 20 * 90 / 102, (50 / 3 + 20 * 90 / 102) / 40)
    assert part(lab, "usd", "share") == near(10 / 3 + 20 * 12 / 102, (10 / 3 + 20 * 12 / 102) / 40)


def test_a_purchase_that_is_running_has_no_hours_to_come(month_store: Store, tmp_path: Path) -> None:
    """At 02:30 on the 10th two hours and a half are bought: 25 USD, of which hour 1 was not used."""
    rows = Books(month_store, write_reference(tmp_path, REFERENCE)).report(
        "provisioned-utilisation", now=datetime(2026, 10, 10, 2, 30, tzinfo=UTC)
    )
    assert [part(row, "hours", "idleHours", "usd", "idleUsd") for row in rows] == [(3, 1, 25.0, 10.0)]


def test_without_weights_nobody_knows_how_full_a_purchase_is(month_store: Store, tmp_path: Path) -> None:
    reference = write_reference(tmp_path, {**REFERENCE, "provisionedWeights": ()})
    (row,) = Books(month_store, reference).report("provisioned-utilisation")
    assert part(row, "hours", "hoursUsed", "average", "p95", "peak") == (4, 2, None, None, None)


def test_the_break_even_of_a_month_is_that_of_its_hours(month: Books) -> None:
    """r1 weighs 600,000 + 4 x 100,000, b1 100,000 + 100,000 + 4 x 50,000; a unit does 60,000 an hour.

    Hours of 16 2/3 and 6 2/3 units, and 742 of none: 20 units are bought for the busiest, 15, the least, for the usual
    one, and what is above them, 1 2/3 of 23 1/3, is paid by token.
    """
    (row,) = month.report("provisioned-break-even")
    assert part(row, "deployment", "model", "calls") == ("chat", "alpha", 2)
    names = ("hours", "paidUsd", "averageUnits", "p95Units", "busiestUnits", "unitsAtBusiest", "unitsAtP95")
    assert part(row, *names) == near(744, 10.86, 70 / 3 / 744, 0, 50 / 3, 20, 15)
    numbers = ("usdAtBusiest", "savedAtBusiest", "shareAboveP95", "usdAtP95", "savedAtP95", "breakEvenUsdPerUnitHour")
    paid = 10.86 / 14
    assert part(row, *numbers) == near(14_880, -14_869.14, 1 / 14, 11_160 + paid, 10.86 - 11_160 - paid, 10.86 / 14_880)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """A day of 24 hours: 22 of 6,000,000 prompt tokens, one of 9,000,000, one of 24,000,000; 10 USD a million.

    They are 100, 150 and 400 units. The weights changed at noon the day before: an older row says half as much.
    """
    tokens = [24_000_000, 9_000_000, *[6_000_000] * 22]
    calls = [
        counted(f"call-{hour}", count, 0, f"2026-10-15T{hour:02}:30:00Z", deploymentId="chat", backendHost="East")
        for hour, count in enumerate(tokens)
    ]
    tables = {
        "prices": [price("alpha", "10", "40")],
        "deployments": [deployment("chat", "alpha"), deployment("batch", "alpha", "GlobalBatch")],
        "provisionedWeights": [
            '"alpha", 500, 4, 0, 1, datetime(2026-01-01), "a test"',
            '"alpha", 1000, 4, 0, 1, datetime(2026-10-14T12:00:00Z), "a test"',
        ],
    }
    with Store() as store:
        store.add([*calls, counted("b", 9_000_000, 0, "2026-10-15T00:30:00Z", deploymentId="batch")])
        yield Books(store, write_reference(tmp_path_factory.mktemp("busy"), tables))


def test_a_busy_deployment_is_worth_a_purchase_for_its_usual_hours(busy: Books) -> None:
    """Of 24 hours the 23rd, 150 units, is p95: 24 x 150 = 3,600 USD, and 250 of 2,750 units' 1,650 USD by token."""
    day = (datetime(2026, 10, 15, tzinfo=UTC), datetime(2026, 10, 16, tzinfo=UTC))
    (row,) = busy.report("provisioned-break-even", day)
    names = ("unitsAtBusiest", "unitsAtP95", "paidUsd", "usdAtBusiest", "shareAboveP95", "usdAtP95")
    assert part(row, *names) == near(400, 150, 1_650, 9_600, 250 / 2_750, 3_600 + 150)
    assert part(row, "backendHost", "hours", "breakEvenUsdPerUnitHour") == ("East", 24.0, pytest.approx(1_650 / 9_600))
