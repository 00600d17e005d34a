"""How often each kind of call happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chargeback.local.day.calls import (
    Call,
    Traces,
    chat,
    claude,
    embeddings,
    filtered,
    live_claude_stream,
    live_stream,
    lost_stream,
    read_stream,
    response,
    throttled,
    unread_stream,
)
from chargeback.local.day.foreign import bodies, entra, gateway_hub, seed, toolkit

KINDS: Final[dict[Callable[[Call], Traces], int]] = {
    chat: 380,
    read_stream: 110,
    live_stream: 120,
    live_claude_stream: 20,
    lost_stream: 3,
    unread_stream: 12,
    embeddings: 140,
    response: 90,
    claude: 40,
    throttled: 30,
    filtered: 8,
    seed: 10,
    entra: 10,
    bodies: 10,
    gateway_hub: 10,
    toolkit: 7,
}
"""Kind -> how many of a thousand calls."""
