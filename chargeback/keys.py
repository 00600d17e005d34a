"""Subscription keys: what one looks like, and the fingerprint that stands for it.

A key is a secret that names its caller. Everything downstream needs the name and must never see the secret.
"""

from __future__ import annotations

import hashlib
import re

_SHORTEST_KEY = 32
_KEY = re.compile(
    r"(?<![0-9a-fA-F])(?<!\.ft-)[0-9a-fA-F]{32}(?![0-9a-fA-F])"  # API Management; not a fine-tuned model's name
    r"|(?<![0-9A-Za-z+/_-])(?:[A-Za-z0-9+/_-]{86}==|[A-Za-z0-9+/_-]{43}=)(?!=)"  # storage and others; Event Hubs
    r"|(?<![0-9A-Za-z])[0-9A-Za-z]{84}(?![0-9A-Za-z])"  # Azure OpenAI
    r"|(?<![\w-])eyJ[\w-]{5,}\.[\w.-]+",  # bearer tokens
    re.ASCII,
)
FINGERPRINT = re.compile(r"key-[0-9a-f]{16}")


def fingerprint(key: str) -> str:
    """Return `key-` and the first 16 hex digits of the key's SHA-256 (of its UTF-8 text, as it stands)."""
    return f"key-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def without_keys(text: str) -> str:
    """Replace all that looks like a key (see the pattern) or a bearer token by its fingerprint."""
    if len(text) < _SHORTEST_KEY:
        return text
    return _KEY.sub(lambda found: fingerprint(found.group()), text)
