"""Tables of a statement: rows worked out by hand, and what belongs into which row."""

from __future__ import annotations

from datetime import date

import pytest

from chargeback.errors import ReportError
from chargeback.reports.correction_table import correction_table
from chargeback.reports.coverage import coverage
from chargeback.reports.groups import By
from chargeback.reports.rounding import exact_sum
from chargeback.reports.statement import Excluded, Kind, Statement
from chargeback.reports.tables import Row, Table, tabulate
from tests.reports.made_up import idle, line, overhead, part, provisioned, statement, whole_month
from tests.reports.small import small


def shown(row: Row) -> tuple[object, ...]:
    three = row.amounts
    return row.kind, *row.names, row.calls, str(three.list_cost), str(three.contract_cost), str(three.charged_cost)


def rows(table: Table) -> list[tuple[object, ...]]:
    return [shown(row) for row in (*table.rows, table.total)]


def test_by_business_unit() -> None:
    assert rows(tabulate(small(), By.BUSINESS_UNIT)) == [
        ("usage", "Retail", 5, "5.84", "4.67", "4.47"),
        ("usage", "Finance", 1, "0.00", "0.00", "0.00"),
        ("unassigned", "Unassigned", 4, "0.02", "0.02", "0.02"),
        ("total", "Total", 10, "5.86", "4.69", "4.49"),
    ]


def test_by_model() -> None:
    assert rows(tabulate(small(), By.MODEL)) == [
        ("usage", "gpt-4o", 8, "5.85", "4.69", "4.49"),
        ("usage", "gpt-4.1-mini", 2, "0.01", "0.00", "0.00"),
        ("total", "Total", 10, "5.86", "4.69", "4.49"),
    ]


def test_by_consumer() -> None:
    assert rows(tabulate(small(), By.CONSUMER)) == [
        ("usage", "Retail", "Retail web shop", "retail-web", 3, "5.83", "4.67", "4.47"),
        ("usage", "Finance", "Audit assistant", "finance-audit", 1, "0.00", "0.00", "0.00"),
        ("usage", "Retail", "Retail mobile app", "retail-mobile", 2, "0.01", "0.00", "0.00"),
        ("unassigned", "Unassigned", "key-1", "key-1", 4, "0.02", "0.02", "0.02"),
        ("total", "Total", "", "", 10, "5.86", "4.69", "4.49"),
    ]


def test_by_deployment() -> None:
    assert rows(tabulate(small(), By.DEPLOYMENT)) == [
        ("usage", "chat-east", "east.example.com", 8, "5.85", "4.69", "4.49"),
        ("usage", "mini-east", "east.example.com", 2, "0.01", "0.00", "0.00"),
        ("total", "Total", "", 10, "5.86", "4.69", "4.49"),
    ]


def test_tokens_are_counted_by_part() -> None:
    table = tabulate(small(), By.MODEL)
    assert [dict(row.tokens) for row in table.rows] == [
        {"prompt": 1_008_000, "completion": 333_333},
        {"prompt": 12_345},
    ]
    assert dict(table.total.tokens) == {"prompt": 1_020_345, "completion": 333_333}


def test_a_part_that_nobody_foresaw_has_a_column_too() -> None:
    table = tabulate(statement(line(part("video", 7, "1"))), By.MODEL)
    assert table.parts[-1] == "video"
    assert table.total.tokens == {"video": 7}


def every_kind() -> Statement:
    return statement(
        line(costs="1"),
        provisioned("2", "2"),
        idle("1", "1"),
        idle("1", "4", business_unit="Retail"),
        overhead("8"),
        overhead("16", business_unit=""),
        line(costs="-0.5", kind=Kind.CORRECTION, day=date(2026, 9, 30), calls=6),
        line(costs="-0.25", kind=Kind.CORRECTION, consumer_id="", model="", deployment="", calls=9),
    )


def test_idle_capacity_and_overheads_have_rows_of_their_own() -> None:
    month = every_kind()
    assert [shown(row)[:3] for row in tabulate(month, By.MODEL).rows] == [
        ("usage", "gpt-4o", 11),
        ("idle", "Idle capacity", 0),
        ("overhead", "Gateway", 0),
        ("correction", "Corrections", 0),
    ]
    assert [shown(row)[:4] for row in tabulate(month, By.CONSUMER).rows] == [
        ("usage", "Retail", "Retail web shop", "retail-web"),
        ("idle", "Retail", "Idle capacity", ""),
        ("idle", "Idle capacity", "Idle capacity", ""),
        ("overhead", "Overheads", "Gateway", ""),
        ("overhead", "Retail", "Gateway", ""),
        ("correction", "Retail", "Corrections", ""),
    ]
    assert [shown(row)[:2] for row in tabulate(month, By.DEPLOYMENT).rows] == [
        ("usage", "chat-ptu"),
        ("usage", "chat-east"),
        ("idle", "chat-ptu"),
        ("overhead", "Gateway"),
        ("correction", "Corrections"),
    ]


def test_a_correction_changes_what_is_owed_and_not_what_was_called() -> None:
    """1 + 2 + 4 + 8 - 0.5 - 0.25 = 14.25, of 1 + 10 calls; the corrections' 15 were counted in their month."""
    [retail, *_] = tabulate(every_kind(), By.BUSINESS_UNIT).rows
    assert shown(retail) == ("usage", "Retail", 11, "14.25", "14.25", "14.25")


def test_two_consumers_of_one_name_are_two_rows() -> None:
    table = tabulate(statement(line(costs="1", consumer_id="a"), line(costs="1", consumer_id="b")), By.CONSUMER)
    assert [row.names for row in table.rows] == [("Retail", "Retail web shop", "a"), ("Retail", "Retail web shop", "b")]


def test_a_consumer_that_was_renamed_has_its_last_name() -> None:
    table = tabulate(
        statement(
            line(costs="1", day=date(2026, 10, 9), consumer_name="New name"),
            line(costs="2", day=date(2026, 10, 8), consumer_name="Old name"),
        ),
        By.CONSUMER,
    )
    assert [row.names for row in table.rows] == [("Retail", "New name", "retail-web")]


def test_a_consumer_that_changed_hands_has_the_name_that_each_owner_gave_it() -> None:
    """A correction of a closed month too: its table says the same."""
    given_back = line(costs="-2", kind=Kind.CORRECTION, day=date(2026, 9, 1), consumer_name="Old name")
    month = statement(line(costs="1", consumer_name="Moved", business_unit="Finance"), given_back)
    names = ("Retail", "Old name", "retail-web")
    rows = tabulate(month, By.CONSUMER).rows
    assert [row.names for row in rows] == [("Finance", "Moved", "retail-web"), names]
    _, (corrected, _) = correction_table([given_back], month)
    assert tuple(corrected[2:4]) == names[:2]


@pytest.mark.parametrize("by", By)
def test_every_table_of_a_whole_month_adds_up_to_the_units(by: By) -> None:
    month = whole_month()
    table, units = tabulate(month, by), tabulate(month, By.BUSINESS_UNIT)
    assert exact_sum(row.amounts.charged_cost for row in table.rows) == units.total.amounts.charged_cost
    assert exact_sum(row.amounts.contract_cost for row in table.rows) == units.total.amounts.contract_cost
    assert exact_sum(row.amounts.list_cost for row in table.rows) == units.total.amounts.list_cost
    assert sum(row.calls for row in table.rows) == month.classes["line"] + month.classes["unknown-consumer"]


@pytest.mark.parametrize("by", By)
def test_a_month_in_which_nothing_happened_has_a_total_of_nothing(by: By) -> None:
    table = tabulate(statement(), by)
    assert table.rows == ()
    assert shown(table.total)[-4:] == (0, "0.00", "0.00", "0.00")
    assert coverage(statement()).faults == ()


def test_one_units_table_has_its_rows_and_its_calls_alone() -> None:
    excluded = (Excluded("unpriced", "grok-4 has no price", 2, "Retail"), Excluded("unpriced", "grok-4", 5, "Finance"))
    month = statement(*small().lines, excluded=excluded)
    table = tabulate(month, By.CONSUMER, business_unit="Retail")
    assert [row.names[2] for row in table.rows] == ["retail-web", "retail-mobile"]
    assert table.coverage.identity == (
        "5 charged + 0 unknown consumer + 2 unpriced + 0 inconsistent + 0 unknown usage + 0 maybe billed"
        " + 0 not billed = 7 calls"
    )
    assert table.coverage.excluded == excluded[:1]
    assert table.coverage.faults == ()
    assert shown(table.total)[-3:] == ("5.84", "4.67", "4.47")


@pytest.mark.parametrize("name", ["Legal", "retail", "Unassigned"])
def test_a_unit_that_owes_nothing_has_no_table(name: str) -> None:
    with pytest.raises(ReportError, match=f"'{name}' owes nothing in 2026-10"):
        tabulate(small(), By.MODEL, business_unit=name)


def test_the_identity_is_the_sum_of_all_classes() -> None:
    found = coverage(small())
    assert found.identity == (
        "6 charged + 4 unknown consumer + 2 unpriced + 0 inconsistent + 0 unknown usage + 0 maybe billed"
        " + 1 not billed = 13 calls"
    )
    assert [row.calls for row in found.excluded] == [2, 1]
    assert found.faults == ()


def contradictory(**changes: object) -> tuple[str, ...]:
    plain = small()
    kept = {"classes": plain.classes, "calls": plain.calls, "excluded": plain.excluded}
    return coverage(statement(*plain.lines, **{**kept, **changes})).faults  # type: ignore[arg-type]  # named by a test


def test_calls_that_are_in_no_class_are_told() -> None:
    assert contradictory(calls=14) == ("the classes together: 13 calls; all calls: 14",)
    assert "≠ 14 calls" in coverage(statement(*small().lines, calls=14)).identity


def test_lines_that_are_missing_are_told() -> None:
    classes = {**small().classes, "line": 7}
    assert contradictory(classes=classes, calls=14) == ("the lines of business units: 6 calls; the class line: 7",)


def test_causes_that_are_missing_are_told() -> None:
    assert contradictory(excluded=()) == (
        "the causes of not-billed: 0 calls; the class: 1",
        "the causes of unpriced: 0 calls; the class: 2",
    )


def test_a_class_that_nobody_foresaw_is_counted_too() -> None:
    classes = {**small().classes, "lost": 3}
    found = coverage(statement(*small().lines, classes=classes, calls=16, excluded=small().excluded))
    assert found.identity.endswith("1 not billed + 3 lost = 16 calls")
    assert found.faults == ("the causes of lost: 0 calls; the class: 3",)
