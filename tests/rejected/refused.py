"""A hub all of whose usage became dead letters: the service refused every event of it, for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chargeback.events import USAGE_EVENT, CustomEvent, Keep, Refusal
from chargeback.pipeline import Message, run
from tests.faults.records import NOON, cut


@dataclass(slots=True)
class Refusing:
    """Takes what tells of a rejection, and of usage nothing; remembers what it did not take."""

    refused: dict[str, CustomEvent] = field(default_factory=dict)
    """By record id."""

    def deliver(self, events: Sequence[CustomEvent]) -> Sequence[Refusal]:
        usage = [(index, event) for index, event in enumerate(events) if event.name == USAGE_EVENT]
        self.refused.update((event.properties["recordId"], event) for _, event in usage)
        return [Refusal(index, 400, "made up for a test") for index, _ in usage]


def refuse_all(messages: list[Message], keep: Keep, size: int) -> dict[str, CustomEvent]:
    """Take a hub's messages through the pipeline, whose letters are kept; return the events that were not taken."""
    service = Refusing()
    for batch in cut(messages, size):
        run(batch, service.deliver, keep, lambda: NOON)
    return service.refused
