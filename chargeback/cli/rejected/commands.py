"""The commands of `chargeback rejected`, each with its options and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from chargeback.cli.rejected.choice import choice_of
from chargeback.cli.tables import Format

Reason = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="TEXT", help="Only reasons that this is a part of; give each."),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only what the hub took from then on: 2026-11-20 (UTC).")
]


def list_(
    reason: Reason = None,
    since: Since = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the groups.")] = Format.TABLE,
    emit: Annotated[bool, typer.Option("--emit", help="Send an event with the counts, for an alert.")] = False,
) -> None:
    """List rejected records by day, reason and shape, with counts.

    Reads the dead letter that the function's own settings name: AzureWebJobsStorage (or
    AzureWebJobsStorage__accountName, and whoever is signed in) and CHARGEBACK_DEAD_LETTER_CONTAINER, or a folder,
    CHARGEBACK_DEAD_LETTER_FOLDER. A record counts once, in however many files it stands. `open` can be sent again,
    `replayed` was, and of `notReplayable` too little is left. One that was sent and rejected again is open again.
    --emit, meant to run daily, sends the event "Chargeback dead letters" to the Application Insights resource that the
    environment names: how many are open, and for longer than 7 days; it refuses a container that is not there.

    \b
    Examples:
      chargeback rejected list --since 2026-11-01
      chargeback rejected list --reason "known token counts" --format json
      chargeback rejected list --emit
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, here and below: storage loads for longer than most commands run.
    from chargeback.cli.rejected.listing import list_rejected

    list_rejected(choice_of(reason, since), form, emit=emit)


def show(record_id: Annotated[str, typer.Argument(metavar="ID", help="Its recordId.")]) -> None:
    """Show all that was kept of one rejected record: where it came from, why, and its body without texts and keys.

    Prints a JSON object for each line of the dead letter with this id, and what can be done about it.

    \b
    Example:
      chargeback rejected show "contoso.servicebus.windows.net/usage/2/50007@1795172400007"
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    from chargeback.cli.rejected.showing import show_rejected

    show_rejected(record_id)


def replay(
    reason: Reason = None,
    since: Since = None,
    record_id: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="Only the record of this recordId; give each.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; change nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent before; it is billed once.")] = False,
) -> None:
    """Send rejected records to the hub again, once the cause is mended.

    Each is read with this version's code first: what it still cannot read, or ignores, is told and not sent, and so
    is what too little is left of. The others go to the hub of the function's own settings (EventHubConnection or
    EventHubConnection__fullyQualifiedNamespace, and EVENT_HUB_NAME), in the order in which it took them, under the
    recordId that they had. Once the hub has them they are marked, in a file beside their own, and not sent again.
    Stopped at any point, run it again. (Records in a file of yours go through `replay` or `send`.)

    Exit code 1: some of the records meant cannot be sent; 2: something could not be read, sent or marked.

    \b
    Examples:
      chargeback rejected replay --reason "no known token counts" --since 2026-11-20 --dry-run
      chargeback rejected replay --reason "no known token counts" --since 2026-11-20
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    from chargeback.cli.rejected.sending import replay_rejected

    replay_rejected(choice_of(reason, since, record_id), dry_run=dry_run, again=again)
