"""What a statement covers: every call of the month is in exactly one class, and the classes add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chargeback.reports.statement import CLASSES, Excluded, Statement
from chargeback.reports.units import is_called

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "line": "charged",
        "unknown-consumer": "unknown consumer",
        "unpriced": "unpriced",
        "inconsistent": "inconsistent",
        "unknown-usage": "unknown usage",
        "maybe-billed": "maybe billed",
        "not-billed": "not billed",
    }
)
"""Class -> the word for it in a sum."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The calls of a month by class, why those in no line are in none, and what does not add up."""

    terms: tuple[tuple[str, int], ...]
    """(class, calls), every class, in the order of CLASSES."""
    calls: int
    excluded: tuple[Excluded, ...]
    """Most calls first."""
    faults: tuple[str, ...]
    """What contradicts what, one sentence each; empty as it should be."""

    @property
    def identity(self) -> str:
        """The sum in one line: `9 charged + 1 unpriced + ... = 10 calls`; with ≠ where it is none."""
        sign = "=" if sum(calls for _, calls in self.terms) == self.calls else "≠"
        terms = " + ".join(f"{calls:,} {WORDS.get(name, name)}" for name, calls in self.terms)
        return f"{terms} {sign} {self.calls:,} {'call' if self.calls == 1 else 'calls'}"


def coverage(statement: Statement) -> Coverage:
    """Return the statement's calls by class, checked against its lines and its excluded calls."""
    names = [*CLASSES, *(name for name in statement.classes if name not in CLASSES)]
    terms = tuple((name, statement.classes.get(name, 0)) for name in names)
    excluded = sorted(statement.excluded, key=lambda row: (-row.calls, row.class_name, row.cause, row.business_unit))
    return Coverage(terms, statement.calls, tuple(excluded), tuple(_faults(statement, dict(terms))))


def _faults(statement: Statement, classes: Mapping[str, int]) -> list[str]:
    """Compare what was counted twice, in different ways."""
    owned = sum(line.calls for line in statement.lines if is_called(line) and line.business_unit)
    unowned = sum(line.calls for line in statement.lines if is_called(line) and not line.business_unit)
    counts = [
        ("the classes together", sum(classes.values()), "all calls", statement.calls),
        ("the lines of business units", owned, "the class line", classes["line"]),
        ("the lines of no business unit", unowned, "the class unknown-consumer", classes["unknown-consumer"]),
    ]
    for name in sorted({*classes, *(row.class_name for row in statement.excluded)} - {"line"}):
        caused = sum(row.calls for row in statement.excluded if row.class_name == name)
        # Unknown consumers have lines, which say who they are: they need no cause.
        if caused or name != "unknown-consumer":
            counts.append((f"the causes of {name}", caused, "the class", classes.get(name, 0)))
    return [f"{one}: {here:,} calls; {other}: {there:,}" for one, here, other, there in counts if here != there]
