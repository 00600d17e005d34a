"""Sums as people write them, `(1200 - 1024) x 2.50 / 1e6 = 0.00044`, worked out exactly."""

from __future__ import annotations

import re
from fractions import Fraction

_TOKENS = re.compile(r"\s*(\d+(?:\.\d+)?(?:e\d+)?|[-+x/()])")


def worked_out(text: str) -> Fraction:
    """Return what both, or all, sides of the equation are.

    Raises:
        ValueError: it is no equation, or its sides differ.
    """
    sides = text.split("=")
    values = [_Side(side).value() for side in sides]
    if len(sides) < 2 or len(set(values)) != 1:
        raise ValueError(f"{text}: the sides are {', '.join(str(float(value)) for value in values)}")
    return values[0]


class _Side:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKENS.findall(text)
        if "".join(self._tokens) != "".join(text.split()):
            raise ValueError(f"{text!r} is no sum")

    def value(self) -> Fraction:
        value = self._sum()
        if self._tokens:
            raise ValueError(f"{self._tokens} is left over")
        return value

    def _takes(self, signs: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in signs else ""

    def _sum(self) -> Fraction:
        value = self._product()
        while sign := self._takes("+-"):
            other = self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Fraction:
        value = self._number()
        while sign := self._takes("x/"):
            other = self._number()
            value = value * other if sign == "x" else value / other
        return value

    def _number(self) -> Fraction:
        if self._takes("("):
            value = self._sum()
            if not self._takes(")"):
                raise ValueError("a bracket is not closed")
            return value
        if not self._tokens or self._tokens[0] in "+-x/()":
            raise ValueError("a number is missing")
        return Fraction(self._tokens.pop(0))
