"""Texts that others chose, shown: what would act on a page, a terminal or a spreadsheet is made visible instead."""

from __future__ import annotations

import re

_ACTS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_HALF = re.compile(r"[\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@")


def visible(text: str) -> str:
    """Return a text with control characters, and those that turn the direction of writing, as their numbers."""
    return _ACTS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def for_spreadsheet(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that begins like it gets an apostrophe first."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: half a surrogate pair becomes its number, written as JSON writes it."""
    return _HALF.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
