"""What a hub says of itself: its partitions, and whether a consumer group is there."""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple

from azure.eventhub import EventHubConsumerClient
from azure.eventhub.exceptions import EventHubError

from chargeback.errors import HubError
from chargeback.settings.hub import HUB, Hub

_ATTACHED_SECONDS = 3.0
"""A group that is not there is refused before that."""


class Partition(NamedTuple):
    """How far a partition reaches."""

    id: str
    first: int
    """The sequence number of the oldest event that it still has."""
    last: int
    """Of the newest; -1 where nothing was ever sent."""


def partitions(hub: Hub) -> list[Partition]:
    """Return the hub's partitions.

    Raises:
        HubError: it does not say.
    """
    try:
        with _client(hub, "$Default") as client:
            return [_partition(client, number) for number in client.get_partition_ids()]
    except EventHubError as error:
        raise HubError(f"the hub does not answer ({type(error).__name__}): check {HUB} and the hub's name") from error


def _partition(client: EventHubConsumerClient, number: str) -> Partition:
    told = client.get_partition_properties(number)
    return Partition(number, int(told["beginning_sequence_number"]), int(told["last_enqueued_sequence_number"]))


def group_exists(hub: Hub, group: str) -> bool:
    """Tell whether a consumer group can be read: its newest events, which are none yet, of one partition."""
    refused = threading.Event()
    client = _client(hub, group)

    def watch() -> None:
        try:
            client.receive(
                on_event=lambda *_: None,
                on_error=lambda *_: refused.set(),
                partition_id="0",
                starting_position="@latest",
            )
        except EventHubError:
            refused.set()

    reader = threading.Thread(target=watch, daemon=True)
    reader.start()
    exists = not refused.wait(_ATTACHED_SECONDS)
    client.close()
    reader.join(_ATTACHED_SECONDS)
    return exists


def _client(hub: Hub, group: str) -> EventHubConsumerClient:
    # Without a handler Python prints the libraries' warnings, with traces in them.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    if hub.connection_string:
        return EventHubConsumerClient.from_connection_string(
            hub.connection_string, group, eventhub_name=hub.name, retry_total=0, load_balancing_interval=1
        )
    from azure.identity import DefaultAzureCredential  # not needed with a connection string

    credential = DefaultAzureCredential(managed_identity_client_id=hub.client_id)
    return EventHubConsumerClient(
        hub.namespace or "", hub.name, group, credential, retry_total=0, load_balancing_interval=1
    )
