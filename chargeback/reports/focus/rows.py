"""Charges in the columns of FOCUS 1.2, and ours after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from chargeback.reports.focus.charges import ADJUSTMENT, PURCHASE, USAGE, Charge
from chargeback.reports.focus.details import number, own_columns, related
from chargeback.reports.focus.skus import meter_of, price_details, price_id, priced_by, service_of, sku_id
from chargeback.reports.statement import Kind, Line, Statement

FocusRow: TypeAlias = Mapping[str, str | None]
"""Column -> what is written; None is null."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who bills the business units. It is not the provider: the provider bills whoever runs the gateway."""

    account_id: str = "internal-chargeback"
    account_name: str = "Internal chargeback"
    account_type: str = "Internal Ledger"
    issuer: str = "Platform team"


def row_of(charge: Charge, statement: Statement, ledger: Ledger) -> FocusRow:
    """Return a charge as a row: columns that are not in it are null."""
    row = {
        **_billing(charge, statement, ledger),
        **_costs(charge, statement.currency),
        **_what(charge, statement),
        **related(charge),
        **own_columns(charge),
    }
    return {name: value or None for name, value in row.items()}


def _billing(charge: Charge, statement: Statement, ledger: Ledger) -> dict[str, str]:
    first, after = _month(statement.month)
    unit = charge.unit.name
    return {
        "BillingAccountId": ledger.account_id,
        "BillingAccountName": ledger.account_name,
        "BillingAccountType": ledger.account_type,
        "BillingCurrency": statement.currency,
        "BillingPeriodStart": _midnight(first),
        "BillingPeriodEnd": _midnight(after),
        "InvoiceId": f"{ledger.account_id}/{statement.month}/{unit}" if unit else "",
        "InvoiceIssuerName": ledger.issuer,
        "SubAccountId": unit,
        "SubAccountName": unit,
        "SubAccountType": "Business Unit" if unit else "",
    }


def _costs(charge: Charge, currency: str) -> dict[str, str]:
    measure = charge.measure
    list_price, contract_price = (measure.list_price, measure.contract_price) if measure else (None, None)
    return {
        "BilledCost": number(charge.amounts.charged_cost),
        "EffectiveCost": number(charge.effective),
        "ListCost": number(charge.amounts.list_cost),
        "ContractedCost": number(charge.amounts.contract_cost),
        "ListUnitPrice": number(list_price),
        "ContractedUnitPrice": number(contract_price),
        "PricingQuantity": number(measure.quantity if measure else None),
        "PricingUnit": measure.unit if measure else "",
        "ConsumedQuantity": number(charge.consumed),
        "ConsumedUnit": charge.consumed_unit if charge.consumed is not None else "",
        "PricingCurrency": currency,
        "PricingCurrencyListUnitPrice": number(list_price),
        "PricingCurrencyContractedUnitPrice": number(contract_price),
        "PricingCurrencyEffectiveCost": number(charge.effective),
    }


def _what(charge: Charge, statement: Statement) -> dict[str, str]:
    start, end = _period(charge, statement)
    category, subcategory, service = service_of(charge)
    return {
        "ChargeCategory": charge.category,
        "ChargeClass": "Correction" if charge.corrects else "",
        "ChargeDescription": _described(charge, statement),
        "ChargeFrequency": _frequency(charge),
        "ChargePeriodStart": _midnight(start),
        "ChargePeriodEnd": _midnight(end),
        "PricingCategory": priced_by(charge),
        "ProviderName": "Microsoft",
        "PublisherName": _publisher(charge.line),
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "ServiceName": service,
        "SkuId": sku_id(charge),
        "SkuMeter": meter_of(charge),
        "SkuPriceId": price_id(charge),
        "SkuPriceDetails": price_details(charge),
    }


def _described(charge: Charge, statement: Statement) -> str:
    line, measure = charge.line, charge.measure
    if line is None:
        return f"Rounding of the statement of {statement.month} to the currency's minor unit"
    words = " ".join(word for word in (meter_of(charge), *_named(charge, line)) if word)
    words += f", correction of {line.day:%Y-%m-%d}" if charge.corrects else ""
    if measure is None:
        return words
    unit = measure.unit if measure.unit[0].isdigit() else measure.unit.removesuffix("s")
    return f"{words}, {number(measure.contract_price)} {statement.currency} per {unit}"


def _named(charge: Charge, line: Line) -> tuple[str, ...]:
    if charge.category == PURCHASE:
        return line.commitment_id, line.deployment_type
    if line.kind is Kind.OVERHEAD:
        return (line.deployment,)
    if line.kind is Kind.IDLE:
        return "unused", line.deployment
    batch = "batch" if line.batch else ""
    return line.model, line.model_version, line.deployment_type, line.service_tier, batch


def _frequency(charge: Charge) -> str:
    if charge.category == ADJUSTMENT:
        return "One-Time"
    usage = charge.category == USAGE and charge.line is not None and charge.line.kind is not Kind.OVERHEAD
    return "Usage-Based" if usage else "Recurring"


def _publisher(line: Line | None) -> str:
    """Azure sells OpenAI's models as its own, those of others as theirs."""
    return line.publisher if line and line.publisher not in ("", "OpenAI") else "Microsoft"


def _period(charge: Charge, statement: Statement) -> tuple[date, date]:
    if charge.category != USAGE or charge.line is None or charge.line.kind is Kind.OVERHEAD:
        return _month(statement.month)
    return charge.line.day, charge.line.day + timedelta(days=1)


def _month(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"
