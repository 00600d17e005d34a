"""Rounding and splitting: by hand, and as properties that hold for any statement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.errors import ReportError
from chargeback.reports.rounding import Amounts, exact_sum, rounded, rounded_by_unit, shares, split
from chargeback.reports.statement import Kind, Line
from chargeback.reports.units import Role, Unit
from tests.reports.made_up import idle, line, overhead, provisioned, statement
from tests.reports.small import small


def charged(*costs: str) -> dict[str, Decimal]:
    """Name amounts a, b, c, ..."""
    return {"abcdefgh"[place]: Decimal(cost) for place, cost in enumerate(costs)}


def texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


@pytest.mark.parametrize(
    ("exact", "cents"),
    [
        ("0.005", "0.00"),
        ("0.015", "0.02"),
        ("0.025", "0.02"),
        ("0.0250000000000000000000000000000000000001", "0.02"),
        ("0.02500000001", "0.03"),
        ("-0.005", "0.00"),
        ("-0.015", "-0.02"),
        ("-0.0149", "-0.01"),
        ("1234567890123456789012345678901234567890.125", "1234567890123456789012345678901234567890.12"),
    ],
)
def test_halves_go_to_the_even_cent_and_nothing_is_a_negative_zero(exact: str, cents: str) -> None:
    assert str(rounded(Decimal(exact), 2)) == cents


def test_each_unit_is_rounded_once_and_what_nobody_owns_stands_apart() -> None:
    assert rounded_by_unit(small()) == {
        Unit(Role.UNIT, "Finance"): Amounts(Decimal("0.00"), Decimal("0.00"), Decimal("0.00")),
        Unit(Role.UNIT, "Retail"): Amounts(Decimal("5.84"), Decimal("4.67"), Decimal("4.47")),
        Unit(Role.UNASSIGNED): Amounts(Decimal("0.02"), Decimal("0.02"), Decimal("0.02")),
    }


def test_lines_are_added_up_before_they_are_rounded() -> None:
    """Three times 0.004 is 0.012, which is a cent; each by itself would be none."""
    owed = rounded_by_unit(statement(line(costs="0.004"), line(costs="0.004"), line(costs="0.004")))
    assert owed[Unit(Role.UNIT, "Retail")].charged_cost == Decimal("0.01")


def test_idle_capacity_and_overheads_of_nobody_are_no_unassigned_use() -> None:
    owed = rounded_by_unit(
        statement(
            line(costs="1", business_unit=""),
            idle("1", "2"),
            overhead("3", business_unit=""),
            idle("1", "5", business_unit="Retail"),
            overhead("7", business_unit="Retail"),
            idle("1", "-0.5", kind=Kind.CORRECTION),
            line(costs="-0.25", kind=Kind.CORRECTION, business_unit=""),
        )
    )
    assert {unit: str(amounts.charged_cost) for unit, amounts in owed.items()} == {
        Unit(Role.UNIT, "Retail"): "12.00",
        Unit(Role.UNASSIGNED): "0.75",
        Unit(Role.IDLE): "1.50",
        Unit(Role.OVERHEAD): "3.00",
    }


def test_a_business_unit_that_is_called_unassigned_is_not_taken_for_it() -> None:
    owed = rounded_by_unit(statement(line(costs="1", business_unit="Unassigned"), line(costs="2", business_unit="")))
    assert [int(amounts.charged_cost) for amounts in owed.values()] == [1, 2]


@pytest.mark.parametrize(("currency", "amount"), [("USD", "2.67"), ("JPY", "3"), ("KWD", "2.667"), ("CLF", "2.6666")])
def test_the_currency_says_how_many_digits(currency: str, amount: str) -> None:
    owed = rounded_by_unit(statement(line(costs="2.66664"), currency=currency))
    assert str(owed[Unit(Role.UNIT, "Retail")].charged_cost) == amount


@pytest.mark.parametrize("currency", ["usd", "", "EURO", "ZZZ"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(ReportError, match="is no currency of ISO 4217"):
        rounded_by_unit(statement(line(costs="1"), currency=currency))


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ReportError, match="an amount of the statement is NaN"):
        rounded_by_unit(statement(line(costs="NaN")))


@pytest.mark.parametrize(
    ("total", "exact", "expected"),
    [
        # Thirds of a cent: one cent is left, all remainders are equal, and a comes first.
        ("0.01", ("0.003333", "0.003333", "0.003333"), ("0.01", "0.00", "0.00")),
        # 3.34 + 3.33 + 3.33, by the largest remainder.
        ("10.00", ("3.3334", "3.3333", "3.3333"), ("3.34", "3.33", "3.33")),
        # Remainders .6 .5 .9 of 2.00: two cents are left, for c and a.
        ("0.12", ("0.036", "0.035", "0.049"), ("0.04", "0.03", "0.05")),
        # A correction takes away: 0.10 - 0.034 = 0.066 -> 0.07; floors 0.10 and -0.04, one cent left for b's .6.
        ("0.07", ("0.10", "-0.034"), ("0.10", "-0.03")),
        # Only corrections: -0.005 - 0.006 = -0.011 -> -0.01; floors -0.01 and -0.01, one left, for a's remainder .5.
        ("-0.01", ("-0.005", "-0.006"), ("0.00", "-0.01")),
        # They cancel out: floors 5.00 and -5.01, one left for b's remainder .7.
        ("0.00", ("5.003", "-5.003"), ("5.00", "-5.00")),
        ("0.00", ("0", "0"), ("0.00", "0.00")),
        ("0.00", (), ()),
        ("0.02", ("0.015",), ("0.02",)),
    ],
)
def test_a_total_is_split_by_largest_remainder(total: str, exact: Sequence[str], expected: Sequence[str]) -> None:
    assert texts(split(Decimal(total), charged(*exact), 2)) == dict(zip("abcdefgh", expected, strict=False))


def test_among_equal_remainders_the_first_name_is_rounded_up_wherever_it_stands() -> None:
    thirds = {name: Decimal("0.003333") for name in ("c", "a", "b")}
    assert texts(split(Decimal("0.01"), thirds, 2)) == {"c": "0.00", "a": "0.01", "b": "0.00"}


def test_a_total_that_is_not_of_these_amounts_is_refused() -> None:
    with pytest.raises(ReportError, match="is not the rounded sum"):
        split(Decimal("1.01"), charged("0.50", "0.50"), 2)


def test_what_costs_nothing_never_gets_a_cent() -> None:
    assert texts(split(Decimal("0.01"), charged("0", "0.005", "0", "0.005"), 2)) == {
        "a": "0.00",
        "b": "0.01",
        "c": "0.00",
        "d": "0.00",
    }


def test_models_split_what_their_unit_owes() -> None:
    found = shares(small(), lambda line: (line.model,))
    assert {(unit.label, model): str(amounts.list_cost) for (unit, (model,)), amounts in found.items()} == {
        ("Retail", "gpt-4o"): "5.83",
        ("Retail", "gpt-4.1-mini"): "0.01",
        ("Finance", "gpt-4o"): "0.00",
        ("Unassigned", "gpt-4o"): "0.02",
    }


amounts = st.decimals(min_value=-10_000, max_value=10_000, allow_nan=False, allow_infinity=False, places=8)
names = st.sampled_from(["a", "b", "c"])
lines = st.lists(
    st.builds(
        lambda unit, model, consumer, kind, costs: line(
            costs=(str(costs[0]), str(costs[1]), str(costs[2])),
            business_unit=unit,
            model=model,
            consumer_id=consumer,
            kind=kind,
        ),
        st.sampled_from(["Retail", "Finance", ""]),
        names,
        names,
        st.sampled_from([*Kind]),
        st.tuples(amounts, amounts, amounts),
    ),
    max_size=12,
)


@given(st.dictionaries(st.text(max_size=3), amounts, max_size=8), st.integers(0, 4))
def test_shares_add_up_and_each_is_its_amount_rounded_down_or_up(exact: dict[str, Decimal], digits: int) -> None:
    whole = sum(map(Fraction, exact.values()), Fraction(0))
    quantum = Fraction(1, 10**digits)
    total = Decimal(round(whole / quantum)).scaleb(-digits)
    found = split(total, exact, digits)
    assert exact_sum(found.values()) == total
    for name, amount in exact.items():
        assert abs(Fraction(found[name]) - Fraction(amount)) < quantum


@given(st.dictionaries(st.text(max_size=3), amounts, min_size=1, max_size=8), st.randoms())
def test_the_order_of_the_amounts_does_not_matter(exact: dict[str, Decimal], chance: object) -> None:
    total = rounded(exact_sum(exact.values()), 2)
    shuffled = list(exact.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands out a random.Random
    assert split(total, dict(shuffled), 2) == split(total, exact, 2)


@given(lines)
def test_however_finely_it_is_split_it_adds_up_to_what_each_unit_owes(made: list[Line]) -> None:
    month = statement(*made)
    owed = rounded_by_unit(month)
    for found in (
        shares(month, lambda line: (line.model,)),
        shares(month, lambda line: (line.model, line.consumer_id)),
        shares(month, lambda line: (line.kind, line.model, line.consumer_id)),
    ):
        for unit, whole in owed.items():
            mine = [three for (whose, _), three in found.items() if whose == unit]
            assert exact_sum(three.list_cost for three in mine) == whole.list_cost
            assert exact_sum(three.contract_cost for three in mine) == whole.contract_cost
            assert exact_sum(three.charged_cost for three in mine) == whole.charged_cost


@given(lines)
def test_a_further_step_leaves_the_first_as_it_was(made: list[Line]) -> None:
    month = statement(*made)
    coarse = shares(month, lambda line: (line.model,))
    fine = shares(month, lambda line: (line.model, line.consumer_id))
    for (unit, (model,)), whole in coarse.items():
        parts = [three.charged_cost for (whose, path), three in fine.items() if whose == unit and path[0] == model]
        assert exact_sum(parts) == whole.charged_cost


@given(lines)
def test_a_unit_owes_the_half_even_of_its_exact_sum(made: list[Line]) -> None:
    for unit, whole in rounded_by_unit(statement(*made)).items():
        mine = [one for one in made if one.business_unit == unit.name]
        if unit.role is Role.UNIT:
            exact = sum((one.charged_cost for one in mine), Decimal(0))
            assert whole.charged_cost == exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def test_shares_of_capacity_with_many_digits_are_added_exactly() -> None:
    """Two thirds and a third of a purchase, with as many digits as division gives them, are the purchase."""
    third = Decimal(1) / 3
    owed = rounded_by_unit(
        statement(
            provisioned("1", str(third * 10**20)),
            provisioned("1", str(third)),
            provisioned("1", str(-third * 10**20)),
        )
    )
    assert owed[Unit(Role.UNIT, "Retail")].charged_cost == Decimal("0.33")
