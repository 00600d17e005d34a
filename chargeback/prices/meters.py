"""What a retail meter prices: read from its name, its product and its unit; never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from chargeback.prices.rows import ModelName, Part
from chargeback.prices.vocabulary import Pattern, Vocabulary
from chargeback.prices.words import Reading, read, split


class Cause(StrEnum):
    """Why a meter has no place in prices.kql."""

    OTHER_UNIT = "no token price"
    FINE_TUNING = "fine-tuning"
    PLACEHOLDER = "placeholder"
    NO_COLUMN = "no column"
    """It is understood; prices.kql has no column for such tokens."""
    UNKNOWN = "unknown"
    """Somebody has to look: the vocabulary may need a word."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A meter that becomes no price, and why."""

    cause: Cause
    why: str


@dataclass(frozen=True, slots=True)
class Meter:
    """What a meter prices."""

    publisher: str
    models: tuple[ModelName, ...]
    """Several where one meter serves several models."""
    part: Part
    deployment_type: str
    """Empty where the publisher's meters do not say it."""
    batch: bool
    service_tier: str
    context_band: str
    """`short`, `long`, or empty where the name does not say it."""
    per_million: Decimal
    """What makes the meter's price one of a million tokens."""
    prompt_only: bool
    """Whether the model has no completion to price."""


_MMDD = 4
_NO_PARTS = {
    ("cached", "audio"): "cached audio",
    ("cached", "image"): "cached images",
    ("cacheWrite", "audio"): "cache writes of audio",
    ("cacheWrite", "image"): "cache writes of images",
    ("completion", "image"): "images in a completion of text",
    ("completion", "text"): "text in a completion of images",
}
_PARTS = {
    ("prompt", "text"): Part.PROMPT,
    ("prompt", "audio"): Part.AUDIO_PROMPT,
    ("prompt", "image"): Part.IMAGE_PROMPT,
    ("cached", "text"): Part.CACHED,
    ("cacheWrite", "text"): Part.CACHE_WRITE,
    ("completion", "audio"): Part.AUDIO_COMPLETION,
}


def read_meter(name: str, product: str, unit: str, vocabulary: Vocabulary) -> Meter | Unmapped:
    """Return what a meter prices, or why it is no price of tokens."""
    if why := vocabulary.products_without_tokens.get(product.lower()):
        return Unmapped(Cause.OTHER_UNIT, why)
    bare = _without_suffix(name, unit, vocabulary)
    if isinstance(bare, Unmapped):
        return bare
    words = split(bare, vocabulary)
    if tuned := vocabulary.fine_tuning.intersection(words):
        return Unmapped(Cause.FINE_TUNING, f"says {min(tuned)}")
    reading = read(words, vocabulary)
    if any(pattern.fullmatch(reading.rest) for pattern in vocabulary.placeholders):
        return Unmapped(Cause.PLACEHOLDER, f"{reading.rest} is no model")
    return _identified(reading, product, vocabulary.units[unit], vocabulary)


def _without_suffix(name: str, unit: str, vocabulary: Vocabulary) -> str | Unmapped:
    """Return the name without its ending, if the ending and the unit say tokens."""
    lower = name.strip().lower()
    for beginning, why in vocabulary.beginnings.items():
        if lower.startswith(beginning):
            return Unmapped(Cause.OTHER_UNIT, why)
    for suffix in sorted({*vocabulary.token_suffixes, *vocabulary.other_suffixes}, key=len, reverse=True):
        if not lower.endswith(f" {suffix}"):
            continue
        if suffix in vocabulary.other_suffixes:
            return Unmapped(Cause.OTHER_UNIT, vocabulary.other_suffixes[suffix])
        said = vocabulary.token_suffixes[suffix]
        if unit not in vocabulary.units or (said and not unit.startswith(said)):
            return Unmapped(Cause.UNKNOWN, f"ends with {suffix}, but its unit is {unit}")
        return name.strip()[: -len(suffix)]
    return Unmapped(Cause.UNKNOWN, "does not end with a known unit")


def _identified(reading: Reading, product: str, per_million: Decimal, vocabulary: Vocabulary) -> Meter | Unmapped:
    family = vocabulary.families.get(product.lower())
    if family is None:
        return Unmapped(Cause.UNKNOWN, f"product {product or '(none)'} is not in the vocabulary")
    if reading.fault:
        return Unmapped(Cause.UNKNOWN, reading.fault)
    for pattern in family.patterns:
        if found := pattern.words.fullmatch(reading.rest):
            return _mapped(reading.dimensions, pattern, found, family.publisher, per_million, vocabulary)
    return Unmapped(Cause.UNKNOWN, f"unknown words: {reading.rest or '(no model)'}")


def _mapped(
    dimensions: dict[str, str],
    pattern: Pattern,
    found: re.Match[str],
    publisher: str,
    per_million: Decimal,
    vocabulary: Vocabulary,
) -> Meter | Unmapped:
    groups = {name: value or "" for name, value in found.groupdict().items()}
    if fault := _fault(dimensions, groups.get("date", ""), pattern, vocabulary):
        return Unmapped(Cause.UNKNOWN, fault)
    part = _part(dimensions, groups.get("kind") or pattern.native, pattern)
    if isinstance(part, Unmapped):
        return part
    version = _version(groups, vocabulary)
    batch = "batch" in dimensions
    return Meter(
        publisher=publisher,
        models=tuple(_model(template, groups, version) for template in pattern.models),
        part=part,
        deployment_type=dimensions.get("deployment", ""),
        batch=batch,
        # A batch has no tier of its own: its price counts whatever tier the response names.
        service_tier="" if batch else dimensions.get("tier", "standard"),
        context_band=dimensions.get("band", ""),
        per_million=per_million,
        prompt_only=pattern.prompt_only,
    )


def _fault(dimensions: dict[str, str], date: str, pattern: Pattern, vocabulary: Vocabulary) -> str:
    """Return why dimensions that are each understood do not make a price, or nothing."""
    if len(date) == _MMDD and date not in vocabulary.dates:
        return f"the year of {date} is not in the vocabulary"
    if "deployment" not in dimensions and not pattern.any_deployment:
        return "says no deployment type"
    if "batch" in dimensions and dimensions.get("tier", "standard") != "standard":
        return f"is of batch and of {dimensions['tier']} both"
    cached = "cache" in dimensions or "write" in dimensions
    if cached and dimensions.get("direction") == "completion":
        return "is of cached tokens and of completions both"
    if not cached and "direction" not in dimensions and not pattern.prompt_only:
        return "says neither prompt nor completion"
    return ""


def _version(groups: dict[str, str], vocabulary: Vocabulary) -> str:
    """Return the version that the name says, in Azure Resource Manager's words."""
    date = groups.get("date", "")
    if not date:
        return groups.get("version", "")
    return vocabulary.dates[date] if len(date) == _MMDD else f"{date[4:]}-{date[:2]}-{date[2:4]}"


def _model(template: str, groups: dict[str, str], version: str) -> ModelName:
    number = groups.get("v", "")
    if re.fullmatch(r"\d\d", number):
        number = f"{number[0]}.{number[1]}"
    variant = "".join(f"-{word}" for word in groups.get("variant", "").split())
    name, _, implied = template.format(v=number, variant=variant).partition("@")
    return ModelName(name, version or implied)


def _part(dimensions: dict[str, str], kind: str, pattern: Pattern) -> Part | Unmapped:
    direction = dimensions.get("direction", "prompt")
    if "cache" in dimensions or "write" in dimensions:
        direction = "cacheWrite" if "write" in dimensions else "cached"
    if direction == "completion" and kind == pattern.completion:
        return Part.COMPLETION
    part = _PARTS.get((direction, kind))
    return part or Unmapped(Cause.NO_COLUMN, f"prices.kql has no column for {_NO_PARTS[direction, kind]}")
