"""Live streams: whether the gateway's log speaks of the calls by the id that the policy records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok
from chargeback.reports.answer import Answer
from chargeback.reports.compose import Period

NAME = "streams: the log's ids"
_QUERY = """
let rows = customEvents
| where timestamp >= datetime({start}) and timestamp < datetime({end})
| extend id = tostring(customDimensions["recordId"]), shape = tostring(customDimensions["recordShape"]),
    waits = tostring(customDimensions["usageSource"]) == "pending" and timestamp < datetime({old});
let newest = toscalar(rows | where waits | summarize arg_max(timestamp, id) | project id);
rows
| extend ofLog = shape == "llm-log"
| summarize streams = countif(waits), ofTheLog = countif(ofLog), ofTheNewest = countif(ofLog and id == newest)
"""
_OLD = timedelta(minutes=15)
"""The log comes within minutes."""
_WINDOW = timedelta(days=2)


def streams(ask: Callable[[str, Period], Answer] | None, now: datetime) -> Finding:
    """Ask about the newest stream of the last two days that is older than a quarter of an hour."""
    if ask is None:
        return not_checked(NAME, "nobody is asked", "name --store, or --resource")
    return looked_at(NAME, lambda: _look(ask, now), "check that the store or resource can be asked")


def _look(ask: Callable[[str, Period], Answer], now: datetime) -> Finding:
    start = now - _WINDOW
    times = {"start": start, "end": now + timedelta(minutes=1), "old": now - _OLD}
    written = {name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in times.items()}
    answer = ask(_QUERY.format(**written), (start, now))
    found = dict(zip(answer.columns, answer.rows[0], strict=True)) if answer.rows else {}
    streams_, rows, joined = (int(str(found.get(name) or 0)) for name in ("streams", "ofTheLog", "ofTheNewest"))
    if not streams_:
        return not_checked(
            NAME, "no live stream in the last two days", "send one, and look again in a quarter of an hour"
        )
    if joined:
        return ok(NAME, "the newest stream has its row in the gateway's log")
    if rows:
        advice = "the log's correlationId is not context.RequestId: set chargeback-stream-mode to buffer, and report it"
        return bad(NAME, f"{rows} rows of the log, and none is about the newest stream", advice)
    return bad(
        NAME, "no row of the gateway's log at all", "set GATEWAY_LOG_HUB_NAME, and export GatewayLlmLogs to that hub"
    )
