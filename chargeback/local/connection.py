"""Connections that an answer can break: a TCP reset, which ASGI has no message for."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "chargeback.transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection(H11Protocol):
    """Uvicorn's connection, which hands its transport to the application as an ASGI extension.

    Uvicorn can close a connection in order, never reset it, and clients notice the two differently.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        """Take a connection; its application sees the transport."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await application({**scope, "extensions": {_EXTENSION: transport}}, receive, send)

        self.app = with_transport


class Reset(Response):
    """No answer: the peer sees its connection reset, once `hold` is over."""

    def __init__(self, hold: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__()
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (nothing is sent)
        """Reset the connection, and wait until the server has noticed."""
        if self._hold is not None:
            await self._hold()
        transport = scope["extensions"][_EXTENSION]
        if not transport.is_closing():  # the peer may have left first
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        await receive()
