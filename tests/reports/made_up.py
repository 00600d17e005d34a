"""Statements that are made up: a line with everything in it, and a month that has every kind of line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from chargeback.reports.statement import CLASSES, Excluded, Kind, Line, Part, Statement
from tests.reports.lines import PLAIN

MADE_AT = datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
MILLION = Decimal(1_000_000)
HOSTILE = '<script>alert("1")</script>&\u202e=cmd|\'!A0'


def part(name: str, tokens: int, price: str, contract: str = "", charged: str = "") -> Part:
    """A part at its list price; the contract's price and the charged one are the same where they are not given."""
    contract = contract or price
    return Part(name, tokens, Decimal(price), Decimal(contract), Decimal(charged or contract))


def line(*parts: Part, costs: tuple[str, str, str] | str | None = None, **changes: object) -> Line:
    """A line of tokens, its costs made of its parts unless they are given: one for all three, or three."""
    if isinstance(costs, str):
        costs = (costs, costs, costs)
    amounts = [Decimal(cost) for cost in costs] if costs else _costs(parts)
    plain = replace(
        PLAIN,
        day=date(2026, 10, 1),
        cost_center="CC-100",
        deployment="chat-east",
        backend_host="east.example.com",
        calls=1,
        parts=parts,
        list_cost=amounts[0],
        contract_cost=amounts[1],
        charged_cost=amounts[2],
        price_source="price list 2026-09-01",
        meter_id="prompt=m-in cached=m-cached completion=m-out",
        price_valid_from=datetime(2026, 9, 1, tzinfo=UTC),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test names fields, mypy checks none of them here


def statement(*lines: Line, excluded: Sequence[Excluded] = (), **changes: object) -> Statement:
    """A statement whose classes are those of its lines and of the excluded calls."""
    called = [made for made in lines if made.kind in (Kind.TOKENS, Kind.PROVISIONED)]
    classes = dict.fromkeys(CLASSES, 0)
    classes["line"] = sum(made.calls for made in called if made.business_unit)
    classes["unknown-consumer"] = sum(made.calls for made in called if not made.business_unit)
    for row in excluded:
        classes[row.class_name] += row.calls
    plain = Statement(
        month="2026-10",
        currency="USD",
        lines=lines,
        calls=sum(classes.values()),
        classes=classes,
        excluded=tuple(excluded),
        made_at=MADE_AT,
        query_hashes={"statement-lines.kql": "0123456789abcdef" * 4},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test names fields, mypy checks none of them here


def provisioned(hours: str, cost: str, **changes: object) -> Line:
    """A share of a provisioned deployment, of 1 USD a PTU-hour by list unless its cost says otherwise."""
    defaults = {
        "kind": Kind.PROVISIONED,
        "deployment": "chat-ptu",
        "unit_hours": Decimal(hours),
        "meter_id": "",
        "calls": 10,
    }
    return line(costs=cost, **{**defaults, **changes})


def idle(hours: str, cost: str, **changes: object) -> Line:
    """What nobody used of a provisioned deployment."""
    nobody = {"business_unit": "", "cost_center": "", "consumer_id": "", "consumer_name": "", "calls": 0}
    return provisioned(hours, cost, **{"kind": Kind.IDLE, **nobody, **changes})


def overhead(cost: str, **changes: object) -> Line:
    """A unit's share of what the gateway costs."""
    nobody = {"consumer_id": "", "consumer_name": "", "model": "", "model_version": "", "publisher": "", "calls": 0}
    what = {"kind": Kind.OVERHEAD, "deployment": "Gateway", "backend_host": "", "deployment_type": "", "region": ""}
    return line(costs=cost, **{**nobody, **what, "meter_id": "", **changes})


_UNITS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Retail": (("retail-web", "Retail web shop"), ("retail-mobile", "Retail mobile app")),
    "Finance": (("finance-audit", "Audit assistant"), ("finance-reporting", "")),
    "Research & Development": (("lab-7", "Laboratory 7"), ("5f0c2b1e-7a44-4a0e-9f3e-2d6c8b1a9e10", "")),
    "Operations": (("operations-desk", "Service desk"), ("evil", HOSTILE)),
    "": (("key-b2f23895304fa7d3", ""),),
}
_MODELS: Sequence[tuple[str, str, str, str, str]] = (
    ("gpt-4o", "2024-11-20", "2.50", "1.25", "10.00"),
    ("gpt-4.1-mini", "2025-04-14", "0.40", "0.10", "1.60"),
    ("gpt-5", "2025-08-07", "1.25", "0.125", "10.00"),
    ("o4-mini", "2025-04-16", "1.10", "0.275", "4.40"),
    ("text-embedding-3-large", "1", "0.143", "0.143", "0"),
    ("claude-sonnet-4-5", "20250929", "3.00", "0.30", "15.00"),
    ("DeepSeek-V3.2", "1", "0.58", "0.28", "1.68"),
)


def whole_month() -> Statement:
    """October 2026 of a made-up company: every kind of line, every class of calls."""
    lines: list[Line] = []
    for number, (unit, consumers) in enumerate(_UNITS.items()):
        for consumer, name in consumers:
            owner = {"business_unit": unit, "consumer_id": consumer, "consumer_name": name or consumer}
            owner["cost_center"] = f"CC-{100 + number}" if unit else ""
            for day in range(1, 32):
                lines += [_used(day, number + len(lines) % 7, owner)]
                if day % (number + 2) == 0:
                    lines += [_used(day, 2 * number + day, owner)]
    return statement(*lines, *_others(), excluded=_EXCLUDED, query_hashes=_HASHES)


_EXCLUDED = (
    Excluded("unpriced", "grok-4 has no price", 212),
    Excluded("inconsistent", "more cached tokens than prompt tokens", 3),
    Excluded("unknown-usage", "no row in the gateway's log after 15 minutes", 41),
    Excluded("unknown-usage", "no reason given", 7),
    Excluded("maybe-billed", "status 500", 18),
    Excluded("not-billed", "status 429", 1_309),
    Excluded("not-billed", "not forwarded", 77),
)
_HASHES = {
    "statement-lines.kql": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "coverage-causes.kql": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}


def _used(day: int, seed: int, owner: Mapping[str, str]) -> Line:
    model, version, prompt, cached, completion = _MODELS[seed % len(_MODELS)]
    weekend = date(2026, 10, day).weekday() >= 5
    scale = (seed * 37 + day * 11) % 19 + 3
    calls = scale * (7 if weekend else 41)
    parts = [part("prompt", calls * 51_733, prompt, *_reduced(prompt)), part("cached", calls * 8_191, cached)]
    if Decimal(completion):
        parts.append(part("completion", calls * 9_377, completion, *_reduced(completion)))
    note = "cached tokens at the prompt's price: the provider names none" if model == "DeepSeek-V3.2" else ""
    publisher = {"claude-sonnet-4-5": "Anthropic", "DeepSeek-V3.2": "DeepSeek"}.get(model, "OpenAI")
    changes = {"model": model, "model_version": version, "publisher": publisher, "deployment": f"{model}-pool"}
    return line(*parts, day=date(2026, 10, day), calls=calls, pricing_note=note, **changes, **owner)


def _reduced(price: str) -> tuple[str, str]:
    """What a contract takes off a price, and then a discount."""
    return str(Decimal(price) * Decimal("0.94")), str(Decimal(price) * Decimal("0.9"))


def _others() -> list[Line]:
    reserved = {"commitment_id": "reservation-7", "deployment_type": "global"}
    lines = [
        *(provisioned("110.25", "38.85", day=date(2026, 10, day), **reserved) for day in range(1, 32)),
        *(idle("9.75", "3.44", day=date(2026, 10, day), **reserved) for day in range(1, 32)),
        provisioned("100", "110", business_unit="Research & Development", consumer_id="lab-7", day=date(2026, 10, 14)),
    ]
    for unit, cost in (("Retail", "161.10"), ("Finance", "88.20"), ("Operations", "41.77")):
        lines += [overhead(cost, business_unit=unit), overhead("12.50", business_unit=unit, deployment="Telemetry")]
    whose = {"business_unit": "Finance", "consumer_id": "finance-audit", "consumer_name": "Audit assistant"}
    corrected = line(costs="-18.123", kind=Kind.CORRECTION, day=date(2026, 9, 28), calls=4, **whose)
    return [*lines, corrected]


def _costs(parts: Sequence[Part]) -> list[Decimal]:
    return [
        sum((part.tokens * part.list_per_million / MILLION for part in parts), Decimal(0)),
        sum((part.tokens * part.contract_per_million / MILLION for part in parts), Decimal(0)),
        sum((part.tokens * part.charged_per_million / MILLION for part in parts), Decimal(0)),
    ]
