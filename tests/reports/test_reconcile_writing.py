"""A reconciliation for people and programs: what is not known is left empty, and nothing is rounded up to all."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from chargeback.reports.reconcile_writing import (
    as_json,
    calls_table,
    cost_table,
    percent,
    shortfall,
    summary,
    surplus,
    tokens_table,
)
from chargeback.reports.reconciliation import Above, CallsRow, CostRow, CostTotal, Reconciliation, TokensTotal, above_of

DAY = date(2026, 10, 5)
NINETY_NINE = Decimal("99.0")


def compared(**others: object) -> Reconciliation:
    return Reconciliation("2026-10", "USD", **others)  # type: ignore[arg-type]  # some of its fields


@pytest.mark.parametrize(
    ("share", "shown"), [("1", "100.00"), ("0.99999", "99.99"), ("0.5", "50.00"), ("0", "0.00")]
)  # fmt: skip  (one case per line is a table)
def test_a_share_is_rounded_down(share: str, shown: str) -> None:
    assert str(percent(Decimal(share))) == shown


def test_what_no_metric_tells_is_empty_and_its_tokens_are_shown_as_not_metered() -> None:
    known = TokensTotal("/accounts/east", "chat", "prompt", "InputTokens", 90, 100, 7, "")
    unknown = TokensTotal("", "chat", "completion", "", 0, None, 50, "no metric")
    _, (first, second) = tokens_table(compared(token_totals=(known, unknown)))
    assert first == ["east", "chat", "prompt", "InputTokens", 97, 7, 100, 10, Decimal("90.00"), ""]
    assert second == ["none of the accounts", "chat", "completion", "", 50, 50, None, None, None, "no metric"]


def test_days_of_which_nobody_knows_anything_are_left_out() -> None:
    rows = CallsRow(DAY, 0, None), CallsRow(DAY, 0, 0), CallsRow(DAY, 3, None)
    assert calls_table(compared(calls=rows))[1] == [["2026-10-05", 0, 0, 0], ["2026-10-05", 3, None, None]]


def test_amounts_are_plain_and_short() -> None:
    row = CostRow("/a/east", "m", "", 1, Decimal("1E+6"), Decimal("0.12345678"), Decimal("0.10"), Decimal(0))
    (cells,) = cost_table(compared(costs=(row,)))[1]
    assert list(map(str, cells)) == ["east", "m", "1", "1000000", "0.123457", "0.1", "0", "-0.023457"]


def test_texts_that_would_act_on_a_terminal_are_shown() -> None:
    total = TokensTotal("/a/east", "\x1b[31mchat", "prompt", "InputTokens", 1, 1, 0, "")
    assert tokens_table(compared(token_totals=(total,)))[1][0][1] == "\\u001b[31mchat"


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("99", ""),
        ("150", ""),
        ("98.999", "cost is explained by 98.99 %, and at least 99.0 % is asked for: the tables say where the rest is"),
    ],
)
def test_a_share_that_is_too_small_is_said(cost: str, said: str) -> None:
    found = compared(cost_totals=(CostTotal("/a", Decimal(cost), Decimal(100), ""),))
    assert shortfall(found, NINETY_NINE) == said


def test_what_was_not_asked_for_does_not_fall_short_and_what_has_no_answer_does() -> None:
    assert shortfall(compared(), NINETY_NINE) == ""
    assert shortfall(compared(calls=(CallsRow(DAY, 0, None),)), NINETY_NINE) == ""
    assert shortfall(compared(calls=(CallsRow(DAY, 1, None),)), NINETY_NINE).startswith(
        "nothing of Azure's tells of our calls"
    )
    assert "our cost" in shortfall(compared(cost_totals=(CostTotal("/a", Decimal(1), None, ""),)), NINETY_NINE)


@pytest.mark.parametrize(
    ("billed", "at_least", "above"),
    [(101, "99", None), (102, "99", 2), (105, "95", None), (106, "95", 6), (101, "100", 1), (90, "100", None)],
)
def test_more_than_azures_may_be_as_much_as_less(billed: int, at_least: str, above: int | None) -> None:
    total = TokensTotal("/a", "chat", "prompt", "InputTokens", billed, 100, 7, "")
    found = above_of(compared(token_totals=(total,)), Decimal(at_least))
    assert [one.amount for one in found] == ([] if above is None else [above])


def test_too_little_of_one_does_not_make_up_for_too_much_of_another() -> None:
    totals = tuple(
        TokensTotal("/a", name, "prompt", "m", billed, 100, 0, "") for name, billed in [("x", 90), ("y", 110)]
    )
    assert above_of(compared(token_totals=totals), Decimal(99)) == (Above("tokens", Decimal(10), Decimal(200)),)


def test_what_azure_does_not_tell_is_not_0_and_what_it_tells_may_be() -> None:
    unknown = TokensTotal("/a", "x", "prompt", "", 50, None, 0, "")
    assert (
        above_of(compared(token_totals=(unknown,), cost_totals=(CostTotal("/a", Decimal(5), None, ""),)), NINETY_NINE)
        == ()
    )
    none = compared(token_totals=(TokensTotal("/a", "x", "prompt", "m", 50, 0, 0, ""),))
    found = compared(token_totals=none.token_totals, above=above_of(none, NINETY_NINE))
    assert surplus(found) == ["tokens: ours is above Azure's by 50: billed twice, or metered elsewhere"]


def test_a_little_more_is_said_beside_the_share_alone() -> None:
    found = compared(cost_totals=(CostTotal("/a", Decimal("100.5"), Decimal(100), ""),))
    assert summary(found)[2].endswith("at contract prices, and 0.50 % more")
    assert summary(found)[3:] == surplus(found) == []


def test_the_summary_says_what_is_not_compared() -> None:
    found = compared(calls=(CallsRow(DAY, 1, 2),), notes=("no bill is named",))
    first, second, third, fourth = summary(found)
    assert (first, third, fourth) == ("tokens: not compared", "cost: not compared", "note: no bill is named")
    assert second.startswith("calls: 50.00 % of the gateway's requests are recorded")


def test_a_program_gets_differences_shares_and_what_falls_short() -> None:
    total = CostTotal("/a", Decimal("1.50"), Decimal("3"), "")
    found = json.loads(as_json(compared(cost_totals=(total,), calls=(CallsRow(DAY, 1, None),)), NINETY_NINE))
    assert found["cost_totals"] == [{"account": "/a", "cost": "1.50", "effective": "3", "note": "", "share": "0.50"}]
    assert found["calls"] == [{"day": "2026-10-05", "recorded": 1, "requests": None, "lost": None}]
    assert found["shares"] == {"tokens": None, "calls": None, "cost": "0.50"}
    assert found["shortfall"].startswith("cost is explained by 50.00 %")
