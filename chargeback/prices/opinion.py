"""A second opinion on list prices: what the library genai-prices says the publisher's own service costs.

It knows neither deployment types nor regions, batches or tiers, and its dates are the publisher's. So only global
standard rows are compared, and a difference is something to look at, not a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from genai_prices import Usage, calc_price
from genai_prices.types import ModelPrice, TieredPrices

from chargeback.prices.choice import in_force
from chargeback.prices.rows import Key, Part, PriceKind, PriceRow

_TOLERANCE = Decimal("0.01")
_NAMES = {
    Part.PROMPT: "input_mtok",
    Part.CACHED: "cache_read_mtok",
    Part.CACHE_WRITE: "cache_write_mtok",
    Part.CACHE_WRITE_1H: "cache_write_1h_mtok",
    Part.COMPLETION: "output_mtok",
    Part.AUDIO_PROMPT: "input_audio_mtok",
    Part.AUDIO_COMPLETION: "output_audio_mtok",
    Part.IMAGE_PROMPT: "input_image_mtok",
}
_PROVIDERS = {"Anthropic": "anthropic"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A price that the two do not agree on by more than a hundredth."""

    row: PriceRow
    part: Part
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the library makes of the rows."""

    agreed: int
    """Prices that both know and that are the same, or nearly."""
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]
    """Models that the library does not know."""


def second_opinion(rows: Iterable[PriceRow], at: datetime) -> Opinion:
    """Compare the global standard list prices in force at a time."""
    differences: list[Difference] = []
    unknown: set[str] = set()
    agreed = 0
    for row in in_force(rows, at).values():
        if not _comparable(row.key):
            continue
        theirs = _their_price(row.key, at)
        if theirs is None:
            unknown.add(f"{row.key.model} {row.key.model_version}".rstrip())
            continue
        for part, ours in row.prices.items():
            other = _amount(theirs, part, row)
            if other is not None and abs(ours - other) > _TOLERANCE * max(ours, other):
                differences.append(Difference(row, part, ours, other))
            elif other is not None:
                agreed += 1
    return Opinion(agreed, tuple(differences), tuple(sorted(unknown)))


def _comparable(key: Key) -> bool:
    return (
        key.kind is PriceKind.LIST
        and key.deployment_type in ("", "global")
        and key.region_group == ""
        and key.service_tier in ("", "standard")
        and not key.batch
    )


def _their_price(key: Key, at: datetime) -> ModelPrice | None:
    dated = f"{key.model}-{key.model_version}" if key.model_version else key.model
    provider = _PROVIDERS.get(key.publisher, "azure")
    try:
        # The smallest use there is: nothing is calculated, the price that counts at that time is picked.
        usage = Usage(input_tokens=1, output_tokens=1)
        return calc_price(usage, dated, provider_id=provider, genai_request_timestamp=at).model_price
    except LookupError:
        return None


def _amount(price: ModelPrice, part: Part, row: PriceRow) -> Decimal | None:
    theirs = getattr(price, _NAMES[part])
    if not isinstance(theirs, TieredPrices):
        return theirs if isinstance(theirs, Decimal) else None
    return theirs.tiers[0].price if row.key.context_band == "long" and theirs.tiers else theirs.base
