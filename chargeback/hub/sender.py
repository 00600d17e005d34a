"""Sends records to a hub, over azure-eventhub: accepted, too large, or it raises.

What the library leaves to us: it does not back off when the hub is busy, sends twice what was stored and not
acknowledged (which the identity that travels with each event makes harmless), waits a minute for an authentication
that nobody answers, and for ever for some refusals.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from types import TracebackType
from typing import Self, TypeVar

from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub import EventData, EventDataBatch, EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from chargeback.errors import HubError
from chargeback.events import ENQUEUED_TIME, RECORD_ID, iso
from chargeback.hub.patience import within
from chargeback.settings.hub import Hub

_Done = TypeVar("_Done")

_SECONDS = 60.0
"""Time within which a group is acknowledged, or given up."""
_TRY_SECONDS = 20.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record on its way to the hub."""

    body: bytes
    record_id: str | None = None
    enqueued_time: datetime | None = None
    """When a hub took it first, UTC; for records that say no time of their own."""
    key: str | None = None
    """Records of one key come to one partition, in the order in which they are sent."""


@dataclass(slots=True)
class Sender:
    """Sends to one hub, and connects when it has something to send; a context manager. One thread at a time."""

    hub: Hub
    make: Callable[[], EventHubProducerClient]
    seconds: float = _SECONDS
    _client: EventHubProducerClient | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def send(self, records: Sequence[Outgoing]) -> list[int]:
        """Send records in order; return when the hub has them all, but those larger than it takes (their places).

        Raises:
            HubError: some are not known to be there.
        """
        end = time.monotonic() + self.seconds
        too_large: list[int] = []
        for key, group in groupby(enumerate(records), lambda numbered: numbered[1].key):
            waiting = list(group)
            while waiting:
                sent, refused = self._patiently(partial(self._one_batch, key, waiting), end)
                too_large += refused
                waiting = waiting[sent:]
        return too_large

    def _one_batch(self, key: str | None, waiting: Sequence[tuple[int, Outgoing]]) -> tuple[int, list[int]]:
        """Send as many as one batch takes; return how many are dealt with, and the places of the too large."""
        if self._client is None:
            self._client = self.make()
        batch, done, refused = self._client.create_batch(partition_key=key), 0, []
        for place, record in waiting:
            if not _fits(batch, record):
                if len(batch):
                    break
                refused.append(place)
            done += 1
        if len(batch):
            self._client.send_batch(batch, timeout=_TRY_SECONDS)
        return done, refused

    def _patiently(self, step: Callable[[], _Done], end: float) -> _Done:
        """Take a step, again and again, later and later, until it succeeds or the time is over."""
        wait = _FIRST_WAIT
        while True:
            try:
                return within(max(1.0, end - time.monotonic()), step)
            except (AuthenticationError, ClientAuthenticationError) as error:
                raise HubError(
                    f"the hub does not let this identity in: check {self.hub.setting}, or the role Azure Event Hubs "
                    "Data Sender"
                ) from error
            except (EventHubError, TimeoutError) as error:
                self._let_go()
                if time.monotonic() + wait > end:
                    raise HubError(
                        f"the hub has not acknowledged ({type(error).__name__}): check {self.hub.setting} and "
                        f"{self.hub.name_setting}, and that this machine may reach it"
                    ) from error
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _let_go(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            try:
                within(5, client.close)
            except (EventHubError, TimeoutError):
                return


def connect(hub: Hub) -> Sender:
    """Return a sender for the hub of the settings; nothing is asked of it before there is something to send."""
    # Without a handler Python prints the libraries' warnings, with traces in them.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    return Sender(hub, lambda: _client(hub))


def _client(hub: Hub) -> EventHubProducerClient:
    """Make a client that does not try again by itself: we do, later and later, and it would at once."""
    if hub.connection_string:
        return EventHubProducerClient.from_connection_string(
            hub.connection_string, eventhub_name=hub.name, retry_total=0
        )
    from azure.identity import DefaultAzureCredential  # not needed with a connection string

    credential = DefaultAzureCredential(managed_identity_client_id=hub.client_id)
    return EventHubProducerClient(hub.namespace or "", hub.name, credential, retry_total=0)


def _fits(batch: EventDataBatch, record: Outgoing) -> bool:
    event = EventData(record.body)
    properties: dict[str | bytes, object] = {}
    if record.record_id is not None:
        properties[RECORD_ID] = record.record_id
    if record.enqueued_time is not None:
        properties[ENQUEUED_TIME] = iso(record.enqueued_time)
    event.properties = properties
    try:
        batch.add(event)
    except ValueError:
        return False
    return True
