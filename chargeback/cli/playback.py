"""A replay: batch after batch through the pipeline, tried again as the host would, and counted."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chargeback.cli.bodies import Bodies, open_bodies
from chargeback.cli.hints import hint, is_one_value
from chargeback.cli.inputs import name_of
from chargeback.cli.sinks import Sinks, open_sinks
from chargeback.cli.tally import Tally
from chargeback.errors import ChargebackError, DeadLetterError, DeliveryError
from chargeback.pipeline import Message, Outcome, run

SOME_REJECTED = 1
_WAITS_SECONDS = (0.5, 1.0)
_GO_ON = "replay the whole file again: records keep their identity, so that what is delivered twice is billed once"


def replay_all(file: str, store: Path | None, whole: bool) -> None:
    """Replay a file, or standard input, into a local store or where the settings say; print what became of it.

    Raises:
        ChargebackError: something cannot be read, opened or delivered.
    """
    tally = Tally()
    with open_bodies(file) as bodies:
        if not whole:
            _check(bodies, file)
        with open_sinks(store) as sinks:
            _deliver(bodies, whole, sinks, tally)
    tally.show()
    _judge(tally, sinks.letters)


def _check(bodies: Bodies, file: str) -> None:
    """Refuse a file whose lines are the pieces of one body; none of them is a record, and each would be rejected."""
    if is_one_value(bodies):
        raise ChargebackError(
            f"{name_of(file)} is one JSON value over several lines: add --body to take it as one body, or put each "
            "record on a line of its own"
        )
    hint(bodies, file)


def _deliver(bodies: Bodies, whole: bool, sinks: Sinks, tally: Tally) -> None:
    try:
        _replay(bodies, whole, sinks, tally)
    except (DeliveryError, DeadLetterError) as error:
        tally.show()
        raise ChargebackError(f"line {tally.lines + 1} and what follows is not delivered: {error}; {_GO_ON}") from error
    except KeyboardInterrupt:
        tally.show()
        print(f"chargeback: stopped after line {tally.lines}; {_GO_ON}", file=sys.stderr)
        raise


def _judge(tally: Tally, letters: str) -> None:
    """Say what was not billed, and end with 1 if there is any; `letters` is where it lies."""
    if bad := tally.count("rejected", "refused"):
        said = f"{bad} of the records cannot be billed as they are: see why in {letters}"
        print(f"chargeback: {said}", file=sys.stderr)
        raise typer.Exit(SOME_REJECTED)


def _replay(bodies: Bodies, whole: bool, sinks: Sinks, tally: Tally) -> None:
    with _progress() as progress:
        task = progress.add_task("replay", total=bodies.size)
        for batch in bodies.batches(whole):
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
