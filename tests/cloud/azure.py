"""Azure's APIs on this machine: a server over TLS that answers what a test tells it, in the APIs' own shapes."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.faults.scripted import SECURE_HOST, certificate
from tests.faults.served import HttpHandler, HttpServer, Served


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """One answer; a body that is no bytes is sent as JSON."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Azure(Served):
    """Asks its handler for every answer; a context manager."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._server = _Server(self.asked)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        super().__init__(self._server)
        self.endpoint = f"https://{SECURE_HOST}:{self.port}" if tls else f"http://127.0.0.1:{self.port}"

    def answers(self, handler: Callable[[Asked], Told]) -> None:
        self._server.handler = handler

    def tells(self, *told: Told) -> None:
        """Give these answers in turn, the last one from then on."""
        left = list(told)
        self._server.handler = lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def signed_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Run Azure; this process signs in there as a managed identity, in the SDK's own way, with tokens from here."""
    (folder / "tls").mkdir()
    public, context = certificate(folder / "tls")
    with Azure(tls=context) as running, Azure() as identity:
        token = {"access_token": "made-up", "expires_on": "4102444800", "resource": "x", "token_type": "Bearer"}
        identity.tells(Told(token))
        for name, value in {
            "IDENTITY_ENDPOINT": f"{identity.endpoint}/msi/token",
            "IDENTITY_HEADER": "secret",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "REQUESTS_CA_BUNDLE": str(public),
            "NO_PROXY": "*",
        }.items():
            monkeypatch.setenv(name, value)
        yield running


class _Server(HttpServer):
    def __init__(self, asked: list[Asked]) -> None:
        super().__init__(_Handler)
        self.asked = asked
        self.handler: Callable[[Asked], Told] = lambda _: Told(status=500)


class _Handler(HttpHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        self.server.asked.append(asked)
        told = self.server.handler(asked)
        text = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
        self.answer(told.status, {"Content-Type": "application/json; charset=utf-8"} | dict(told.headers), text)

    do_POST = do_GET
