"""`bodies`: policies that log request and response as they are.

Usage is dug out of the response; the texts are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from chargeback.jsontext import parse
from chargeback.records import UsageRecord
from chargeback.shapes.flat import counted_fields
from chargeback.shapes.names import COUNTS
from chargeback.shapes.record import add_answer, record_of
from chargeback.shapes.texts import plain_text
from chargeback.usage import Answer, answer_of, plain

Source: TypeAlias = Mapping[str, object]

NAME = "bodies"
_RESPONSES = ("response", "responsebody")
_REQUESTS = ("request", "requestbody")
_ADDRESSES = ("backendurl", "url")
_DEPLOYMENT = re.compile(r"/deployments/([^/?]{1,128})")


def matches(source: Source) -> bool:
    """Tell whether there is a place for a response (its value may be null)."""
    return any(plain(name) in _RESPONSES for name in source)


def read(source: Source) -> UsageRecord:
    """Read the fields beside the bodies, then the response.

    Raises:
        UnreadableRecord: a count or the time cannot be read.
    """
    fields = counted_fields(source)
    request = _request(source)
    fields["deploymentId"] = fields.get("deploymentId") or _deployment(source) or plain_text(request.get("model"))
    if fields.get("streamed") is None and isinstance(stream := request.get("stream"), bool):
        fields["streamed"] = stream
    add_answer(fields, _answer(source, counted=any(fields.get(name) for name in COUNTS)))
    return record_of(NAME, fields)


def _answer(source: Source, *, counted: bool) -> Answer:
    """Read every response there is: the first that tells usage counts, else the first."""
    answers = [_trusted(response, answer_of(response), counted) for response in _given(source, _RESPONSES)]
    return next((answer for answer in answers if answer.counts), answers[0] if answers else answer_of(None))


def _trusted(response: object, answer: Answer, counted: bool) -> Answer:
    """Let a text that names no model not replace what the policy counted: it may be what the model was asked to say."""
    forged = counted and isinstance(response, str) and answer.model is None
    return replace(answer, counts={}) if forged else answer


def has_response(source: Source) -> bool:
    """Tell whether any place for a response has something in it."""
    return bool(_given(source, _RESPONSES))


def _given(source: Source, names: tuple[str, ...]) -> list[object]:
    found = [value for wanted in names for name, value in source.items() if plain(name) == wanted]
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
