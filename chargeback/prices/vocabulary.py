"""The vocabulary of meters' names: two files of data beside this module, read once and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict

_SHORTEST_GLUED = 3
"""Letters that a spelling needs to be looked for inside a longer word; `in` and `gl` are inside too many."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A model, and how the rest of its meters' names reads."""

    words: re.Pattern[str]
    models: tuple[str, ...]
    """Names with `{v}` and `{variant}` for what the words say, and perhaps `@version`."""
    native: str = "text"
    """The kind of tokens where the name does not say one."""
    completion: str = "text"
    """The kind of tokens that a plain completion of this model is made of."""
    prompt_only: bool = False
    any_deployment: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """The models of one publisher, under the products that hold their meters."""

    publisher: str
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that reading a meter's name needs; the files say what each part is."""

    token_suffixes: Mapping[str, str]
    other_suffixes: Mapping[str, str]
    units: Mapping[str, Decimal]
    products_without_tokens: Mapping[str, str]
    """Product in lower case -> why."""
    beginnings: Mapping[str, str]
    fine_tuning: frozenset[str]
    placeholders: tuple[re.Pattern[str], ...]
    spellings: Mapping[str, tuple[str, str]]
    """Word -> (dimension, value)."""
    last_words: Mapping[str, tuple[str, str]]
    pairs: Mapping[str, str]
    abbreviations: Mapping[str, str]
    whole: frozenset[str]
    """Words that are never taken apart."""
    glued: tuple[str, ...]
    """Words that may be part of a longer one, the longest first."""
    dates: Mapping[str, str]
    thresholds: Mapping[str, int]
    other_clouds: tuple[str, ...]
    families: Mapping[str, Family]
    """Product in lower case -> its family."""


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that this version of the package ships."""
    folder = Path(__file__).parent
    words = tomllib.loads((folder / "vocabulary.toml").read_text(encoding="utf-8"))
    models = tomllib.loads((folder / "models.toml").read_text(encoding="utf-8"))
    spellings = _spellings(words["dimensions"])
    abbreviations = words["abbreviations"]
    whole = {*spellings, *abbreviations, *words["glued"]["words"], *words["glued"]["whole"]}
    parts = {word for word in {*spellings, *abbreviations} if len(word) >= _SHORTEST_GLUED}
    return Vocabulary(
        token_suffixes=words["suffixes"]["tokens"],
        other_suffixes=words["suffixes"]["other"],
        units={unit: Decimal(factor) for unit, factor in words["units"].items()},
        products_without_tokens={name.lower(): why for name, why in words["products_without_tokens"].items()},
        beginnings=words["beginnings"],
        fine_tuning=frozenset(words["fine_tuning"]["words"]),
        placeholders=tuple(re.compile(pattern) for pattern in words["placeholders"]["patterns"]),
        spellings=spellings,
        last_words=_spellings(words["last_word"]),
        pairs=words["pairs"],
        abbreviations=abbreviations,
        whole=frozenset(whole),
        glued=tuple(sorted({*parts, *words["glued"]["words"]}, key=lambda word: (-len(word), word))),
        dates=words["dates"],
        thresholds=words["thresholds"],
        other_clouds=tuple(words["other_clouds"]["regions"]),
        families=_families(models["family"]),
    )


def _spellings(dimensions: Mapping[str, Mapping[str, list[str]]]) -> dict[str, tuple[str, str]]:
    return {
        word: (dimension, value)
        for dimension, values in dimensions.items()
        for value, words in values.items()
        for word in words
    }


class _Model(TypedDict):
    words: str
    models: list[str]
    native: NotRequired[str]
    completion: NotRequired[str]
    prompt_only: NotRequired[bool]
    any_deployment: NotRequired[bool]


class _Family(TypedDict):
    publisher: str
    products: list[str]
    model: list[_Model]


def _families(told: list[_Family]) -> dict[str, Family]:
    families: dict[str, Family] = {}
    for family in told:
        made = Family(family["publisher"], tuple(map(_pattern, family["model"])))
        families |= {product.lower(): made for product in family["products"]}
    return families


def _pattern(model: _Model) -> Pattern:
    return Pattern(
        words=re.compile(model["words"]),
        models=tuple(model["models"]),
        native=model.get("native", "text"),
        completion=model.get("completion", "text"),
        prompt_only=model.get("prompt_only", False),
        any_deployment=model.get("any_deployment", False),
    )
