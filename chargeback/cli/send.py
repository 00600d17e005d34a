"""`chargeback send`: records to a hub, as the gateway sends them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class PartitionKey(StrEnum):
    """What sends records to the same partition, in order."""

    CONSUMER = "consumer"
    """As the gateway's policy does it."""
    NONE = "none"
    """Partitions take turns."""


def send(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Record bodies, one a line; - is standard input.", show_default=False)
    ] = "",
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Make N records like the demo's, instead of a file."),
    ] = None,
    rate: Annotated[float, typer.Option(metavar="N", help="Records a second at most, from 0.001; 0: no limit.")] = 0.0,
    partition_key: Annotated[
        PartitionKey, typer.Option("--partition-key", help="What keeps records together.")
    ] = PartitionKey.CONSUMER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
) -> None:
    """Send records to the usage hub, each as an event of its own, as the gateway does.

    The hub is that of the function's own settings: EventHubConnection and EVENT_HUB_NAME, or
    EventHubConnection__fullyQualifiedNamespace as whoever is signed in, who needs Azure Event Hubs Data Sender.

    Sending a file twice bills it once: a record without an id of its own gets one from its place in the file, which the
    function honours. That id holds for the same file alone: once it grew or was edited, all of its records without an
    id are new ones, and billed again. What this version cannot read is sent all the same, and counted; a file that is
    no records at all is refused. What --sample makes is billed like anything else. Ctrl-C says how many records the
    hub has acknowledged. Exit code 1: some records are larger than the hub takes; 2: nothing, or not the rest, is sent.

    \b
    Examples:
      chargeback send records.jsonl --dry-run
      chargeback send records.jsonl --rate 100
      chargeback send --sample 50
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, because what sends takes longer to load than most commands run.
    from chargeback.cli.sending import Terms, send_all

    send_all(file, Terms(sample or 0, rate, partition_key is PartitionKey.CONSUMER, dry_run))
