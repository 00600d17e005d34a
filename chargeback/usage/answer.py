"""A model response, as JSON or server-sent events -> what it says of model, tier and usage."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from chargeback.errors import UnreadableRecord
from chargeback.jsontext import TooManyObjects, parse
from chargeback.usage.counts import Counts, JsonObject, counts_of

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says about itself: counts, model, tier, and why counts are missing."""

    counts: Counts = field(default_factory=dict)
    model: str | None = None
    service_tier: str | None = None
    source: str = "none"
    """`body`, `stream` or `none`."""
    note: str | None = None
    streamed: bool = False


def answer_of(response: object) -> Answer:
    """Read a response body: JSON, its text (perhaps encoded twice, or a line per object), or server-sent events.

    Raises:
        UnreadableRecord: it holds usage that cannot be billed as it stands.
    """
    if isinstance(response, dict):
        wrapped = response.get("body")  # beside status and headers, as HTTP clients log it
        return answer_of(wrapped) if wrapped and usage_of(response) is None else _answer_of_objects([response], "body")
    if isinstance(response, list):
        return _answer_of_objects(response, "body")
    if isinstance(response, str):
        return _answer_of_text(response.lstrip("\ufeff \t\r\n"))
    return Answer(note="no-body" if response is None else "body-without-usage")


def _answer_of_text(text: str) -> Answer:
    if not text:
        return Answer(note="no-body")
    if text.startswith(("data:", "event:", ":", "id:", "retry:")):
        return _answer_of_objects(_events(text), "stream")
    try:
        found = parse(text)
    except TooManyObjects:
        raise UnreadableRecord("more than 100,000 objects in one body", "TooLarge") from None
    except ValueError:
        answer = _answer_of_objects(_lines(text), "stream")
        return answer if answer.counts else Answer(note="not-json")
    if isinstance(found, str):
        return _answer_of_text(found)  # ends: what was quoted is shorter
    return _answer_of_objects(found if isinstance(found, list) else [found], "body")


def _lines(text: str) -> Iterator[object]:
    """Yield the objects of a text that has one a line."""
    for line in io.StringIO(text):
        if line.startswith("{"):
            with suppress(ValueError):
                yield parse(line)


def _events(text: str) -> Iterator[object]:
    """Yield the JSON of every server-sent event; one event may spread over several `data:` lines."""
    pending: list[str] = []
    for raw in io.StringIO(text, newline=None):
        line = raw.rstrip("\n")
        if line.startswith("data:"):
            pending.append(line[5:].strip())
        elif not line and pending:
            yield from _event(pending)
            pending = []
    yield from _event(pending)


def _event(lines: list[str]) -> Iterator[object]:
    """Yield what the lines hold: one value over all of them, else (no blank line between events) one a line."""
    for candidate in ("\n".join(lines), *lines) if len(lines) > 1 else lines:
        with suppress(ValueError):
            yield parse(candidate)


def _answer_of_objects(objects: Iterable[object], source: str) -> Answer:
    """Merge what the objects say; a stream's counts only grow, and Anthropic splits them over two events."""
    usage: dict[str, object] = {}
    model = tier = error = None
    started = False
    for item in objects:
        for holder in _holders(item):
            model = _text(holder.get("model")) or _text(holder.get("Model")) or model
            tier = _text(holder.get("service_tier")) or tier
            error = _error_code(holder.get("error")) or error
            if found := usage_of(holder):
                if _is_start(item):
                    started = True
                    found = {name: value for name, value in found.items() if name != "output_tokens"}  # a placeholder
                usage.update({name: _later(usage.get(name), value) for name, value in found.items()})
                tier = _text(found.get("service_tier")) or tier
    counts = counts_of(usage)
    streamed = source == "stream"
    if counts:
        cut = started and "completionTokens" not in counts
        note = (error or "stream-cut") if cut else None
        return Answer(counts, model, tier, source, note, streamed)
    return Answer({}, model, tier, "none", error or _why_none(usage, source), streamed)


def _is_start(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "message_start"


def usage_of(holder: JsonObject) -> JsonObject | None:
    """Return an object's `usage`, which may be JSON text."""
    usage = holder.get("usage") or holder.get("Usage")
    if isinstance(usage, str) and usage.lstrip().startswith("{"):
        with suppress(ValueError):
            usage = parse(usage)
    return usage if isinstance(usage, dict) else None


def _later(before: object, now: object) -> object:
    """Return what a stream's later event leaves of a field: null says nothing, and no count goes down."""
    if now is None:
        return before
    if isinstance(before, int) and isinstance(now, int):
        return max(before, now)
    if isinstance(before, dict) and isinstance(now, dict):
        return before | {name: _later(before.get(name), value) for name, value in now.items()}
    return now


def _holders(item: object) -> Iterator[JsonObject]:
    """Yield the places where an answer may keep model and usage: itself, its `response`, its `message`."""
    if not isinstance(item, dict):
        return
    yield item
    for name in ("response", "message"):
        if isinstance(inner := item.get(name), dict):
            yield inner


def _error_code(error: object) -> str | None:
    if not isinstance(error, dict):
        return None
    code = str(error.get("code") or error.get("type") or "unknown")
    # A code of another form may be text that somebody wrote: it is not passed on.
    return f"error:{code}" if _CODE.fullmatch(code) else "error:unknown"


def _why_none(usage: JsonObject, source: str) -> str:
    if usage.get("type") == "duration" or "seconds" in usage:
        return "duration-usage"
    return "stream-without-usage" if source == "stream" else "body-without-usage"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
