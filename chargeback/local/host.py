"""Plays the Functions host for a local worker: batches, checkpoints, redelivery. As evidence says the host behaves.

At-least-once: a batch that raises is delivered again; a worker that dies takes its unacknowledged batch with it, and
the next one gets it cut differently; now and then acknowledged events come again, as after a rebalance.
"""

from __future__ import annotations

import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

from chargeback.errors import DeliveryError
from chargeback.local.day import Sent

NAMESPACE = "contoso.servicebus.windows.net"
_MOST_ATTEMPTS = 50
_RETRY_SECONDS = 0.2
_SECONDS_TO_END = 30


@dataclass(slots=True)
class Log:
    """What happened on the way."""

    batches: int = 0
    events: int = 0
    """Delivered and acknowledged; events that came again count again."""
    failures: list[str] = field(default_factory=list)
    """Batches that raised, in the function's words."""
    deaths: int = 0
    redelivered: int = 0

    def acknowledged(self, events: int, again: int) -> None:
        """Count one batch, of which `again` events had been acknowledged before."""
        self.batches += 1
        self.events += events
        self.redelivered += again


class Worker:
    """One worker process; restarted when it dies."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Start it on a folder that holds function_app.py."""
        self._command = [sys.executable, "-m", "chargeback.local.worker", str(folder)]
        self._environment = dict(environment)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  (our own interpreter, our own module)
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the program that started it; it ends with its standard input
        )

    def call(self, message: Mapping[str, object]) -> str | None:
        """Hand over one batch; return the error's words, `None` when it is acknowledged.

        Raises:
            EOFError: the worker died; a new one is there.
        """
        stdin, stdout = _pipes(self._process)
        line = b""
        with suppress(BrokenPipeError):  # it died before it could listen
            stdin.write(orjson.dumps(message) + b"\n")
            stdin.flush()
            line = stdout.readline()
        if not line:
            self.close()
            self._process = self._start()
            raise EOFError
        answer = orjson.loads(line)
        return None if answer["ok"] else str(answer["error"])

    def close(self) -> None:
        """End the process, once it has answered what it was asked."""
        stdin, stdout = _pipes(self._process)
        with suppress(BrokenPipeError):  # what it has not read is lost with it
            stdin.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise DeliveryError("the worker process has no pipes")
    return process.stdin, process.stdout


@dataclass(slots=True)
class Partition:
    """One partition of a hub, and how far its reader has come."""

    hub: str
    number: int
    events: Sequence[Sent]
    acknowledged: int = 0
    again: int = 0
    """Up to where events have been delivered a second time."""

    def message(self, start: int, end: int, retries: int, *, die: bool = False) -> dict[str, object]:
        """Write a batch as the host does: bodies, system properties, the batch's metadata."""
        part = self.events[start:end]
        context = {"FullyQualifiedNamespace": NAMESPACE, "EventHubName": self.hub, "PartitionId": str(self.number)}
        return {
            "batch": {
                "bodies": [b64encode(event.body).decode() for event in part],
                "numbers": list(range(start, start + len(part))),
                "taken": [event.at.replace(tzinfo=None).isoformat() for event in part],
            },
            "metadata": {"PartitionContext": context, "OffsetStringArray": [str(start + n) for n in range(len(part))]},
            "retries": retries,
            "die": die,
        }


def partitions(hub: str, events: Sequence[Sent], count: int) -> list[Partition]:
    """Spread events over a hub's partitions by consumer, as a partition key does."""
    spread: list[list[Sent]] = [[] for _ in range(count)]
    for event in events:
        spread[sum(event.consumer_id.encode()) % count].append(event)
    return [Partition(hub, number, part) for number, part in enumerate(spread)]


@dataclass(slots=True)
class Delivery:
    """How a partition's events are handed to a worker."""

    worker: Worker
    log: Log
    size: int
    """Most events in a batch."""
    redeliver: int = 0
    """How many acknowledged events come once more with the next batch, as after a rebalance."""
    die_at: int | None = None
    """At this batch the worker dies, after its work and before it says so; the batch comes again, half as long."""

    def drain(self, partition: Partition, progress: Callable[[int], None]) -> None:
        """Deliver a partition to its end.

        Raises:
            DeliveryError: a batch fails again and again, or the worker dies without having been told to.
        """
        retries = turn = 0
        while partition.acknowledged < len(partition.events):
            start, end = self._next(partition)
            try:
                error = self.worker.call(partition.message(start, end, retries, die=turn == self.die_at))
            except EOFError:
                if turn != self.die_at:
                    raise DeliveryError("the worker process ended by itself: see its own words above") from None
                self.log.deaths += 1
                self.die_at, self.size = None, max(1, self.size // 2)
                continue
            if error is not None:
                retries += 1
                self._failed(error, retries)
                continue
            self.log.acknowledged(end - start, partition.acknowledged - start)
            progress(end - partition.acknowledged)
            partition.again, partition.acknowledged = partition.acknowledged, end
            retries, turn = 0, turn + 1

    def _next(self, partition: Partition) -> tuple[int, int]:
        """Return from where to where the next batch goes."""
        again = self.redeliver if partition.acknowledged > partition.again else 0
        start = max(0, partition.acknowledged - again)
        return start, min(start + self.size, len(partition.events))

    def _failed(self, error: str, retries: int) -> None:
        self.log.failures.append(error)
        if retries > _MOST_ATTEMPTS:
            raise DeliveryError(f"a batch failed {retries} times, last with {error}")
        time.sleep(_RETRY_SECONDS)
