"""Lines and statements with harmless values, for tests that are about a few of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from chargeback.reports.statement import Excluded, Kind, Line, Part, Statement

PLAIN = Line(
    kind=Kind.TOKENS,
    day=date(2026, 10, 5),
    business_unit="Retail",
    cost_center="CC-1",
    consumer_id="retail-web",
    consumer_name="Retail web shop",
    deployment="chat",
    backend_host="east.openai.azure.com",
    publisher="OpenAI",
    model="gpt-4o",
    model_version="2024-11-20",
    deployment_type="global",
    region="swedencentral",
    service_tier="standard",
    batch=False,
    context_band="",
    calls=2,
    parts=(),
    list_cost=Decimal(0),
    contract_cost=Decimal(0),
    charged_cost=Decimal(0),
    pricing_note="",
    price_source="a price list",
    meter_id="prompt=m-in completion=m-out",
    price_valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    unit_hours=Decimal(0),
    commitment_id="",
)


def line(
    prompt: int = 0,
    completion: int = 0,
    prices: tuple[str, str] = ("2.5", "10"),
    **others: Any,  # fields of Line
) -> Line:
    """Return a line of tokens at dollars per million; all three prices are the same."""
    parts = tuple(
        Part(name, tokens, price, price, price)
        for name, tokens, price in (
            ("completion", completion, Decimal(prices[1])),
            ("prompt", prompt, Decimal(prices[0])),
        )
        if tokens
    )
    cost = sum((part.tokens * part.list_per_million / 1_000_000 for part in parts), Decimal(0))
    made = replace(PLAIN, parts=parts, list_cost=cost, contract_cost=cost, charged_cost=cost)
    return replace(made, **others)


def statement(*lines: Line, **others: Any) -> Statement:  # fields of Statement
    calls = sum(line.calls for line in lines)
    made = Statement(
        month="2026-10",
        currency="USD",
        lines=lines,
        calls=calls + 1,
        classes={"line": calls, "unpriced": 1},
        excluded=(Excluded("unpriced", "no price for grok-9", 1),),
        made_at=datetime(2026, 11, 9, 8, 0, tzinfo=UTC),
        query_hashes={"statement-lines.kql": "a" * 64},
    )
    return replace(made, **others)
