"""A second opinion: differences above a hundredth are told with both numbers, and so is what it does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chargeback.prices.opinion import second_opinion
from chargeback.prices.publisher import claude_rows
from chargeback.prices.rows import Part, PriceKind, PriceRow
from tests.prices.rows import price

AT = datetime(2026, 10, 14, tzinfo=UTC)


def test_a_price_that_both_know_alike_is_agreed() -> None:
    opinion = second_opinion([price("gpt-4o", "2.5", version="2024-11-20", cached="1.25")], AT)
    assert (opinion.agreed, opinion.differences, opinion.unknown) == (3, (), ())


@pytest.mark.parametrize(
    ("ours", "told"), [("2.5", []), ("2.52", []), ("2.53", [("2.53", "2.5")]), ("0", [("0", "2.5")])]
)
def test_a_difference_of_more_than_a_hundredth_is_told_with_both_numbers(
    ours: str, told: list[tuple[str, str]]
) -> None:
    opinion = second_opinion([price("gpt-4o", ours, version="2024-11-20", completion="10")], AT)
    assert [(str(each.ours), str(each.theirs)) for each in opinion.differences] == told


def test_the_band_of_a_row_is_compared_with_the_same_band() -> None:
    short, long = (
        price("gpt-5.5", "5", band="short", completion="30"),
        price("gpt-5.5", "10", band="long", completion="45"),
    )
    assert second_opinion([short, long], AT).differences == ()
    assert len(second_opinion([replace(short, key=long.key)], AT).differences) == 2


def test_a_price_counts_at_its_time_on_both_sides() -> None:
    """Anthropic took the price of long prompts back on 2026-03-13, and the shipped list says so."""
    rows = [row for row in claude_rows() if row.key.model == "claude-opus-4-6"]
    for at in (datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC)):
        assert second_opinion(rows, at).differences == ()


def test_a_model_that_the_library_does_not_know_is_said() -> None:
    assert second_opinion([price("my-model"), price("gpt-4.1")], AT).unknown == ("my-model",)


@pytest.mark.parametrize(
    "row",
    [
        price("gpt-4.1", "9", deployment="datazone", region="datazone-eu"),
        price("gpt-4.1", "9", deployment="regional", region="eastus2"),
        price("gpt-4.1", "9", tier="priority"),
        price("gpt-4.1", "9", batch=True),
        price("gpt-4.1", "9", kind=PriceKind.CONTRACT),
        price("gpt-4.1", "9", since="2026-12-01"),
    ],
)
def test_only_global_standard_list_prices_in_force_are_compared(row: PriceRow) -> None:
    opinion = second_opinion([row], AT)
    assert (opinion.agreed, opinion.differences, opinion.unknown) == (0, (), ())


def test_audio_and_images_are_compared_too() -> None:
    row = price(
        "gpt-realtime", "4", completion="16", cached="0.4", audioPrompt="32", audioCompletion="60", imagePrompt="5"
    )
    opinion = second_opinion([row], AT)
    assert [(each.part, each.theirs) for each in opinion.differences] == [(Part.AUDIO_COMPLETION, Decimal(64))]
    assert opinion.agreed == 5
