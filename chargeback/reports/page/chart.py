"""The chart of a month: what each day cost, stacked by model.

Heights are pixels and widths per cent, so that the chart is as wide as the page and its letters are never scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor, log10

from chargeback.reports.page.figures import day_in_words, grouped
from chargeback.reports.page.series import Series, days_of, series_of
from chargeback.reports.rounding import exact_sum
from chargeback.reports.statement import Statement

_TOP, _HEIGHT, _BOTTOM = 10, 220, 26
_GAP = 0.18
"""Share of a day's width that is left free."""
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's amount of one series, as drawn."""

    x: str
    width: str
    y: str
    height: str
    css: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, and the same as numbers."""

    days: tuple[date, ...]
    series: tuple[Series, ...]
    """The dearest model first."""
    totals: tuple[Decimal, ...]
    """By day."""
    total: Decimal
    elsewhere: Decimal
    """What has no day in the month: overheads and corrections."""
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[str, str], ...]
    """(y, label) of each line of the grid."""
    labels: tuple[tuple[str, str], ...]
    """(x, label) of the days that are named."""
    baseline: str
    height: int
    axis_width: int
    summary: str
    """What the chart shows, in a sentence."""


def daily_chart(statement: Statement) -> Chart:
    """Return the chart of a statement's charged amounts; they add up, with those elsewhere, to its total."""
    days = days_of(statement.month)
    series, elsewhere = series_of(statement, days)
    totals = tuple(exact_sum(one.by_day[index] for one in series) for index in range(len(days)))
    return _drawn(statement, days, series, totals, elsewhere)


def _drawn(
    statement: Statement, days: Sequence[date], series: Sequence[Series], totals: Sequence[Decimal], elsewhere: Decimal
) -> Chart:
    low = min([0.0, *(sum(min(float(one.by_day[index]), 0.0) for one in series) for index in range(len(days)))])
    high = max([0.0, *(sum(max(float(one.by_day[index]), 0.0) for one in series) for index in range(len(days)))])
    step = _step(high - low)
    low, high = floor(low / step) * step, max(ceil(high / step) * step, step)
    scale = _HEIGHT / (high - low)
    ticks = [low + step * number for number in range(round((high - low) / step) + 1)]
    texts = [(f"{_TOP + (high - tick) * scale:.1f}", _tick(tick, step)) for tick in ticks]
    width = 100 / len(days)
    named = [index for index in range(len(days)) if index % 7 == 0]
    return Chart(
        days=tuple(days),
        series=tuple(series),
        totals=tuple(totals),
        total=exact_sum(totals),
        elsewhere=elsewhere,
        bars=tuple(_bars(days, series, statement.currency, high, scale)),
        ticks=tuple(texts),
        labels=tuple((f"{(index + 0.5) * width:.2f}%", day_in_words(days[index])) for index in named),
        baseline=f"{_TOP + high * scale:.1f}",
        height=_TOP + _HEIGHT + _BOTTOM,
        axis_width=max(len(label) for _, label in texts) * 7 + 12,
        summary=_summary(days, totals, statement.currency),
    )


def _bars(days: Sequence[date], series: Sequence[Series], currency: str, high: float, scale: float) -> list[Bar]:
    bars = []
    width = 100 / len(days)
    for index, day in enumerate(days):
        above, below = 0.0, 0.0
        # The dearest model stands on the base line.
        for one in series:
            amount = float(one.by_day[index])
            if not amount:
                continue
            start = above if amount > 0 else below
            top = max(start, start + amount)
            above, below = (start + amount, below) if amount > 0 else (above, start + amount)
            text = f"{day_in_words(day)}, {one.name}: {grouped(one.by_day[index])} {currency}"
            place = f"{(index + _GAP / 2) * width:.2f}%", f"{(1 - _GAP) * width:.2f}%"
            bars.append(Bar(*place, f"{_TOP + (high - top) * scale:.1f}", f"{abs(amount) * scale:.1f}", one.css, text))
    return bars


def _summary(days: Sequence[date], totals: Sequence[Decimal], currency: str) -> str:
    charged = [index for index, total in enumerate(totals) if total]
    if not charged:
        return "No day of the month was charged anything."
    if len(charged) == 1:
        only = charged[0]
        return (
            f"One day alone was charged anything: {day_in_words(days[only])} with {grouped(totals[only])} {currency}."
        )
    dearest = max(range(len(days)), key=lambda index: totals[index])
    least = min(range(len(days)), key=lambda index: totals[index])
    return (
        f"A bar for each day from {day_in_words(days[0])} to {day_in_words(days[-1])}. The dearest day is "
        f"{day_in_words(days[dearest])} with {grouped(totals[dearest])} {currency}, the cheapest "
        f"{day_in_words(days[least])} with {grouped(totals[least])} {currency}."
    )


def _step(span: float) -> float:
    """Return a round step of which about four make the span."""
    if span <= 0:
        return 1.0
    rough = span / _TICKS
    power = 10.0 ** floor(log10(rough))
    return next(power * round_one for round_one in (1, 2, 2.5, 5, 10) if power * round_one >= rough)


def _tick(value: float, step: float) -> str:
    digits = max(0, -floor(log10(step)) + (1 if f"{step:e}".startswith("2.5") else 0)) if step < 10 else 0
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
