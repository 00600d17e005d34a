"""List prices that the publisher names itself, because the retail API has none: Claude's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

from chargeback.prices.rows import Key, Part, PriceKind, PriceRow, midnight

_PUBLISHER = "Anthropic"
_ORDER = (Part.PROMPT, Part.CACHED, Part.CACHE_WRITE, Part.CACHE_WRITE_1H, Part.COMPLETION)


class _Price(TypedDict, total=False):
    models: list[str]
    valid_from: date
    usd: list[str]
    threshold: int
    long: list[str]
    data_zone: bool


@cache
def claude_rows() -> tuple[PriceRow, ...]:
    """Return the rows of Anthropic's list, as `claude.toml` has it."""
    told = tomllib.loads((Path(__file__).parent / "claude.toml").read_text(encoding="utf-8"))
    source = f"{told['source']} {told['read_on'].isoformat()}"
    factor = Decimal(told["data_zone_factor"])
    return tuple(
        row
        for price in told["price"]
        for model in price["models"]
        for row in _rows(model, cast(_Price, price), source, factor)
    )  # fmt: skip  (one loop a line would be four)


def _rows(model: str, price: _Price, source: str, data_zone_factor: Decimal) -> Iterator[PriceRow]:
    # Any deployment costs the list price, but for those of the data zone.
    for deployment_type in ("", "datazone") if price.get("data_zone") else ("",):
        factor = data_zone_factor if deployment_type else Decimal(1)
        bands = {"short": price["usd"], "long": price["long"]} if "long" in price else {"": price["usd"]}
        for band, usd in bands.items():
            yield PriceRow(
                key=Key(_PUBLISHER, model, "", deployment_type, "", band, "", False, PriceKind.LIST),
                context_threshold=price["threshold"] if band else None,
                valid_from=midnight(price["valid_from"]),
                prices=_prices(usd, factor),
                meter_id="",
                source=source,
            )


def _prices(usd: Sequence[str], factor: Decimal) -> dict[Part, Decimal]:
    return {part: (Decimal(text) * factor).normalize() for part, text in zip(_ORDER, usd, strict=True)}
