"""One accepted socket, and the Proton engine behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from proton import Collector, Connection, Transport, symbol

from tests.peers.encoding import frames, spelled_out

if TYPE_CHECKING:
    from tests.peers.hub import HubPeer

_FRAME = 64 * 1024
PROPERTIES: Any = {symbol("product"): "test-peer"}


class Wire(asyncio.Protocol):
    """Bytes in, events to the peer, bytes out."""

    def __init__(self, peer: HubPeer) -> None:
        self._peer = peer
        self._output = b""
        self._collector = Collector()
        self._engine = Transport(Transport.SERVER)
        self._engine.max_frame_size = _FRAME
        self._connection = Connection()
        self._connection.properties = PROPERTIES
        self._connection.wire = self
        self._connection.collect(self._collector)
        self._engine.bind(self._connection)
        self._socket: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._peer.wires.add(self)

    def data_received(self, data: bytes) -> None:
        while data and (room := self._engine.capacity()) > 0:
            self._engine.push(data[:room])
            data = data[room:]
            self.pump()

    def connection_lost(self, _: Exception | None) -> None:
        self._peer.wires.discard(self)
        self._peer.forget(self)
        self._collector.release()

    def pump(self) -> None:
        """Handle what the engine has to tell, then write what it has to say."""
        while event := self._collector.peek():
            event.dispatch(self._peer)
            self._collector.pop()
        while (pending := self._engine.pending()) > 0:
            self._output += self._engine.peek(pending) or b""
            self._engine.pop(pending)
        whole, self._output = frames(self._output)
        self._socket.write(b"".join(map(spelled_out, whole)))
        if pending < 0:
            self._socket.close()

    def cut(self) -> None:
        """Close the socket now, without a word of AMQP."""
        self._socket.abort()
