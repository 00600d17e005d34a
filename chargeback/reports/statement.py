"""What a month's statement is made of: lines of exact amounts, and what is in none of them.

Amounts are `Decimal`, in the statement's currency, and not rounded here: a statement rounds once (`rounding.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a line charges for."""

    TOKENS = "tokens"
    PROVISIONED = "provisioned"
    """A share of a provisioned deployment's purchase."""
    IDLE = "idle"
    """What nobody used of a purchase."""
    OVERHEAD = "overhead"
    """Gateway, hub, telemetry."""
    CORRECTION = "correction"
    """What came to light after a month was closed, charged in a later one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one kind, each at its price per million; `name` is as in kql/lib/cost.kql, `cached` say."""

    name: str
    tokens: int
    list_per_million: Decimal
    contract_per_million: Decimal
    charged_per_million: Decimal
    """After discounts."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one consumer owes for one day's use of one deployment at one price."""

    kind: Kind
    day: date
    """UTC. Of an overhead, the first day of its month."""
    business_unit: str
    """As kql/lib/consumers.kql says; empty where nobody owns the consumer."""
    cost_center: str
    consumer_id: str
    """Empty for idle capacity and overheads."""
    consumer_name: str
    """For people; the id where no name is known."""
    deployment: str
    """Who served: the deployment; of an overhead, its name."""
    backend_host: str
    publisher: str
    model: str
    model_version: str
    deployment_type: str
    """`global`, `datazone`, `regional`, or empty."""
    region: str
    service_tier: str
    batch: bool
    context_band: str
    """`short`, `long`, or empty where the price knows no such thing."""
    calls: int
    parts: tuple[Part, ...]
    """Empty where no tokens are priced."""
    list_cost: Decimal
    contract_cost: Decimal
    charged_cost: Decimal
    pricing_note: str
    """What was billed at another part's price, and why; empty as a rule."""
    price_source: str
    meter_id: str
    price_valid_from: datetime | None
    unit_hours: Decimal
    """PTU-hours of this line; 0 for all but provisioned and idle lines."""
    commitment_id: str
    """The reservation of a provisioned or idle line; empty where the purchase is hourly."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Calls that are in no line, and why: `class_name` is one of CLASSES but `line`."""

    class_name: str
    cause: str
    calls: int
    business_unit: str = ""
    """Whose calls they are; empty where that is not known, or not asked."""


CLASSES = (
    "line",
    "unknown-consumer",
    "unpriced",
    "inconsistent",
    "unknown-usage",
    "maybe-billed",
    "not-billed",
)
"""Every call is in exactly one of these. An unknown consumer's calls have a cost, and a line without business unit."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that one month's report shows."""

    month: str
    """`2026-10`."""
    currency: str
    """ISO 4217."""
    lines: tuple[Line, ...]
    calls: int
    """All calls of the month."""
    classes: Mapping[str, int]
    """Calls by class; together they are `calls`."""
    excluded: tuple[Excluded, ...]
    made_at: datetime
    query_hashes: Mapping[str, str]
    """Report file -> SHA-256 of the query as it was run."""
