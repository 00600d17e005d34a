"""A meter's name as words: separators, pairs and glued words undone, dimensions told from the model's name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chargeback.prices.vocabulary import Vocabulary

_NUMBER = re.compile(r"\d+(?:\.\d+)?k?")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of a name say."""

    dimensions: dict[str, str]
    """Dimension -> value, each said once."""
    rest: str
    """The other words, abbreviations written out: the model's name."""
    fault: str
    """Why the name cannot be read, or nothing."""


def split(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return the words of a name in lower case."""
    text = re.sub(r"[\s_-]+", " ", name.strip().lower())
    for pair, word in vocabulary.pairs.items():
        text = re.sub(rf"\b{pair}\b", word, text)
    return [part for word in text.split() for part in _unglued(word, vocabulary)]


def _unglued(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return the words that a word is made of, or the word itself if any of it would be left over."""
    if word in vocabulary.whole or _NUMBER.fullmatch(word):
        return [word]
    return _pieces(word, vocabulary) or [word]


def _pieces(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return the first way to take all of a word apart, longest pieces first; nothing if there is none."""
    number = _NUMBER.match(word)
    for piece in [piece for piece in vocabulary.glued if word.startswith(piece)] + ([number[0]] if number else []):
        rest = word[len(piece) :]
        # Digits belong together: 56 in 56sol is one number.
        if not rest:
            return [piece]
        if following := _pieces(rest, vocabulary):
            return [piece, *following]
    return []


def read(words: list[str], vocabulary: Vocabulary) -> Reading:
    """Tell the dimensions from the rest."""
    found: dict[str, str] = {}
    rest: list[str] = []
    for index, word in enumerate(words):
        last = index == len(words) - 1
        said = vocabulary.spellings.get(word) or (vocabulary.last_words.get(word) if last and index else None)
        if said is None:
            rest.append(vocabulary.abbreviations.get(word, word))
            continue
        dimension, value = said
        if dimension in found:
            return Reading(found, " ".join(rest), f"says its {dimension} twice")
        found[dimension] = value
    return Reading(found, " ".join(rest), "")
