"""A later run of a closed month is charged as its difference, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from chargeback.errors import StatementError
from chargeback.reports.corrections import corrections
from chargeback.reports.statement import Kind, Line, Part
from tests.reports.lines import line, statement

TWO_AND_A_HALF, TEN = Decimal("2.5"), Decimal(10)
PARTS_OF_A_MILLION = (Part("prompt", 1_000_000, TWO_AND_A_HALF, TWO_AND_A_HALF, TWO_AND_A_HALF),)


def test_a_month_that_did_not_change_needs_no_correction() -> None:
    assert corrections(statement(line(100, 50)), statement(line(100, 50))) == ()


def test_days_and_lines_may_be_cut_differently_as_long_as_they_add_up() -> None:
    first, second = line(40, day=date(2026, 10, 5), calls=1), line(60, 50, day=date(2026, 10, 6), calls=1)
    assert corrections(statement(line(100, 50, calls=2)), statement(first, second)) == ()


def test_calls_that_came_late_are_charged_at_their_price() -> None:
    (found,) = corrections(statement(line(100, calls=1)), statement(line(100, calls=1), line(1_000_000, calls=3)))
    assert (found.kind, found.day, found.pricing_note) == (Kind.CORRECTION, date(2026, 10, 1), "corrects 2026-10")
    assert (found.calls, found.parts) == (3, PARTS_OF_A_MILLION)
    assert (found.list_cost, found.contract_cost, found.charged_cost) == (TWO_AND_A_HALF,) * 3
    assert (found.business_unit, found.consumer_id, found.consumer_name, found.model, found.deployment) == (
        *("Retail", "retail-web", "Retail web shop", "gpt-4o", "chat"),
    )


def test_what_was_charged_and_is_gone_is_given_back() -> None:
    (found,) = corrections(statement(line(1_000_000, calls=3)), statement())
    assert (found.calls, found.parts[0].tokens, found.charged_cost) == (-3, -1_000_000, -TWO_AND_A_HALF)


def test_a_price_that_turns_out_wrong_takes_all_back_and_charges_anew() -> None:
    """A million prompt tokens at 2.5, which should have been 2: half a dollar back."""
    (found,) = corrections(statement(line(1_000_000)), statement(line(1_000_000, prices=("2", "10"))))
    assert {(part.tokens, part.charged_per_million) for part in found.parts} == {
        (1_000_000, Decimal(2)),
        (-1_000_000, TWO_AND_A_HALF),
    }
    assert (found.calls, found.charged_cost) == (0, Decimal("-0.5"))


def test_the_parts_of_a_correction_are_its_cost() -> None:
    closed = statement(line(700, 11), line(5_000, 3, model="gpt-5"))
    later = statement(line(900, 10, prices=("2", "8")), line(5_000, 4, model="gpt-5"), line(1, 1, consumer_id="new"))
    found = corrections(closed, later)
    assert len(found) == 3
    for one in found:
        assert sum(part.tokens * part.list_per_million for part in one.parts) / 1_000_000 == one.list_cost


def test_another_owner_is_charged_and_the_first_gets_it_back() -> None:
    found = corrections(statement(line(1_000_000)), statement(line(1_000_000, business_unit="Research")))
    assert [(one.business_unit, one.charged_cost) for one in found] == [
        ("Research", TWO_AND_A_HALF),
        ("Retail", -TWO_AND_A_HALF),
    ]


def test_consumers_models_and_deployments_are_corrected_apart() -> None:
    lines = (
        line(1_000_000, consumer_id="b"),
        line(1_000_000, model="gpt-5"),
        line(1_000_000, deployment="other"),
        line(1_000_000, backend_host="west"),
    )
    found = corrections(statement(), statement(*lines))
    assert len(found) == 4


def test_what_lines_do_not_have_in_common_is_left_open() -> None:
    lines = line(100, region="eastus", batch=True), line(100, region="westus", batch=False, price_valid_from=None)
    (found,) = corrections(statement(), statement(*lines))
    assert (found.region, found.batch, found.price_valid_from, found.publisher) == ("", False, None, "OpenAI")


def test_provisioned_hours_are_corrected_too() -> None:
    old = line(kind=Kind.PROVISIONED, unit_hours=Decimal(700), charged_cost=Decimal(700), commitment_id="r1")
    new = replace(old, unit_hours=Decimal(720), charged_cost=Decimal(720))
    (found,) = corrections(statement(old), statement(new))
    assert (found.unit_hours, found.charged_cost, found.commitment_id) == (Decimal(20), Decimal(20), "r1")


def test_the_last_digits_of_real_numbers_are_no_correction() -> None:
    """A share of a purchase is a real number: added up in another order it ends differently."""
    old = line(kind=Kind.PROVISIONED, unit_hours=Decimal(700), charged_cost=Decimal("700.00000000000011"))
    new = replace(old, unit_hours=Decimal("700.00000000000023"), charged_cost=Decimal("699.99999999999989"))
    assert corrections(statement(old), statement(new)) == ()
    more = replace(old, charged_cost=Decimal("700.0000001"))
    assert len(corrections(statement(old), statement(more))) == 1


def test_a_correction_that_was_charged_already_is_not_made_again() -> None:
    """October is closed, corrected in November, and run again in December after more came to light."""
    closed = statement(line(100, calls=1))
    in_november = statement(line(100, calls=1), line(1_000_000, calls=3))
    november = corrections(closed, in_november)
    assert corrections(closed, in_november, charged=november) == ()
    in_december = statement(*in_november.lines, line(0, 1_000_000, calls=1))
    (december,) = corrections(closed, in_december, charged=[*november, line(5)])
    assert (december.calls, december.charged_cost) == (1, TEN)
    (all_at_once,) = corrections(closed, in_december)
    assert all_at_once.charged_cost == november[0].charged_cost + december.charged_cost


def test_corrections_of_other_months_are_left_alone() -> None:
    """A month's statement holds corrections of months before it; they are no part of the month itself."""
    of_september = line(1_000_000, kind=Kind.CORRECTION, day=date(2026, 9, 1))
    assert corrections(statement(line(7), of_september), statement(line(7))) == ()
    assert corrections(statement(line(7)), statement(line(7)), charged=[of_september]) == ()


def test_corrections_come_in_one_order() -> None:
    lines: list[Line] = [line(1, consumer_id=name) for name in "cab"]
    found = corrections(statement(), statement(*lines))
    assert [one.consumer_id for one in found] == ["a", "b", "c"]
    assert found == corrections(statement(), statement(*reversed(lines)))


@pytest.mark.parametrize("change", [{"month": "2026-11"}, {"currency": "EUR"}])
def test_only_the_same_month_in_the_same_currency_is_compared(change: dict[str, str]) -> None:
    with pytest.raises(StatementError, match="run the same month in the same currency"):
        corrections(statement(), statement(**change))
