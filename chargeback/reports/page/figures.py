"""Numbers as people read them."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MINUS = "\N{MINUS SIGN}"


def grouped(amount: Decimal) -> str:
    """Write an amount with its thousands separated and all its digits."""
    return f"{amount:,f}".replace("-", _MINUS)


def whole(count: int) -> str:
    """Write a count with its thousands separated."""
    return f"{count:,}".replace("-", _MINUS)


def percent(share: Fraction) -> str:
    """Write a share in percent, cut after a digit: what is not all is never shown as 100."""
    cut = (Decimal(share.numerator) * 100 / share.denominator).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
    return f"{cut} %".replace("-", _MINUS)


def month_in_words(month: str) -> str:
    """Write `2026-10` as `October 2026`."""
    year, number = month.split("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def day_in_words(day: date) -> str:
    """Write a day of the statement's month as `12 Oct`."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def share_of(part: Decimal, total: Decimal) -> Fraction | None:
    """Return which share of a total a part is; 0 of nothing. What is given back is none, nor what is above all."""
    if not total and not part:
        return Fraction(0)
    return Fraction(part) / Fraction(total) if 0 <= part <= total else None


def pixels(share: Fraction, length: int) -> str:
    """Return how long the bar of a share is, when the bar of all is `length`."""
    return f"{float(share) * length:.1f}"
