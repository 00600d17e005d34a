"""A wire to a service on which every piece that passes is counted, and at one of them somebody is killed."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.faults.served import Served


class Count:
    """Counts pieces on several wires together; at the last one it acts, once, before the piece gets on."""

    def __init__(self) -> None:
        self.passed = 0
        self._left = -1
        self._act: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def at(self, pieces: int, act: Callable[[], object]) -> None:
        """Begin to count anew; act at so many."""
        with self._lock:
            self.passed, self._left, self._act = 0, pieces, act

    def piece(self) -> None:
        with self._lock:
            self.passed += 1
            self._left -= 1
            if self._left == 0:
                self._act()


class Tap(Served):
    """Forwards connections to a port, both ways; a context manager."""

    def __init__(self, port: int, count: Count) -> None:
        super().__init__(_Server(port, count))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target: int, count: Count) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target, self.count = target, count

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is killed leaves connections behind."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.target)) as onward:
            back = threading.Thread(target=self._pass, args=(onward, self.request), daemon=True)
            back.start()
            self._pass(self.request, onward)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # either side may be gone
            while data := source.recv(65536):
                self.server.count.piece()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
