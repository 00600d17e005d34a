"""Application Insights: whether it takes an event, and in which words it does not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime

from chargeback.delivery import connect
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok
from chargeback.events import CustomEvent
from chargeback.settings import Settings

NAME = "Application Insights: takes events"
DOCTOR_EVENT = "Chargeback doctor"
"""No report counts it: usage has another name, and a recordId."""
_ADVICE = "docs/operations.md has the error's words: the connection string, the identity's role, or the daily cap"
_SECONDS = 20.0


def ingestion(settings: Settings, now: datetime) -> Finding:
    """Send one event that counts for nothing, as whom the function sends its own."""
    if settings.ingestion is None:
        return not_checked(NAME, "its connection string cannot be read", "set it, or correct it")
    return looked_at(NAME, lambda: _send(replace(settings, delivery_seconds=_SECONDS), now), _ADVICE)


def _send(settings: Settings, now: datetime) -> Finding:
    with closing(connect(settings)) as sender:
        refusals = sender.send([CustomEvent(DOCTOR_EVENT, now, {"reason": "a test of the road"})])
    if refusals:
        return bad(NAME, f"it refuses the event: {refusals[0].message}", _ADVICE)
    return ok(NAME, f"it took the event {DOCTOR_EVENT}")
