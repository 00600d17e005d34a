"""What Azure measured itself, as control figures for what is billed. What is not there is absent, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

PROMPT = "prompt"
COMPLETION = "completion"
CACHED = "cached"
CACHE_WRITE = "cacheWrite"
CACHE_WRITE_1H = "cacheWrite1h"

METRICS: Mapping[str, tuple[str, ...]] = {
    PROMPT: ("ProcessedPromptTokens", "InputTokens"),
    COMPLETION: ("GeneratedTokens", "OutputTokens"),
    CACHED: ("cacheReadInputTokens",),
    CACHE_WRITE: ("ephemeral5mInputTokens",),
    CACHE_WRITE_1H: ("ephemeral1hInputTokens",),
}
"""Kind of tokens -> Azure Monitor's metrics for it, the more exact first: OpenAI's models have both names of the first
two, other models the second; the last three are Anthropic's alone. Source: Microsoft's list of supported metrics for
Microsoft.CognitiveServices/accounts, 2026-07-31."""


@dataclass(frozen=True, slots=True)
class Account:
    """A resource that serves models."""

    resource_id: str
    hosts: tuple[str, ...]
    """The names it answers under, in lower case: what calls have as backendHost."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What one metric said of one deployment on one day (UTC)."""

    metric: str
    deployment: str
    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class AccountMetrics:
    """What one account's metrics said of a period."""

    account: Account
    metered: tuple[Metered, ...]
    missing: tuple[str, ...]
    """Metrics of METRICS that the account does not have, or cannot split by deployment."""


@dataclass(frozen=True, slots=True)
class GatewayMetrics:
    """What a gateway's `Requests` said of a period."""

    resource_id: str
    requests: Mapping[date, int]
    """Day (UTC) -> requests; a day without a value is absent."""
    missing: bool
    """Whether the gateway has no such metric at all."""
