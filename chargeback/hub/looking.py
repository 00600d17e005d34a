"""What a hub says of itself: its partitions, and whether a consumer group can be read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from enum import Enum
from queue import Empty, SimpleQueue
from typing import NamedTuple

from azure.eventhub import EventData, EventHubConsumerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from chargeback.errors import HubError
from chargeback.settings.hub import Hub

_EVENT_SECONDS = 20.0
"""An event that is there has come by then."""
_REFUSED_SECONDS = 5.0
"""Where no event is, a group that is not there is refused by then."""
_CLOSE_SECONDS = 3.0


class Partition(NamedTuple):
    """How far a partition reaches."""

    id: str
    first: int
    """The sequence number of the oldest event that it still has, or of the next one where it has none."""
    last: int
    """Of the newest, which may be gone; -1 where nothing was ever sent."""

    @property
    def empty(self) -> bool:
        """Whether it has no event."""
        return self.last < self.first


class Group(Enum):
    """What a hub says to who wants to read as a consumer group."""

    THERE = "it can be read"
    TAKEN = "it is being read"
    """By a reader that keeps others out, as the host of Azure Functions does."""
    MISSING = "it is not there"
    FORBIDDEN = "it may not be read"
    SILENT = "no answer"


def partitions(hub: Hub) -> list[Partition]:
    """Return the hub's partitions.

    Raises:
        HubError: it does not say.
    """
    try:
        with _client(hub, "$Default") as client:
            return [_partition(client, number) for number in client.get_partition_ids()]
    except EventHubError as error:
        raise HubError(_why(error)) from error


def _why(error: EventHubError) -> str:
    if isinstance(error, AuthenticationError):
        return "the hub does not let this key or identity in"
    if _condition(error) == "not-found":
        return "the namespace answers, and has no hub of this name"
    return f"the hub does not answer ({type(error).__name__})"


def _partition(client: EventHubConsumerClient, number: str) -> Partition:
    told = client.get_partition_properties(number)
    first, last = int(told["beginning_sequence_number"]), int(told["last_enqueued_sequence_number"])
    return Partition(number, last + 1 if told["is_empty"] else first, last)


def group(hub: Hub, name: str, found: Sequence[Partition]) -> Group:
    """Tell whether a consumer group can be read: by its newest event, or where there is none, by not being refused."""
    answers: SimpleQueue[Group] = SimpleQueue()
    newest = next((one for one in found if not one.empty), None)
    client = _client(hub, name)
    reader = threading.Thread(target=_read, args=(client, newest, answers), daemon=True)
    reader.start()
    try:
        return answers.get(timeout=_EVENT_SECONDS if newest else _REFUSED_SECONDS)
    except Empty:
        return Group.SILENT if newest else Group.THERE
    finally:
        client.close()
        reader.join(_CLOSE_SECONDS)


def _read(client: EventHubConsumerClient, newest: Partition | None, answers: SimpleQueue[Group]) -> None:
    def take(_: object, event: EventData | None) -> None:
        if event is not None:
            answers.put(Group.THERE)

    try:
        client.receive(
            on_event=take,
            on_error=lambda _, error: answers.put(_said(error)),
            partition_id=newest.id if newest else "0",
            starting_position=newest.last if newest else "@latest",
            starting_position_inclusive=True,
            prefetch=1,
        )
    except EventHubError as error:
        answers.put(_said(error))


def _said(error: Exception) -> Group:
    if isinstance(error, AuthenticationError) or _condition(error) == "unauthorized-access":
        return Group.FORBIDDEN
    known = {"link:stolen": Group.TAKEN, "not-found": Group.MISSING}
    return known.get(_condition(error), Group.SILENT)


def _condition(error: Exception) -> str:
    """Return AMQP's name of an error, as azure-eventhub keeps it: without what stands before the first colon."""
    return str(getattr(error, "error", None) or "")


def _client(hub: Hub, name: str) -> EventHubConsumerClient:
    # Without a handler Python prints the libraries' warnings, with traces in them.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    if hub.connection_string:
        return EventHubConsumerClient.from_connection_string(
            hub.connection_string, name, eventhub_name=hub.name, retry_total=0, load_balancing_interval=1
        )
    from azure.identity import DefaultAzureCredential  # not needed with a connection string

    credential = DefaultAzureCredential(managed_identity_client_id=hub.client_id)
    return EventHubConsumerClient(
        hub.namespace or "", hub.name, name, credential, retry_total=0, load_balancing_interval=1
    )
