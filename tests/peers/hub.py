"""A hub on this machine, for the unpatched azure-eventhub.

    with HubPeer(partitions=4) as peer:
        producer = EventHubProducerClient.from_connection_string(peer.connection_string)

Proton speaks the protocol, asyncio (in a thread of its own) reads and writes the sockets.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar

from proton import Condition, Delivery, Endpoint, Handler, Message, symbol
from proton.handlers import Handshaker

from tests.peers.encoding import annotations_of, messages_in
from tests.peers.faults import At, Do, Fault
from tests.peers.management import described
from tests.peers.partitions import Partition, Stored
from tests.peers.wire import PROPERTIES, Wire

_Done = TypeVar("_Done")
_CREDIT = 1000
_INTERNAL = "amqp:internal-error"
_LARGEST = 1024 * 1024
_SERVICES = "$"
"""How the names of $cbs and $management begin."""


class HubPeer(Handler):
    """One hub; a context manager. What begins with `on_` is Proton's, and runs on the peer's thread."""

    def __init__(self, name: str = "hub", partitions: int = 2, groups: tuple[str, ...] = ("$Default",)) -> None:
        self.name, self.groups = name, groups
        self.partitions = [Partition(str(number)) for number in range(partitions)]
        self.wires: set[Wire] = set()
        self.seen: list[tuple[str, str]] = []
        """What came to pass: ("attach", address), or (point, fault)."""
        self.handlers = [Handshaker()]
        self._faults: list[Fault] = []
        self._links: set[Any] = set()
        self._errors: list[dict[str, Any]] = []
        self._taken = 0

    # For tests, from any thread.

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _, context: self._errors.append(context))
        listening = self._loop.create_server(lambda: Wire(self), "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(listening)
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._server.close)
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        assert not self._errors, self._errors

    @property
    def connection_string(self) -> str:
        """As the emulator's: without TLS."""
        credentials = "SharedAccessKeyName=test;SharedAccessKey=a2V5"
        return f"Endpoint=sb://127.0.0.1:{self.port};{credentials};EntityPath={self.name};UseDevelopmentEmulator=true"

    @property
    def events(self) -> list[Stored]:
        """All that is kept, partition by partition."""
        return self._call(lambda: [event for partition in self.partitions for event in partition.events])

    def fail(self, at: At, do: Do, condition: str = _INTERNAL, *, seconds: float = 0.0, times: int = 1) -> None:
        """Let something go wrong the next time, or the next `times` times, that it comes by."""
        self._call(lambda: self._faults.append(Fault(at, do, condition, seconds, times)))

    def heal(self) -> None:
        """Forget faults that have not come to pass."""
        self._call(self._faults.clear)

    def cut(self) -> None:
        """Cut every connection, without a word of AMQP."""

        def cut_all() -> None:
            for wire in self.wires:
                wire.cut()

        self._call(cut_all)

    def _call(self, step: Callable[[], _Done]) -> _Done:
        async def take() -> _Done:
            return step()

        return asyncio.run_coroutine_threadsafe(take(), self._loop).result(10)

    # What Proton tells.

    def on_link_remote_open(self, event: Any) -> None:
        link = event.link
        terminus = link.remote_source if link.is_sender else link.remote_target
        link.address, link.partition, link.cursor = re.sub(r"^amqps?://[^/]*/", "", terminus.address), None, None
        link.max_message_size, link.properties = _LARGEST, PROPERTIES
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.open()
        self._links.add(link)
        self.seen.append(("attach", link.address))
        if link.address.startswith(_SERVICES):
            self._ready(link)
        elif not self._finds(link):
            self._detach(link, "amqp:not-found")
        else:
            self._at(At.ATTACH, link, lambda: self._ready(link))

    def on_link_flow(self, event: Any) -> None:
        self._deliver(event.link)

    def on_link_remote_close(self, event: Any) -> None:
        self._links.discard(event.link)

    def on_session_remote_close(self, event: Any) -> None:
        self._links = {link for link in self._links if link.session != event.session}

    def on_delivery(self, event: Any) -> None:
        delivery, link = event.delivery, event.link
        if link.is_sender or not delivery.readable or delivery.partial:
            return
        raw = bytes(link.recv(delivery.pending))
        link.advance()
        if not link.state & Endpoint.LOCAL_ACTIVE:  # sent before it read that we detached
            return
        link.flow(_CREDIT - link.credit)
        if link.address.startswith(_SERVICES):
            self._settle(delivery)
            self._answer(link, raw)
        elif len(raw) > _LARGEST:
            self._settle(delivery, Delivery.REJECTED, "amqp:link:message-size-exceeded")
        else:
            self._at(At.SEND, link, lambda: self._take(link, raw, delivery), delivery)

    def forget(self, wire: Wire) -> None:
        """Forget the links of a connection that is gone."""
        self._links = {link for link in self._links if link.connection.wire is not wire}

    # The hub.

    def _finds(self, link: Any) -> bool:
        name, *parts = link.address.split("/")
        if parts[-2:-1] == ["Partitions"]:
            link.partition = next((one for one in self.partitions if one.id == parts[-1]), None)
            parts = parts[:-2] if link.partition else parts
        if link.is_sender:
            known = [["ConsumerGroups", group] for group in self.groups]
            return name == self.name and link.partition is not None and parts in known
        return name == self.name and not parts

    def _ready(self, link: Any) -> None:
        if link.is_receiver:
            link.flow(_CREDIT)
        elif link.partition:
            told = link.remote_source.filter
            filters = told.get_object() if told.next() else {}
            link.cursor = link.partition.first_for(next((item.value for item in filters.values()), None))
            self._deliver(link)

    def _take(self, link: Any, raw: bytes, delivery: Any) -> None:
        key = annotations_of(raw).get("x-opt-partition-key")
        place, self._taken = self._taken % len(self.partitions), self._taken + 1
        if link.partition:
            place = int(link.partition.id)
        elif isinstance(key, str):
            place = zlib.crc32(key.encode()) % len(self.partitions)
        for message in messages_in(raw):
            self.partitions[place].append(message, key if isinstance(key, str) else None, int(time.time() * 1000))
        for reader in self._links:
            if reader.is_sender and reader.partition is self.partitions[place]:
                self._deliver(reader)
                self._loop.call_soon(reader.connection.wire.pump)
        self._at(At.STORED, link, lambda: self._settle(delivery), delivery)

    def _deliver(self, link: Any) -> None:
        while link.cursor is not None and link.credit and link.state & Endpoint.LOCAL_ACTIVE:
            if link.cursor >= len(link.partition.events):
                return
            wire = link.partition.events[link.cursor].wire
            if not self._at(At.DELIVER, link, partial(self._send, link, wire)):
                return
            link.cursor += 1

    def _send(self, link: Any, wire: bytes) -> None:
        delivery = link.delivery(link.delivery_tag())
        link.stream(wire)
        link.advance()
        delivery.settle()  # azure-eventhub says nothing of an event that it has read

    def _answer(self, link: Any, raw: bytes) -> None:
        """Answer a request to $cbs or $management, by the twin link on the same session."""
        request = Message()
        request.decode(raw)
        if link.address == "$management":
            self._reply(link, request, *described(self.name, self.partitions, request.properties))
            return
        self._at(
            At.AUTHENTICATE,
            link,
            lambda: self._reply(link, request, 202),
            refuse=lambda: self._reply(link, request, 401),
        )

    def _reply(self, link: Any, request: Message, status: int, body: Any = None) -> None:
        told = {"status-code": status, "status-description": "OK" if status < 300 else "refused by the test peer"}
        answer = Message(body=body, correlation_id=request.id, properties=told)
        for twin in self._links:
            if twin.is_sender and twin.session == link.session and twin.address == link.address:
                self._send(twin, answer.encode())

    # Faults.

    def _at(
        self,
        point: At,
        link: Any,
        proceed: Callable[[], None],
        delivery: Any = None,
        refuse: Callable[[], None] | None = None,
    ) -> bool:
        """Proceed, unless a fault waits at this point: let that happen, and return False."""
        fault = next((one for one in self._faults if one.at is point), None)
        if fault is None:
            proceed()
            return True
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)
        self.seen.append((point, fault.do))
        self._act(fault, link, proceed, refuse or (lambda: self._settle(delivery, Delivery.REJECTED, fault.condition)))
        return False

    def _act(self, fault: Fault, link: Any, proceed: Callable[[], None], refuse: Callable[[], None]) -> None:
        match fault.do:
            case Do.REJECT:
                refuse()
            case Do.DETACH:
                self._detach(link, fault.condition)
            case Do.CLOSE:
                link.connection.condition = _error(fault.condition)
                link.connection.close()
            case Do.DROP:
                link.connection.wire.cut()
            case Do.DELAY:
                self._loop.call_later(fault.seconds, self._later, proceed, link)
            case Do.IGNORE:
                return

    def _later(self, proceed: Callable[[], None], link: Any) -> None:
        proceed()
        link.connection.wire.pump()

    def _settle(self, delivery: Any, outcome: Any = Delivery.ACCEPTED, condition: str | None = None) -> None:
        delivery.local.condition = _error(condition) if condition else None
        delivery.update(outcome)
        delivery.settle()

    def _detach(self, link: Any, condition: str) -> None:
        link.condition = _error(condition)
        link.close()
        self._links.discard(link)
        self._loop.call_soon(link.connection.wire.pump)


def _error(condition: str) -> Condition:
    # Without the map azure-eventhub reads past a rejection's end, swallows that, and waits for ever.
    return Condition(condition, "let happen by the test peer", {symbol("tracking-id"): "test"})
