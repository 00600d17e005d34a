"""What each business unit owes: rounded once, and every call accounted for. tests/kql/month.py has the month."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from chargeback.reports.currencies import MINOR_DIGITS
from tests.kql.books import Books, write_reference
from tests.kql.month import REFERENCE
from tests.kql.rows import OCTOBER, ask, part

pytestmark = pytest.mark.once

COLUMNS = ("role", "businessUnit", "item", "calls", "tokens", "listCost", "contractCost", "chargedCost")


def test_each_unit_is_rounded_once_and_the_total_is_the_sum_of_the_rounded(month: Books) -> None:
    """Retail's 8.025, 8.825 and 10.905 are ties. Unrounded the list costs are 57.455 together, which would be 57.46."""
    assert [part(row, *COLUMNS) for row in month.report("statement")] == [
        ("business-unit", "Bank", "usage", 3, 337_000, 21.22, 20.31, 20.01),
        ("business-unit", "Lab", "usage", 1, 7_500, 3.33, 3.33, 3.33),
        ("business-unit", "Retail", "usage", 2, 1_601_250, 10.90, 8.82, 8.02),
        ("unassigned", "", "usage", 1, 1_250_000, 2.00, 2.00, 2.00),
        ("idle", "", "usage", 0, 0, 20.00, 20.00, 20.00),
        ("total", "", "", 7, 3_195_750, 57.45, 54.46, 53.36),
    ]
    assert {part(row, "month", "currency") for row in month.report("statement")} == {
        (datetime(2026, 10, 1, tzinfo=UTC), "USD")
    }


def test_every_call_is_in_one_class_and_the_classes_are_all_calls(month: Books) -> None:
    found = [part(row, "className", "calls") for row in month.report("call-classes")]
    assert found == [
        ("line", 6),
        ("unknown-consumer", 1),
        ("unpriced", 2),
        ("inconsistent", 2),
        ("unknown-usage", 1),
        ("maybe-billed", 1),
        ("not-billed", 3),
        ("sum of the classes", 16),
        ("all calls", 16),
        ("difference", 0),
    ]
    line, stranger, unpriced, *_ = month.report("call-classes")
    assert part(line, "totalTokens", "chargedCost") == (1_945_750, pytest.approx(31.365, abs=1e-9))
    assert part(stranger, "totalTokens", "chargedCost") == (1_250_000, pytest.approx(2.0, abs=1e-9))
    assert unpriced["chargedCost"] is None


def test_overheads_are_lines_of_their_own_and_nothing_of_them_is_lost(month_store: Store, tmp_path: Path) -> None:
    """1 USD by calls (a day of 31 a month), 10 by tokens (half of 20), 10 by shares of which a quarter has an owner.

    Retail:     8.025     + 2/7 + 16012.5/31957.5 x 10 + 2.5 = 15.8213, of which 8.02 is usage
    Bank:      20.00667   + 3/7 + 3370/31957.5 x 10          = 21.4898
    Lab:        3.33333   + 1/7 + 75/31957.5 x 10            =  3.4997
    nobody:     2         + 1/7 + 12500/31957.5 x 10         =  6.0543
    The rest of the shares, 7.5, is carried by no unit. The telemetry rows of January are replaced in October.
    """
    rows = (
        '"hub", 31.0, "calls", "", real(null), datetime(2026-10-01), datetime(2026-10-02)',
        '"telemetry", 999.0, "fixed", "Bank", 1.0, datetime(2026-01-01), datetime(2026-10-16T12:00:00Z)',
        '"telemetry", 0.0, "calls", "", real(null), datetime(2026-10-01), datetime(null)',
        '"telemetry", 20.0, "tokens", "", real(null), datetime(2026-10-16T12:00:00Z), datetime(null)',
        '"gateway", 10.0, "fixed", "Retail", 0.25, datetime(2026-01-01), datetime(null)',
    )
    reference = write_reference(tmp_path, {**REFERENCE, "overheads": rows}, {"includeOverheads": "true"})

    found = Books(month_store, reference).report("statement")

    assert [part(row, "role", "businessUnit", "item", "chargedCost") for row in found] == [
        ("business-unit", "Bank", "usage", 20.01),
        ("business-unit", "Bank", "overheads", 1.48),
        ("business-unit", "Lab", "usage", 3.33),
        ("business-unit", "Lab", "overheads", 0.17),
        ("business-unit", "Retail", "usage", 8.02),
        ("business-unit", "Retail", "overheads", 7.80),
        ("unassigned", "", "usage", 2.00),
        ("unassigned", "", "overheads", 4.05),
        ("idle", "", "usage", 20.00),
        ("overhead", "", "overheads", 7.50),
        ("total", "", "", 74.36),
    ]
    assert found[-1]["calls"] == 7


def test_overheads_are_left_out_unless_they_are_asked_for(month_store: Store, tmp_path: Path) -> None:
    rows = ('"hub", 31.0, "calls", "", real(null), datetime(2026-01-01), datetime(null)',)
    books = Books(month_store, write_reference(tmp_path, {**REFERENCE, "overheads": rows}))
    assert books.ask("overheadLines") == []


def test_an_overhead_that_nobody_can_carry_is_a_line_without_a_unit(tmp_path: Path) -> None:
    rows = (
        '"hub", 31.0, "calls", "", real(null), datetime(2026-01-01), datetime(null)',
        '"odd", 31.0, "by-moon", "Retail", 0.5, datetime(2026-10-02), datetime(2026-10-03)',
    )
    reference = write_reference(tmp_path, {"overheads": rows}, {"includeOverheads": "true"})
    with Store() as empty:
        found = Books(empty, reference).ask("overheadLines | order by overhead asc")
    assert [part(row, "overhead", "businessUnit", "nobody") for row in found] == [
        ("hub", "", False),
        ("odd", "", False),
    ]
    assert [row["cost"] for row in found] == [pytest.approx(31.0, abs=1e-9), pytest.approx(1.0, abs=1e-9)]


def test_a_currency_without_cents_is_rounded_to_whole_ones(month_store: Store, tmp_path: Path) -> None:
    """At 150 yen to the dollar Retail's 8.025 is 1203.75 and Bank's 20.00667 is 3001."""
    rows = ('"JPY", 150.0, datetime(2026-01-01), "a test"',)
    reference = write_reference(tmp_path, {**REFERENCE, "currencies": rows}, {"statementCurrency": '"JPY"'})
    found = Books(month_store, reference).report("statement")
    assert [part(row, "chargedCost", "currency") for row in found] == [
        (3001.0, "JPY"),
        (500.0, "JPY"),
        (1204.0, "JPY"),
        (300.0, "JPY"),
        (3000.0, "JPY"),
        (8005.0, "JPY"),
    ]


@pytest.mark.parametrize(
    ("exact", "coins"),
    [
        ("0.125", 12),
        ("0.135", 14),
        ("2.675", 268),
        ("1.005", 100),
        ("2.005", 200),
        ("-0.125", -12),
        ("-0.135", -14),
        ("12345678.905", 1234567890),
        ("12345678.909", 1234567891),
        ("12345678.904", 1234567890),
        ("0.1249999", 12),
        ("0.1250001", 13),
        ("0.1 + 0.2 - 0.175", 12),
        ("-0.004", 0),
        ("0.0", 0),
    ],
)
def test_a_tie_goes_to_the_even_coin_whatever_a_double_makes_of_it(exact: str, coins: int) -> None:
    """2.675 is 2.67499999999999982 as a double, and 12345678.905 times 100 is 1234567890.4999999 or .5."""
    for amount in (exact, f"({exact}) * 3.0 / 3.0", f"({exact}) / 7.0 * 7.0"):
        (row,) = ask([], f"print coins = rounded({amount}, 100.0)")
        assert row["coins"] == coins / 100


def test_every_currency_has_the_coins_that_the_command_line_gives_it(tmp_path: Path) -> None:
    with Store() as store:
        for code, digits in MINOR_DIGITS.items():
            if digits == 2 and code not in ("USD", "EUR", "INR"):
                continue
            reference = write_reference(tmp_path, {}, {"statementCurrency": f'"{code}"'})
            (row,) = Books(store, reference).ask("print units = minorUnits")
            assert row["units"] == 10.0**digits, code


def test_the_command_lines_period_may_be_a_part_of_a_month(month: Books) -> None:
    """The first five days: Retail alone."""
    period = (OCTOBER[0], datetime(2026, 10, 6, tzinfo=UTC))
    assert [part(row, "role", "businessUnit", "chargedCost") for row in month.report("statement", period)] == [
        ("business-unit", "Retail", 8.02),
        ("total", "", 8.02),
    ]
