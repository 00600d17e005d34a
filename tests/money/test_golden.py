"""Money to the last digit: worked out by hand, asked of the queries, and calculated independently of them.

All three agree on every line of every case. The queries sum in floating point, so they come within 5e-10, which is
agreement to 10^-9; the calculation and the written sums are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from chargeback.reports.currencies import minor_digits
from chargeback.reports.rounding import exact_sum, rounded
from chargeback.reports.statement import CLASSES
from tests.money.amounts import Month, differences, statement, unit_of
from tests.money.calculation import calculate
from tests.money.case import Case, Row, every_case
from tests.money.merging import COUNTS, WHOLES, calls_in
from tests.money.running import Answer, answers, together
from tests.money.sums import worked_out

pytestmark = pytest.mark.once

CASES = tuple(every_case())
QUOTIENT = Fraction(1, 10**15)
"""How exactly a case writes an amount that no decimal fraction is: a third of an hour, say."""

every = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Answer]:
    """What the queries say of every case, group by group."""
    groups = together(CASES)
    return {
        name: answer
        for group in groups
        for name, answer in answers(group, tmp_path_factory.mktemp("reference")).items()
    }


@pytest.fixture(scope="module")
def calculated() -> Mapping[str, Month]:
    return {case.name: calculate(case) for case in CASES}


@every
def test_the_sum_that_is_written_out_is_the_amount(case: Case) -> None:
    for line in case.lines:
        for name, written in line.sums.items():
            amount = getattr(line.costs, f"{name}_cost")
            assert _same(worked_out(written), amount), f"{name}: {written} is not {amount}"


@every
def test_an_amount_that_is_not_the_charged_one_has_its_own_sum(case: Case) -> None:
    for line in case.lines:
        _, *others, charged = line.costs
        assert charged == others[0] or "list" in line.sums
        assert charged == others[1] or "contract" in line.sums


@every
def test_the_queries_come_to_what_is_worked_out_by_hand(case: Case, asked: Mapping[str, Answer]) -> None:
    assert differences(asked[case.name].month, case.expected) == []
    for name, cause in case.causes.items():
        assert {told for found, told in asked[case.name].causes if found == name} == {cause}


@every
def test_the_calculation_comes_to_what_is_worked_out_by_hand(case: Case, calculated: Mapping[str, Month]) -> None:
    month = calculated[case.name]
    assert differences(month, case.expected) == []
    for key, costs in case.expected.lines.items():
        pairs = zip(month.lines[key][1:], costs[1:], strict=True)
        assert all(_same(Fraction(one), other) for one, other in pairs), f"{key}: {month.lines[key]} is not {costs}"


@every
def test_nothing_is_dropped(case: Case, asked: Mapping[str, Answer]) -> None:
    """Lines + unknown consumers + unpriced + inconsistent + unknown usage + maybe billed + not billed = all calls."""
    calls = sum(1 for _ in calls_in(case.events, case.start, case.end))
    classes = asked[case.name].month.classes
    assert classes.keys() <= set(CLASSES)
    assert sum(classes.values()) == sum(case.classes.values()) == calls
    in_lines = sum(line.costs.calls for line in case.lines)
    assert in_lines == case.classes.get("line", 0) + case.classes.get("unknown-consumer", 0)


@every
def test_the_statement_rounds_once_per_business_unit(
    case: Case, asked: Mapping[str, Answer], calculated: Mapping[str, Month]
) -> None:
    """By hand, by the calculation, and by the statement's own rounding of tokens and prices that the queries found."""
    digits = minor_digits(case.settings["statementCurrency"])
    assert statement(case.expected, digits) == case.statement
    assert statement(calculated[case.name], digits) == case.statement
    amounts: dict[str, list[Decimal]] = {}
    for key, amount in asked[case.name].exact:
        amounts.setdefault(unit_of(key), []).append(amount)
    assert {unit: rounded(exact_sum(own), digits) for unit, own in amounts.items()} == case.statement


def test_there_are_cases_enough() -> None:
    several = [case for case in CASES if any(_parts_beside_the_wholes(event) >= 2 for event in case.events)]
    assert len(CASES) >= 75
    assert len(several) >= 20
    assert len({case.about for case in CASES}) == len(CASES), "two cases are about the same"


def test_a_case_that_shares_a_query_comes_out_as_it_does_alone(asked: Mapping[str, Answer], tmp_path: Path) -> None:
    """Names keep the cases apart: this one has calls of every class, of strangers and of unpriced models."""
    (case,) = [case for case in CASES if case.about.startswith("One call of each class")]
    (group,) = [group for group in together(CASES) if case in group]
    assert len(group) > 100
    assert differences(answers([case], tmp_path)[case.name].month, asked[case.name].month) == []


@pytest.mark.parametrize(
    "text",
    ["1 + 1", "1 + 1 = 3", "2 x (3 + 4 = 14", "2 x = 2", "1,000 x 2 = 2000", "1 = 1 1", "(1) (2) = 2", "4 / 2 = 2 = 3"],
)
def test_a_sum_that_is_none_is_found(text: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        worked_out(text)


def test_sums_are_exact_and_keep_the_order_of_operations() -> None:
    assert worked_out("10 - 2 - 3 = 5") == 5
    assert worked_out("2 + 3 x 4 / 6 = 4") == 4
    assert worked_out("0.1 + 0.2 = 3 / 10") == Fraction(3, 10)
    assert worked_out("10 / 3 x 3 = 1e1") == 10


def _parts_beside_the_wholes(event: Row) -> int:
    return sum(1 for name in COUNTS if name not in WHOLES and event.get(name, 0) > 0)


def _same(value: Fraction, written: Decimal) -> bool:
    """Tell whether a value is what is written, or, where that has 15 digits after the point, rounds to it."""
    exponent = written.as_tuple().exponent
    assert isinstance(exponent, int)
    return value == Fraction(written) or (exponent <= -15 and abs(value - Fraction(written)) < QUOTIENT)
