"""Application Insights ingestion: a batch of events is delivered whole, or the caller is told that it is not.

Speaks `/v2.1/track` on azure-core's pipeline. The Azure Monitor exporter is not used for these events: it reports
success for events that it drops (docs/design.md has the figures).
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import policies
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from chargeback import __version__
from chargeback.delivery.answer import Answer, read_answer, redirect_target
from chargeback.delivery.envelope import Item, Sealer, chunks
from chargeback.delivery.progress import Progress
from chargeback.errors import DeliveryError
from chargeback.events import CustomEvent, Refusal
from chargeback.settings import AUTHENTICATION_STRING, CONNECTION_STRING, Ingestion, Settings

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_MOST_REDIRECTS = 3
_PIECE = 16
"""Events compressed at once."""


class Sender:
    """Delivers events to one Application Insights resource; safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        credential: TokenCredential | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Raises:
            DeliveryError: there is no connection string, so nothing could ever be delivered.
        """
        if settings.ingestion is None:
            raise DeliveryError(f"set {CONNECTION_STRING}: without it events cannot be delivered and stay in the hub")
        self._ingestion: Ingestion = settings.ingestion
        self._sealer = Sealer(settings.ingestion, settings.role, settings.instance)
        self._budget, self._gzip = settings.delivery_seconds, settings.gzip
        self._sleep, self._monotonic = sleep, monotonic
        # No retry and no redirect policy: both are decided here, item by item.
        chain: list[object] = [policies.UserAgentPolicy(f"chargeback/{__version__}"), policies.ProxyPolicy()]
        if credential is not None:
            scope = settings.ingestion.audience.rstrip("/") + "//.default"
            chain.append(policies.BearerTokenCredentialPolicy(credential, scope))
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            settings.ingestion.endpoint,
            policies=chain,
            # A proxy stands between this machine and others; this machine itself must not be looked for behind it.
            transport=RequestsTransport(use_env_settings=not settings.ingestion.on_this_machine),
        )

    def send(self, events: Sequence[CustomEvent], host_retries: int = 0) -> list[Refusal]:
        """Deliver events; return those refused for good.

        `host_retries` is how often the host has delivered this batch before.

        Raises:
            DeliveryError: not every event is known to be accepted. Some may be: delivering again may store duplicates,
                which carry the same `recordId`.
        """
        deadline = self._monotonic() + self._budget
        items, refusals = self._sealer.seal(events)
        progress = Progress()
        for chunk in chunks(items):
            self._send_chunk(chunk, progress, deadline)
        return sorted([*refusals, *progress.refusals(host_retries)], key=lambda refusal: refusal.index)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send_chunk(self, chunk: list[Item], progress: Progress, deadline: float) -> None:
        pending = chunk
        while pending:
            answer = self._post(pending, deadline)
            pending = progress.book(answer, pending)
            if pending:
                self._wait(answer, pending, progress, deadline)

    def _post(self, items: list[Item], deadline: float) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._gzip:
            headers["Content-Encoding"] = "gzip"
        body = _packed(items) if self._gzip else b"[" + b",".join(data for _, data in items) + b"]"
        address: str | None = f"{self._ingestion.endpoint}/v2.1/track"
        for _ in range(_MOST_REDIRECTS):
            if address is None:
                break
            request = HttpRequest("POST", address, headers=headers, content=body)
            response = self._exchange(request, deadline)
            address = redirect_target(response.status_code, response.headers.get("Location"), address)
            if address is None:
                wait = response.headers.get("Retry-After")
                return read_answer(response.status_code, _json(response), len(items), wait, datetime.now(UTC))
        raise DeliveryError("the service redirects again and again: check IngestionEndpoint and any proxy")

    def _exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        left = max(0.1, deadline - self._monotonic())
        try:
            return self._client.send_request(
                request, connection_timeout=min(_CONNECT_SECONDS, left), read_timeout=min(_READ_SECONDS, left)
            )
        except ClientAuthenticationError as error:
            raise DeliveryError(
                f"the identity got no token ({type(error).__name__}): check that the app has it, and that ClientId in"
                f" {AUTHENTICATION_STRING} is its client id"
            ) from error
        except AzureError as error:
            raise DeliveryError(
                f"no answer from Application Insights ({type(error).__name__}): check its address and the network"
            ) from error

    def _wait(self, answer: Answer, pending: list[Item], progress: Progress, deadline: float) -> None:
        progress.attempts += 1
        longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(progress.attempts, 10))
        wait = random.uniform(longest / 2, longest)  # noqa: S311  (spreads load, guards nothing)
        wait = max(wait, answer.retry_after or 0.0)
        if self._monotonic() + wait > deadline:
            why = answer.for_now or next(error.message for error in answer.errors.values() if error.for_now)
            raise DeliveryError(f"{len(pending)} events are still refused after {progress.attempts} attempts: {why}")
        self._sleep(wait)


def _packed(items: Sequence[Item]) -> bytes:
    """Compress a POST piece by piece: as a whole and uncompressed it never needs to exist."""
    # Events repeat each other: the small tables of memory level 6 find nearly all of it and stay in the cache.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31, 6)
    packed = [packer.compress(b"[")]
    for start in range(0, len(items), _PIECE):
        piece = b",".join([data for _, data in items[start : start + _PIECE]])
        packed.append(packer.compress(b"," + piece if start else piece))
    packed.append(packer.compress(b"]"))
    packed.append(packer.flush())
    return b"".join(packed)


def _json(response: HttpResponse) -> object:
    try:
        return response.json()
    except (ValueError, AzureError):
        return None


def connect(settings: Settings) -> Sender:
    """Return a sender for the settings' resource, with Entra authentication where they say so.

    Raises:
        DeliveryError: there is no connection string.
    """
    if settings.ingestion is None or not settings.ingestion.entra:
        return Sender(settings)
    from azure.identity import DefaultAzureCredential  # a connection string alone needs none

    return Sender(settings, credential=DefaultAzureCredential(managed_identity_client_id=settings.ingestion.client_id))
