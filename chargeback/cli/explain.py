"""`chargeback explain`: what the function would make of records, sending nothing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from chargeback.cli.bodies import open_bodies
from chargeback.events import IGNORED_EVENT, REJECTED_EVENT, CustomEvent

_OUTCOMES = {IGNORED_EVENT: "ignored", REJECTED_EVENT: "rejected"}


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
    # Late, because it loads the rooms that send and keep, for longer than most commands run.
    from chargeback.cli.rehearsal import rehearse

    with open_bodies(file) as bodies:
        for message in bodies.whole() if body else bodies.lines():
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
