"""The pipeline without its ends: what would be sent is handed back, and nothing is kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from chargeback.cli.bodies import BATCH, open_bodies
from chargeback.cli.hints import hint
from chargeback.deadletter.lines import path_of
from chargeback.delivery.envelope import Sealer
from chargeback.events import IGNORED_EVENT, REJECTED_EVENT, CustomEvent, DeadLetter, Refusal
from chargeback.pipeline import Message, Position, run
from chargeback.settings import Ingestion

_OUTCOMES = {IGNORED_EVENT: "ignored", REJECTED_EVENT: "rejected"}
_NOWHERE = Sealer(Ingestion("00000000-0000-0000-0000-000000000000", "http://127.0.0.1"), "chargeback", "")


def explain_all(file: str, whole: bool) -> None:
    """Write a line of JSON for every body of a file: the records in it, and what would be sent of each."""
    with open_bodies(file) as bodies:
        if not whole:
            hint(bodies, file)
        for message in bodies.whole() if whole else bodies.lines():
            records = [_explanation(event) for event in rehearse(message, datetime.now(UTC))]
            line = {"line": message.position.line, "records": records}
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _explanation(event: CustomEvent) -> dict[str, object]:
    return {
        "outcome": _OUTCOMES.get(event.name, "usage"),
        "reason": event.properties.get("reason"),
        "recordShape": event.properties["recordShape"],
        "events": [{"name": event.name, "properties": event.properties}],
    }


def rehearse(message: Message, now: datetime) -> list[CustomEvent]:
    """Take a body through the pipeline as if at `now`; return the event that would remain of each record in it."""
    rehearsal = _Rehearsal()
    run([message], rehearsal.deliver, _keep, lambda: now)
    return rehearsal.remaining()


def _keep(first: Position, letters: Sequence[DeadLetter]) -> str:
    """Name the file that the dead letters would go to: that of the batch which `replay` would put the line in."""
    line = first.line or 1
    return path_of(first._replace(line=line - (line - 1) % BATCH), letters)


@dataclass(slots=True)
class _Rehearsal:
    """Takes events and sends none; refuses what breaks a documented limit, as the real delivery does."""

    deliveries: list[tuple[list[CustomEvent], list[Refusal]]] = field(default_factory=list)

    def deliver(self, events: Sequence[CustomEvent]) -> list[Refusal]:
        _, refusals = _NOWHERE.seal(events)
        self.deliveries.append((list(events), refusals))
        return refusals

    def remaining(self) -> list[CustomEvent]:
        """Return a record's first event, or the one that tells of its refusal, which is delivered second."""
        events, refusals = self.deliveries[0]
        if refusals:
            for refusal, rejection in zip(refusals, self.deliveries[1][0], strict=True):
                events[refusal.index] = rejection
        return events
