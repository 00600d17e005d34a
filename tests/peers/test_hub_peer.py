"""The peer, by what the real azure-eventhub makes of it: sent, kept, read, and every fault survived or told."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from tests.peers.faults import SERVER_BUSY, At, Do
from tests.peers.hub import HubPeer

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer(partitions=2) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


@pytest.fixture
def producer(peer: HubPeer) -> Iterator[EventHubProducerClient]:
    with EventHubProducerClient.from_connection_string(
        peer.connection_string, retry_total=1, retry_backoff_factor=0.05
    ) as client:
        yield client


def send(producer: EventHubProducerClient, *bodies: str, key: str | None = None) -> None:
    batch = producer.create_batch(partition_key=key)
    for body in bodies:
        event = EventData(body)
        event.properties = {"recordId": f"id-{body}"}
        batch.add(event)
    producer.send_batch(batch, timeout=5)


def read(peer: HubPeer, count: int, partition: str, since: str | int = "-1") -> list[EventData]:
    """Read as many events of a partition with the library's own consumer."""
    found: list[EventData] = []
    enough = threading.Event()

    def take(_: object, event: EventData | None) -> None:
        if event is not None:
            found.append(event)
        if len(found) >= count:
            enough.set()

    client = EventHubConsumerClient.from_connection_string(peer.connection_string, "$Default")
    reader = threading.Thread(
        target=client.receive, kwargs={"on_event": take, "partition_id": partition, "starting_position": since}
    )
    reader.start()
    enough.wait(10)
    client.close()
    reader.join(10)
    return found


def test_events_arrive_in_order_with_their_properties(peer: HubPeer, producer: EventHubProducerClient) -> None:
    send(producer, "a", "b", "c", key="shop")
    (partition,) = {partition.id for partition in peer.partitions if partition.events}
    events = read(peer, 3, partition)
    assert [event.body_as_str() for event in events] == ["a", "b", "c"]
    assert [event.sequence_number for event in events] == [0, 1, 2]
    assert [event.properties for event in events] == [{b"recordId": f"id-{name}".encode()} for name in "abc"]
    assert {event.partition_key for event in events} == {b"shop"}


def test_a_reader_starts_where_it_says(peer: HubPeer, producer: EventHubProducerClient) -> None:
    send(producer, "a", "b", "c", key="shop")
    (partition,) = {partition.id for partition in peer.partitions if partition.events}
    assert [event.body_as_str() for event in read(peer, 1, partition, since=1)] == ["c"], "after number 1"


def test_without_a_key_partitions_take_turns(peer: HubPeer, producer: EventHubProducerClient) -> None:
    for body in "abcd":
        send(producer, body)
    assert [len(partition.events) for partition in peer.partitions] == [2, 2]


def test_the_hub_and_its_partitions_tell_of_themselves(producer: EventHubProducerClient) -> None:
    send(producer, "a", "b", key="shop")
    assert producer.get_eventhub_properties()["partition_ids"] == ["0", "1"]
    told = [producer.get_partition_properties(number) for number in "01"]
    assert sorted((one["last_enqueued_sequence_number"], one["is_empty"]) for one in told) == [(-1, True), (1, False)]


def test_another_hub_is_not_found(peer: HubPeer) -> None:
    elsewhere = peer.connection_string.replace("EntityPath=hub", "EntityPath=other")
    with (
        EventHubProducerClient.from_connection_string(elsewhere, retry_total=0) as client,
        pytest.raises(EventHubError),
    ):
        client.get_eventhub_properties()


@pytest.mark.parametrize(
    ("at", "do"),
    [
        (At.SEND, Do.REJECT),
        (At.SEND, Do.DETACH),
        (At.SEND, Do.CLOSE),
        (At.SEND, Do.DROP),
        (At.ATTACH, Do.DROP),
        (At.AUTHENTICATE, Do.REJECT),
    ],
)
def test_a_single_fault_is_survived_by_the_library(
    peer: HubPeer, producer: EventHubProducerClient, at: At, do: Do
) -> None:
    if at is At.SEND:
        send(producer, "before", key="shop")
    peer.fail(at, do, SERVER_BUSY)
    send(producer, "a", key="shop")
    assert (at, do) in peer.seen
    assert [event.number for event in peer.events][-1] == len(peer.events) - 1
    assert any(b"a" in event.raw for event in peer.events)


def test_a_connection_that_is_cut_after_the_event_is_kept_leaves_a_second_one(
    peer: HubPeer, producer: EventHubProducerClient
) -> None:
    send(producer, "before", key="shop")
    peer.fail(At.STORED, Do.DROP)
    send(producer, "a", key="shop")
    assert len(peer.events) == 3, "the library sends again what it does not know to be there"


def test_a_busy_hub_is_not_waited_for_by_the_library(peer: HubPeer, producer: EventHubProducerClient) -> None:
    """Two attempts, at once: whoever sends has to wait by itself."""
    send(producer, "before", key="shop")
    peer.fail(At.SEND, Do.REJECT, SERVER_BUSY, times=2)
    began = time.monotonic()
    with pytest.raises(EventHubError):
        send(producer, "a", key="shop")
    assert time.monotonic() - began < 2
    assert len(peer.events) == 1


def test_a_refused_authentication_is_told_as_one(peer: HubPeer) -> None:
    peer.fail(At.AUTHENTICATE, Do.REJECT, times=4)
    with (
        EventHubProducerClient.from_connection_string(peer.connection_string, retry_total=0) as client,
        pytest.raises(AuthenticationError),
    ):
        client.get_eventhub_properties()


def test_a_slow_acknowledgement_is_waited_for(peer: HubPeer, producer: EventHubProducerClient) -> None:
    send(producer, "before", key="shop")
    peer.fail(At.STORED, Do.DELAY, seconds=0.5)
    began = time.monotonic()
    send(producer, "a", key="shop")
    assert time.monotonic() - began >= 0.5
    assert len(peer.events) == 2
