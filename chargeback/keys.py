"""Subscription keys: what one looks like, and the fingerprint that stands for it.

A key is a secret that names its caller. Everything downstream needs the name and must never see the secret.
"""

from __future__ import annotations

import hashlib
import re

_SHORTEST_KEY = 32
_KEY = re.compile(
    r"(?<![0-9A-Za-z+/])(?:[0-9a-fA-F]{32}|[A-Za-z0-9+/]{86}==|eyJ[\w-]{5,}\.[\w.-]+)(?![0-9A-Za-z+/])", re.ASCII
)
FINGERPRINT = re.compile(r"key-[0-9a-f]{16}")


def fingerprint(key: str) -> str:
    """Return `key-` and the first 16 hex digits of the key's SHA-256 (of its UTF-8 text, as it stands)."""
    return f"key-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def holds_key(text: str) -> bool:
    """Tell whether anything in `text` looks like a key."""
    return len(text) >= _SHORTEST_KEY and _KEY.search(text) is not None


def without_keys(text: str) -> str:
    """Replace all that looks like a key (32 hex or 88 base64 characters) or a bearer token by its fingerprint."""
    if len(text) < _SHORTEST_KEY:
        return text
    return _KEY.sub(lambda found: fingerprint(found.group()), text)
