"""What a reader who knows no tokens needs to be told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chargeback.reports.statement import Kind

CLASSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "line": ("Charged to a business unit", "In this statement."),
        "unknown-consumer": (
            "Caller without an owner",
            "In this statement, but on no business unit: it stands under Unassigned until somebody says whose it is.",
        ),
        "unpriced": (
            "No price known",
            "What was used is known, what it costs is not: nobody has entered a price for the model, or a total was "
            "reported that nobody has divided into input and output.",
        ),
        "inconsistent": (
            "Counts that contradict each other",
            "A part of the tokens is larger than the whole. No cost is guessed.",
        ),
        "unknown-usage": (
            "Nobody reported the tokens",
            "The call succeeded, or nobody says whether it did. Azure may charge for it; no cost is guessed.",
        ),
        "maybe-billed": (
            "Failed after work may have begun",
            "Azure may charge for it, and reports no tokens. No cost is guessed.",
        ),
        "not-billed": (
            "Free of charge",
            "Turned away or never sent on: Azure did no work for it.",
        ),
    }
)
"""Class -> its name, and what it means for the money."""

KINDS: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.TOKENS: ("Tokens", "Calls, by what they used and the price of the day."),
        Kind.PROVISIONED: ("Provisioned capacity", "Shares of capacity that was bought by the hour or reserved."),
        Kind.IDLE: ("Idle capacity", "Bought, and used by nobody."),
        Kind.OVERHEAD: ("Overheads", "What the platform itself costs."),
        Kind.CORRECTION: ("Corrections", "What came to light after an earlier month was closed."),
    }
)
"""Kind of line -> its name, and what it is."""

UNKNOWN_CLASS = "Not described here."
