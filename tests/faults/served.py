"""A server of the tests, in a thread of its own, and how it answers over HTTP."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class HttpServer(ThreadingHTTPServer):
    """Listens on this machine, at a port that is free."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here."""


class HttpHandler(BaseHTTPRequestHandler):
    """Keeps connections open, sends each answer at once, and writes no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status: int, headers: Mapping[str, str], body: bytes, sent: int | None = None) -> None:
        """Send an answer whose header counts the whole body, and of the body `sent` bytes, or all."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""
