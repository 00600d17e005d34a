"""What of one text may stay: names, codes and times; never somebody's sentences, and no secrets."""

from __future__ import annotations

import re

from chargeback.deadletter.names import ADDRESSES, CALL_IDS, CODES, KEPT, KEYS, TIMES, TITLES
from chargeback.deadletter.secrets import removed, without_secrets
from chargeback.keys import FINGERPRINT, fingerprint, without_keys

LONGEST_TEXT = 256

_COUNT_OR_TIME = re.compile(
    r"\s*-?\d{1,13}(\.\d{0,3})?\s*|\d{4}-\d\d-\d\d[T ][\d:.,]{5,18}(Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,2}/\d{1,2}/\d{4} [\d:]{7,8}([ \u202f\u00a0]?[AaPp][Mm])?",
    re.ASCII,
)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
# Three words in a row: somebody's text, whatever it is called. In scripts without spaces, a dozen letters.
PROSE = re.compile(
    r"(?<![^\W\d_])[^\W\d_]{1,40}[,.]?[^\S\r\n]{1,9}[^\W\d_]{1,40}[,.]?[^\S\r\n]{1,9}[^\W\d_]" rf"|[{_UNSPACED}]{{12}}"
)
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_LETTERS_OF_A_WORD = 4
_GAP = re.compile(r"(?:\s|%20|\+)+")
_OURS = re.compile(r"<removed \d+ characters>")
_USER = re.compile(r"//[^/@]*@")
_PLAIN_WORDS_OF_A_CODE, _WORDS_OF_A_CODE = 2, 4
_WORDS_OF_ANY_TITLE, _WORDS_OF_A_TITLE, _LONGEST_TITLE = 3, 8, 96
_LONGEST_SMALL_WORD = 3
_DIGITS_OF_A_TIME = 4
_SHORTEST_KEY = 13
"""What is shorter is a word for none (`anonymous`, `Portal-Admin`)."""


def stay(text: str, name: str) -> str:
    """Return what may stay of a text under a name."""
    if name in ADDRESSES:
        return _address(text)
    if name in CALL_IDS:
        return _call_id(text)
    if name in KEYS:
        plain = len(text) < _SHORTEST_KEY and text.isascii()
        return text if plain or FINGERPRINT.fullmatch(text) else fingerprint(text)
    if name in KEPT and len(text) <= LONGEST_TEXT:
        safe = without_secrets(text)
        return safe if _promised(safe, name) else removed(len(text))
    return text if _COUNT_OR_TIME.fullmatch(text) else removed(len(text))


def _promised(text: str, name: str) -> bool:
    """Tell whether a text is what its name promises.

    The gateway's owner names products and places with several words, and no caller can write there. What a caller can
    fill with anything (a user, a model, a deployment), and what only programs write, is a code.
    """
    words = _words(text)
    return (
        (name in CODES and _is_code(words))
        or (name in TITLES and _is_title(words))
        or (name in TIMES and (_is_code(words) or _is_time(text, words)))
    )


def _words(text: str) -> list[str]:
    """Return the words of a text; what we removed is one, and so are four letters of a script without spaces."""
    shown = _OURS.sub("0", text)
    unspaced = len(_UNSPACED_LETTER.findall(shown)) // _LETTERS_OF_A_WORD
    return [*filter(None, _GAP.split(shown)), *["-"] * unspaced]


def _is_code(words: list[str]) -> bool:
    """Tell whether it is at most two words; `Llama 3.3 70B Instruct` has two, as numbers make no sentence."""
    plain = [word for word in words if not any(map(str.isdigit, word))]
    return len(words) <= _WORDS_OF_A_CODE and len(plain) <= _PLAIN_WORDS_OF_A_CODE


def _is_title(words: list[str]) -> bool:
    """Tell whether it is a few words, or several in capitals, as names are written and sentences are not."""
    if len(words) <= _WORDS_OF_ANY_TITLE:
        return True
    if len(words) > _WORDS_OF_A_TITLE or sum(map(len, words)) > _LONGEST_TITLE:
        return False
    small = [word for word in words if not (word.strip("(&-")[:1].isupper() or word.strip("(&-")[:1].isdigit())]
    return len(small) * 2 <= len(words) and all(len(word) <= _LONGEST_SMALL_WORD for word in small)


def _is_time(text: str, words: list[str]) -> bool:
    digits = sum(map(str.isdigit, text))
    return len(words) <= _WORDS_OF_A_TITLE and digits >= _DIGITS_OF_A_TIME and not PROSE.search(" ".join(words))


def _call_id(text: str) -> str:
    """Leave an id alone, keys included: it may look like one. A text or a token in its place becomes a fingerprint.

    Removed, two of them would be the same, and their calls would be billed as one.
    """
    if len(text) > LONGEST_TEXT or "eyJ" in text or without_secrets(text) not in (text, without_keys(text)):
        return fingerprint(text)
    return text if _is_code(_words(text)) else fingerprint(text)


def _address(text: str) -> str:
    """Keep host and path: a query, a fragment or a user may be a key, and a path may quote somebody."""
    path = text.partition("?")[0].partition("#")[0]
    if len(path) > LONGEST_TEXT:
        return removed(len(text))
    safe = without_secrets(_USER.sub("//", path))
    return safe if _is_code(_words(safe)) else removed(len(text))
