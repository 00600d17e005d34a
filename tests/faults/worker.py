"""An instance of the function that dies where it is told to; `test_killed.py` starts it and its successor.

It reads a partition from a checkpoint file on and writes the file after each batch, as the host does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from chargeback import pipeline
from chargeback.deadletter import FolderDeadLetter
from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.delivery import Sender
from chargeback.events import CustomEvent, DeadLetter, Deliver, Keep, Position, Refusal
from chargeback.settings import Settings
from tests.faults.azurite import container_of
from tests.faults.records import NOON, cut, hub_of


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker has to do; travels as JSON."""

    endpoint: str
    """Connection string of the local Application Insights."""
    storage: str
    """Connection string of the blob service, or a folder."""
    checkpoint: str
    """File that holds how many events are acknowledged."""
    events: int
    size: int
    """Events in a batch."""
    dies: str = ""
    """Before or after which step; the steps are `keep`, `deliver`, `run` and `acknowledge`."""
    turn: int = 1
    """In the n-th passage of that step."""


class Death:
    """Ends the process at one point, as if the machine were taken away: no clean-up, no flush."""

    def __init__(self, dies: str, turn: int) -> None:
        self._dies, self._left = dies, turn

    def at(self, point: str) -> None:
        if point == self._dies:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def on(self, event: str, _: tuple[object, ...]) -> None:
        """Listen to the interpreter's own events, such as `os.rename`."""
        self.at(event)


def main(order: Order) -> None:
    """Take the events that are not acknowledged through the pipeline."""
    death = Death(order.dies, order.turn)
    sys.addaudithook(death.on)
    checkpoint = Path(order.checkpoint)
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    deliver, keep = _ports(order, death)
    for batch in cut(hub_of(order.events)[0][done:], order.size):
        pipeline.run(batch, deliver, keep, _noon)
        death.at("before acknowledge")
        done += len(batch)
        checkpoint.write_text(str(done))
        death.at("after acknowledge")


def _noon() -> datetime:
    return NOON


def _ports(order: Order, death: Death) -> tuple[Deliver, Keep]:
    """Return the real ports, with the points of death before and after them."""
    settings = Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": order.endpoint})
    sender = Sender(settings)
    folder = order.storage.startswith("/")
    kept = FolderDeadLetter(Path(order.storage)) if folder else BlobDeadLetter(container_of(order.storage))

    def deliver(events: Sequence[CustomEvent]) -> Sequence[Refusal]:
        death.at("before deliver")
        refusals = sender.send(events)
        death.at("after deliver")
        return refusals

    def keep(first: Position, letters: Sequence[DeadLetter]) -> str:
        death.at("before keep")
        path = kept.keep(first, letters)
        death.at("after keep")
        return path

    return deliver, keep


if __name__ == "__main__":
    main(Order(**orjson.loads(sys.argv[1])))
