"""The check of FOCUS rows: rows that keep the rules, and every mistake found where it was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from chargeback.reports.focus import HEADER, as_focus_csv, focus_rows
from chargeback.reports.focus.facts import COLUMNS, SUBCATEGORIES
from chargeback.reports.focus.rules import check, check_csv
from tests.reports.made_up import idle, line, overhead, part, provisioned, statement

TOKENS, HOURLY, USED, UNUSED, OVERHEAD, PURCHASE, UNUSED_PURCHASE, ROUNDING = range(8)


def good() -> list[dict[str, str | None]]:
    """One row of each kind, in the order of the names above."""
    reserved = {"commitment_id": "reservation-7"}
    month = statement(
        line(part("prompt", 1_000_000, "2.503")),
        provisioned("4", "6"),
        provisioned("4", "2", **reserved),
        idle("2", "1", **reserved),
        overhead("7.50"),
    )
    return [dict(row) for row in focus_rows(month)]


def found(rows: Sequence[Mapping[str, str | None]], columns: Sequence[str] = HEADER) -> list[str]:
    return [str(finding) for finding in check(columns, rows)]


def test_good_rows_keep_the_rules() -> None:
    rows = good()
    assert [row["ChargeCategory"] for row in rows] == [*["Usage"] * 5, *["Purchase"] * 2, "Adjustment"]
    assert found(rows) == []


def test_the_facts_are_those_of_the_specification() -> None:
    """Counts by level as the specification's list of columns has them."""
    levels = [column.level for column in COLUMNS]
    assert (levels.count("Mandatory"), levels.count("Conditional"), levels.count("Recommended")) == (21, 32, 4)
    assert sum(len(values) for values in SUBCATEGORIES.values()) == 82
    assert [column.name for column in COLUMNS] == sorted(column.name for column in COLUMNS)


@pytest.mark.parametrize(
    ("row", "changes", "finding"),
    [
        # Types and formats.
        (TOKENS, {"BilledCost": "1,000.5"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BilledCost": "1e3"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BilledCost": "+1"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BilledCost": "$1"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BilledCost": "NaN"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BilledCost": ".5"}, "BilledCost must be a plain decimal number"),
        (TOKENS, {"BillingPeriodEnd": "2026-11-01"}, "BillingPeriodEnd must be a time in UTC"),
        (TOKENS, {"BillingPeriodEnd": "2026-11-01T00:00:00+01:00"}, "BillingPeriodEnd must be a time in UTC"),
        (TOKENS, {"BillingPeriodEnd": "2026-11-31T00:00:00Z"}, "BillingPeriodEnd must be a time that exists"),
        (TOKENS, {"BillingCurrency": "Euro"}, "BillingCurrency must be a currency's code"),
        (TOKENS, {"BillingCurrency": "usd"}, "BillingCurrency must be a currency's code"),
        (TOKENS, {"PricingCurrency": "ZZZ"}, "PricingCurrency must be a currency's code"),
        (TOKENS, {"PricingUnit": "million tokens"}, "PricingUnit must be a unit"),
        (TOKENS, {"ConsumedUnit": "tokens"}, "ConsumedUnit must be a unit"),
        (TOKENS, {"Tags": "consumer=a"}, "Tags must be a JSON object"),
        (TOKENS, {"Tags": '["a"]'}, "Tags must be a JSON object"),
        (TOKENS, {"Tags": '"a"'}, "Tags must be a JSON object"),
        (TOKENS, {"Tags": "[]"}, "Tags must be a JSON object"),
        (TOKENS, {"Tags": '{"a": NaN}'}, "Tags must be a JSON object"),
        (TOKENS, {"Tags": '{"a": 1, "a": 2}'}, "Tags must not have a key twice"),
        (TOKENS, {"Tags": '{"a": {"b": 1}}'}, "Tags must not hold objects or arrays"),
        (TOKENS, {"Tags": '{"a": [1]}'}, "Tags must not hold objects or arrays"),
        (TOKENS, {"ListUnitPrice": "-2.503", "ListCost": "-2.503"}, "ListUnitPrice must not be negative"),
        (TOKENS, {"ProviderName": "  "}, "ProviderName must not be blank"),
        # Allowed values.
        (TOKENS, {"ChargeCategory": "usage"}, "ChargeCategory must be one of Usage, Purchase"),
        (TOKENS, {"ChargeClass": "Regular"}, "ChargeClass must be one of Correction"),
        (TOKENS, {"ChargeFrequency": "Monthly"}, "ChargeFrequency must be one of One-Time"),
        (TOKENS, {"PricingCategory": "On-Demand"}, "PricingCategory must be one of Standard"),
        (TOKENS, {"ServiceCategory": "AI"}, "ServiceCategory must be one of AI and Machine Learning"),
        (USED, {"CommitmentDiscountCategory": "Hours"}, "CommitmentDiscountCategory must be one of Spend"),
        (USED, {"CommitmentDiscountStatus": "Idle"}, "CommitmentDiscountStatus must be one of Used"),
        (TOKENS, {"ServiceSubcategory": "Backup Storage"}, "ServiceSubcategory must be one of its ServiceCategory's"),
        # Nulls.
        (TOKENS, {"BilledCost": None}, "BilledCost must not be null"),
        (TOKENS, {"ServiceName": None}, "ServiceName must not be null"),
        (TOKENS, {"BillingAccountType": None}, "BillingAccountType must not be null"),
        (TOKENS, {"PricingQuantity": None, "PricingUnit": None}, "PricingQuantity must not be null for usage"),
        (TOKENS, {"ListUnitPrice": None}, "ListUnitPrice must not be null for usage and purchases"),
        (TOKENS, {"ContractedUnitPrice": None}, "ContractedUnitPrice must not be null for usage and purchases"),
        (TOKENS, {"PricingCategory": None}, "PricingCategory must not be null for usage and purchases"),
        (TOKENS, {"SkuPriceId": None, "SkuPriceDetails": None}, "SkuPriceId must not be null for usage and purchases"),
        (PURCHASE, {"SkuId": None, "SkuMeter": None}, "SkuId must not be null for usage and purchases"),
        (TOKENS, {"PricingUnit": None}, "PricingUnit must not be null where PricingQuantity is not"),
        (ROUNDING, {"PricingUnit": "Tokens"}, "PricingUnit must be null where PricingQuantity is"),
        (TOKENS, {"ConsumedUnit": None}, "ConsumedUnit must not be null where ConsumedQuantity is not"),
        (TOKENS, {"ConsumedQuantity": None, "ConsumedUnit": None}, "ConsumedQuantity must not be null for usage"),
        (PURCHASE, {"ConsumedQuantity": "4", "ConsumedUnit": "Hours"}, "ConsumedQuantity must be null where nothing"),
        (UNUSED, {"ConsumedQuantity": "0", "ConsumedUnit": "Hours"}, "ConsumedQuantity must be null where nothing"),
        (TOKENS, {"RegionName": None}, "RegionName must not be null where RegionId is not"),
        (TOKENS, {"RegionId": None}, "RegionName must be null where RegionId is"),
        (TOKENS, {"ResourceType": None}, "ResourceType must not be null where ResourceId is not"),
        (OVERHEAD, {"ResourceName": "chat"}, "ResourceName must be null where ResourceId is"),
        (TOKENS, {"SubAccountName": None}, "SubAccountName must not be null where SubAccountId is not"),
        (TOKENS, {"SubAccountType": None}, "SubAccountType must not be null where SubAccountId is not"),
        (UNUSED, {"SubAccountName": "x", "SubAccountType": "y"}, "SubAccountName must be null where SubAccountId is"),
        (ROUNDING, {"SkuMeter": "Input Tokens"}, "SkuMeter must be null where SkuId is"),
        (ROUNDING, {"SkuPriceDetails": "{}"}, "SkuPriceDetails must be null where SkuPriceId is"),
        (TOKENS, {"SkuPriceDetails": '{"Deployment": 1}'}, "SkuPriceDetails must have keys of FOCUS"),
        # Commitments.
        (USED, {"CommitmentDiscountStatus": None}, "CommitmentDiscountStatus must not be null for committed usage"),
        (USED, {"CommitmentDiscountType": None}, "CommitmentDiscountType must not be null where"),
        (USED, {"PricingCategory": "Standard"}, "PricingCategory must be Committed for committed usage"),
        (TOKENS, {"CommitmentDiscountName": "r"}, "CommitmentDiscountName must be null where"),
        (TOKENS, {"CommitmentDiscountStatus": "Used"}, "CommitmentDiscountStatus must be null where"),
        (HOURLY, {"CapacityReservationStatus": None}, "CapacityReservationStatus must not be null for reserved usage"),
        (HOURLY, {"CapacityReservationId": None}, "CapacityReservationStatus must be null where"),
        (PURCHASE, {"ChargeFrequency": "Usage-Based"}, "ChargeFrequency must not be Usage-Based for a purchase"),
        # Amounts and periods.
        (TOKENS, {"ListCost": "2.50"}, "ListCost must be ListUnitPrice times PricingQuantity"),
        (
            TOKENS,
            {"ContractedCost": "2.5030000001"},
            "ContractedCost must be ContractedUnitPrice times PricingQuantity",
        ),
        (TOKENS, {"ChargePeriodEnd": "2026-10-01T00:00:00Z"}, "ChargePeriodEnd must be after ChargePeriodStart"),
        (TOKENS, {"BillingPeriodEnd": "2026-09-01T00:00:00Z"}, "BillingPeriodEnd must be after BillingPeriodStart"),
    ],
)  # fmt: skip  (one mistake a line is a table)
def test_a_planted_mistake_is_found(row: int, changes: Mapping[str, str | None], finding: str) -> None:
    rows = good()
    rows[row] |= changes
    told = found(rows)
    assert [text for text in told if text.startswith(f"row {row + 1}: {finding}")]
    # Nothing else is said to be wrong but what follows from it in the same row, or in the sums of all.
    assert {text.partition(":")[0] for text in told if text.startswith("row ")} == {f"row {row + 1}"}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"EffectiveCost": "3"}, "EffectiveCost must be 0 for the purchase of a commitment"),
        (
            {"CommitmentDiscountQuantity": None, "CommitmentDiscountUnit": None},
            "CommitmentDiscountQuantity must not be null for committed usage and purchases",
        ),
        (
            {"CommitmentDiscountId": None},
            "CommitmentDiscountQuantity must be null where nothing is committed",
        ),
    ],
)
def test_a_mistake_in_a_purchase_is_found(changes: Mapping[str, str | None], finding: str) -> None:
    rows = good()
    rows[PURCHASE] |= changes
    assert f"row {PURCHASE + 1}: {finding}" in found(rows)


def credit(**changes: str | None) -> dict[str, str | None]:
    return good()[ROUNDING] | {"ChargeCategory": "Credit", "BilledCost": "-2"} | changes


def test_a_credit_costs_what_it_is_billed() -> None:
    fine = credit(ListCost="-2", ContractedCost="-2", EffectiveCost="-2")
    assert found([fine]) == []
    for cost in ("ListCost", "ContractedCost", "EffectiveCost"):
        assert found([fine | {cost: "-1"}]) == [f"row 1: {cost} must be the BilledCost of a credit"]


def test_a_tax_has_no_price() -> None:
    tax = good()[ROUNDING] | {"ChargeCategory": "Tax"}
    assert found([tax]) == []
    priced = {"ListUnitPrice": "1", "PricingQuantity": "1", "PricingUnit": "Units", "SkuId": "vat", "ListCost": "1"}
    assert [text.split()[2] for text in found([tax | priced])] == ["ListUnitPrice", "PricingQuantity", "SkuId"]


def test_a_correction_may_lack_what_usage_must_have() -> None:
    row = good()[TOKENS] | {"ChargeClass": "Correction", "PricingQuantity": None, "PricingUnit": None}
    row |= {"ConsumedQuantity": None, "ConsumedUnit": None, "ListUnitPrice": None, "ListCost": "-9"}
    assert found([row]) == []


def test_the_costs_of_a_correction_need_not_be_multiplied_out() -> None:
    row = good()[TOKENS] | {"ListCost": "-9"}
    assert found([row]) == ["row 1: ListCost must be ListUnitPrice times PricingQuantity"]
    assert found([row | {"ChargeClass": "Correction"}]) == []


def test_the_use_of_a_commitment_costs_what_its_purchases_are_billed() -> None:
    rows = good()
    rows[USED]["EffectiveCost"] = "2.01"
    assert found(rows) == ["EffectiveCost of the use of reservation-7 must be its purchases' BilledCost: 3.01 is not 3"]
    rows[UNUSED]["EffectiveCost"] = "0.99"
    assert found(rows) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"SkuPriceId": "p", "SkuId": "s"}, "SkuId must be one for the SkuPriceId p, and is s and t"),
        (
            {"ServiceName": "S", "ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)"},
            "ServiceCategory must be one for the ServiceName S, and is AI and Machine Learning and Other",
        ),
        (
            {"InvoiceId": "i", "BillingCurrency": "EUR"},
            "BillingCurrency must be one for the InvoiceId i, and is EUR and USD",
        ),
    ],
)
def test_what_belongs_to_one_belongs_to_no_other(changes: Mapping[str, str], finding: str) -> None:
    rows = good()[:2]
    rows[TOKENS] |= changes
    rows[HOURLY] |= {"SkuPriceId": "p", "SkuId": "t", "ServiceName": "S", "InvoiceId": "i"}
    assert finding in found(rows)


@pytest.mark.parametrize("column", [column.name for column in COLUMNS if column.level == "Mandatory"])
def test_a_mandatory_column_that_is_missing_is_found(column: str) -> None:
    left = [name for name in HEADER if name != column]
    rows = [{name: value for name, value in row.items() if name != column} for row in good()]
    assert f"{column} must be present" in found(rows, left)


def test_columns_that_need_not_be_there_may_be_missing() -> None:
    left = [name for name in HEADER if name not in ("AvailabilityZone", "SkuMeter", "InvoiceId", "Tags")]
    assert found(good(), left) == []


def test_columns_of_ones_own_begin_with_x_and_stand_last() -> None:
    assert found([], [*HEADER, "Team"]) == ["Team is no column of FOCUS: one of your own is named like x_MyColumn"]
    assert found([], [*HEADER, "x_team"]) == ["x_team is no column of FOCUS: one of your own is named like x_MyColumn"]
    assert found([], ["x_Team", *HEADER])[:1] == ["AvailabilityZone must stand before all columns of your own"]
    assert found([], [*HEADER, "x_Model"]) == ["x_Model must be present once"]


def test_a_file_is_checked_as_it_is_read() -> None:
    text = as_focus_csv(focus_rows(statement(line(part("prompt", 1_000_000, "2.5")))))
    assert check_csv(text) == []
    assert [str(finding) for finding in check_csv(text.replace("2026-10-02T00:00:00Z", "2026-10-02"))] == [
        "row 1: ChargePeriodEnd must be a time in UTC like 2026-10-01T00:00:00Z"
    ]
    assert "BilledCost must be present" in [str(finding) for finding in check_csv("")]


@pytest.mark.parametrize(
    "unit", ["Tokens", "1000 Tokens", "PTU-Hours", "GB", "GB/Hour", "Units/3 Months", "KiB", "10 GB-Days"]
)
def test_units_of_the_specification_are_units(unit: str) -> None:
    row = good()[OVERHEAD] | {"PricingUnit": unit, "ConsumedUnit": unit}
    assert found([row]) == []
