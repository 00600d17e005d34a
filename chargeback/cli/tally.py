"""The count of a replay: what became of the records, told in a table."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

from chargeback.cli.tables import print_table
from chargeback.pipeline import Outcome

OUTCOMES = ("usage", "ignored", "rejected", "refused")


@dataclass(slots=True)
class Tally:
    """What became of the batches that are through."""

    lines: int = 0
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(outcome, shape) -> how many."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Kind -> how many, in usage records that were accepted."""

    def add(self, lines: int, outcome: Outcome) -> None:
        """Count one batch."""
        self.lines += lines
        self.records.update(outcome.records)
        self.tokens.update(outcome.tokens)

    def count(self, *outcomes: str) -> int:
        """Return how many records came to one of these outcomes."""
        return sum(number for (outcome, _), number in self.records.items() if outcome in outcomes)

    def show(self) -> None:
        """Print it."""
        shapes = sorted({shape for _, shape in self.records})
        rows: list[tuple[object, ...]] = [
            (shape, *(self.records[outcome, shape] for outcome in OUTCOMES)) for shape in shapes
        ]
        total = ("total", *(self.count(outcome) for outcome in OUTCOMES))
        print_table(("record shape", *OUTCOMES), [*rows, total])
        known = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in self.tokens.items())
        bodies = "1 body" if self.lines == 1 else f"{self.lines} bodies"
        print(f"{bodies} read; tokens: {known or 'none'}")
        sys.stdout.flush()
