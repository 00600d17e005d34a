"""A replay: batch after batch through the pipeline, tried again as the host would, and counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chargeback.cli.bodies import Bodies, open_bodies
from chargeback.cli.hints import hint, refuse_one_value
from chargeback.cli.program import command, say, shown
from chargeback.cli.sinks import Sinks, open_sinks
from chargeback.cli.tally import Tally
from chargeback.errors import ChargebackError, DeadLetterError, DeliveryError
from chargeback.events import CustomEvent, Refusal
from chargeback.pipeline import Message, Outcome, run
from chargeback.reports.months import in_its_month, others

SOME_REJECTED = 1
_WAITS_SECONDS = (0.5, 1.0)
_ONE_BODY = "add --body to take it as one body, or put each record on a line of its own"
_GO_ON = "replay the whole file again: records keep their identity, so that what is delivered twice is billed once"


def replay_all(file: str, store: Path | None, whole: bool) -> None:
    """Replay a file, or standard input, into a local store or where the settings say; print what became of it.

    Raises:
        ChargebackError: something cannot be read, opened or delivered.
    """
    tally = Tally()
    with open_bodies(file) as bodies:
        if not whole:
            refuse_one_value(bodies, file, _ONE_BODY)
            hint(bodies, file)
        with open_sinks(store) as sinks:
            unseen = _deliver(bodies, whole, sinks, tally)
    tally.show()
    _tell_unseen(unseen, store)
    _judge(tally, sinks.letters)


def _deliver(bodies: Bodies, whole: bool, sinks: Sinks, tally: Tally) -> int:
    """Return how many records no report of their month will find."""
    try:
        return _replay(bodies, whole, sinks, tally)
    except (DeliveryError, DeadLetterError) as error:
        tally.show()
        raise ChargebackError(f"line {tally.lines + 1} and what follows is not delivered: {error}; {_GO_ON}") from error
    except KeyboardInterrupt:
        tally.show()
        say(f"stopped after line {tally.lines}; {_GO_ON}")
        raise


def _judge(tally: Tally, letters: str) -> None:
    """Say what was not billed, and end with 1 if there is any; `letters` is where it lies."""
    if bad := tally.count("rejected", "refused"):
        say(f"{bad} of the records cannot be billed as they are: see why in {letters}")
        raise typer.Exit(SOME_REJECTED)


def _tell_unseen(unseen: int, store: Path | None) -> None:
    if not unseen:
        return
    report = shown(others())
    how = f"see them with {command()} query {report} --store {shown(store)}" if store else f"{report} lists them"
    said = "come more than 8 days after their month, or more than a day before it, where its reports do not look"
    say(f"{unseen} of the records {said}: {how}")


def _replay(bodies: Bodies, whole: bool, sinks: Sinks, tally: Tally) -> int:
    unseen = 0
    with _progress() as progress:
        task = progress.add_task("replay", total=bodies.size)
        for batch in bodies.batches(whole):
            outcome, not_found = _take(batch, sinks)
            tally.add(len(batch), outcome)
            unseen += not_found
            progress.advance(task, sum(len(message.body) + 1 for message in batch))
    return unseen


def _take(batch: Sequence[Message], sinks: Sinks) -> tuple[Outcome, int]:
    """Take a batch through; deliver it again a few times if that fails quickly, as the host would do for ever."""
    end = time.monotonic() + sinks.patience_seconds
    for wait in _WAITS_SECONDS:
        try:
            return _run(batch, sinks)
        except (DeliveryError, DeadLetterError):
            if time.monotonic() + wait > end:
                raise
            time.sleep(wait)
    return _run(batch, sinks)


def _run(batch: Sequence[Message], sinks: Sinks) -> tuple[Outcome, int]:
    """Take a batch through; return what became of it, and how many records no report of their month will find."""
    unseen: list[CustomEvent] = []

    def deliver(events: Sequence[CustomEvent]) -> Sequence[Refusal]:
        refusals = sinks.deliver(events)
        refused = {refusal.index for refusal in refusals}
        taken = (event for index, event in enumerate(events) if index not in refused)
        unseen.extend(event for event in taken if event.name == sinks.event_name and _is_unseen(event))
        return refusals

    outcome = run(batch, deliver, sinks.keep, partial(datetime.now, UTC), sinks.event_name)
    return outcome, len(unseen)


def _is_unseen(event: CustomEvent) -> bool:
    told = event.properties
    # Where the service takes a call's own time there is no doubt, and most are such.
    return "eventTimeAdjusted" in told and not in_its_month(datetime.fromisoformat(told["eventTime"]), event.time)


def _progress() -> Progress:
    """Return a bar on stderr; none where stderr is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
