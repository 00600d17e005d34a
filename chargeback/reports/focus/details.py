"""What a charge is related to: resource, region, reservation, tags; and the columns that FOCUS does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal
from types import MappingProxyType

from chargeback.reports.focus.charges import USAGE, Charge
from chargeback.reports.statement import Kind, Line
from chargeback.reports.units import Role

OWN_COLUMNS = (
    "x_AllocationStatus",
    "x_Backend",
    "x_ConsumerId",
    "x_ConsumerName",
    "x_ContextBand",
    "x_CostCenter",
    "x_DeploymentType",
    "x_LineKind",
    "x_MeterId",
    "x_Model",
    "x_ModelVersion",
    "x_PriceEffectiveDate",
    "x_PriceSource",
    "x_PricingNote",
    "x_RequestCount",
    "x_ServiceTier",
    "x_TokenType",
)
"""Ours, after all of FOCUS. `x_RequestCount` stands on the first row of a line alone, so that it can be added up."""

_PLAIN = Context(prec=400)
_ALLOCATION: Mapping[Role, str] = MappingProxyType(
    {Role.UNIT: "Allocated", Role.UNASSIGNED: "Unassigned", Role.IDLE: "Idle", Role.OVERHEAD: "Overhead"}
)


def number(amount: Decimal | None) -> str:
    """Write a number as FOCUS has them: no exponent, no zeros at the end; empty for none."""
    if amount is None:
        return ""
    return f"{amount.normalize(_PLAIN):f}" if amount else "0"


def related(charge: Charge) -> dict[str, str]:
    """Return the columns of what a charge is related to."""
    line = charge.line
    if line is None:
        return {}
    resource = _resource(line) if charge.category == USAGE else ""
    return {
        "RegionId": line.region,
        "RegionName": line.region,
        "ResourceId": resource,
        "ResourceName": line.deployment if resource else "",
        "ResourceType": "Model Deployment" if resource else "",
        "Tags": _tags(line) if charge.category == USAGE else "",
        **(_capacity(line, resource) if charge.category == USAGE else {}),
        **(_commitment(charge, line) if line.commitment_id else {}),
    }


def own_columns(charge: Charge) -> dict[str, str]:
    """Return our own columns."""
    row = {"x_AllocationStatus": _ALLOCATION[charge.unit.role]}
    line = charge.line
    if line is None or charge.category != USAGE:
        return row
    return row | {
        "x_Backend": line.backend_host,
        "x_ConsumerId": line.consumer_id,
        "x_ConsumerName": line.consumer_name,
        "x_ContextBand": line.context_band,
        "x_CostCenter": line.cost_center,
        "x_DeploymentType": line.deployment_type,
        "x_LineKind": line.kind,
        "x_MeterId": _meter_id(line, charge.part),
        "x_Model": line.model,
        "x_ModelVersion": line.model_version,
        "x_PriceEffectiveDate": f"{line.price_valid_from:%Y-%m-%d}" if line.price_valid_from else "",
        "x_PriceSource": line.price_source,
        "x_PricingNote": line.pricing_note,
        "x_RequestCount": "" if charge.calls is None else str(charge.calls),
        "x_ServiceTier": line.service_tier,
        "x_TokenType": charge.part,
    }


def _resource(line: Line) -> str:
    """Name a deployment as its host knows it. An overhead has a name, but is none."""
    if line.kind is Kind.OVERHEAD or not line.deployment:
        return ""
    return f"{line.backend_host or 'any'}/deployments/{line.deployment}"


def _capacity(line: Line, resource: str) -> dict[str, str]:
    """Say of a provisioned deployment what it is: capacity that is there whether it is used or not."""
    if not resource or line.kind not in (Kind.PROVISIONED, Kind.IDLE):
        return {}
    return {"CapacityReservationId": resource, "CapacityReservationStatus": _status(line)}


def _commitment(charge: Charge, line: Line) -> dict[str, str]:
    measure = charge.measure
    return {
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": line.commitment_id,
        "CommitmentDiscountName": line.commitment_id,
        "CommitmentDiscountType": "Reservation",
        "CommitmentDiscountStatus": _status(line) if charge.category == USAGE else "",
        "CommitmentDiscountQuantity": number(measure.quantity) if measure else "",
        "CommitmentDiscountUnit": measure.unit if measure else "",
    }


def _status(line: Line) -> str:
    return "Unused" if line.kind is Kind.IDLE else "Used"


def _tags(line: Line) -> str:
    """Name the caller, as whoever runs the gateway knows it."""
    tags = {"consumer": line.consumer_id, "consumerName": line.consumer_name, "costCenter": line.cost_center}
    filled = {name: value for name, value in tags.items() if value}
    return json.dumps(filled, ensure_ascii=False) if filled else ""


def _meter_id(line: Line, part: str) -> str:
    """Return the meter of a part, where the price names one for each: `prompt=<id> completion=<id>`."""
    named = dict(pair.partition("=")[::2] for pair in line.meter_id.split())
    return named.get(part, "") if "=" in line.meter_id else line.meter_id
