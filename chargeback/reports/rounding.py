"""Rounding: once, half-even, per business unit and month. What is finer splits the rounded amounts, to the cent.

All sums are exact: a sum that would need more digits than there are here raises instead of being cut.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from typing import TypeAlias, TypeVar

from chargeback.errors import ReportError
from chargeback.reports.currencies import minor_digits
from chargeback.reports.statement import Line, Statement
from chargeback.reports.units import Unit, unit_of

_Steps: TypeAlias = tuple[Hashable, ...]
_Path = TypeVar("_Path", bound=tuple[Hashable, ...])
_Key = TypeVar("_Key", bound=Hashable)
_Three: TypeAlias = tuple[Decimal, Decimal, Decimal]

_DIGITS = 400
"""More than any sum of money needs."""
_EXACT = Context(prec=_DIGITS, traps=[Inexact, InvalidOperation])
_ROUNDING = Context(prec=_DIGITS, traps=[InvalidOperation])


@dataclass(frozen=True, slots=True)
class Amounts:
    """One thing at its three prices, in the statement's currency."""

    list_cost: Decimal
    contract_cost: Decimal
    charged_cost: Decimal

    def __add__(self, other: Amounts) -> Amounts:
        pairs = zip(_three(self), _three(other), strict=True)
        return Amounts(*(_EXACT.add(one, another) for one, another in pairs))


NOTHING = Amounts(Decimal(0), Decimal(0), Decimal(0))
_ZEROS: _Three = (Decimal(0), Decimal(0), Decimal(0))


def nothing(currency: str) -> Amounts:
    """Return no money at all, written with the digits of its currency."""
    zero = rounded(Decimal(0), minor_digits(currency))
    return Amounts(zero, zero, zero)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts up without rounding; 0 where there are none."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def exact_product(one: Decimal, other: Decimal) -> Decimal:
    """Multiply without rounding."""
    return _EXACT.multiply(one, other)


def exact_difference(one: Decimal, other: Decimal) -> Decimal:
    """Subtract without rounding."""
    return _EXACT.subtract(one, other)


_DUST = 9
"""Digits after those of the coin; what is beyond them is noise."""


def rounded(amount: Decimal, digits: int) -> Decimal:
    """Round half-even to `digits` after the point; never to a negative zero.

    Shares of purchases come as binary numbers: what is a tie but for a thousand-millionth of a coin is one, as in the
    queries (`rounded` of kql/lib/sums.kql).

    Raises:
        ReportError: the amount is no number.
    """
    return _quantized(_quantized(amount, digits + _DUST, ROUND_HALF_EVEN), digits, ROUND_HALF_EVEN)


def rounded_by_unit(statement: Statement) -> dict[Unit, Amounts]:
    """Return what each unit owes: its exact amounts added up, then rounded to the currency's minor unit.

    Business units come first, by name; the statement's total is the sum of these.
    """
    digits = minor_digits(statement.currency)
    sums = _sums(statement.lines, map(unit_of, statement.lines))
    found = {unit: Amounts(*(rounded(amount, digits) for amount in three)) for unit, three in sums.items()}
    return dict(sorted(found.items(), key=lambda item: item[0].order))


def split(total: Decimal, exact: Mapping[_Key, Decimal], digits: int) -> dict[_Key, Decimal]:
    """Split a rounded total over the exact amounts that it is the sum of, by largest remainder.

    Every share is its exact amount, rounded down or up to `digits`; the shares add up to the total. Among equal
    remainders the first in the order of the keys' texts is rounded up, so the order of `exact` does not matter.

    Raises:
        ReportError: the total is not the sum of the amounts, rounded.
    """
    quantum = Decimal(1).scaleb(-digits)
    if _EXACT.subtract(total, exact_sum(exact.values())).copy_abs() >= quantum:
        raise ReportError(f"{total} is not the rounded sum of what it is to be split over: round it from these amounts")
    shares = {key: _quantized(amount, digits, ROUND_FLOOR) for key, amount in exact.items()}
    left = int(_EXACT.subtract(total, exact_sum(shares.values())).scaleb(digits, context=_EXACT))
    by_remainder = sorted(exact, key=lambda key: (_EXACT.subtract(shares[key], exact[key]), repr(key)))
    for key in by_remainder[:left]:
        shares[key] = _EXACT.add(shares[key], quantum)
    return shares


def shares(statement: Statement, path_of: Callable[[Line], _Path]) -> dict[tuple[Unit, _Path], Amounts]:
    """Split each unit's rounded amounts over the paths of its lines, which are equally long tuples.

    The amounts are split by the first of a path's steps; then what each of these got by the second, and so on. So what
    is added up over later steps is what it would be without them.
    """
    digits = minor_digits(statement.currency)
    found: dict[_Steps, Amounts] = {(unit,): amounts for unit, amounts in rounded_by_unit(statement).items()}
    paths = [(unit_of(line), path_of(line)) for line in statement.lines]
    depth = max((len(path) for _, path in paths), default=0)
    for end in range(1, depth + 1):
        steps = ((unit, *path[:end]) for unit, path in paths)
        found = _split_further(found, _sums(statement.lines, steps), digits)
    return {(unit, path): found[unit, *path] for unit, path in paths}


def _split_further(
    coarse: Mapping[_Steps, Amounts], fine: Mapping[_Steps, _Three], digits: int
) -> dict[_Steps, Amounts]:
    below: dict[_Steps, dict[_Steps, _Three]] = {steps: {} for steps in coarse}
    for steps, three in fine.items():
        below[steps[:-1]][steps] = three
    found = {}
    for parent, children in below.items():
        columns = [
            split(total, {steps: three[index] for steps, three in children.items()}, digits)
            for index, total in enumerate(_three(coarse[parent]))
        ]
        found.update({steps: Amounts(*(column[steps] for column in columns)) for steps in children})
    return found


def _sums(lines: Iterable[Line], keys: Iterable[_Key]) -> dict[_Key, _Three]:
    """Add up the lines' exact amounts by their keys."""
    found: dict[_Key, _Three] = {}
    for line, key in zip(lines, keys, strict=True):
        costs = line.list_cost, line.contract_cost, line.charged_cost
        one, two, three = (_EXACT.add(so_far, cost) for so_far, cost in zip(found.get(key, _ZEROS), costs, strict=True))
        found[key] = one, two, three
    return found


def _three(amounts: Amounts) -> _Three:
    return amounts.list_cost, amounts.contract_cost, amounts.charged_cost


def _quantized(amount: Decimal, digits: int, how: str) -> Decimal:
    if not amount.is_finite():
        raise ReportError(f"an amount of the statement is {amount}: every line needs three amounts that are numbers")
    # Adding zero makes a negative zero positive.
    return _ROUNDING.add(amount.quantize(Decimal(1).scaleb(-digits), rounding=how, context=_ROUNDING), Decimal(0))
