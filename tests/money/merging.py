"""One call of the records that tell of it, and its class: by docs/contract.md, section 4, without the queries' help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

POLICY, GATEWAY_LOG, LLM_LOG = 3, 2, 1
COUNTS = (
    *("promptTokens", "completionTokens", "totalTokens", "cachedTokens", "cacheWriteTokens", "cacheWrite1hTokens"),
    *("audioPromptTokens", "imagePromptTokens", "reasoningTokens", "audioCompletionTokens"),
)
WHOLES = COUNTS[:3]
_PROCESSED = ("contentfilter", "contentpolicy", "contentmanagement", "responsibleai", "moderation")
_TOO_LONG = ("context_length", "max_length")
_BROKEN = frozenset({"cut", "aborted", "broken", "disconnected", "interrupted", "incomplete", "truncated"})
_TURNED_AWAY = (401, 403, 404, 429)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as far as its records know it."""

    time: datetime
    texts: Mapping[str, Any]
    """What is known of the call besides counts; by the contract's names."""
    counts: Mapping[str, int]
    """Only those that are known."""

    def text(self, name: str) -> str:
        return str(self.texts.get(name, ""))

    def count(self, name: str) -> int:
        return self.counts.get(name, 0)


def calls_in(events: Iterable[Mapping[str, Any]], start: datetime, end: datetime) -> Iterator[Call]:
    """Yield the calls of a period, whatever was delivered twice, late, or in two parts."""
    records: dict[str, list[Mapping[str, Any]]] = {}
    for number, event in enumerate(events):
        if start - timedelta(days=1) <= _time(event["timestamp"]) < end + timedelta(days=8):
            records.setdefault(event.get("recordId", f"event {number}"), []).append(event)
    for told in records.values():
        call = _merged(told)
        if start <= call.time < end:
            yield call


def _merged(records: Sequence[Mapping[str, Any]]) -> Call:
    ranked = sorted(records, key=_rank, reverse=True)
    by_policy = [record for record in ranked if _rank(record) == POLICY]
    texts: dict[str, Any] = {}
    for name in {name for record in ranked for name in record} - set(COUNTS):
        told = [record for record in ranked if record.get(name, "") != ""]
        if told:
            # One source may say two things of a call, which is then shown as conflicting: the last by the alphabet.
            texts[name] = max((r[name] for r in told if _rank(r) == _rank(told[0])), key=str)
    counts = _greatest(by_policy)
    if not counts.keys() & set(WHOLES):
        from_log = _greatest([record for record in ranked if _rank(record) == LLM_LOG])
        counts = from_log if from_log.keys() & set(WHOLES) else counts
    return Call(min(_time(record["eventTime"]) for record in by_policy or ranked), texts, counts)


def _rank(record: Mapping[str, Any]) -> int:
    return {"gateway-log": GATEWAY_LOG, "llm-log": LLM_LOG}.get(record.get("recordShape", ""), POLICY)


def _greatest(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for record in records:
        for name in record.keys() & set(COUNTS):
            found[name] = max(found.get(name, record[name]), record[name])
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def class_without_usage(call: Call) -> str:
    """Say whether Azure may have charged for a call whose counts nobody knows."""
    status, note = call.texts.get("statusCode"), call.text("note")
    plain = note.lower().replace("_", "")
    processed = any(word in plain for word in _PROCESSED) or any(word in note.lower() for word in _TOO_LONG)
    coded = re.search(r"error:\w", note) is not None
    failed = status is not None and not 200 <= status <= 299
    if call.texts.get("forwarded") is False or status in _TURNED_AWAY:
        return "not-billed"
    if status == 400 and coded and not processed:
        return "not-billed"
    broken = bool(_BROKEN & set(re.split(r"\W+", note.lower())))
    if failed or processed or broken or (call.texts.get("streamed") is True and coded):
        return "maybe-billed"
    return "unknown-usage"
