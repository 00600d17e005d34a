"""What is sold, in names that stay the same: services, SKUs, and the prices they have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from chargeback.reports.focus.charges import ADJUSTMENT, PURCHASE, USAGE, Charge
from chargeback.reports.statement import Kind, Line

_METERS: Mapping[str, str] = MappingProxyType(
    {
        "prompt": "Input Tokens",
        "cached": "Cached Input Tokens",
        "cacheWrite": "Cache Write Tokens",
        "cacheWrite1h": "One-Hour Cache Write Tokens",
        "audioPrompt": "Audio Input Tokens",
        "imagePrompt": "Image Input Tokens",
        "completion": "Output Tokens",
        "audioCompletion": "Audio Output Tokens",
    }
)
_PROVISIONED = frozenset({Kind.PROVISIONED, Kind.IDLE})
_FOUNDRY = ("AI and Machine Learning", "Generative AI", "Foundry Models")
_PLATFORM = ("Other", "Other (Other)", "Shared Gateway Platform")
"""What overheads are for: a service of one category, whatever the overhead is called."""


def service_of(charge: Charge) -> tuple[str, str, str]:
    """Return a charge's service category, subcategory and name."""
    return _PLATFORM if charge.line is not None and charge.line.kind is Kind.OVERHEAD else _FOUNDRY


def priced_by(charge: Charge) -> str:
    """Return the pricing category: reserved use is committed, all else is at the agreed price; empty for a rounding."""
    if charge.category == ADJUSTMENT:
        return ""
    return "Committed" if charge.category == USAGE and _commitment(charge) else "Standard"


def sku_id(charge: Charge) -> str:
    """Return what is sold, whatever it costs: a model's part, provisioned throughput, its reservation, an overhead."""
    line = charge.line
    if line is None:
        return ""
    if line.kind is Kind.OVERHEAD:
        return f"overhead/{line.deployment or 'platform'}"
    if line.kind in _PROVISIONED or line.commitment_id:
        sold = "provisioned-throughput-reservation" if charge.category == PURCHASE else "provisioned-throughput"
        return f"{sold}/{line.deployment_type or 'any'}"
    names = (line.publisher or "any", line.model or "any", line.model_version or "any", charge.part or "requests")
    return "/".join(names)


def price_id(charge: Charge) -> str:
    """Return which of a SKU's prices it is; it begins with the SKU, so that it has no other."""
    line, sku = charge.line, sku_id(charge)
    if line is None or not charge.part:
        return f"{sku}/{_region(line)}" if line else ""
    mode = "batch" if line.batch else "online"
    where = (line.deployment_type or "any", _region(line), line.service_tier or "standard", mode)
    return "/".join((sku, *where, line.context_band or "any"))


def price_details(charge: Charge) -> str:
    """Return what tells a SKU's prices apart, as a JSON object; empty where nothing does."""
    line = charge.line
    if line is None or not charge.part:
        return ""
    details = {
        "x_Deployment": line.deployment_type or None,
        "x_Batch": line.batch,
        "x_Tier": line.service_tier or "standard",
        "x_Context": line.context_band or None,
    }
    return json.dumps({name: value for name, value in details.items() if value is not None}, ensure_ascii=False)


def meter_of(charge: Charge) -> str:
    """Return what is counted, in words."""
    line = charge.line
    if line is None:
        return ""
    if line.kind is Kind.OVERHEAD:
        return "Platform Overhead"
    if charge.category == PURCHASE:
        return "Provisioned Throughput Reservation"
    if line.kind in _PROVISIONED or line.commitment_id:
        return "Provisioned Throughput"
    return _METERS.get(charge.part, f"{charge.part} Tokens") if charge.part else "Requests"


def _commitment(charge: Charge) -> str:
    return charge.line.commitment_id if charge.line else ""


def _region(line: Line) -> str:
    """Global deployments have one price everywhere."""
    return "any" if line.deployment_type == "global" else line.region or "any"
