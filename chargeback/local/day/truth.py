"""What is true of a call, whatever is told of it: its tokens, and whether anybody can be charged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Fate(Enum):
    """What becomes of a call on the bill."""

    CHARGED = auto()
    TOTAL_ONLY = auto()
    """Its tokens are known as one number, which has no price."""
    UNKNOWN = auto()
    """It was answered, and nobody told its tokens."""
    MAYBE_BILLED = auto()
    """It failed after the model may have worked."""
    FREE = auto()
    """It was turned away."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call must be billed; `None` is not known to anybody."""

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    cached: int = 0
    """Of the prompt: read from the cache."""
    cache_written: int = 0
    """Of the prompt: written to the cache."""

    @property
    def parts(self) -> Mapping[str, int]:
        """Every token once, by what it is billed as."""
        return {
            "prompt": (self.prompt or 0) - self.cached - self.cache_written,
            "cached": self.cached,
            "cache write": self.cache_written,
            "completion": self.completion or 0,
        }
