"""A server of the tests, in a thread of its own."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self

_SECONDS_BETWEEN_LOOKS = 0.02


class Served:
    """Runs a server while its context lasts, and closes it behind."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._running = server
        self.port: int = server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, args=(_SECONDS_BETWEEN_LOOKS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.shutdown()
        self._running.server_close()
        self._thread.join()
