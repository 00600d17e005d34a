"""What a month comes to, however it was found: costs by line, and how many calls are in each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

EXACT = Context(prec=80)
UNASSIGNED, IDLE = "Unassigned", "Idle capacity"


class Key(NamedTuple):
    """What the lines are told apart by."""

    business_unit: str
    """Empty: nobody's."""
    consumer: str
    deployment: str
    model: str
    kind: str
    """`tokens`, `provisioned` or `idle`."""


class Costs(NamedTuple):
    """A line's calls and its costs, not rounded."""

    calls: int
    list_cost: Decimal
    contract_cost: Decimal
    charged_cost: Decimal


NOTHING = Costs(0, Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class Month:
    """The outcome for one case."""

    lines: Mapping[Key, Costs]
    classes: Mapping[str, int]
    """Class of calls -> calls; classes without calls are absent."""
    notes: Mapping[Key, frozenset[tuple[str, str]]]
    """Line -> (part, the part that it is billed as); of a provisioned line (`weights`, `missing`)."""


def added(one: Costs, other: Costs) -> Costs:
    pairs = zip(one[1:], other[1:], strict=True)
    return Costs(one.calls + other.calls, *(EXACT.add(left, right) for left, right in pairs))


def unit_of(key: Key) -> str:
    """Return whose amounts a line's are rounded with."""
    return key.business_unit or (IDLE if key.kind == "idle" else UNASSIGNED)


def statement(month: Month, digits: int = 2) -> dict[str, Decimal]:
    """Return what each unit owes: rounded once, half-even."""
    totals: dict[str, Decimal] = {}
    for key, costs in month.lines.items():
        totals[unit_of(key)] = EXACT.add(totals.get(unit_of(key), Decimal(0)), costs.charged_cost)
    quantum = Decimal(1).scaleb(-digits)
    return {name: total.quantize(quantum, ROUND_HALF_EVEN, EXACT) for name, total in totals.items()}


CLOSE = Decimal("5e-10")
"""Closer than this is the same to nine digits after the point."""


def differences(one: Month, other: Month, close: Decimal = CLOSE) -> list[str]:
    """Return in what two outcomes differ; amounts that are closer than `close` are the same."""
    found = [f"{key} is in one of them only" for key in one.lines.keys() ^ other.lines.keys()]
    for key in one.lines.keys() & other.lines.keys():
        costs, others = one.lines[key], other.lines[key]
        apart = max(abs(EXACT.subtract(left, right)) for left, right in zip(costs[1:], others[1:], strict=True))
        found += [f"{key}: {costs} is not {others}"] if costs.calls != others.calls or apart >= close else []
    for name, left, right in (("classes", one.classes, other.classes), ("notes", one.notes, other.notes)):
        found += [f"{name}: {dict(left)} are not {dict(right)}"] if left != right else []
    return found
