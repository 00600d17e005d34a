"""`bodies`: policies that log request and response as they are.

Usage is dug out of the response; the texts are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from chargeback.jsontext import parse
from chargeback.records import UsageRecord
from chargeback.shapes.names import fields_of
from chargeback.shapes.record import add_answer, record_of
from chargeback.shapes.texts import plain_text
from chargeback.usage import Answer, answer_of

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
    add_answer(fields, _answer(source))
    return record_of(NAME, fields)


def _answer(source: Source) -> Answer:
    """Read every response there is: the first that tells usage counts, else the first."""
    answers = [answer_of(response) for response in _given(source, _RESPONSES)]
    return next((answer for answer in answers if answer.counts), answers[0] if answers else answer_of(None))


def has_response(source: Source) -> bool:
    """Tell whether any place for a response has something in it."""
    return bool(_given(source, _RESPONSES))


def _given(source: Source, names: tuple[str, ...]) -> list[object]:
    found = (source.get(name) for name in names)
    return [value for value in found if value and not (isinstance(value, str) and value.isspace())]


def _request(source: Source) -> Source:
    request = next(iter(_given(source, _REQUESTS)), None)
    if isinstance(request, str):
        try:
            request = parse(request)
        except ValueError:
            return {}
    return request if isinstance(request, dict) else {}


def _deployment(source: Source) -> str | None:
    """Return the deployment that the backend's address names."""
    address = next(iter(_given(source, _ADDRESSES)), None)
    found = _DEPLOYMENT.search(address) if isinstance(address, str) else None
    return found[1] if found else None
