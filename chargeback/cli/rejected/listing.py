"""`chargeback rejected list`: how many records were rejected, why, when, and what can still be done about them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import orjson

from chargeback.cli.program import command, say
from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.reading import all_marks, contents, from_settings
from chargeback.cli.tables import Format, write
from chargeback.deadletter.stored import Letter, letters_of
from chargeback.errors import ChargebackError, DeliveryError
from chargeback.events import DEAD_LETTERS_EVENT, DEAD_LETTERS_NAMES, CustomEvent


class State(StrEnum):
    """What can be done about a letter."""

    OPEN = "open"
    """It can be sent again."""
    REPLAYED = "replayed"
    GONE = "notReplayable"
    """What is left of it is no record."""


_LONG = timedelta(days=7)
COLUMNS = ("day", "reason", "recordShape", "records", *State)


class Group(NamedTuple):
    """What letters have in common."""

    day: str
    """When the hub took them, UTC; empty where no hub did."""
    reason: str
    shape: str


@dataclass(slots=True)
class Census:
    """Counts records, each once: one may stand in two files, and be rejected again after it was sent again.

    Two are one if both id and what was kept of them are alike; what is open is counted by letter, as it is sent.
    """

    counts: Counter[tuple[Group, str]] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    torn: int = 0
    _seen: set[bytes] = field(default_factory=set)
    """Digests, because records may be long: of a record in a group, and of a letter in a state there."""

    def add(self, letter: Letter, state: State) -> None:
        """Count a letter."""
        taken = letter.position.enqueued_time
        group = Group(taken.date().isoformat() if taken else "", letter.reason, letter.shape)
        self.groups[group] += self._is_new(*group, letter.record_id, letter.body)
        self.counts[group, state] += self._is_new(*group, letter.mark.hex(), state)

    def _is_new(self, *parts: object) -> bool:
        digest = hashlib.sha256(orjson.dumps(parts)).digest()[:16]
        before = len(self._seen)
        self._seen.add(digest)
        return len(self._seen) > before

    def count(self, state: State) -> int:
        """Return how many records are in a state."""
        return sum(number for (_, found), number in self.counts.items() if found == state)

    def rows(self) -> list[tuple[object, ...]]:
        """Return the groups, in order, each with its counts by COLUMNS."""
        return [
            (group.day or None, group.reason, group.shape, self.groups[group], *self._by_state(group))
            for group in sorted(self.groups)
        ]

    def _by_state(self, group: Group) -> list[int]:
        return [self.counts[group, state] for state in State]


def state_of(letter: Letter, replayed: set[bytes]) -> State:
    """Return what can be done about a letter, given the marks of those that were sent again."""
    if letter.mark in replayed:
        return State.REPLAYED
    return State.OPEN if letter.replayable else State.GONE


def list_rejected(choice: Choice, form: Format, *, emit: bool = False) -> None:
    """Print the groups of the letters that are meant; send their counts where that is asked for.

    Raises:
        ChargebackError: something cannot be read, or the counts cannot be sent.
    """
    if emit and choice != Choice():
        raise ChargebackError("--emit counts every letter: leave --reason and --since out")
    stored = from_settings()
    if emit:
        stored.check()  # a slip in a setting would tell the alert that there is nothing to tell
    files = stored.files()
    replayed = all_marks(stored, files)
    census = Census()
    for file, content in contents(stored, [file for file in files if choice.may_hold(file)], "rejected records"):
        letters, torn = letters_of(content.text)
        census.torn += torn
        for letter in letters:
            if choice.takes(letter, file):
                census.add(letter, state_of(letter, replayed))
    write(COLUMNS, census.rows(), form)
    _tell(census, stored.where)
    if emit:
        _emit(census, datetime.now(UTC))


def _emit(census: Census, now: datetime) -> None:
    """Send how many letters are open, and how many of them for longer than a week.

    Raises:
        ChargebackError: there is nowhere to send it to, or it is not accepted.
    """
    # Late, because it loads the rooms that send.
    from chargeback.cli.sinks import open_sender

    week_ago = (now - _LONG).date().isoformat()
    letters = census.count(State.OPEN)
    # A letter that no hub took has no day: it is from a file, and nobody knows for how long.
    old = sum(n for (group, state), n in census.counts.items() if state == State.OPEN and "" < group.day < week_ago)
    told = dict(zip(DEAD_LETTERS_NAMES, (str(letters), str(old)), strict=True))
    with open_sender("") as sender:
        refusals = sender.send([CustomEvent(DEAD_LETTERS_EVENT, now, told)])
    if refusals:
        raise DeliveryError(f"the counts are refused ({refusals[0].message}): run python -m chargeback doctor")
    say(f"sent the counts: {letters} open, {old} of them for longer than 7 days")


def _tell(census: Census, where: str) -> None:
    if not census.groups:
        say(f"there are no such rejected records in {where}")
    if census.torn:
        say(f"{census.torn} lines in {where} are no dead letters, broken off perhaps: look at them by hand")
    if opened := census.count(State.OPEN):
        say(f"{opened} may be sent again: once the cause is mended, {command()} rejected replay --dry-run tells which")
