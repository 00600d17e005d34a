"""What one case came to."""

from __future__ import annotations

import base64
import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    case: str
    thrown: list[str]
    """What the policy's own expressions and values did wrong, with file and line. Not the gateway's refusals."""
    records: list[Any]
    """What log-to-eventhub sent: JSON objects as such, anything else as text."""
    partition_keys: list[str | None]
    logger_ids: list[str]
    bytes: list[int]
    """The size of each record as sent, cut included."""
    client_body_intact: bool
    """Nothing that the backend answered was lost or changed on its way to the client."""
    client_status: int
    client_headers: Mapping[str, str]
    client_body: builtins.bytes
    backend_request_body: str | None
    """As of the last call of the backend; `None` if there was none, or it had no body."""
    backend_request_headers: Mapping[str, str]
    backend_calls: int
    body_reads: int
    """How often an expression read a response body of the backend."""
    backend_urls: list[str]
    counter_keys: list[str]
    """Whom token limits counted."""
    dimensions: list[str]
    """What token metrics were told: `Name=value`."""
    retry_waits: list[float]
    """Seconds that retry would have waited before each further attempt."""
    milliseconds: float
    """Time spent inside expressions."""
    last_error: Mapping[str, str | None] | None


def read(name: str, line: builtins.bytes) -> Result:
    """Read the runner's answer for the case of that name."""
    said = json.loads(line)
    return Result(
        case=name,
        thrown=said["thrown"],
        records=[_record(text) for text in said["records"]],
        partition_keys=said["partitionKeys"],
        logger_ids=said["loggerIds"],
        bytes=said["bytes"],
        client_body_intact=said["clientBodyIntact"],
        client_status=said["clientStatus"],
        client_headers=said["clientHeaders"],
        client_body=base64.b64decode(said["clientBody"]),
        backend_request_body=said["backendRequestBody"],
        backend_request_headers=said["backendRequestHeaders"],
        backend_calls=len(said["backendUrls"]),
        body_reads=said["bodyReads"],
        backend_urls=said["backendUrls"],
        counter_keys=said["counterKeys"],
        dimensions=said["dimensions"],
        retry_waits=said["retryWaits"],
        milliseconds=said["milliseconds"],
        last_error=said["lastError"],
    )


def _record(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text
