"""The records that every contender is given: the gateway's own, about 1 KB each, all different."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

EVENT_NAME = "Function called with Chargeback Data"
BATCH = 1000


def bodies(count: int) -> list[bytes]:
    """Return record bodies with times of the last minutes: older than two days they would be another case."""
    start = datetime.now(UTC) - timedelta(minutes=10)
    return [_body(number, start + timedelta(milliseconds=number % 1000)) for number in range(count)]


def _body(number: int, moment: datetime) -> bytes:
    record = {
        "schema": "chargeback.usage/1",
        "requestId": f"0c9a4b76-5e5f-4c87-9b2d-{number:012x}",
        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "subscriptionId": f"retail-web-{number % 6}",
        "productId": "ai-retail",
        "apiId": "azure-openai",
        "operationId": "ChatCompletions_Create",
        "userId": None,
        "appId": "00000000-1111-2222-3333-444444444444",
        "costCenter": "4711",
        "deploymentId": "gpt-4o",
        "servedDeployment": "gpt-4o",
        "spilloverFrom": None,
        "modelRegion": "Sweden Central",
        "backendId": "pool-sweden-central",
        "backendHost": "aoai-retail-swc.openai.azure.com",
        "model": "gpt-4o-2024-11-20",
        "serviceTier": "default",
        "region": "Sweden Central",
        "statusCode": 200,
        "forwarded": True,
        "streamed": False,
        "durationMs": 1834 + number % 700,
        "usageSource": "body",
        "note": None,
        "traceId": f"4bf92f3577b34da6a3ce{number:012x}",
        "promptTokens": 1200 + number % 97,
        "completionTokens": 300 + number % 53,
        "totalTokens": 1500 + number % 97 + number % 53,
        "cachedTokens": 1024,
        "cacheWriteTokens": None,
        "cacheWrite1hTokens": None,
        "audioPromptTokens": None,
        "imagePromptTokens": None,
        "reasoningTokens": 0,
        "audioCompletionTokens": None,
    }
    return json.dumps(record, separators=(",", ":")).encode()
