"""Money to the last digit: worked out by hand, asked of the queries, and calculated independently of them.

All three agree on every line of every case. The queries sum in floating point, so they come within 5e-10, which is
agreement to 10^-9; the calculation and the written sums are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest

from chargeback.reports.currencies import minor_digits
from chargeback.reports.rounding import rounded
from chargeback.reports.statement import CLASSES
from tests.money.amounts import EXACT, IDLE, UNASSIGNED, Key, statement
from tests.money.calculation import calculate
from tests.money.case import Case, Row, every_case
from tests.money.merging import COUNTS, WHOLES, calls_in
from tests.money.running import Answer, answers, together
from tests.money.sums import worked_out

CASES = tuple(every_case())
CLOSE = Decimal("5e-10")
"""Closer than this is the same to nine digits after the point."""
QUOTIENT = Decimal("1e-15")
"""How exactly a case writes an amount that no decimal fraction is: a third of an hour, say."""

every = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Answer]:
    """What the queries say of every case, group by group."""
    return {
        name: answer
        for group in together(CASES)
        for name, answer in answers(group, tmp_path_factory.mktemp("reference")).items()
    }


@every
def test_the_sum_that_is_written_out_is_the_amount(case: Case) -> None:
    for line in case.lines:
        for name, written in line.sums.items():
            amount = getattr(line.costs, f"{name}_cost")
            assert _same(worked_out(written), amount), f"{name}: {written} is not {amount}"


@every
def test_the_queries_come_to_the_amounts_written_by_hand(case: Case, asked: Mapping[str, Answer]) -> None:
    month = asked[case.name].month
    expected = {line.key: line.costs for line in case.lines}
    assert month.lines.keys() == expected.keys()
    for key, costs in expected.items():
        assert month.lines[key].calls == costs.calls, key
        differences = [abs(EXACT.subtract(one, other)) for one, other in zip(month.lines[key][1:], costs[1:], strict=True)]
        assert max(differences) < CLOSE, f"{key}: {month.lines[key]} is not {costs}"


@every
def test_the_calculation_comes_to_the_amounts_written_by_hand(case: Case) -> None:
    month = calculate(case)
    expected = {line.key: line.costs for line in case.lines}
    assert month.lines.keys() == expected.keys()
    for key, costs in expected.items():
        assert month.lines[key].calls == costs.calls, key
        pairs = zip(month.lines[key][1:], costs[1:], strict=True)
        assert all(_same(Fraction(one), other) for one, other in pairs), f"{key}: {month.lines[key]} is not {costs}"


@every
def test_every_call_is_in_one_class_and_nothing_is_dropped(case: Case, asked: Mapping[str, Answer]) -> None:
    calls = sum(1 for _ in calls_in(case.events, case.start, case.end))
    answer = asked[case.name]
    assert answer.month.classes == case.classes
    assert calculate(case).classes == case.classes
    assert sum(case.classes.values()) == calls
    assert case.classes.keys() <= set(CLASSES)
    for name, cause in case.causes.items():
        assert {told for found, told in answer.causes if found == name} == {cause}


@every
def test_what_is_billed_as_something_else_is_said(case: Case, asked: Mapping[str, Answer]) -> None:
    expected = {line.key: line.notes for line in case.lines if line.notes}
    assert asked[case.name].month.notes == expected
    assert {key: notes for key, notes in calculate(case).notes.items() if notes} == expected


@every
def test_the_statement_rounds_once_per_business_unit(case: Case, asked: Mapping[str, Answer]) -> None:
    """By hand, by the calculation, and by the statement's own rounding of what the queries found."""
    digits = minor_digits(case.settings["statementCurrency"])
    by_hand = statement(((line.key, line.costs.charged_cost) for line in case.lines), digits)
    assert by_hand == case.statement
    calculated = ((key, costs.charged_cost) for key, costs in calculate(case).lines.items())
    assert statement(calculated, digits) == case.statement
    totals: dict[str, Decimal] = {}
    for key, amount in asked[case.name].exact:
        totals[_unit(key)] = EXACT.add(totals.get(_unit(key), Decimal(0)), amount)
    assert {unit: rounded(total, digits) for unit, total in totals.items()} == case.statement


def test_there_are_cases_enough() -> None:
    several = [case for case in CASES if any(_special_parts(event) >= 2 for event in case.events)]
    assert len(CASES) >= 75
    assert len(several) >= 20
    assert len({case.about for case in CASES}) == len(CASES), "two cases are about the same"


def test_cases_that_share_a_query_come_out_as_they_do_alone(
    asked: Mapping[str, Answer], tmp_path: pytest.TempPathFactory
) -> None:
    """Names keep the cases apart. The one with the most of everything is asked alone, and must not differ."""
    (group,) = [group for group in together(CASES) if len(group) > len(CASES) / 2]
    lonely = next(case for case in group if case.name == "classes-06")
    ...


def _special_parts(event: Row) -> int:
    return sum(1 for name in set(COUNTS) - set(WHOLES) if event.get(name, 0) > 0)


def _unit(key: Key) -> str:
    return key.business_unit or (IDLE if key.kind == "idle" else UNASSIGNED)


def _same(value: Fraction, written: Decimal) -> bool:
    """Tell whether a value is what is written, or, where that has 15 digits after the point, rounds to it."""
    exponent = written.as_tuple().exponent
    assert isinstance(exponent, int)
    return value == Fraction(written) or (exponent <= -15 and abs(value - Fraction(written)) < Fraction(QUOTIENT))
