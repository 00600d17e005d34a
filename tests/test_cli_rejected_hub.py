"""`chargeback rejected replay` against a real hub's protocol, over the real library: order, identity, marks, faults."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from tests.peers.faults import SERVER_BUSY, At, Do
from tests.peers.hub import HubPeer
from tests.peers.reading import read_all
from tests.rejected.letters import at, keep, letter, usage
from tests.test_cli_main import ROOT, called, command, environment, sentence

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FOLDER = "CHARGEBACK_DEAD_LETTER_FOLDER"
TIMELESS = b'{"subscriptionId":"team-alpha","promptTokens":1,"completionTokens":2}'
GO_ON = "run it again: what is not marked is sent again, under the same recordId, and billed once"
PLACE = "contoso.servicebus.windows.net/usage/2/7@1795168807000"
"""2026-11-20T10:00:07Z is 1,795,168,807 seconds after 1970."""


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer(partitions=4) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Letters of two partitions, the later file of one before its earlier; one of them says no time."""
    keep(tmp_path, letter("call-9", usage("call-9"), at(9)), letter("call-12", usage("call-12"), at(12)))
    keep(tmp_path, letter(PLACE, TIMELESS, at(7)), letter("call-8", usage("call-8"), at(8)))
    keep(tmp_path, letter("call-1", usage("call-1"), at(1, "3")))
    return tmp_path


def settings(peer: HubPeer, folder: Path) -> dict[str, str]:
    return {FOLDER: str(folder), "EventHubConnection": peer.connection_string, "EVENT_HUB_NAME": peer.name}


def marks(folder: Path) -> int:
    return sum(len(set(file.read_text().split())) for file in folder.rglob("*.replayed"))


def test_records_go_in_the_order_of_the_hub_with_their_identity_and_their_time(peer: HubPeer, folder: Path) -> None:
    finished = called("rejected", "replay", settings=settings(peer, folder))

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.decode().splitlines()[2].split() == ["sent", "5"]
    assert finished.stderr == b""
    found = {key: [read for read in read_all(peer) if read.key == key] for key in ("2", "3")}
    assert [read.properties for read in found["2"]] == [
        {"recordId": PLACE, "enqueuedTime": "2026-11-20T10:00:07.000Z"},
        {"recordId": "call-8"},
        {"recordId": "call-9"},
        {"recordId": "call-12"},
    ]
    assert [read.properties for read in found["3"]] == [{"recordId": "call-1"}]
    assert json.loads(found["2"][0].body) == json.loads(TIMELESS)
    assert marks(folder) == 5


def test_a_second_replay_sends_nothing(peer: HubPeer, folder: Path) -> None:
    called("rejected", "replay", settings=settings(peer, folder))

    finished = called("rejected", "replay", settings=settings(peer, folder))

    assert finished.stdout.decode().splitlines()[2].split() == ["sent", "before", "5"]
    assert len(peer.events) == 5


@pytest.mark.parametrize(("point", "doing"), [(At.SEND, Do.REJECT), (At.SEND, Do.DROP), (At.STORED, Do.DROP)])
def test_a_fault_is_survived_and_everything_is_there_and_marked(
    peer: HubPeer, folder: Path, point: At, doing: Do
) -> None:
    peer.fail(point, doing, SERVER_BUSY, times=3)

    finished = called("rejected", "replay", settings=settings(peer, folder))

    assert finished.returncode == 0, finished.stderr
    assert b"Traceback" not in finished.stderr
    kept = b"".join(event.raw for event in peer.events)
    assert all(identity.encode() in kept for identity in (PLACE, "call-8", "call-9", "call-12", "call-1"))
    assert marks(folder) == 5


def test_a_hub_that_lets_nobody_in_is_said_in_one_sentence_without_its_key(peer: HubPeer, folder: Path) -> None:
    peer.fail(At.AUTHENTICATE, Do.REJECT, times=100)

    finished = called("rejected", "replay", settings=settings(peer, folder))

    assert finished.returncode == 2
    assert sentence(finished) == (
        "the hub does not let this identity in: check EventHubConnection, or the role Azure Event Hubs Data Sender; "
        f"{GO_ON}"
    )
    assert b"a2V5" not in finished.stdout + finished.stderr
    assert marks(folder) == 0


def test_a_record_that_is_too_large_is_told_and_the_others_go_on(peer: HubPeer, tmp_path: Path) -> None:
    counts = {f"n{number}": 10**11 for number in range(60_000)}
    keep(tmp_path, letter("big", usage("big", **counts), at(1)), letter("small", usage("small"), at(2)))

    finished = called("rejected", "replay", settings=settings(peer, tmp_path))

    assert finished.returncode == 1
    assert [line.split("  ")[0] for line in finished.stdout.decode().splitlines()[2:4]] == ["not sent", "sent"]
    assert "big: not sent: larger than the hub takes; left of it: " in finished.stdout.decode()
    (event,) = peer.events
    assert b"small" in event.raw


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            "set EventHubConnection in this shell as it stands in the function app's settings (or "
            "EventHubConnection__fullyQualifiedNamespace, and sign in): where the hub is",
        ),
        (
            {"EventHubConnection": "Endpoint=sb://hub.example/;SharedAccessKeyName=a;SharedAccessKey=bWFkZSB1cA=="},
            "set EVENT_HUB_NAME in this shell as it stands in the function app's settings: it names the hub",
        ),
    ],
)
def test_without_a_hub_one_sentence_names_the_variable_and_where_it_belongs(
    folder: Path, given: dict[str, str], said: str
) -> None:
    finished = called("rejected", "replay", settings={FOLDER: str(folder), **given})

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == said


def test_ctrl_c_leaves_a_clean_count(peer: HubPeer, tmp_path: Path) -> None:
    letters = [letter(f"call-{number}", usage(f"call-{number}"), at(number)) for number in range(1, 501)]
    keep(tmp_path, *letters)
    peer.fail(At.STORED, Do.DELAY, seconds=0.4, times=50)
    line = [sys.executable, "-m", "chargeback", "rejected", "replay"]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(settings(peer, tmp_path))
    ) as replay:
        end = time.monotonic() + 30
        while not marks(tmp_path) and time.monotonic() < end:
            time.sleep(0.02)
        replay.send_signal(signal.SIGINT)
        out, told = replay.communicate(timeout=30)

    assert replay.returncode == 130
    outcome, sent = out.decode().splitlines()[2].split()
    # What the hub has may be marked a moment later.
    assert outcome == "sent"
    assert marks(tmp_path) <= int(sent) <= marks(tmp_path) + 50
    assert told.decode() == f"chargeback: stopped; {GO_ON}\n"
    assert 50 <= marks(tmp_path) < 500


def test_without_the_library_one_sentence_says_what_to_install(folder: Path) -> None:
    hidden = (
        "import sys; sys.modules['azure.eventhub'] = None; sys.argv[1:] = ['rejected', 'replay']; "
        "from chargeback.cli import main; main()"
    )

    finished = command(program=("-c", hidden), settings={FOLDER: str(folder)})

    assert finished.returncode == 2
    assert sentence(finished) == "azure.eventhub is not installed: pip install 'azure-openai-chargeback[local]'"
