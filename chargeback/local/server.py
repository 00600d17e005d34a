"""The local Application Insights as a server: in the background of a test or a demo, or in the foreground.

It listens on 127.0.0.1 and nowhere else: it has no authentication and takes what it is given.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import uvicorn

from chargeback.errors import ChargebackError
from chargeback.local.connection import Connection
from chargeback.local.faults import Faults
from chargeback.local.service import Received, Service
from chargeback.local.store import Store

ADDRESS = "127.0.0.1"
INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000001"
"""For connection strings; any key is taken unless the server is given one."""
_BACKLOG = 512
_SECONDS_TO_STOP = 5
_SECONDS_BETWEEN_LOOKS = 0.01

Clock: TypeAlias = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class LocalApplicationInsights:
    """An Application Insights resource on this machine, in a thread; a context manager.

    Once it is left nothing listens any more; a store that it made itself is closed, one that it was given stays open.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        port: int = 0,
        instrumentation_key: str | None = None,
        clock: Clock = _now,
    ) -> None:
        """Listen at once, on a free port unless one is named; answers come after `__enter__`.

        With an `instrumentation_key` items of others are refused. `clock` tells how old an item is.

        Raises:
            ChargebackError: something else listens on the port.
        """
        self._listener = listen(port)
        self._owns_store = store is None
        self.store = Store() if store is None else store
        self._service = Service(self.store, instrumentation_key, clock)
        self._server = _Server(self._service)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self.endpoint = endpoint(self._listener)
        self.connection_string = connection_string(self.endpoint, instrumentation_key)

    @property
    def faults(self) -> Faults:
        """The faults that are switched on."""
        return self._service.faults

    @property
    def requests(self) -> list[Received]:
        """What came to the track endpoint, oldest first; the last 10,000."""
        return list(self._service.received)

    def __enter__(self) -> LocalApplicationInsights:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        if not self._server.started:
            raise ChargebackError(f"the local Application Insights did not start on {self.endpoint}: see its log")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        if self._owns_store:
            self.store.close()


def serve(
    path: Path | None,
    port: int,
    *,
    instrumentation_key: str | None = None,
    ready: Callable[[str, str], None] | None = None,
) -> None:
    """Serve in the foreground until interrupted, storing into the file `path` (in memory without one).

    `ready` is called with the address and the connection string when the server listens.

    Raises:
        ChargebackError: something else listens on the port.
        StoreError: the file is no store, or another process holds it.
    """
    # Uvicorn raises the interrupt again once it has stopped.
    with suppress(KeyboardInterrupt), Store(path) as store, listen(port) as listener:
        if ready is not None:
            address = endpoint(listener)
            ready(address, connection_string(address, instrumentation_key))
        _Server(Service(store, instrumentation_key, _now)).run([listener])


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine's own address, on a free port for 0.

    Raises:
        ChargebackError: something else listens on the port.
    """
    try:
        return socket.create_server((ADDRESS, port), backlog=_BACKLOG)
    except OSError as error:
        raise ChargebackError(f"cannot listen on {ADDRESS}:{port} ({error.strerror}): choose another port") from error


def endpoint(listener: socket.socket) -> str:
    """Return the address to send telemetry to."""
    return f"http://{ADDRESS}:{listener.getsockname()[1]}/"


def connection_string(address: str, instrumentation_key: str | None) -> str:
    """Return what `APPLICATIONINSIGHTS_CONNECTION_STRING` has to be."""
    return f"InstrumentationKey={instrumentation_key or INSTRUMENTATION_KEY};IngestionEndpoint={address}"


class _Server(uvicorn.Server):
    """Uvicorn, which lets go of hanging requests before it waits for the others."""

    def __init__(self, service: Service) -> None:
        super().__init__(
            uvicorn.Config(
                service.app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=_SECONDS_TO_STOP,
            )
        )
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._service.close()
        await super().shutdown(sockets)
