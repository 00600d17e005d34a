"""A real blob service on this machine: Azurite, from the npm package."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import orjson
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry

ROOT = Path(__file__).parents[2]
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SECONDS_TO_START = 60


class Azurite:
    """Azurite's blob service on a free port; a context manager. It can be stopped and started again.

    What it holds survives that only in a `folder`; without one it is kept in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.connection_string = connection_string(self._port)

    @property
    def port(self) -> int:
        return self._port

    def __enter__(self) -> Azurite:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it answers."""
        memory = ("--location", str(self._folder)) if self._folder else ("--inMemoryPersistence",)
        program = ROOT / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
        options = ("--silent", *memory, "--skipApiVersionCheck", "--disableTelemetry", "--blobPort", str(self._port))
        self._process = subprocess.Popen(["node", str(program), *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _SECONDS_TO_START
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, "Azurite ended at once"
                assert time.monotonic() < deadline, "Azurite does not listen"
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop; connections to it are refused from now on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def container(
        self, name: str = "chargeback-rejected", transport: RequestsTransport | None = None
    ) -> ContainerClient:
        return container_of(self.connection_string, name, transport)


def container_of(
    text: str, name: str = "chargeback-rejected", transport: RequestsTransport | None = None
) -> ContainerClient:
    """Return a client that is quick to give up: these tests wait for nobody."""
    service = BlobServiceClient.from_connection_string(
        text,
        retry_policy=ExponentialRetry(initial_backoff=0, increment_base=1, retry_total=1, random_jitter_range=0),
        connection_timeout=2,
        read_timeout=5,
        transport=transport or RequestsTransport(),
    )
    return service.get_container_client(name)


def connection_string(port: int) -> str:
    """Return the connection string of the account that Azurite always has; its key is published."""
    account = f"AccountName=devstoreaccount1;AccountKey={_KEY}"
    return f"DefaultEndpointsProtocol=http;{account};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"


def blobs(container: ContainerClient) -> dict[str, bytes]:
    """Return every blob of a container, none if there is no container."""
    if not container.exists():
        return {}
    return {name: container.download_blob(name).readall() for name in container.list_blob_names()}


def ids(files: dict[str, bytes]) -> list[str]:
    """Return the id on every line of dead-letter files."""
    return [str(orjson.loads(line)["id"]) for file in files.values() for line in file.splitlines()]
