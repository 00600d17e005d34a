"""The company of the demo: who calls, which deployments answer, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias


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

PriceList: TypeAlias = Mapping[str, Decimal]
"""What is billed -> US dollars per million tokens. What a model has no price for must not occur."""


def _prices(**usd: str) -> PriceList:
    return {part.replace("_", " "): Decimal(amount) for part, amount in usd.items()}


# Said here once more, apart from reference/prices.kql and discounts.kql: the ledger must not be made of what it proves.
LIST: Final[Mapping[Deployment, PriceList]] = {
    CHAT_EAST: _prices(prompt="2.50", cached="1.25", completion="10.00"),
    CHAT_WEST: _prices(prompt="2.75", cached="1.375", completion="11.00"),
    ASSISTANT: _prices(prompt="0.25", cached="0.025", completion="2.00"),
    SEARCH: _prices(prompt="0.13"),
    WRITER: _prices(prompt="3.00", cached="0.30", cache_write="3.75", completion="15.00"),
}
CONTRACT: Final[Mapping[Deployment, PriceList]] = {CHAT_EAST: _prices(prompt="2.25", cached="1.125", completion="9.00")}
"""What is agreed on; all else is paid by list."""
DISCOUNTS: Final[Mapping[str, Decimal]] = {"Research": Decimal("0.15")}
"""Business unit -> the part of a contract price that it does not pay."""
