"""`bodies`: policies that log request and response as they are.

Usage is dug out of the response; the texts are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import orjson

from chargeback.records import UsageRecord
from chargeback.shapes.names import fields_of, plain_text
from chargeback.shapes.record import add_answer, record_of
from chargeback.usage import answer_of

Source: TypeAlias = Mapping[str, object]

NAME = "bodies"
_RESPONSES = ("response", "Response", "responseBody", "ResponseBody")
_REQUESTS = ("request", "Request", "requestBody", "RequestBody")
_ADDRESSES = ("backendUrl", "BackendUrl", "url")
_DEPLOYMENT = re.compile(r"/deployments/([^/?]{1,128})")


def matches(source: Source) -> bool:
    """Tell whether there is a place for a response (its value may be null)."""
    return any(name in source for name in _RESPONSES)


def read(source: Source) -> UsageRecord:
    """Read the fields beside the bodies, then the response.

    Raises:
        UnreadableRecord: a count or the time cannot be read.
    """
    fields = fields_of(source)
    request = _request(source)
    fields["deploymentId"] = fields.get("deploymentId") or _deployment(source) or plain_text(request.get("model"))
    if fields.get("streamed") is None and isinstance(stream := request.get("stream"), bool):
        fields["streamed"] = stream
    add_answer(fields, answer_of(_first(source, _RESPONSES)))
    return record_of(NAME, fields)


def _first(source: Source, names: tuple[str, ...]) -> object:
    return next((source[name] for name in names if source.get(name) is not None), None)


def _request(source: Source) -> Source:
    request = _first(source, _REQUESTS)
    if isinstance(request, str):
        try:
            request = orjson.loads(request.encode("utf-8", "replace"))
        except orjson.JSONDecodeError:
            return {}
    return request if isinstance(request, dict) else {}


def _deployment(source: Source) -> str | None:
    """Return the deployment that the backend's address names."""
    address = _first(source, _ADDRESSES)
    found = _DEPLOYMENT.search(address) if isinstance(address, str) else None
    return found[1] if found else None
