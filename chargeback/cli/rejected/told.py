"""What became of the letters that were to be sent again, counted and told."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

import orjson

from chargeback.cli.program import command, say
from chargeback.cli.tables import print_table, visible
from chargeback.deadletter.stored import Letter

SENT, WOULD, BEFORE = "sent", "would be sent", "sent before"
_MOST_SHOWN = 20
_LONGEST = 160


@dataclass(slots=True)
class Tally:
    """Counts letters, each once."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what became of it, why) -> how many letters."""
    torn: int = 0
    timeless: int = 0
    left: list[tuple[str, str, str]] = field(default_factory=list)
    """Of the first letters that cannot be sent: id, why, and what is left of them."""
    untagged: Counter[str] = field(default_factory=Counter)
    """Why files whose letters all are sent could not be tagged -> how many."""

    def count(self, outcome: str, reason: str = "", number: int = 1) -> None:
        """Count letters of which the same became."""
        self.outcomes[outcome, reason] += number

    def keep_back(self, letter: Letter, outcome: str, reason: str) -> None:
        """Count a letter that cannot be sent, and keep something to show of it."""
        self.count(outcome, reason)
        if len(self.left) < _MOST_SHOWN:
            self.left.append((letter.record_id, f"{outcome}: {reason}", _short(letter.body)))

    @property
    def kept_back(self) -> int:
        """How many letters cannot be sent."""
        return sum(number for (outcome, _), number in self.outcomes.items() if outcome not in (SENT, WOULD, BEFORE))

    def show(self) -> None:
        """Print it, if there is anything."""
        if rows := [(*what, number) for what, number in sorted(self.outcomes.items())]:
            print_table(("outcome", "reason", "records"), rows)
        for identity, why, body in self.left:
            print(f"{visible(identity)}: {visible(why)}; left of it: {visible(body)}")
        sys.stdout.flush()
        self._say_aside()

    def _say_aside(self) -> None:
        if self.kept_back > len(self.left):
            say(f"{self.kept_back - len(self.left)} more cannot be sent: {command()} rejected list counts them")
        if self.kept_back:
            say(f"{command()} rejected show ID prints all that is left of one")
        if self.timeless:
            say(f"{self.timeless} say no time, and came through no hub: they are billed when the hub takes them")
        if self.torn:
            say(f"{self.torn} lines are no dead letters, broken off perhaps: their files stay, look at them by hand")
        for why, number in self.untagged.items():
            say(f"{number} files are done and stay, because the first, {why}")


def _short(body: object) -> str:
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
