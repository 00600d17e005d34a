"""An ingestion endpoint that only counts: it accepts everything, at once, and costs the contenders nothing.

Runs in a process of its own, on a core of its own where there are two. `GET /` tells what came.
"""

from __future__ import annotations

import asyncio
import os
import zlib

import orjson


class Counting(asyncio.Protocol):
    """Speaks as much HTTP as the contenders do: requests with a length, one after another on a connection."""

    events = 0
    requests = 0

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("not a TCP connection")
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).decode("latin-1")
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            length = end + 4 + int(headers.get("content-length", "0"))
            if len(self._received) < length:
                return
            body = bytes(self._received[end + 4 : length])
            del self._received[:length]
            self._answer(self._take(body, headers) if head.startswith("POST") else self._told())

    def _take(self, body: bytes, headers: dict[str, str]) -> bytes:
        if headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        items = orjson.loads(body)
        events = [item for item in items if item["data"]["baseType"] == "EventData"]
        Counting.events += len(events)
        Counting.requests += 1
        return orjson.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})

    def _told(self) -> bytes:
        return orjson.dumps({"events": Counting.events, "requests": Counting.requests})

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve() -> None:
    """Listen on a free port, say which, and serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Counting, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    asyncio.run(serve())
