"""The process is killed between any two steps: whoever takes over ends with the same rows and the same dead letters."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from chargeback.local.server import LocalApplicationInsights
from tests.faults.azurite import ROOT, Azurite, blobs, connection_string, container_of, ids
from tests.faults.outcome import check, look
from tests.faults.records import NOON, hub_of
from tests.faults.wire import Wire
from tests.faults.worker import Order

EVENTS, SIZE, OTHER_SIZE = 1000, 210, 333
HUB, LEDGER = hub_of(EVENTS)
POINTS = [
    *itertools.product(("before keep", "after keep", "before deliver", "after deliver"), (1, 3)),
    *itertools.product(("before acknowledge", "after acknowledge"), (2,)),
]
KILLED = -signal.SIGKILL

needs_azurite = pytest.mark.needs_node("azurite")


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture
def insights() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights(clock=lambda: NOON) as running:
        yield running


@pytest.fixture
def order(insights: LocalApplicationInsights, tmp_path: Path) -> Order:
    """A worker's order, with dead letters in a folder."""
    return Order(insights.connection_string, str(tmp_path / "rejected"), str(tmp_path / "checkpoint"), EVENTS, SIZE)


def start(order: Order) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.worker", orjson.dumps(asdict(order)).decode()]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def end(worker: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for a worker; return its exit code and what it said."""
    _, said = worker.communicate(timeout=120)
    return worker.returncode, said.decode()


def letters(order: Order) -> list[str]:
    """The ids in the dead letter of an order, a folder or a container."""
    if not order.storage.startswith("/"):
        with container_of(order.storage) as container:
            return ids(blobs(container))
    return ids({str(file): file.read_bytes() for file in Path(order.storage).rglob("*.jsonl")})


def take_over(order: Order, insights: LocalApplicationInsights) -> None:
    """Let a new process, which cuts batches differently, do the rest; then everything must be there."""
    assert end(start(replace(order, size=OTHER_SIZE, dies=""))) == (0, "")
    assert check(look(insights.store, letters(order)), LEDGER) == set()


def acknowledged(order: Order) -> int:
    checkpoint = Path(order.checkpoint)
    return int(checkpoint.read_text()) if checkpoint.exists() else 0


@pytest.mark.parametrize(("point", "turn"), POINTS)
def test_killed_between_two_steps(point: str, turn: int, order: Order, insights: LocalApplicationInsights) -> None:
    assert end(start(replace(order, dies=point, turn=turn))) == (KILLED, "")
    assert acknowledged(order) == SIZE * (turn if point == "after acknowledge" else turn - 1)
    take_over(order, insights)


@pytest.mark.parametrize(("turn", "written"), [(1, 0), (2, 2)])
def test_killed_between_writing_a_draft_and_putting_it_in_place(
    turn: int, written: int, order: Order, insights: LocalApplicationInsights
) -> None:
    """The first batch holds two records of rubbish, the second one."""
    assert end(start(replace(order, dies="os.rename", turn=turn))) == (KILLED, "")
    assert len(letters(order)) == written, "a draft is nobody's dead letter"
    take_over(order, insights)


def kill_on(wire: Wire, worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker once its request is stuck in the wire."""
    assert wire.stopped.wait(60), "the request never came"
    assert worker.poll() is None
    worker.kill()
    assert end(worker)[0] == KILLED


@pytest.mark.parametrize("share", [0.5, 1.0], ids=["half sent", "stored, not acknowledged"])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_killed_in_the_middle_of_delivering_a_batch(
    turn: int, share: float, order: Order, insights: LocalApplicationInsights
) -> None:
    """One batch of 2,500 events is three POSTs."""
    ledger = hub_of(2500)[1]
    endpoint = urlsplit(insights.endpoint)
    assert endpoint.port is not None
    with Wire(endpoint.port, b"POST /v2.1/track", turn, share) as wire:
        through = insights.connection_string.replace(f":{endpoint.port}", f":{wire.port}")
        kill_on(wire, start(replace(order, endpoint=through, events=2500, size=2500)))
    assert [seen.items for seen in insights.requests] == [1000] * (turn if share == 1 and turn < 3 else turn - 1) + (
        [len(ledger.all) - 2000] if share == 1 and turn == 3 else []
    )
    assert acknowledged(order) == 0
    assert end(start(replace(order, events=2500, size=900))) == (0, "")
    assert check(look(insights.store, letters(order)), ledger) == set()


@needs_azurite
@pytest.mark.parametrize("share", [0.9, 1.0], ids=["half sent", "stored, not acknowledged"])
@pytest.mark.parametrize("turn", [1, 2])
def test_killed_in_the_middle_of_writing_a_blob(
    turn: int, share: float, order: Order, insights: LocalApplicationInsights, azurite: Azurite
) -> None:
    with azurite.container() as container:
        if container.exists():
            container.delete_container()
    direct = replace(order, storage=azurite.connection_string)
    upload = b"PUT /devstoreaccount1/chargeback-rejected/rejected"
    with Wire(azurite.port, upload, turn, share) as wire:
        kill_on(wire, start(replace(direct, storage=connection_string(wire.port))))
    # The container comes with the first blob, whose first upload finds none.
    assert len(letters(direct)) == (0 if share < 1 or turn == 1 else 2)
    take_over(direct, insights)


@needs_azurite
@pytest.mark.parametrize("point", ["before keep", "after keep"])
def test_killed_around_writing_a_blob(
    point: str, order: Order, insights: LocalApplicationInsights, azurite: Azurite
) -> None:
    with azurite.container() as container:
        if container.exists():
            container.delete_container()
    direct = replace(order, storage=azurite.connection_string)
    assert end(start(replace(direct, dies=point, turn=2))) == (KILLED, "")
    assert len(letters(direct)) == (2 if point == "before keep" else 3)
    take_over(direct, insights)
