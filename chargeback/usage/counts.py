"""A provider's `usage` object -> token counts under their contract names.

Sources: the providers' API references and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import TypeAlias

from chargeback.errors import UnreadableRecord
from chargeback.records import HIGHEST_COUNT

JsonObject: TypeAlias = Mapping[str, object]
Counts: TypeAlias = dict[str, int | None]
"""Contract names of counts -> tokens; a name that is missing is not known."""

# Not three zeros: somebody's 1.000 is a thousand.
_WHOLE = re.compile(r"\s*(\d{1,40})(?:\.(?!000\s*\Z)0+)?\s*", re.ASCII)
_PUNCTUATION = str.maketrans("", "", "-_. ")

# By plain name (see `plain`): providers write snake_case or camelCase.
_WHOLES = {
    "promptTokens": ("prompttokens", "inputtokens"),
    "completionTokens": ("completiontokens", "outputtokens"),
    "totalTokens": ("totaltokens",),
    "cachedTokens": ("promptcachehittokens", "cachedtokens", "cachereadinputtokens"),
    "cacheWriteTokens": ("cachecreationinputtokens", "cachewriteinputtokens"),
}
_PROMPT_PARTS = {
    "cachedTokens": ("cachedtokens",),
    "cacheWriteTokens": ("cachewritetokens", "cachecreationtokens"),
    "audioPromptTokens": ("audiotokens",),
    "imagePromptTokens": ("imagetokens",),
}
_COMPLETION_PARTS = {"reasoningTokens": ("reasoningtokens",), "audioCompletionTokens": ("audiotokens",)}
_DETAILS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("prompttokensdetails", "inputtokensdetails", "inputtokendetails"), _PROMPT_PARTS),
    **dict.fromkeys(("completiontokensdetails", "outputtokensdetails", "outputtokendetails"), _COMPLETION_PARTS),
    # Anthropic's split of cache writes; the one-hour part has a price of its own.
    "cachecreation": {"cacheWrite1hTokens": ("ephemeral1hinputtokens",)},
}
_CACHE_NAMES = ("cachereadinputtokens", "cachecreationinputtokens", "cachewriteinputtokens")
_CACHE_BESIDE = frozenset({*_CACHE_NAMES, *(f"usage{name}" for name in _CACHE_NAMES)})
_WITH_CACHE = ("prompttokens", "usageprompttokens")


def plain(name: str) -> str:
    """Return a name without case and punctuation: `input_tokens` and `inputTokens` are one."""
    return name.lower().translate(_PUNCTUATION)


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
    counts: dict[str, object] = {**_known(usage, _WHOLES), **parts_of(usage)}
    take_cache_into_prompt(usage, counts)
    return {name: known for name, known in counts.items() if isinstance(known, int)}


def parts_of(usage: JsonObject) -> Counts:
    """Read the counts that stand in objects of details.

    Raises:
        UnreadableRecord: a count is no whole number from 0 to 10^12.
    """
    parts: Counts = {}
    for name, details in usage.items():
        names = _DETAILS.get(plain(name))
        if names and isinstance(details, dict):
            parts.update(_known(details, names))
    return parts


def take_cache_into_prompt(usage: JsonObject, counts: MutableMapping[str, object]) -> None:
    """Add the cache counts that Anthropic and Bedrock report beside `input_tokens` (never beside `prompt_tokens`)."""
    given = {plain(name) for name, value in usage.items() if value not in (None, "")}
    if not given.isdisjoint(_CACHE_BESIDE) and given.isdisjoint(_WITH_CACHE):
        add_cache(counts)


def add_cache(counts: MutableMapping[str, object]) -> None:
    """Make prompt and total of counts that were taken without the cache those of the whole call."""
    prompt, completion, total = (counts.get(name) for name in ("promptTokens", "completionTokens", "totalTokens"))
    beside = [known for name in ("cachedTokens", "cacheWriteTokens") if isinstance(known := counts.get(name), int)]
    if not isinstance(prompt, int) or not sum(beside):
        return
    counts["promptTokens"] = prompt + sum(beside)
    if total == prompt + (completion if isinstance(completion, int) else 0):
        counts["totalTokens"] = total + sum(beside)
    elif completion is None:
        counts["totalTokens"] = None  # with or without the cache: the record does not tell


def _known(holder: JsonObject, meanings: Mapping[str, tuple[str, ...]]) -> Counts:
    """Return for each meaning the first count that is known among its spellings."""
    values: dict[str, object] = {}
    for name, value in holder.items():
        if values.get(plain(name)) in (None, ""):
            values[plain(name)] = value
    read = {
        meaning: next((known for name in names if (known := count(values.get(name), meaning)) is not None), None)
        for meaning, names in meanings.items()
    }
    return {meaning: known for meaning, known in read.items() if known is not None}
