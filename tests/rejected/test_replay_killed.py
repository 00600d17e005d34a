"""A replay is killed again and again: every record reaches the hub, and is billed as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.delivery import Sender
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.pipeline import Message, run
from chargeback.reports.compose import compose
from chargeback.settings import Settings
from tests.faults.azurite import ROOT, Azurite, connection_string
from tests.faults.outcome import look
from tests.faults.records import NOON, Ledger, cut, hub_of, place_of, position_of
from tests.peers.hub import HubPeer
from tests.peers.reading import Read, read_all
from tests.rejected.function import Taken
from tests.rejected.refused import refuse_all
from tests.rejected.tap import Count, Tap
from tests.test_cli_main import environment

pytestmark = [pytest.mark.once, pytest.mark.needs_node("azurite"), pytest.mark.needs_proton]

KILLS, SEED = 50, 20261126
LETTERS, A_FILE = 1000, 20
PIECES_TO_BEGIN, PIECES_A_FILE = 50, 5
"""Pieces on the wires, about, until a replay begins, and for a file whose letters were all sent before."""
PIECES_OF_WORK = 24
"""Pieces beyond those within which a run is killed; fifty letters take about eighteen."""
FAR = datetime(2200, 1, 1, tzinfo=UTC)


def hub_with_timeless_records() -> tuple[list[Message], Ledger]:
    """A hub of records of every shape, and ten that say no time: they happened when the hub took them."""
    messages, ledger = hub_of(987)
    for number in range(987, 997):
        body = {"subscriptionId": "timeless", "promptTokens": number, "completionTokens": 1}
        messages.append(Message(json.dumps(body).encode(), position_of(number)))
        ledger.billed[place_of(number)] = (number, 1)
    return messages, ledger


MESSAGES, LEDGER = hub_with_timeless_records()


@dataclass(frozen=True, slots=True)
class Scene:
    """The services, and the wires on which a replay reaches them."""

    azurite: Azurite
    peer: HubPeer
    count: Count
    settings: dict[str, str]


@pytest.fixture
def scene() -> Iterator[Scene]:
    count = Count()
    with ExitStack() as running:
        azurite = running.enter_context(Azurite())
        peer = running.enter_context(HubPeer("usage", partitions=3))
        storage = running.enter_context(Tap(azurite.port, count))
        hub = running.enter_context(Tap(peer.port, count))
        settings = {
            "AzureWebJobsStorage": connection_string(storage.port),
            "EventHubConnection": peer.connection_string.replace(f":{peer.port}", f":{hub.port}"),
            "EVENT_HUB_NAME": "usage",
        }
        with azurite.container() as container:
            refused = refuse_all(MESSAGES, BlobDeadLetter(container).keep, A_FILE)
        assert len(refused) == LETTERS == len(LEDGER.billed)
        yield Scene(azurite, peer, count, settings)


def test_killed_fifty_times_every_record_reaches_the_hub_and_is_billed_once(scene: Scene, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311  (no secret: it chooses where to kill)
    progress = [sent(scene)]
    while len(progress) <= KILLS:
        assert kill(scene, chance), "it ended before it was killed: PIECES_OF_WORK is too large"
        progress.append(sent(scene))
    last = start(scene, -1)
    assert end(last) == 1, "five records are rubbish still"

    assert len(set(progress)) > 10, progress
    assert progress[-1] < LETTERS, "there was work left for every run to be killed in"
    assert sent(scene) == LETTERS
    arrived = arrivals(scene.peer)
    assert {event.properties["recordId"] for event in arrived} == LEDGER.billed.keys()
    with LocalApplicationInsights() as insights:
        deliver(arrived, insights, tmp_path)
        found = look(insights.store, [])
        assert found.billed == LEDGER.billed
        assert (found.ignored, found.told) == (set(), set())
        assert found.rows == len(arrived)
        with closing(Store(tmp_path / "calm.duckdb")) as calm:
            as_if_nothing_had_happened(calm)
            assert report(insights.store) == report(calm)
            assert times(insights.store) == times(calm)


def start(scene: Scene, pieces: int) -> subprocess.Popen[bytes]:
    """Start a replay that is killed when so many pieces have passed on its wires; never, if that is -1."""
    ready = subprocess.Popen(
        [sys.executable, "-m", "chargeback", "rejected", "replay"],
        cwd=ROOT,
        env=environment(scene.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    scene.count.at(pieces, ready.kill)
    return ready


def end(replay: subprocess.Popen[bytes]) -> int:
    """Wait for a replay; nothing that it says is a trace."""
    _, said = replay.communicate(timeout=120)
    assert b"Traceback" not in said, said.decode()
    return replay.returncode


def kill(scene: Scene, chance: random.Random) -> bool:
    """Let a replay run to a point of its life: every other time to one that is past what earlier runs have done."""
    done = len(marked(scene))
    before = PIECES_TO_BEGIN + done * PIECES_A_FILE
    point = chance.randint(chance.choice((1, before)), before + PIECES_OF_WORK)
    return end(start(scene, point)) == -signal.SIGKILL


def marked(scene: Scene) -> dict[str, bytes]:
    """The files of marks."""
    with scene.azurite.container() as container:
        names = [name for name in container.list_blob_names() if name.endswith(".replayed")]
        return {name: container.download_blob(name).readall() for name in names}


def sent(scene: Scene) -> int:
    """How many letters are marked."""
    return len({line for text in marked(scene).values() for line in text.split()})


def arrivals(peer: HubPeer) -> list[Taken]:
    """Read everything that lies in the hub, with the library that others read it with."""
    return [taken_from(found) for found in read_all(peer)]


def taken_from(found: Read) -> Taken:
    event = found.event
    assert event.enqueued_time is not None
    assert event.sequence_number is not None
    enqueued = event.enqueued_time.astimezone(UTC).replace(tzinfo=None).isoformat()
    return Taken(b64encode(found.body).decode(), found.properties, found.partition, event.sequence_number, enqueued)


def deliver(arrived: list[Taken], insights: LocalApplicationInsights, folder: Path) -> None:
    """Take what lies in the hub through the function."""
    settings = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(folder / "rejected"),
    }
    function = subprocess.run(
        [sys.executable, "-m", "tests.rejected.function"],
        cwd=ROOT,
        input=json.dumps([asdict(event) for event in arrived]).encode(),
        env=environment(settings),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert function.returncode == 0, function.stderr.decode()
    assert not (folder / "rejected").exists()


def as_if_nothing_had_happened(store: Store) -> None:
    """Fill the store of a service that refuses nothing, at the time when the records were new."""
    with LocalApplicationInsights(store, clock=lambda: NOON) as calm:
        settings = Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": calm.connection_string})
        with closing(Sender(settings)) as sender:
            for batch in cut(MESSAGES, 1000):
                run(batch, sender.send, lambda *_: "nowhere", lambda: NOON)


def report(store: Store) -> list[tuple[object, ...]]:
    """Tokens by consumer, of all times: when this test runs is nobody's business."""
    query = compose((ROOT / "kql/reports/tokens-by-consumer.kql").read_text(), period=(NOON.replace(day=1), FAR))
    found = sorted(store.query(query).rows, key=str)
    assert found
    return list(found)


def times(store: Store) -> set[tuple[object, ...]]:
    """When each call happened, and whose it was."""
    query = (
        "customEvents | where name == 'Function called with Chargeback Data' | distinct "
        "id = tostring(customDimensions.recordId), at = tostring(customDimensions.eventTime), "
        "who = tostring(customDimensions.consumerId)"
    )
    return set(store.query(query).rows)
