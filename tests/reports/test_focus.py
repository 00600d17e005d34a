"""A statement in the columns of FOCUS: rows worked out by hand, and sums that hold for any statement."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

from chargeback.errors import ReportError
from chargeback.reports.focus import HEADER, as_focus_csv, focus_rows
from chargeback.reports.focus.facts import COLUMNS
from chargeback.reports.focus.rows import FocusRow, Ledger
from chargeback.reports.focus.rules import check, check_csv
from chargeback.reports.rounding import exact_sum, rounded_by_unit
from chargeback.reports.statement import Kind, Line, Statement
from tests.reports.made_up import idle, line, overhead, part, provisioned, statement, whole_month
from tests.reports.small import small
from tests.reports.test_rounding import lines

RESERVED = {"commitment_id": "reservation-7"}


def filled(row: FocusRow) -> dict[str, str]:
    return {name: value for name, value in row.items() if value is not None}


def picked(row: FocusRow, *names: str) -> tuple[str | None, ...]:
    return tuple(row[name] for name in names)


def added(rows: Sequence[FocusRow], column: str) -> Decimal:
    return exact_sum(Decimal(row[column] or 0) for row in rows)


PROMPT = {
    "BilledCost": "1.8",
    "BillingAccountId": "internal-chargeback",
    "BillingAccountName": "Internal chargeback",
    "BillingAccountType": "Internal Ledger",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "Input Tokens gpt-4o 2024-11-20 global standard, 2 USD per 1000000 Tokens",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-10-02T00:00:00Z",
    "ChargePeriodStart": "2026-10-01T00:00:00Z",
    "ConsumedQuantity": "1000000",
    "ConsumedUnit": "Tokens",
    "ContractedCost": "2",
    "ContractedUnitPrice": "2",
    "EffectiveCost": "1.8",
    "InvoiceId": "internal-chargeback/2026-10/Retail",
    "InvoiceIssuerName": "Platform team",
    "ListCost": "2.5",
    "ListUnitPrice": "2.5",
    "PricingCategory": "Standard",
    "PricingCurrency": "USD",
    "PricingCurrencyContractedUnitPrice": "2",
    "PricingCurrencyEffectiveCost": "1.8",
    "PricingCurrencyListUnitPrice": "2.5",
    "PricingQuantity": "1",
    "PricingUnit": "1000000 Tokens",
    "ProviderName": "Microsoft",
    "PublisherName": "Microsoft",
    "RegionId": "swedencentral",
    "RegionName": "swedencentral",
    "ResourceId": "east.example.com/deployments/chat-east",
    "ResourceName": "chat-east",
    "ResourceType": "Model Deployment",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Foundry Models",
    "ServiceSubcategory": "Generative AI",
    "SkuId": "OpenAI/gpt-4o/2024-11-20/prompt",
    "SkuMeter": "Input Tokens",
    "SkuPriceDetails": '{"x_Deployment": "global", "x_Batch": false, "x_Tier": "standard"}',
    "SkuPriceId": "OpenAI/gpt-4o/2024-11-20/prompt/global/any/standard/online/any",
    "SubAccountId": "Retail",
    "SubAccountName": "Retail",
    "SubAccountType": "Business Unit",
    "Tags": '{"consumer": "retail-web", "consumerName": "Retail web shop", "costCenter": "CC-100"}',
    "x_AllocationStatus": "Allocated",
    "x_Backend": "east.example.com",
    "x_ConsumerId": "retail-web",
    "x_ConsumerName": "Retail web shop",
    "x_CostCenter": "CC-100",
    "x_DeploymentType": "global",
    "x_LineKind": "tokens",
    "x_MeterId": "m-in",
    "x_Model": "gpt-4o",
    "x_ModelVersion": "2024-11-20",
    "x_PriceEffectiveDate": "2026-09-01",
    "x_PriceSource": "price list 2026-09-01",
    "x_RequestCount": "3",
    "x_ServiceTier": "standard",
    "x_TokenType": "prompt",
}


def test_a_line_of_tokens_is_one_row_for_each_part() -> None:
    prompt, completion, *_ = focus_rows(small())
    assert filled(prompt) == PROMPT
    assert picked(completion, "SkuMeter", "ConsumedQuantity", "PricingQuantity", "ListCost", "BilledCost") == (
        "Output Tokens",
        "333333",
        "0.333333",
        "3.33333",
        "2.666664",
    )
    assert picked(completion, "x_MeterId", "x_TokenType", "x_RequestCount") == ("m-out", "completion", None)


def test_the_57_columns_come_in_their_order_and_ours_after_them() -> None:
    assert len(COLUMNS) == 57
    assert HEADER[:57] == tuple(column.name for column in COLUMNS)
    assert [name[:2] for name in HEADER[57:]] == ["x_"] * (len(HEADER) - 57)
    assert next(csv.reader(io.StringIO(as_focus_csv(focus_rows(small()))))) == list(HEADER)


def test_what_a_unit_is_rounded_by_is_one_row_of_its_own() -> None:
    """Retail: 4.47 - 4.471602, 5.84 - 5.838268, 4.67 - 4.671602."""
    [row] = [row for row in focus_rows(small(), business_unit="Retail") if row["ChargeCategory"] == "Adjustment"]
    assert picked(row, "BilledCost", "EffectiveCost", "ListCost", "ContractedCost") == (
        "-0.001602",
        "-0.001602",
        "0.001732",
        "-0.001602",
    )
    assert row["ChargeDescription"] == "Rounding of the statement of 2026-10 to the currency's minor unit"
    assert picked(row, "ChargeFrequency", "PricingQuantity", "SkuId", "ListUnitPrice") == ("One-Time", None, None, None)


def test_a_unit_that_needs_no_rounding_has_no_such_row() -> None:
    assert [row["ChargeCategory"] for row in focus_rows(statement(line(costs="1.25", calls=2)))] == ["Usage"]


def billed_by_unit(rows: Sequence[FocusRow]) -> dict[tuple[str | None, str | None], Decimal]:
    keys = {(row["x_AllocationStatus"], row["SubAccountId"]) for row in rows}
    return {
        key: added([row for row in rows if (row["x_AllocationStatus"], row["SubAccountId"]) == key], "BilledCost")
        for key in keys
    }


def test_the_rows_of_each_unit_add_up_to_its_statement() -> None:
    assert billed_by_unit(focus_rows(small())) == {
        ("Allocated", "Retail"): Decimal("4.47"),
        ("Allocated", "Finance"): Decimal(0),
        ("Unassigned", None): Decimal("0.02"),
    }


def is_consistent(month: Statement) -> bool:
    """Compare every sum of the rows with the statement's, to the last digit."""
    rows = focus_rows(month)
    owed = rounded_by_unit(month)
    usage = [row for row in rows if row["ChargeCategory"] != "Purchase"]
    assert sorted(billed_by_unit(rows).values()) == sorted(amounts.charged_cost for amounts in owed.values())
    assert added(usage, "ListCost") == exact_sum(amounts.list_cost for amounts in owed.values())
    assert added(usage, "ContractedCost") == exact_sum(amounts.contract_cost for amounts in owed.values())
    assert added(rows, "EffectiveCost") == added(rows, "BilledCost")
    return True


def test_the_rows_of_a_whole_month_add_up_and_keep_the_rules() -> None:
    month = whole_month()
    assert is_consistent(month)
    rows = focus_rows(month)
    assert check(HEADER, rows) == []
    assert check_csv(as_focus_csv(rows)) == []
    assert sum(int(row["x_RequestCount"] or 0) for row in rows if row["ChargeClass"] is None) == 137_486


@given(lines)
def test_the_rows_of_any_statement_add_up(made: list[Line]) -> None:
    assert is_consistent(statement(*made))


def test_hourly_capacity_is_billed_by_its_use() -> None:
    """Four PTU-hours for 6.00 are 1.50 each."""
    [row] = focus_rows(statement(provisioned("4", "6")))
    assert picked(
        row, "BilledCost", "EffectiveCost", "ListCost", "ListUnitPrice", "PricingQuantity", "PricingUnit"
    ) == (
        *("6", "6", "6", "1.5", "4"),
        "PTU-Hours",
    )
    assert picked(row, "ConsumedQuantity", "ConsumedUnit", "PricingCategory") == ("4", "PTU-Hours", "Standard")
    assert picked(row, "CommitmentDiscountId", "CapacityReservationStatus") == (None, "Used")
    assert row["CapacityReservationId"] == "east.example.com/deployments/chat-ptu"
    assert row["ChargeDescription"] == (
        "Provisioned Throughput gpt-4o 2024-11-20 global standard, 1.5 USD per PTU-Hour"
    )


def test_idle_hours_are_unused_and_nothing_was_consumed() -> None:
    [row] = focus_rows(statement(idle("4", "6")))
    assert picked(row, "BilledCost", "CapacityReservationStatus", "ConsumedQuantity") == ("6", "Unused", "0")
    assert picked(row, "SubAccountId", "InvoiceId", "x_AllocationStatus") == (None, None, "Idle")
    assert check(HEADER, [row]) == []


def test_reserved_capacity_is_billed_by_its_purchase_and_amortised_by_its_use() -> None:
    """Of 10 PTU-hours for 5.00, Retail used 6 for 3.00, Finance 2 for 1.00, and nobody 2 for 1.00."""
    rows = focus_rows(
        statement(
            provisioned("4", "2", **RESERVED),
            provisioned("2", "1", day=date(2026, 10, 2), **RESERVED),
            provisioned("2", "1", business_unit="Finance", **RESERVED),
            idle("2", "1", **RESERVED),
        )
    )
    told = ("ChargeCategory", "SubAccountId", "BilledCost", "EffectiveCost", "CommitmentDiscountStatus")
    assert [picked(row, *told) for row in rows] == [
        ("Usage", "Retail", "0", "2", "Used"),
        ("Usage", "Retail", "0", "1", "Used"),
        ("Usage", "Finance", "0", "1", "Used"),
        ("Usage", None, "0", "1", "Unused"),
        ("Purchase", "Retail", "3", "0", None),
        ("Purchase", "Finance", "1", "0", None),
        ("Purchase", None, "1", "0", None),
    ]
    used, _, _, unused, bought, *_ = rows
    assert picked(used, "PricingCategory", "CommitmentDiscountQuantity", "ConsumedQuantity") == ("Committed", "4", "4")
    assert picked(unused, "CommitmentDiscountQuantity", "ConsumedQuantity", "ConsumedUnit") == ("2", None, None)
    assert picked(bought, "PricingCategory", "CommitmentDiscountQuantity", "ChargeFrequency") == (
        *("Standard", "6"),
        "Recurring",
    )
    assert picked(bought, "ChargePeriodStart", "ChargePeriodEnd", "ResourceId", "x_ConsumerId") == (
        *("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        *(None, None),
    )
    assert check(HEADER, rows) == []


def test_a_price_that_does_not_divide_is_still_multiplied_out() -> None:
    """One PTU-hour in three of 1.00: the price has 18 digits, and the cost is what it multiplies out to."""
    row, *_ = focus_rows(statement(provisioned("3", "1")))
    assert row["ListUnitPrice"] == "0.333333333333333333"
    assert row["ListCost"] == "0.999999999999999999"
    assert row["BilledCost"] == "1"


def test_a_price_is_clean_where_a_share_of_an_hour_has_many_digits() -> None:
    share = Decimal(1) / 3
    [row] = [
        r for r in focus_rows(statement(provisioned(str(share), str(share * 2)))) if r["ChargeCategory"] == "Usage"
    ]
    assert row["ListUnitPrice"] == "2"


def test_an_overhead_is_a_month_of_another_service() -> None:
    [row] = focus_rows(statement(overhead("7.50")))
    assert picked(row, "ServiceCategory", "ServiceSubcategory", "ServiceName", "SkuId") == (
        *("Other", "Other (Other)"),
        *("Shared Gateway Platform", "overhead/Gateway"),
    )
    assert picked(row, "PricingQuantity", "PricingUnit", "ListUnitPrice", "ChargeFrequency") == (
        *("1", "Months"),
        *("7.5", "Recurring"),
    )
    assert picked(row, "ChargePeriodStart", "ChargePeriodEnd", "ResourceId") == (
        *("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        None,
    )


def test_a_correction_keeps_the_day_that_it_corrects() -> None:
    [row] = focus_rows(statement(line(costs="-3.25", kind=Kind.CORRECTION, day=date(2026, 9, 30), calls=4)))
    assert picked(row, "ChargeClass", "BilledCost", "ListUnitPrice", "PricingQuantity", "ConsumedQuantity") == (
        *("Correction", "-3.25"),
        *(None, None, None),
    )
    assert picked(row, "ChargePeriodStart", "BillingPeriodStart") == ("2026-09-30T00:00:00Z", "2026-10-01T00:00:00Z")
    assert check(HEADER, [row]) == []


def test_a_correction_whose_tokens_are_known_has_a_row_for_each_part() -> None:
    late = line(part("prompt", 2_000_000, "1"), part("cached", 8_000_000, "0.25"), kind=Kind.CORRECTION)
    rows = focus_rows(statement(late))
    assert [picked(row, "ChargeClass", "BilledCost", "ConsumedQuantity") for row in rows] == [
        ("Correction", "2", "2000000"),
        ("Correction", "2", "8000000"),
    ]


def test_a_correction_that_takes_tokens_back_is_a_negative_quantity() -> None:
    """A price that fell from 3 to 2 takes a million back at 3 and charges it anew at 2."""
    fallen = line(part("prompt", -1_000_000, "3"), part("prompt", 1_000_000, "2"), kind=Kind.CORRECTION)
    rows = focus_rows(statement(fallen))
    assert [picked(row, "BilledCost", "PricingQuantity", "ListUnitPrice") for row in rows] == [
        ("-3", "-1", "3"),
        ("2", "1", "2"),
    ]
    assert check(HEADER, rows) == []


def test_a_correction_of_a_reservation_is_billed_by_its_purchase_too() -> None:
    corrected = line(
        *(part("prompt", 5, "0"), part("completion", -7, "0")),
        **RESERVED,
        costs="-2",
        kind=Kind.CORRECTION,
        day=date(2026, 9, 1),
    )
    rows = focus_rows(statement(provisioned("4", "6", **RESERVED), corrected))
    told = ("ChargeCategory", "ChargeClass", "BilledCost", "EffectiveCost")
    assert [picked(row, *told) for row in rows] == [
        ("Usage", None, "0", "6"),
        ("Usage", "Correction", "0", "-2"),
        ("Purchase", None, "6", "0"),
        ("Purchase", "Correction", "-2", "0"),
    ]
    assert check(HEADER, rows) == []


def test_parts_without_tokens_have_no_row_unless_there_is_no_other() -> None:
    rows = focus_rows(statement(line(part("prompt", 0, "1"), part("completion", 0, "2"), calls=3)))
    assert [picked(row, "x_TokenType", "ConsumedQuantity", "x_RequestCount") for row in rows] == [("prompt", "0", "3")]
    rows = focus_rows(statement(line(part("prompt", 0, "1"), part("completion", 1_000_000, "2"), calls=3)))
    assert [picked(row, "x_TokenType", "x_RequestCount") for row in rows] == [("completion", "3")]


def test_calls_that_are_priced_one_by_one_are_requests() -> None:
    [row] = focus_rows(statement(line(costs="0.40", calls=10, model="image-1")))
    assert picked(row, "PricingUnit", "PricingQuantity", "ListUnitPrice") == ("Requests", "10", "0.04")


def test_parts_that_do_not_add_up_to_their_line_are_refused() -> None:
    with pytest.raises(ReportError, match="retail-web on 2026-10-01, chat-east, do not add up to its cost"):
        focus_rows(statement(line(part("prompt", 1_000_000, "1"), costs="1.01")))


def test_a_partner_publishes_its_own_models_and_a_batch_has_its_own_price() -> None:
    made = line(
        part("cacheWrite1h", 1_000_000, "6"),
        publisher="Anthropic",
        model="claude-sonnet-4-5",
        model_version="",
        deployment_type="datazone",
        batch=True,
        context_band="long",
        service_tier="",
    )
    [row] = focus_rows(statement(made))
    assert picked(row, "PublisherName", "SkuMeter", "SkuId", "SkuPriceId") == (
        "Anthropic",
        "One-Hour Cache Write Tokens",
        "Anthropic/claude-sonnet-4-5/any/cacheWrite1h",
        "Anthropic/claude-sonnet-4-5/any/cacheWrite1h/datazone/swedencentral/standard/batch/long",
    )
    assert json.loads(row["SkuPriceDetails"] or "") == {
        "x_Deployment": "datazone",
        "x_Batch": True,
        "x_Tier": "standard",
        "x_Context": "long",
    }
    assert picked(row, "x_MeterId") == (None,)


def test_a_meter_id_that_is_not_by_part_stands_as_it_is() -> None:
    [row] = focus_rows(statement(line(part("prompt", 1_000_000, "1"), meter_id="m-7")))
    assert row["x_MeterId"] == "m-7"


def test_one_units_rows_tell_of_no_other() -> None:
    text = as_focus_csv(focus_rows(whole_month(), business_unit="Finance"))
    assert "Finance" in text
    assert not [name for name in ("Retail", "Research", "Operations", "lab-7", "key-b2f2") if name in text]


def test_december_ends_with_the_year() -> None:
    [row] = focus_rows(statement(line(costs="1", day=date(2026, 12, 31)), month="2026-12"))
    assert picked(row, "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodEnd") == (
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    )


def test_the_ledger_is_who_runs_the_gateway() -> None:
    ledger = Ledger(account_id="ledger-9", account_name="AI ledger", account_type="Ledger", issuer="Central IT")
    [row] = focus_rows(statement(line(costs="1")), ledger=ledger)
    assert picked(
        row, "BillingAccountId", "BillingAccountName", "BillingAccountType", "InvoiceIssuerName", "InvoiceId"
    ) == (
        *("ledger-9", "AI ledger", "Ledger", "Central IT"),
        "ledger-9/2026-10/Retail",
    )


def test_names_are_written_as_they_are() -> None:
    """FOCUS wants texts unchanged: nothing is escaped but what CSV itself needs."""
    made = statement(line(part("prompt", 1_000_000, "1"), consumer_name='=a,"b"\n'))
    [row] = csv.DictReader(io.StringIO(as_focus_csv(focus_rows(made)), newline=""))
    assert row["x_ConsumerName"] == '=a,"b"\n'
    assert json.loads(row["Tags"])["consumerName"] == '=a,"b"\n'
