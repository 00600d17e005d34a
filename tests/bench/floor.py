"""The floor: the least that a careful program does to turn records into events, without any of the promises.

Validates with one pydantic model, takes its fields as properties, writes with orjson, packs with gzip level 1, and
sends one POST per batch over one connection.
"""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel

from tests.bench.records import EVENT_NAME


class Record(BaseModel):
    """The gateway's record under its own names."""

    requestId: str
    timestamp: datetime
    subscriptionId: str | None = None
    productId: str | None = None
    apiId: str | None = None
    operationId: str | None = None
    userId: str | None = None
    appId: str | None = None
    costCenter: str | None = None
    deploymentId: str | None = None
    servedDeployment: str | None = None
    spilloverFrom: str | None = None
    modelRegion: str | None = None
    backendId: str | None = None
    backendHost: str | None = None
    model: str | None = None
    serviceTier: str | None = None
    region: str | None = None
    statusCode: int | None = None
    forwarded: bool | None = None
    streamed: bool | None = None
    durationMs: int | None = None
    usageSource: str | None = None
    note: str | None = None
    traceId: str | None = None
    promptTokens: int | None = None
    completionTokens: int | None = None
    totalTokens: int | None = None
    cachedTokens: int | None = None
    cacheWriteTokens: int | None = None
    cacheWrite1hTokens: int | None = None
    audioPromptTokens: int | None = None
    imagePromptTokens: int | None = None
    reasoningTokens: int | None = None
    audioCompletionTokens: int | None = None


class Floor:
    """Sends batches to an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)

    def send(self, batch: Sequence[bytes]) -> None:
        """Send one batch and wait for its answer."""
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        packed = packer.compress(orjson.dumps([_envelope(body) for body in batch])) + packer.flush()
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        self._connection.request("POST", "/v2.1/track", packed, headers)
        answer = self._connection.getresponse()
        if orjson.loads(answer.read())["itemsAccepted"] != len(batch):
            raise RuntimeError("not everything was accepted")


def _envelope(body: bytes) -> dict[str, object]:
    record = Record.model_validate_json(body)
    properties = {name: str(value) for name, value in record.__dict__.items() if value is not None}
    return {
        "name": "Microsoft.ApplicationInsights.Event",
        "time": record.timestamp,
        "iKey": "00000000-0000-0000-0000-000000000001",
        "tags": {"ai.cloud.role": "chargeback", "ai.operation.id": record.traceId},
        "data": {"baseType": "EventData", "baseData": {"ver": 2, "name": EVENT_NAME, "properties": properties}},
    }
