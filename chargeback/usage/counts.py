"""A provider's `usage` object -> token counts under their contract names.

Sources: the providers' API references and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from chargeback.errors import UnreadableRecord
from chargeback.records import HIGHEST_COUNT

JsonObject: TypeAlias = Mapping[str, object]
Counts: TypeAlias = dict[str, int | None]
"""Contract names of counts -> tokens; a name that is missing is not known."""

_WHOLE = re.compile(r"\s*(\d{1,40})(?:\.0*)?\s*", re.ASCII)

_PARTS = {
    "cachedTokens": ("cached_tokens",),
    "cacheWriteTokens": ("cache_write_tokens", "cache_creation_tokens"),
    "audioPromptTokens": ("audio_tokens",),
    "imagePromptTokens": ("image_tokens",),
}
_COMPLETION_PARTS = {"reasoningTokens": ("reasoning_tokens",), "audioCompletionTokens": ("audio_tokens",)}
_PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_COMPLETION_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_CACHE_HITS = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
_CACHE_WRITES = ("cache_creation_input_tokens",)


def count(value: object, name: str) -> int | None:
    """Read one count: a whole number or its text; null and empty text are not known.

    Raises:
        UnreadableRecord: it is negative, fractional, above 10^12 or no number at all.
    """
    if value is None or value == "":
        return None
    whole = _whole_number(value)
    if whole is None or not 0 <= whole <= HIGHEST_COUNT:
        raise no_count(name)
    return whole


def no_count(name: str) -> UnreadableRecord:
    """Return the error for a value that is no count."""
    return UnreadableRecord(f"{name} is not a whole number from 0 to 10^12", "InvalidCount")


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and (found := _WHOLE.fullmatch(value)):
        return int(found[1])
    return None


def counts_of(usage: JsonObject) -> Counts:
    """Read a `usage` object of any known provider into contract counts.

    Raises:
        UnreadableRecord: a count is no whole number from 0 to 10^12.
    """
    counts: dict[str, int | None] = {
        "promptTokens": _first(usage, ("prompt_tokens", "input_tokens"), "promptTokens"),
        "completionTokens": _first(usage, ("completion_tokens", "output_tokens"), "completionTokens"),
        "totalTokens": _first(usage, ("total_tokens",), "totalTokens"),
        "cachedTokens": _first(usage, _CACHE_HITS, "cachedTokens"),
        "cacheWriteTokens": _first(usage, _CACHE_WRITES, "cacheWriteTokens"),
        **_cache_lifetimes(usage.get("cache_creation")),
    }
    for details, parts in ((_PROMPT_DETAILS, _PARTS), (_COMPLETION_DETAILS, _COMPLETION_PARTS)):
        for holder in (usage[name] for name in details if name in usage):
            if isinstance(holder, dict):
                inside = {name: _first(holder, names, name) for name, names in parts.items()}
                counts.update({name: known for name, known in inside.items() if known is not None})
    _take_cache_into_prompt(usage, counts)
    return {name: known for name, known in counts.items() if known is not None}


def _cache_lifetimes(creation: object) -> Counts:
    """Read Anthropic's split of cache writes; the one-hour part has a price of its own."""
    if not isinstance(creation, dict):
        return {}
    return {"cacheWrite1hTokens": count(creation.get("ephemeral_1h_input_tokens"), "cacheWrite1hTokens")}


def _take_cache_into_prompt(usage: JsonObject, counts: Counts) -> None:
    """Add the cache counts that Anthropic reports beside `input_tokens` (never beside `prompt_tokens`)."""
    plain = counts["promptTokens"]
    beside = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
    if plain is None or not beside or usage.get("prompt_tokens") is not None:
        return
    counts["promptTokens"] = plain + (counts["cachedTokens"] or 0) + (counts["cacheWriteTokens"] or 0)
    counts["totalTokens"] = None  # if there is one it was taken without the cache


def _first(holder: JsonObject, names: tuple[str, ...], meaning: str) -> int | None:
    """Return the first count that is known among the spellings of one meaning."""
    return next((known for name in names if (known := count(holder.get(name), meaning)) is not None), None)
