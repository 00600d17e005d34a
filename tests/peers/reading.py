"""What lies in a peer's hub, read back with the real library."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from azure.eventhub import EventData, EventHubConsumerClient

from tests.peers.hub import HubPeer

_PATIENCE_SECONDS = 20


class Read(NamedTuple):
    body: bytes
    properties: dict[str, str]
    key: str | None
    partition: str
    event: EventData


def read_all(peer: HubPeer) -> list[Read]:
    """Read every event of the hub, partition by partition, each in its order."""
    return [read for partition in peer.partitions if partition.events for read in _read(peer, partition.id)]


def _read(peer: HubPeer, partition: str) -> list[Read]:
    wanted = len(next(one for one in peer.partitions if one.id == partition).events)
    found: list[Read] = []
    enough = threading.Event()

    def take(_: object, event: EventData | None) -> None:
        if event is not None:
            found.append(_told(event, partition))
        if len(found) >= wanted:
            enough.set()

    client = EventHubConsumerClient.from_connection_string(peer.connection_string, "$Default")
    reading = {"on_event": take, "partition_id": partition, "starting_position": "-1"}
    thread = threading.Thread(target=client.receive, kwargs=reading)
    thread.start()
    assert enough.wait(_PATIENCE_SECONDS), f"only {len(found)} of {wanted} events could be read"
    client.close()
    thread.join(_PATIENCE_SECONDS)
    return found


def _told(event: EventData, partition: str) -> Read:
    key = event.partition_key
    properties = {_text(name): _text(value) for name, value in (event.properties or {}).items()}
    body: Any = event.body
    return Read(b"".join(body), properties, None if key is None else _text(key), partition, event)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
