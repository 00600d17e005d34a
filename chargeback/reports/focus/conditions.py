"""The rules of FOCUS 1.2 that hold for a row only if something else in it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal
from functools import partial
from typing import TypeAlias

from chargeback.reports.focus.facts import SKU_PRICE_KEYS, SUBCATEGORIES

Values: TypeAlias = Mapping[str, str | None]
"""A row's columns that are not null and are of their type; every other is None."""
Rule: TypeAlias = tuple[str, str, Callable[[Values], bool]]
"""Column, what must be, and whether a row breaks it."""

_EXACT = Context(prec=400)

_PRICED = (
    *("ContractedUnitPrice", "ListUnitPrice", "PricingCategory", "PricingQuantity", "SkuId", "SkuPriceId"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice"),
)
"""Null for taxes, not null for usage and purchases that correct nothing."""
_TOGETHER = (
    ("BillingAccountType", "BillingAccountId"),
    ("CommitmentDiscountCategory", "CommitmentDiscountId"),
    ("CommitmentDiscountType", "CommitmentDiscountId"),
    ("CommitmentDiscountUnit", "CommitmentDiscountQuantity"),
    ("ConsumedUnit", "ConsumedQuantity"),
    ("PricingUnit", "PricingQuantity"),
    ("RegionName", "RegionId"),
    ("ResourceType", "ResourceId"),
    ("SubAccountName", "SubAccountId"),
    ("SubAccountType", "SubAccountId"),
)
"""The first is null where the second is, and only there."""
_ONLY_WITH = (
    ("CapacityReservationStatus", "CapacityReservationId"),
    ("CommitmentDiscountName", "CommitmentDiscountId"),
    ("CommitmentDiscountStatus", "CommitmentDiscountId"),
    ("ResourceName", "ResourceId"),
    ("SkuMeter", "SkuId"),
    ("SkuPriceDetails", "SkuPriceId"),
)
"""The first is null where the second is."""
_PRODUCTS = (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice"))
_COSTS = ("ListCost", "ContractedCost", "EffectiveCost")


def rules(present: frozenset[str]) -> list[Rule]:
    """Return the rules for rows that have these columns. What is said of a column that is not there, is not asked."""
    return [rule for rule in (*_pairs(), *_priced(), *_commitments(), *_amounts(), *_others()) if rule[0] in present]


def _pairs() -> Iterator[Rule]:
    for column, other in _TOGETHER:
        yield column, f"must not be null where {other} is not", partial(_lacks, other, column)
    for column, other in (*_TOGETHER, *_ONLY_WITH):
        yield column, f"must be null where {other} is", partial(_lacks, column, other)


def _lacks(has: str, lacks: str, row: Values) -> bool:
    return row[has] is not None and row[lacks] is None


def _priced() -> Iterator[Rule]:
    for column in _PRICED:
        yield column, "must be null for a tax", partial(_taxed, column)
        yield column, "must not be null for usage and purchases", partial(_unpriced, column)


def _taxed(column: str, row: Values) -> bool:
    return row["ChargeCategory"] == "Tax" and row[column] is not None


def _unpriced(column: str, row: Values) -> bool:
    return _is_sold(row) and not _corrects(row) and row[column] is None


def _commitments() -> Iterator[Rule]:
    quantity, consumed = "CommitmentDiscountQuantity", "ConsumedQuantity"
    yield "CommitmentDiscountStatus", "must not be null for committed usage", partial(_statusless, "CommitmentDiscount")
    yield (
        "CapacityReservationStatus",
        "must not be null for reserved usage",
        partial(_statusless, "CapacityReservation"),
    )
    yield quantity, "must not be null for committed usage and purchases", _commits_nothing
    yield (
        quantity,
        "must be null where nothing is committed",
        lambda row: _has(row, quantity) and not _is_committed(row),
    )
    yield consumed, "must be null where nothing is used", lambda row: _has(row, consumed) and not _consumes(row)
    yield (
        consumed,
        "must not be null for usage",
        lambda row: _consumes(row) and not (_corrects(row) or _has(row, consumed)),
    )
    yield "PricingCategory", "must be Committed for committed usage", _is_uncommitted
    yield "ChargeFrequency", "must not be Usage-Based for a purchase", _is_bought_by_use


def _statusless(what: str, row: Values) -> bool:
    return row["ChargeCategory"] == "Usage" and _lacks(f"{what}Id", f"{what}Status", row)


def _commits_nothing(row: Values) -> bool:
    return _is_committed(row) and not _corrects(row) and not _has(row, "CommitmentDiscountQuantity")


def _is_uncommitted(row: Values) -> bool:
    return row["ChargeCategory"] == "Usage" and _is_committed(row) and row["PricingCategory"] not in (None, "Committed")


def _is_bought_by_use(row: Values) -> bool:
    return row["ChargeCategory"] == "Purchase" and row["ChargeFrequency"] == "Usage-Based"


def _amounts() -> Iterator[Rule]:
    for cost, price in _PRODUCTS:
        yield cost, f"must be {price} times PricingQuantity", partial(_is_no_product, cost, price)
    for cost in _COSTS:
        yield cost, "must be the BilledCost of a credit", partial(_is_not_billed, cost)
    yield "EffectiveCost", "must be 0 for the purchase of a commitment", _is_effective_purchase


def _is_no_product(cost: str, price: str, row: Values) -> bool:
    quantity, unit_price, whole = row["PricingQuantity"], row[price], row[cost]
    if quantity is None or unit_price is None or whole is None or _corrects(row):
        return False
    return _EXACT.multiply(Decimal(quantity), Decimal(unit_price)) != Decimal(whole)


def _is_not_billed(cost: str, row: Values) -> bool:
    amount, billed = row[cost], row["BilledCost"]
    prices = {"ListCost": "ListUnitPrice", "ContractedCost": "ContractedUnitPrice"}
    if row["ChargeCategory"] != "Credit" or amount is None or billed is None or _has(row, prices.get(cost, "")):
        return False
    return Decimal(amount) != Decimal(billed)


def _is_effective_purchase(row: Values) -> bool:
    effective = row["EffectiveCost"]
    return row["ChargeCategory"] == "Purchase" and _is_committed(row) and bool(effective and Decimal(effective))


def _others() -> Iterator[Rule]:
    yield "ServiceSubcategory", "must be one of its ServiceCategory's", _is_of_another_category
    yield "SkuPriceDetails", "must have keys of FOCUS, or keys that begin with x_", _has_strange_keys
    for period in ("ChargePeriod", "BillingPeriod"):
        yield f"{period}End", f"must be after {period}Start", partial(_ends_before, period)


def _is_of_another_category(row: Values) -> bool:
    category, subcategory = row["ServiceCategory"], row["ServiceSubcategory"]
    return category is not None and subcategory is not None and subcategory not in SUBCATEGORIES.get(category, ())


def _has_strange_keys(row: Values) -> bool:
    keys = json.loads(row["SkuPriceDetails"] or "{}")
    return any(not key.startswith("x_") and key not in SKU_PRICE_KEYS for key in keys)


def _ends_before(period: str, row: Values) -> bool:
    start, end = row[f"{period}Start"], row[f"{period}End"]
    # All are written alike, so their order as texts is that of the times.
    return start is not None and end is not None and end <= start


def _has(row: Values, column: str) -> bool:
    return row.get(column) is not None


def _is_sold(row: Values) -> bool:
    return row["ChargeCategory"] in ("Usage", "Purchase")


def _corrects(row: Values) -> bool:
    return row["ChargeClass"] == "Correction"


def _is_committed(row: Values) -> bool:
    return _is_sold(row) and _has(row, "CommitmentDiscountId")


def _consumes(row: Values) -> bool:
    return row["ChargeCategory"] == "Usage" and row["CommitmentDiscountStatus"] != "Unused"
