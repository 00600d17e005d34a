"""A wire between two programs that can be cut in the middle of a message."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress

from tests.faults.served import Served


class Wire(Served):
    """Forwards connections to a port; a context manager.

    The `turn`-th request that begins with `start` does not get through as it should: only a `share` of its bytes does,
    or (1.0) all of them, but the answer is held back. Then `stopped` is set, and the sender waits in vain.
    """

    def __init__(self, port: int, start: bytes, turn: int, share: float) -> None:
        self.stopped = threading.Event()
        self.share = share
        self._start, self._left, self._lock = start, turn, threading.Lock()
        super().__init__(_Server(self, port))

    def cuts(self, data: bytes) -> bool:
        """Tell whether this is the beginning of the request that does not get through."""
        with self._lock:
            self._left -= data.startswith(self._start)
            return data.startswith(self._start) and self._left == 0


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, wire: Wire, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.wire, self.target = wire, port

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections break here on purpose."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.held = False
        with socket.create_connection(("127.0.0.1", self.server.target)) as onward:
            back = threading.Thread(target=self._answers, args=(onward,), daemon=True)
            back.start()
            while data := self.request.recv(65536):
                if self.server.wire.cuts(data):
                    self._stop(data, onward)
                    break
                onward.sendall(data)
            onward.shutdown(socket.SHUT_RDWR)
            back.join()

    def _stop(self, data: bytes, onward: socket.socket) -> None:
        """Let the request through as far as it may go, then wait until its sender is gone."""
        wire = self.server.wire
        while not _whole(data):
            data += self.request.recv(65536)
        self.held = True
        onward.sendall(data[: int(len(data) * wire.share)])
        if wire.share < 1:
            wire.stopped.set()
        while self.request.recv(65536):
            continue

    def _answers(self, onward: socket.socket) -> None:
        with suppress(OSError):  # either side may be gone
            while data := onward.recv(65536):
                if self.held:
                    self.server.wire.stopped.set()
                    return
                self.request.sendall(data)


def _whole(request: bytes) -> bool:
    head, gap, body = request.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return bool(gap) and len(body) >= int(length.partition(b":")[2])
