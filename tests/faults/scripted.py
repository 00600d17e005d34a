"""An ingestion endpoint that answers what it is told and writes down what it was sent, byte for byte."""

from __future__ import annotations

import ssl
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.faults.served import HttpHandler, HttpServer, Served

KEY = "00000000-0000-0000-0000-000000000001"
SECURE_HOST = "127.1"
"""127.0.0.1 in other letters: to the sender a host like any other, where it obeys proxy and certificate variables."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, unpacked."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    items: list[dict[str, object]]

    @property
    def size(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; without a body it accepts everything."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)

    def text(self, size: int) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        accepts = {"itemsReceived": size, "itemsAccepted": size, "errors": []}
        return orjson.dumps(accepts if self.body is None else self.body)


def partly(size: int, errors: dict[int, tuple[int, str]], status: int = 206) -> Reply:
    """Return the answer that refuses items: place -> status and words."""
    listed = [{"index": index, "statusCode": code, "message": words} for index, (code, words) in errors.items()]
    return Reply(status, {"itemsReceived": size, "itemsAccepted": size - len(errors), "errors": listed})


class Scripted(Served):
    """A server that gives its replies in turn and then accepts everything; a context manager."""

    def __init__(self, *replies: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self._server = _Server(deque(replies), self.seen)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        super().__init__(self._server)
        address = f"https://{SECURE_HOST}" if tls else "http://127.0.0.1"
        self.endpoint = f"{address}:{self.port}"
        self.connection_string = f"InstrumentationKey={KEY};IngestionEndpoint={self.endpoint}/"

    def always(self, reply: Callable[[Seen], Reply]) -> None:
        """Decide by the request once the replies are used up."""
        self._server.otherwise = reply


class _Server(HttpServer):
    def __init__(self, replies: deque[Reply], seen: list[Seen]) -> None:
        super().__init__(_Handler)
        self.replies, self.seen = replies, seen
        self.otherwise: Callable[[Seen], Reply] = lambda _: Reply()


class _Handler(HttpHandler):
    server: _Server

    def do_POST(self) -> None:
        packed = self.rfile.read(int(self.headers["Content-Length"]))
        body = zlib.decompress(packed, 31) if self.headers.get("Content-Encoding") == "gzip" else packed
        seen = Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body, orjson.loads(body))
        self.server.seen.append(seen)
        reply = self.server.replies.popleft() if self.server.replies else self.server.otherwise(seen)
        self.answer(reply.status, {"Content-Type": "application/json"} | reply.headers, reply.text(seen.size))


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for `SECURE_HOST`; return its file, for whoever shall trust it, and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SECURE_HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SECURE_HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context
