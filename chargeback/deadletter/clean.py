"""Takes prompts, completions and keys out of a rejected body and leaves what billing and diagnosis need."""

from __future__ import annotations

import re

from chargeback.deadletter.secrets import removed, without_random
from chargeback.deadletter.values import cleaned
from chargeback.deadletter.words import PROSE
from chargeback.jsontext import parse

_LONGEST_CUT = 1024
_TEXT_NAME = re.compile(
    r"request(?!_?id)|response|message(?!-id)|prompt(?!_?tokens)|input(?!_?tokens)|choice|content|output(?!_?tokens)"
    r"|text|instructions|quer(?:y|ies)|question|answer|conversation|history|utterance|payload|summary|thinking|refusal"
    # These are parts of harmless names and values too, so only as names: `completion": `, `\\"tools\\" :`.
    r"|(?:completions?|tools?|arguments|embeddings?|delta|system|transcript|body|title|description)\\*[\"']?\s*[:=]",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[0-9A-Za-z+/=_-]{16,}\Z")


def clean(body: bytes) -> tuple[object, bool]:
    """Return what may be kept of a body, and whether it can be read again as a record.

    A body that is no UTF-8 JSON is cut before the first name that announces text, or the first prose, and cannot be
    replayed.
    """
    try:
        text, utf8 = body.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        text, utf8 = body.decode("latin-1"), False
    try:
        return cleaned(parse(text)), utf8
    except ValueError:
        return _cut(text), False


def _cut(text: str) -> str:
    shown = text.replace("\0", "")  # UTF-16 and 32 show their names only without the zeros
    cuts = (_TEXT_NAME.search(shown), PROSE.search(shown))
    found = min(filter(None, cuts), key=lambda cut: cut.start(), default=None)
    before = shown[: min(found.start() if found else len(shown), _LONGEST_CUT)]
    # What breaks off, wherever, may break off within a key, which then looks like none.
    safe = without_random(_LAST_WORD.sub(lambda word: removed(len(word[0])), before))
    gone = len(shown) - len(before)
    return f"{safe}{removed(gone)}" if gone else safe
