"""Cost against Azure's own bill: a FOCUS export, in both versions; every expectation is worked out by hand."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.errors import StatementError
from chargeback.reports.bill import Charge, charges
from chargeback.reports.metered import Account
from chargeback.reports.reconcile_cost import CostCompared, compare_cost
from chargeback.reports.reconciliation import CostRow, CostTotal, Reconciliation
from chargeback.reports.statement import Kind, Line
from tests.reports.lines import line

ID = "/subscriptions/s/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/East"
EAST = Account(ID, ("east.openai.azure.com",))
KEY = ID.lower()
ROW = {
    "BilledCost": "0.00025",
    "EffectiveCost": "0.00025",
    "BillingCurrency": "USD",
    "ChargePeriodStart": "2026-10-05T00:00Z",
    "ChargeCategory": "Usage",
    "ServiceName": "Foundry Models",
    "ServiceCategory": "AI and Machine Learning",
    "ResourceId": ID,
    "ConsumedQuantity": "100",
    "x_SkuMeterId": "M-IN",
    "x_SkuMeterName": "gpt 4o Inp glbl Tokens",
}


def export(file: Path, *rows: dict[str, str], packed: bool = False) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode("utf-8-sig")
    file.write_bytes(gzip.compress(content) if packed else content)
    return file


def bill(tmp_path: Path, *rows: dict[str, str]) -> list[Charge]:
    return list(charges([export(tmp_path / "part_0.csv", *rows)], "2026-10"))


def renamed(row: dict[str, str]) -> dict[str, str]:
    """Return a row as version 1.2-preview has it."""
    return {("SkuMeter" if name == "x_SkuMeterName" else name): value for name, value in row.items()}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("row", [ROW, renamed(ROW)], ids=["1.0r2", "1.2-preview"])
def test_a_row_is_read_exactly_in_either_version(tmp_path: Path, row: dict[str, str], packed: bool) -> None:
    (charge,) = charges([export(tmp_path / "a.csv", row, packed=packed)], "2026-10")
    assert charge == Charge(
        day=date(2026, 10, 5),
        resource_id=KEY,
        service="Foundry Models",
        category="Usage",
        meter_id="m-in",
        meter="gpt 4o Inp glbl Tokens",
        quantity=Decimal(100),
        billed=Decimal("0.00025"),
        effective=Decimal("0.00025"),
        currency="USD",
    )


def test_all_files_of_an_export_are_read_and_only_the_months_rows_of_models(tmp_path: Path) -> None:
    storage = ROW | {"ServiceCategory": "Storage", "ResourceId": "/storage", "EffectiveCost": "not even a number"}
    account_only = ROW | {"ServiceCategory": "Other"}
    september = ROW | {"ChargePeriodStart": "2026-09-30T00:00:00Z"}
    november = ROW | {"ChargePeriodStart": "2026-11-01T00:00:00Z"}
    first = export(tmp_path / "part_0.csv", storage, september, ROW)
    second = export(tmp_path / "part_1.csv", november, account_only)
    assert len(list(charges([first, second], "2026-10"))) == 2


@pytest.mark.parametrize(
    ("change", "quantity", "cost"),
    [
        ({"EffectiveCost": "2.5E-04"}, Decimal(100), Decimal("0.00025")),
        ({"ConsumedQuantity": ""}, None, Decimal("0.00025")),
        ({"ChargePeriodStart": "2026-10-05"}, Decimal(100), Decimal("0.00025")),
    ],
)  # fmt: skip  (one case per line is a table)
def test_what_an_export_may_write_is_read(
    tmp_path: Path, change: dict[str, str], quantity: Decimal | None, cost: Decimal
) -> None:
    (charge,) = bill(tmp_path, ROW | change)
    assert (charge.quantity, charge.effective) == (quantity, cost)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"EffectiveCost": ""}, "row 2: EffectiveCost is no number"),
        ({"BilledCost": "NaN"}, "BilledCost is no number"),
        ({"ConsumedQuantity": "1,000"}, "ConsumedQuantity is no number"),
        ({"ChargePeriodStart": "soon"}, "row 2: "),
    ],
)  # fmt: skip  (one case per line is a table)
def test_a_row_that_cannot_be_read_is_said_with_its_place(tmp_path: Path, change: dict[str, str], words: str) -> None:
    with pytest.raises(StatementError, match=words):
        bill(tmp_path, ROW | change)


@pytest.mark.parametrize(
    "missing", ["EffectiveCost", "ResourceId", "ServiceCategory", "ChargePeriodStart", "x_SkuMeterName"]
)
def test_what_is_no_focus_export_is_said(tmp_path: Path, missing: str) -> None:
    with pytest.raises(StatementError, match="has no column"):
        bill(tmp_path, {name: value for name, value in ROW.items() if name != missing})


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bno gzip", b"\xff\xfe\x00"])
def test_a_file_of_another_kind_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(StatementError, match=r"a\.csv"):
        list(charges([tmp_path / "a.csv"], "2026-10"))


def test_a_row_that_is_cut_off_is_said(tmp_path: Path) -> None:
    file = export(tmp_path / "a.csv", ROW)
    file.write_bytes(
        file.read_bytes() + b"0.00025,0.00025,USD,2026-10-05T00:00Z,Usage,Foundry Models,AI and Machine Learning"
    )
    with pytest.raises(StatementError, match="row 3"):
        list(charges([file], "2026-10"))


# The comparison. At 2.5 and 10 dollars per million: 100 prompt tokens are 0.00025, 50 completion tokens 0.0005.


def charge(meter_id: str, quantity: str, effective: str, **others: str) -> Charge:
    values = {
        "resource_id": KEY,
        "service": "Foundry Models",
        "category": "Usage",
        "currency": "USD",
        "meter": meter_id,
    }
    named = values | others
    billed = Decimal(named.pop("billed", effective))
    return Charge(
        day=date(2026, 10, 5),
        meter_id=meter_id,
        quantity=Decimal(quantity),
        billed=billed,
        effective=Decimal(effective),
        **named,
    )  # fmt: skip  (a builder, read by its calls)


def compared(lines: list[Line], bill: list[Charge]) -> CostCompared:
    return compare_cost(lines, bill, [EAST], "USD")


def test_tokens_and_cost_tie_out_meter_by_meter() -> None:
    found = compared([line(100, 30), line(0, 20)], [charge("m-in", "100", "0.00025"), charge("m-out", "50", "0.0005")])
    assert found.rows == (
        CostRow(KEY, "m-in", "m-in", 100, Decimal(100), Decimal("0.00025"), Decimal("0.00025"), Decimal("0.00025")),
        CostRow(KEY, "m-out", "m-out", 50, Decimal(50), Decimal("0.0005"), Decimal("0.0005"), Decimal("0.0005")),
    )
    assert [row.difference for row in found.rows] == [0, 0]
    assert found.totals == (CostTotal(KEY, Decimal("0.00075"), Decimal("0.00075"), ""),)
    assert found.totals[0].share == 1
    assert found.notes == ()


def test_a_meter_that_nobody_billed_is_what_is_not_explained() -> None:
    found = compared([line(100)], [charge("m-in", "100", "0.00025"), charge("m-cached", "40", "0.00005")])
    (row,) = [row for row in found.rows if row.meter_id == "m-cached"]
    assert (row.tokens, row.cost, row.difference) == (None, None, None)
    assert found.totals[0].share == Decimal("0.00025") / Decimal("0.0003")


def test_a_line_whose_meter_is_not_in_the_bill_is_not_compared_with_0() -> None:
    found = compared([line(100, meter_id="prompt=m-other")], [charge("m-in", "100", "0.00025")])
    (row,) = [row for row in found.rows if row.meter_id == "m-other"]
    assert (row.cost, row.effective, row.difference) == (Decimal("0.00025"), None, None)
    assert found.totals[0].share == 1, "the account's whole is compared all the same"


def test_lines_without_meters_are_compared_as_a_whole() -> None:
    found = compared([line(100, 50, meter_id="")], [charge("m-in", "100", "0.00025"), charge("m-out", "50", "0.0005")])
    assert [(row.meter_id, row.tokens, row.cost) for row in found.rows] == [
        ("", 150, Decimal("0.00075")),
        ("m-in", None, None),
        ("m-out", None, None),
    ]
    assert found.totals[0].share == 1


def test_contract_prices_are_compared_not_what_is_charged() -> None:
    cheaper = line(100, contract_cost=Decimal("0.00025"), charged_cost=Decimal("0.00010"))
    assert compared([cheaper], [charge("m-in", "100", "0.00025")]).totals[0].share == 1


def test_provisioned_capacity_and_its_idle_rest_are_one_meters_cost() -> None:
    """A reservation costs nothing when it is used: what counts is its amortised cost."""
    used = line(kind=Kind.PROVISIONED, meter_id="ptu", contract_cost=Decimal(60))
    idle = line(kind=Kind.IDLE, meter_id="ptu", contract_cost=Decimal(40))
    found = compared([used, idle], [charge("ptu", "720", "100", billed="0")])
    (row,) = found.rows
    assert (row.cost, row.effective, row.invoiced, row.difference) == (
        Decimal(100),
        Decimal(100),
        Decimal(0),
        Decimal(0),
    )


def test_overheads_and_corrections_are_no_part_of_an_accounts_bill() -> None:
    others = [line(100, kind=Kind.OVERHEAD), line(100, kind=Kind.CORRECTION)]
    assert compared(others, []).rows == ()


def test_what_is_charged_elsewhere_is_said() -> None:
    west = charge("m", "1", "3.5", resource_id="/accounts/west")
    tax = charge("", "0", "0", category="Tax", billed="0.2", resource_id="")
    marketplace = charge("", "1", "7", resource_id="", service="Claude")
    assert compared([], [west, tax, marketplace]).notes == (
        "/accounts/west is not compared: 3.5 USD",
        "Claude is not compared: 7 USD",
        "Tax of Foundry Models is not compared: 0.2 USD",
    )


def test_an_account_without_any_charge_has_no_share() -> None:
    (total,) = compared([line(100)], []).totals
    assert (total.effective, total.share, total.note) == (None, None, "the bill has no charge of this account")


def test_lines_of_a_foreign_host_are_a_total_of_their_own() -> None:
    (total,) = compared([line(100, backend_host="api.anthropic.com")], []).totals
    assert (total.account, total.cost, total.note) == (
        "",
        Decimal("0.00025"),
        "lines of hosts that none of the accounts answers at",
    )


def test_lines_without_a_host_belong_to_the_only_account() -> None:
    assert compared([line(100, backend_host="")], []).totals[0].account == KEY


def test_another_currency_is_not_compared() -> None:
    with pytest.raises(StatementError, match="the bill is in EUR, the statement in USD"):
        compared([], [charge("m", "1", "1", currency="EUR")])


def test_the_share_of_all_accounts_does_not_set_too_much_off_against_too_little() -> None:
    """10 of 8 and 6 of 12: 14 of 20, not 16 of 20."""
    totals = (CostTotal("a", Decimal(10), Decimal(8), ""), CostTotal("b", Decimal(6), Decimal(12), ""))
    assert Reconciliation("2026-10", "USD", cost_totals=totals).cost_share == Decimal("0.7")
