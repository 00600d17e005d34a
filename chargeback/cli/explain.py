"""`chargeback explain`: what the function would make of records, sending nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import orjson
import typer

from chargeback.cli.bodies import open_bodies
from chargeback.cli.replay import BATCH
from chargeback.deadletter.lines import path_of
from chargeback.delivery.envelope import Sealer
from chargeback.events import IGNORED_EVENT, REJECTED_EVENT, CustomEvent, DeadLetter, Refusal
from chargeback.pipeline import Message, Position, run
from chargeback.settings import Ingestion

_OUTCOMES = {IGNORED_EVENT: "ignored", REJECTED_EVENT: "rejected"}
_NOWHERE = Sealer(Ingestion("00000000-0000-0000-0000-000000000000", "http://127.0.0.1"), "chargeback", "")


def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Record bodies, one a line; - is standard input.")],
    body: Annotated[bool, typer.Option("--body", help="Take the whole file as one body.")] = False,
) -> None:
    """Say what the function would make of records, sending nothing.

    For every body one line of JSON comes out: each record in it, whether it is usage, ignored or rejected and
    why, and the events that would go to Application Insights. It needs no settings and no network. A line is
    taken as it stands: an empty one is an empty body, as it would be on the hub.

    \b
    Examples:
      chargeback explain records.jsonl | head -1
      chargeback explain --body message.json
      grep my-app records.jsonl | chargeback explain - | jq .records[].reason
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    with open_bodies(file) as bodies:
        for message in bodies.whole() if body else bodies.lines():
            records = [_explanation(event) for event in rehearse(message, datetime.now(UTC))]
            line = {"line": message.position.line, "records": records}
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def rehearse(message: Message, now: datetime) -> list[CustomEvent]:
    """Take a body through the pipeline as if at `now`; return the event that would remain of each record in it."""
    rehearsal = _Rehearsal()
    run([message], rehearsal.deliver, _keep, partial(_same, now))
    return rehearsal.remaining()


def _same(now: datetime) -> datetime:
    return now


def _keep(first: Position, letters: Sequence[DeadLetter]) -> str:
    """Name the file that the dead letters would go to: that of the batch which `replay` would put the line in."""
    line = first.line or 1
    return path_of(replace(first, line=line - (line - 1) % BATCH), letters)


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


def _explanation(event: CustomEvent) -> dict[str, object]:
    return {
        "outcome": _OUTCOMES.get(event.name, "usage"),
        "reason": event.properties.get("reason"),
        "recordShape": event.properties["recordShape"],
        "events": [{"name": event.name, "properties": event.properties}],
    }
