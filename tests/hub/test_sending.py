"""Sending: every fault is waited for or told, within a time, and nothing is taken for sent that may not be there."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from chargeback.errors import HubError
from chargeback.hub import Outgoing, Sender, connect
from chargeback.settings.hub import Hub
from tests.peers.faults import SERVER_BUSY, At, Do
from tests.peers.hub import HubPeer
from tests.peers.reading import read_all

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FIRST, SECOND = Outgoing(b"first", "id-1", key="shop"), Outgoing(b"second", "id-2", key="shop")
PATIENCE = 12.0


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer(partitions=2) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


@pytest.fixture
def sender(peer: HubPeer) -> Iterator[Sender]:
    with connect(Hub(peer.name, peer.connection_string)) as running:
        running.seconds = PATIENCE
        yield running


def bodies(peer: HubPeer) -> list[bytes]:
    """Return what the hub holds, each body once, in the order in which it came first."""
    return list(dict.fromkeys(read.body for read in read_all(peer)))


@pytest.mark.parametrize(
    ("at", "do", "times"),
    [
        (At.SEND, Do.REJECT, 3),
        (At.SEND, Do.DETACH, 3),
        (At.SEND, Do.CLOSE, 2),
        (At.SEND, Do.DROP, 2),
        (At.STORED, Do.DROP, 2),
        (At.STORED, Do.DELAY, 1),
        (At.ATTACH, Do.DETACH, 2),
        (At.ATTACH, Do.DROP, 2),
    ],
)
def test_a_fault_that_passes_costs_time_and_no_record(
    peer: HubPeer, sender: Sender, at: At, do: Do, times: int
) -> None:
    """The library itself gives up after two: the others are waited for here."""
    assert sender.send([FIRST]) == []
    peer.fail(at, do, SERVER_BUSY, seconds=0.3, times=times)
    if at is At.ATTACH:
        peer.cut()
    assert sender.send([SECOND]) == []
    assert (at, do) in peer.seen
    assert bodies(peer) == [b"first", b"second"]


@pytest.mark.parametrize(("at", "do"), [(At.SEND, Do.REJECT), (At.SEND, Do.DROP), (At.SEND, Do.IGNORE)])
def test_a_fault_that_stays_is_told_in_time(peer: HubPeer, sender: Sender, at: At, do: Do) -> None:
    sender.seconds = 3.0
    peer.fail(at, do, SERVER_BUSY, times=1000)
    began = time.monotonic()
    with pytest.raises(HubError, match="the hub has not acknowledged"):
        sender.send([FIRST])
    assert time.monotonic() - began < 15


def test_an_authentication_that_nobody_answers_is_given_up(peer: HubPeer, sender: Sender) -> None:
    """The library waits for a minute, whatever it is told."""
    sender.seconds = 3.0
    peer.fail(At.AUTHENTICATE, Do.IGNORE, times=1000)
    began = time.monotonic()
    with pytest.raises(HubError):
        sender.send([FIRST])
    assert time.monotonic() - began < 15


def test_a_refused_authentication_is_not_tried_again(peer: HubPeer, sender: Sender) -> None:
    peer.fail(At.AUTHENTICATE, Do.REJECT, times=1000)
    with pytest.raises(HubError, match="does not let this identity in"):
        sender.send([FIRST])


def test_identity_and_first_time_travel_with_the_event(peer: HubPeer, sender: Sender) -> None:
    taken = datetime(2026, 11, 20, 8, 0, 0, 250_000, tzinfo=UTC)
    sender.send([Outgoing(b"a", "id-a", taken, "shop"), Outgoing(b"b", key="shop")])
    assert [read.properties for read in read_all(peer)] == [
        {"recordId": "id-a", "enqueuedTime": "2026-11-20T08:00:00.250Z"},
        {},
    ]


def test_what_is_too_large_is_named_by_its_place_and_the_others_go_in_order(peer: HubPeer, sender: Sender) -> None:
    large = Outgoing(b"x" * 1_200_000, "big", key="shop")
    assert sender.send([FIRST, large, SECOND]) == [1]
    assert bodies(peer) == [b"first", b"second"]


def test_more_than_one_batch_takes_goes_in_order(peer: HubPeer, sender: Sender) -> None:
    """1,500 records of 1 KB are more than the 1 MB of a batch."""
    many = [Outgoing(f"{number:04}".encode() + b"x" * 1020, key="shop") for number in range(1500)]
    assert sender.send(many) == []
    assert bodies(peer) == [record.body for record in many]
