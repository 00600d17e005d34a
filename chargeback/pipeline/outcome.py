"""What became of a batch, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from chargeback.events import CustomEvent, DeadLetter, Refusal
from chargeback.records import Position

TOKEN_KINDS = {
    "prompt": "prompt_tokens",
    "completion": "completion_tokens",
    "cached": "cached_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}


class Message(NamedTuple):
    """One body as it arrived, and where from."""

    body: bytes
    position: Position
    record_id: str | None = None
    """The identity that whoever sent it gave it; it wins over what the body says."""
    enqueued_time: datetime | None = None
    """When a hub took it first, UTC, if it was sent again."""

    @property
    def origin(self) -> Position:
        """Where it is, and when a hub took it first."""
        if self.enqueued_time is None:
            return self.position
        return self.position._replace(enqueued_time=self.enqueued_time)


class Entry(NamedTuple):
    """One record of the batch. What was read is not kept: a thousand records would only crowd the processor's cache."""

    message: Message
    place: int
    """In the body, from 0."""
    among: int
    """How many records the body holds."""
    outcome: str
    told: CustomEvent | DeadLetter
    """The event that tells of it, or the letter that has to be stored before one can."""
    tokens: tuple[int | None, ...]
    """By TOKEN_KINDS."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, all of it accepted or stored."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(`usage`, `ignored`, `rejected` or `refused`; record shape) -> how many."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Kind -> tokens in the batch's usage records. Redelivered records count again: it is telemetry, no bill."""
    lag: timedelta | None = None
    """From the hub taking the batch's oldest event to its acceptance."""
    delivery: timedelta = timedelta()
    """From reading to acceptance."""


def outcome_of(
    batch: Sequence[Message],
    entries: Sequence[Entry],
    events: Sequence[CustomEvent],
    refusals: Sequence[Refusal],
    started: datetime,
    ended: datetime,
) -> Outcome:
    """Count what became of a batch whose entries were told of by these events, some of them refused."""
    refused = {refusal.index for refusal in refusals}
    records = Counter(
        ("refused" if index in refused else entry.outcome, event.properties["recordShape"])
        for index, (entry, event) in enumerate(zip(entries, events, strict=True))
    )
    used = [entry.tokens for index, entry in enumerate(entries) if entry.tokens and index not in refused]
    tokens = Counter({kind: sum(counts[n] or 0 for counts in used) for n, kind in enumerate(TOKEN_KINDS)})
    taken = [message.position.enqueued_time for message in batch if message.position.enqueued_time]
    return Outcome(records, +tokens, ended - min(taken) if taken else None, ended - started)
