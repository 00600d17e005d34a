"""Keys, signatures and tokens in a text, whole or in pieces."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

from chargeback.keys import without_keys

_DONE = r"(?!key-[0-9a-f]{16}(?![0-9A-Za-z])|<removed \d)"
_SCHEME = r"(?:bearer|sharedaccesssignature)[\s=:]++"
# `sig=...`, `"api-key": "..."`, `Ocp-Apim-Subscription-Key: ...`: the name stays. A short number is a count of tokens.
_NAMED = re.compile(
    r"((?:subscription[_-]?key|(?:api|app|access|account|functions|master|host)[_-]?key|secret|password|passwd|pwd"
    r"|signature|sig|token|authorization|(?<![0-9a-z])key|(?<=[?&])code)"
    rf"\\*[\"']?\s*+(?:[=:]|%3[ad])[\s\\\"']*+(?:(?:basic\s++|{_SCHEME}))?+)"
    rf"{_DONE}(?!\d{{1,13}}(?![0-9a-z]))([^\s\"'&;,<>\\]+)",
    re.IGNORECASE,
)
_SCHEMED = re.compile(
    rf"({_SCHEME}|basic\s++(?=[a-z0-9+/]{{0,400}}[0-9=])(?=[a-z0-9+/=]{{8}})){_DONE}(\S+)", re.IGNORECASE
)
_RUN = re.compile(r"[0-9A-Za-z_.+/=~-]{6,}")
_HEAD = re.compile(r"eyJ[\w-]{3}", re.ASCII)
_SEGMENT = re.compile(r"[0-9A-Za-z_-]{16,}")
_MIXED = re.compile(r"(?=[A-Za-z]{0,15}[0-9])(?=[a-z0-9]{0,15}[A-Z])(?=[A-Z0-9]{0,15}[a-z])[0-9A-Za-z]{16}")
# What a piece of a token's claims decodes to at one of four places to begin; random bytes do so once in 10,000.
_CLAIMS = re.compile(rb'(?=[ -~]{0,11}")[ -~]{12}|[ -~]{16}')
_ODD = re.compile(r"[0-9A-Za-z+/_-]{20,}={0,2}")


def removed(length: int) -> str:
    """Return what stands for so many characters."""
    return f"<removed {length} characters>"


def without_secrets(text: str) -> str:
    """Replace keys by their fingerprints, and remove signatures and pieces of tokens."""
    named = _NAMED.sub(_without_value, without_keys(text))
    return _RUN.sub(_without_token, _SCHEMED.sub(_without_value, named))


def without_random(text: str) -> str:
    """Remove, beside secrets, every long word that looks like a random one."""
    return _ODD.sub(lambda word: removed(len(word[0])) if _MIXED.search(word[0]) else word[0], without_secrets(text))


def _without_value(found: re.Match[str]) -> str:
    return f"{found[1]}{removed(len(found[2]))}"


def _without_token(run: re.Match[str]) -> str:
    return removed(len(run[0])) if _is_token(run[0]) else run[0]


def _is_token(run: str) -> bool:
    """Tell whether a run of characters is a bearer token, or a piece of one: of its head, its claims, its signature."""
    segments = _SEGMENT.findall(run)
    signed = "." in run and any(_MIXED.search(segment) for segment in segments)
    return _HEAD.search(run) is not None or signed or any(map(_hides_claims, segments))


def _hides_claims(segment: str) -> bool:
    for start in range(4):
        piece = segment[start:]
        if _CLAIMS.search(urlsafe_b64decode(piece[: len(piece) // 4 * 4])):
            return True
    return False
