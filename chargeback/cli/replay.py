"""`chargeback replay`: records from a file through the function's own pipeline."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chargeback.cli.bodies import Bodies, open_bodies
from chargeback.cli.tally import Tally
from chargeback.errors import ChargebackError, DeadLetterError, DeliveryError
from chargeback.pipeline import Message, Outcome, run

if TYPE_CHECKING:
    from chargeback.cli.sinks import Sinks

SOME_REJECTED = 1
_WAITS_SECONDS = (0.5, 1.0)
_GO_ON = "replay the whole file again: records keep their identity, so that what is delivered twice is billed once"


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Record bodies, one a line; - is standard input.")],
    store: Annotated[
        Path | None, typer.Option(metavar="PATH", help="DuckDB file of a local store; made if new.")
    ] = None,
) -> None:
    """Take records from a file through the function's own pipeline.

    Events go to the Application Insights resource that the environment names, and rejected records to its
    storage account: the function's own settings. With --store both stay on this machine: events in a DuckDB
    file, rejected records in the folder PATH.rejected beside it.

    Replaying a file twice bills it once. Exit code 1: some records were rejected or refused; 2: something could
    not be delivered, and the rest was not tried.

    \b
    Examples:
      chargeback replay records.jsonl --store day.duckdb
      chargeback replay - --store day.duckdb < records.jsonl
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, because it loads the rooms that send and keep, for longer than most commands run.
    from chargeback.cli.sinks import open_sinks

    tally = Tally()
    with open_bodies(file) as bodies, open_sinks(store) as sinks:
        try:
            _replay(bodies, sinks, tally)
        except (DeliveryError, DeadLetterError) as error:
            tally.show()
            raise ChargebackError(
                f"line {tally.lines + 1} and what follows is not delivered: {error}; {_GO_ON}"
            ) from error
        except KeyboardInterrupt:
            tally.show()
            print(f"chargeback: stopped after line {tally.lines}; {_GO_ON}", file=sys.stderr)
            raise
    tally.show()
    _judge(tally, sinks.letters)


def _judge(tally: Tally, letters: str) -> None:
    """Say what was not billed, and end with 1 if there is any; `letters` is where it lies."""
    if bad := tally.count("rejected", "refused"):
        said = f"{bad} of the records cannot be billed as they are: see why in {letters}"
        print(f"chargeback: {said}", file=sys.stderr)
        raise typer.Exit(SOME_REJECTED)


def _replay(bodies: Bodies, sinks: Sinks, tally: Tally) -> None:
    with _progress() as progress:
        task = progress.add_task("replay", total=bodies.size)
        for batch in bodies.batches():
            tally.add(len(batch), _take(batch, sinks))
            progress.advance(task, sum(len(message.body) + 1 for message in batch))


def _take(batch: Sequence[Message], sinks: Sinks) -> Outcome:
    """Take a batch through; deliver it again a few times if that fails quickly, as the host would do for ever."""
    clock = partial(datetime.now, UTC)
    end = time.monotonic() + sinks.patience_seconds
    for wait in _WAITS_SECONDS:
        try:
            return run(batch, sinks.deliver, sinks.keep, clock, sinks.event_name)
        except (DeliveryError, DeadLetterError):
            if time.monotonic() + wait > end:
                raise
            time.sleep(wait)
    return run(batch, sinks.deliver, sinks.keep, clock, sinks.event_name)


def _progress() -> Progress:
    """Return a bar on stderr; none where stderr is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
