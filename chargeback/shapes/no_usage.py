"""What is known to be no usage, and why: it is counted and dropped, so nothing that may be usage belongs here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from chargeback.shapes import gateway_export
from chargeback.shapes.texts import plain_text
from chargeback.usage import plain

Source: TypeAlias = Mapping[str, object]

_OTHER_SERVICES = {"AI-SEARCH": "AI Search call", "AI-DOCUMENT-INTELLIGENCE": "call of another AI service"}
_USAGE = re.compile(r"(?i)(?<!max_)(?<!max)(?<!max_completion_)(?<!max_output_)(?:token|usage)")
_AUDITS = frozenset({"prompt", "messages", "choices", "input", "request", "requestbody"})


def why_not_usage(shape: str | None, source: Source) -> str | None:
    """Tell what kind of message that is no usage this is; `None` if it may be usage."""
    if (plain_text(source.get("type")) or "").upper().startswith("PII"):
        return "PII notice"
    service = (plain_text(source.get("targetService")) or "").upper()
    if service in _OTHER_SERVICES:
        return _OTHER_SERVICES[service]
    if shape is not None:
        return None
    if gateway_export.shape_of(source) == gateway_export.OTHER and not _speaks_of_usage(gateway_export.columns(source)):
        return "log category without usage"
    if any(plain(name) in _AUDITS for name in source) and not _speaks_of_usage(source):
        return "prompt audit"
    return None


def _speaks_of_usage(source: Source) -> bool:
    """Tell whether any name outside the prompts speaks of tokens or usage, other than of how many are allowed."""
    rest: list[object] = [source]
    while rest:
        item = rest.pop()
        if isinstance(item, dict):
            names = [name for name in item if plain(name) not in _AUDITS]
            if any(_USAGE.search(name) for name in names):
                return True
            rest.extend(item[name] for name in names)
        elif isinstance(item, list):
            rest.extend(item)
    return False
