"""A price list on this machine: pages in the API's own shape, and whatever else it is told to answer."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.faults.served import HttpHandler, HttpServer, Served

DATA = Path(__file__).parents[1] / "data" / "prices"
Item = dict[str, object]


def answer_items() -> list[Item]:
    """Return the items of the answer in tests/data/prices."""
    items: list[Item] = json.loads((DATA / "answer.json").read_text(encoding="utf-8"))["Items"]
    return items


@dataclass(frozen=True, slots=True)
class Reply:
    """Something else than a page."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """To wait before answering."""
    cut: bool = False
    """Whether the connection breaks off in the middle of the body."""


def page(items: Sequence[Item], link: str | None = None) -> bytes:
    """Return an answer with these items."""
    envelope = {"BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail"}
    return json.dumps(envelope | {"Items": items, "NextPageLink": link, "Count": len(items)}).encode()


class PriceList(Served):
    """Gives its replies in turn and then the items, `size` a page; a context manager."""

    def __init__(self, items: Sequence[Item] = (), *replies: Reply, size: int = 1000, last: str | None = None) -> None:
        self._server = _Server(items, deque(replies), size, last)
        super().__init__(self._server)
        self.url = f"http://127.0.0.1:{self.port}/api/retail/prices"

    def answer_with(self, body: bytes) -> None:
        """Give this body next, made once the address is known."""
        self._server.replies.append(Reply(body=body))

    @property
    def seen(self) -> list[str]:
        """The queries that were asked, unquoted."""
        return self._server.seen


class _Server(HttpServer):
    def __init__(self, items: Sequence[Item], replies: deque[Reply], size: int, last: str | None) -> None:
        super().__init__(_Handler)
        self.items, self.replies, self.size, self.last = items, replies, size, last
        self.seen: list[str] = []


class _Handler(HttpHandler):
    server: _Server

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self.server.seen.append(asked.get("$filter", ["page " + asked.get("$skip", ["?"])[0]])[0])
        reply = self.server.replies.popleft() if self.server.replies else Reply(body=self._page(asked))
        time.sleep(reply.seconds)
        self.answer(reply.status, reply.headers, reply.body, len(reply.body) // 2 if reply.cut else None)
        self.close_connection = reply.cut

    def _page(self, asked: Mapping[str, list[str]]) -> bytes:
        start = int(asked.get("$skip", ["0"])[0])
        after = start + self.server.size
        host, port = self.server.server_address[:2]
        more = f"http://{host!s}:{port}/api/retail/prices?$skip={after}"
        return page(self.server.items[start:after], more if after < len(self.server.items) else self.server.last)
