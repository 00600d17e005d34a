"""A closed month: the same bytes for the same month, and everything is read back as it was."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from chargeback.errors import StatementError
from chargeback.reports.answer import Answer
from chargeback.reports.closing import ClosedMonth, pack, rows_in_force, unpack
from chargeback.reports.reconciliation import CallsRow, CostRow, CostTotal, Reconciliation, TokensRow, TokensTotal
from chargeback.reports.reference import parse
from chargeback.reports.statement import Kind
from tests.reports.lines import line, statement

FIRST = date(2026, 10, 1)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
INPUTS = {
    FIRST: Answer(
        ("day", "calls", "cost", "exact", "known", "name"),
        ("datetime", "long", "real", "decimal", "bool", "string"),
        (
            (datetime(2026, 10, 1, tzinfo=UTC), 9007199254740993, 0.1, Decimal("0.10"), True, "a\nb é"),
            (datetime(2026, 10, 1, 0, 0, 0, 1, tzinfo=UTC), None, None, None, False, ""),
        ),
    ),
    date(2026, 10, 2): Answer(("day",), ("datetime",), ()),
}
RECONCILIATION = Reconciliation(
    month="2026-10",
    currency="USD",
    tokens=(TokensRow("/a", "chat", FIRST, "prompt", "InputTokens", 90, 100),),
    token_totals=(TokensTotal("/a", "chat", "prompt", "InputTokens", 90, None, 3, "a note"),),
    calls=(CallsRow(FIRST, 5, None),),
    costs=(CostRow("/a", "m", "meter", None, Decimal("1E+2"), Decimal("0.30"), None, Decimal(0)),),
    cost_totals=(CostTotal("/a", Decimal("0.30"), None, ""),),
    notes=("something is not compared",),
)
CLOSED = ClosedMonth(
    statement=statement(
        line(100, 7, business_unit="Forschung & Entwicklung"),
        line(kind=Kind.IDLE, charged_cost=Decimal("1E-12"), list_cost=Decimal("3.10"), price_valid_from=None),
        line(-5, kind=Kind.CORRECTION, day=date(2026, 9, 1), calls=-1),
    ),
    inputs=INPUTS,
    reference={"prices.kql": ('"gpt-4o", 2.50',), "consumers.kql": ()},
    reconciliation=RECONCILIATION,
)


def content(packed: bytes) -> dict[str, object]:
    found = json.loads(gzip.decompress(packed))
    assert isinstance(found, dict)
    return found


def test_a_closed_month_is_read_back_as_it_was() -> None:
    again = unpack(pack(CLOSED))
    assert again == CLOSED
    assert pack(again) == pack(CLOSED)


def test_amounts_keep_every_digit() -> None:
    amounts = [one.charged_cost for one in unpack(pack(CLOSED)).statement.lines]
    assert list(map(str, amounts)) == [str(one.charged_cost) for one in CLOSED.statement.lines]
    lines = content(pack(CLOSED))["statement"]["lines"]  # type: ignore[index]  # JSON has no types
    assert (lines[1]["charged_cost"], lines[1]["list_cost"]) == ("1E-12", "3.10")


def test_a_month_without_reconciliation_is_closed_too() -> None:
    bare = ClosedMonth(statement(), {}, {}, None)
    assert unpack(pack(bare)) == bare


def test_the_same_month_gives_the_same_bytes() -> None:
    shuffled = ClosedMonth(
        statement=CLOSED.statement,
        inputs=dict(reversed(INPUTS.items())),
        reference=dict(reversed(list(CLOSED.reference.items()))),
        reconciliation=RECONCILIATION,
    )
    assert pack(shuffled) == pack(CLOSED)
    assert pack(CLOSED)[4:8] == b"\0\0\0\0", "gzip's own time"
    assert pack(CLOSED)[9] == 255, "gzip's own system"


def test_times_of_other_zones_are_the_same_bytes() -> None:
    here = datetime(2026, 10, 1, 2, tzinfo=datetime.strptime("+0200", "%z").tzinfo)
    moved = ClosedMonth(CLOSED.statement, {FIRST: Answer(("day",), ("datetime",), ((here,),))}, {}, None)
    plain = ClosedMonth(CLOSED.statement, {FIRST: Answer(("day",), ("datetime",), ((OCTOBER[0],),))}, {}, None)
    assert pack(moved) == pack(plain)


def test_the_file_says_what_it_is() -> None:
    found = content(pack(CLOSED))
    assert found["schema"] == "chargeback.statement/1"
    assert sorted(found) == ["inputs", "reconciliation", "reference", "schema", "sha256", "statement"]
    assert list(found) == sorted(found)


def test_what_is_no_number_is_not_kept_as_one() -> None:
    odd = ClosedMonth(statement(), {FIRST: Answer(("a",), ("real",), ((float("nan"),),))}, {}, None)
    assert unpack(pack(odd)).inputs[FIRST].rows == ((None,),)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x1f\x8b",
        pack(CLOSED)[:-9],
        pack(CLOSED)[:40],
        b"{}",
        gzip.compress(b"{"),
        gzip.compress(b"[]"),
        gzip.compress(b'"x"'),
        pack(CLOSED)[:20] + b"x" + pack(CLOSED)[21:],
    ],
)  # fmt: skip  (one case per line is a table)
def test_what_is_no_closed_month_is_refused(packed: bytes) -> None:
    with pytest.raises(StatementError):
        unpack(packed)


@pytest.mark.parametrize("schema", ["chargeback.statement/2", None, 1])
def test_another_version_is_refused_by_name(schema: object) -> None:
    found = content(pack(CLOSED)) | {"schema": schema}
    with pytest.raises(StatementError, match=f"form {schema}"):
        unpack(gzip.compress(json.dumps(found).encode()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement", {}),
        ("inputs", {"soon": {}}),
        ("reference", 7),
        ("reconciliation", []),
        ("inputs", {"2026-10-01": {"columns": ["a"], "types": ["datetime"], "rows": [["soon"]]}}),
        ("inputs", {"2026-10-01": {"columns": ["a"], "types": ["decimal"], "rows": [["x"]]}}),
        ("inputs", {"2026-10-01": {"columns": ["a"], "types": ["long"], "rows": [[1, 2]]}}),
    ],
)  # fmt: skip  (one case per line is a table)
def test_a_file_that_was_changed_is_refused(name: str, value: object) -> None:
    found = content(pack(CLOSED)) | {name: value}
    with pytest.raises(StatementError, match="it was changed"):
        unpack(gzip.compress(json.dumps(found).encode()))


def test_the_rows_that_were_in_force_are_kept_as_the_file_has_them() -> None:
    table = parse(
        """let consumers = datatable(consumerId:string, validFrom:datetime, validTo:datetime)[
        "old", datetime(2025-01-01), datetime(2026-10-01),   // ended as the month began
        "until", datetime(2025-01-01), datetime(2026-10-02),
        "always", datetime(2025-01-01), datetime(null),
        "last day", datetime(2026-10-31T23:59:59Z), datetime(null),
        "next", datetime(2026-11-01), datetime(null),
        ];""",
        "consumers.kql",
    )
    assert [text.partition(",")[0] for text in rows_in_force(table, OCTOBER)] == ['"until"', '"always"', '"last day"']
    assert rows_in_force(table, OCTOBER)[1] == '"always", datetime(2025-01-01), datetime(null)'


def test_rows_without_dates_are_all_kept() -> None:
    table = parse('let regionGroups = datatable(regionGroup:string, region:string)["eu", "swedencentral"];', "r.kql")
    assert rows_in_force(table, (OCTOBER[0] - timedelta(days=999), OCTOBER[0])) == ('"eu", "swedencentral"',)


def test_a_files_settings_are_kept_before_its_rows() -> None:
    text = 'let currency = "EUR"; // ours\nlet rates = datatable(a:string)["x"];\nlet spread = false;'
    assert rows_in_force(parse(text, "rates.kql"), OCTOBER) == ('let currency = "EUR";', "let spread = false;", '"x"')
