"""What a FILE on the command line means."""

from __future__ import annotations

STANDARD_INPUT = "-"


def name_of(file: str) -> str:
    """Return what to call it in a sentence."""
    return "standard input" if file == STANDARD_INPUT else file
