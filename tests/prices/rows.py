"""Rows of prices.kql for tests, and files of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from chargeback.prices.file import COLUMNS, PriceFile, line_of, read_prices
from chargeback.prices.rows import Key, Part, PriceKind, PriceRow

HEAD = "// Prices.\nlet prices = datatable(" + ", ".join(f"{name}:{kind}" for name, kind in COLUMNS) + ")\n[\n"


def price(
    model: str,
    prompt: str = "2",
    since: str = "2026-01-01",
    *,
    version: str = "",
    deployment: str = "global",
    region: str = "",
    band: str = "",
    tier: str = "standard",
    batch: bool = False,
    kind: PriceKind = PriceKind.LIST,
    source: str = "Azure Retail Prices API 2026-10-06",
    **others: str,
) -> PriceRow:
    """Return a row of OpenAI's, whose completion costs four times its prompt unless it says otherwise."""
    prices = {Part.PROMPT: Decimal(prompt), Part.COMPLETION: Decimal(prompt) * 4}
    prices |= {Part(part): Decimal(text) for part, text in others.items()}
    return PriceRow(
        key=Key("OpenAI", model, version, deployment, region, band, tier, batch, kind),
        context_threshold=272_000 if band else None,
        valid_from=datetime.fromisoformat(since).replace(tzinfo=UTC),
        prices=prices,
        meter_id="",
        source=source,
    )


def written(*rows: PriceRow) -> str:
    """Return the text of a file with these rows."""
    return HEAD + "".join(f"    {line_of(row)},\n" for row in rows) + "];\n"


def file_of(*rows: PriceRow) -> PriceFile:
    return read_prices(written(*rows))
