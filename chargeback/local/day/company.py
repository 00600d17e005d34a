"""The company of the demo: who calls, which deployments answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Caller:
    """One consumer of the gateway."""

    business_unit: str
    consumer_id: str
    subscription: str | None = None
    application: str | None = None
    weight: int = 1
    """Its share of the calls, against the others'."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment behind the gateway."""

    name: str
    model: str
    host: str
    region: str


RESEARCH_AGENT: Final = "5f0c2b1e-7a44-4a0e-9f3e-2d6c8b1a9e10"
OPERATIONS_BOT: Final = "c3a1d7f2-18be-4c55-8d0a-6e9f4b2c7d31"
LEGACY_KEY: Final = "3b9f1c7e5a2d48f6b0e4c8a17d6f2e93"
"""A subscription key (made up) that an old policy still logs; it must never be seen again."""
LEGACY_FINGERPRINT: Final = "key-b2f23895304fa7d3"

CALLERS: Final = (
    Caller("Retail", "retail-web", subscription="retail-web", weight=9),
    Caller("Retail", "retail-mobile", subscription="retail-mobile", weight=6),
    Caller("Finance", "finance-reporting", subscription="finance-reporting", weight=4),
    Caller("Finance", "finance-audit", subscription="finance-audit", weight=2),
    Caller("Research", "research-lab", subscription="research-lab", weight=3),
    Caller("Research", RESEARCH_AGENT, application=RESEARCH_AGENT, weight=5),
    Caller("Operations", "operations-desk", subscription="operations-desk", weight=3),
    Caller("Operations", OPERATIONS_BOT, application=OPERATIONS_BOT, weight=2),
)
LEGACY: Final = Caller("Operations", LEGACY_FINGERPRINT)

CHAT_EAST: Final = Deployment("chat-east", "gpt-4o-2024-11-20", "contoso-east.openai.azure.com", "East US 2")
CHAT_WEST: Final = Deployment("chat-west", "gpt-4o-2024-11-20", "contoso-west.openai.azure.com", "Sweden Central")
ASSISTANT: Final = Deployment("assistant", "gpt-5-mini-2025-08-07", "contoso-west.openai.azure.com", "Sweden Central")
SEARCH: Final = Deployment("search", "text-embedding-3-large", "contoso-east.openai.azure.com", "East US 2")
WRITER: Final = Deployment("writer", "claude-sonnet-4-6", "contoso-ai.services.ai.azure.com", "East US 2")
