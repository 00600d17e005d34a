"""`chargeback explain`: what the function would make of records, sending nothing."""

from __future__ import annotations

from typing import Annotated

import typer


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
    # Late, because it loads the rooms that read, send and keep, for longer than most commands run.
    from chargeback.cli.rehearsal import explain_all

    explain_all(file, body)
