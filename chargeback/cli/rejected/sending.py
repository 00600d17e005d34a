"""`chargeback rejected replay`: from the container to the hub, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import typer

from chargeback import hub
from chargeback.cli.program import say
from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.reading import from_settings
from chargeback.cli.rejected.replaying import Replay
from chargeback.cli.rejected.rereading import Sendable
from chargeback.errors import ChargebackError
from chargeback.settings.hub import Hub

SOME_KEPT_BACK = 1
_GO_ON = "run it again: what is not marked is sent again, under the same recordId, and billed once"


def replay_rejected(choice: Choice, *, dry_run: bool, again: bool) -> None:
    """Send the letters that are meant, and say what became of them.

    Raises:
        ChargebackError: a setting is missing, or something cannot be read, sent or marked.
    """
    stored = from_settings()
    if dry_run:
        _run(Replay(stored, choice, None, again))
        return
    with hub.connect(Hub.from_environment()) as sender:
        _run(Replay(stored, choice, partial(_send, sender), again))


def _send(sender: hub.Sender, records: Sequence[Sendable]) -> Sequence[int]:
    return sender.send([hub.Outgoing(it.body, it.record_id, it.enqueued_time, key=it.partition_id) for it in records])


def _run(replay: Replay) -> None:
    try:
        replay.run()
    except ChargebackError as error:
        replay.tally.show()
        raise ChargebackError(f"{error}; {_GO_ON}") from error
    except KeyboardInterrupt:
        replay.tally.show()
        say(f"stopped; {_GO_ON}")
        raise
    replay.tally.show()
    if not replay.tally.outcomes:
        say(f"there are no such rejected records in {replay.stored.where}")
    if replay.tally.kept_back:
        raise typer.Exit(SOME_KEPT_BACK)
