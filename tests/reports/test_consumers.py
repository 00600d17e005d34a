"""Which rows are made for consumers that nobody has named, and which are not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from chargeback.errors import ReferenceDataError
from chargeback.reports.answer import Answer
from chargeback.reports.consumers import Seen, new_rows, seen, unnamed
from chargeback.reports.literals import Value
from chargeback.reports.reference import Reference, parse

HEAD = (
    "let consumers = datatable(consumerId:string, businessUnit:string, costCenter:string, owner:string, "
    "displayName:string, validFrom:datetime, validTo:datetime)"
)
TODAY = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
CALLED = datetime(2026, 10, 5, 14, 7, 3, tzinfo=UTC)
WEB = Seen("retail-web", "subscription", 12, CALLED)


def table(*rows: str) -> Reference:
    return parse(f"{HEAD}[{', '.join(rows)}];", "consumers.kql")


def rows(reference: Reference, names: Mapping[str, str], today: datetime = TODAY) -> list[Mapping[str, Value]]:
    return list(new_rows([WEB], reference, names, today))


def row(display_name: str, valid_from: datetime, **others: Value) -> Mapping[str, Value]:
    empty = {"consumerId": "retail-web", "businessUnit": "", "costCenter": "", "owner": ""}
    return {**empty, "displayName": display_name, "validFrom": valid_from, "validTo": None, **others}


def test_a_new_consumer_gets_a_row_from_the_day_of_its_first_call() -> None:
    (made,) = rows(table(), {"retail-web": "Retail web shop"})
    assert made == row("Retail web shop", datetime(2026, 10, 5, tzinfo=UTC))


def test_without_a_name_the_row_is_made_all_the_same() -> None:
    assert rows(table(), {}) == [row("", datetime(2026, 10, 5, tzinfo=UTC))]


def test_a_consumer_with_a_row_and_a_name_is_left_alone() -> None:
    known = table('"retail-web", "Retail", "", "", "Shop", datetime(2026-01-01), datetime(null)')
    assert rows(known, {"retail-web": "Another name"}) == []
    assert unnamed([WEB], known) == ()


def test_a_name_that_is_found_later_gets_a_row_of_its_own_that_changes_nothing_else() -> None:
    known = table('"retail-web", "Retail", "CC-1", "Shop team", "", datetime(2026-01-01), datetime(null)')
    assert unnamed([WEB], known) == (WEB,)
    (made,) = rows(known, {"retail-web": "Retail web shop"})
    more: dict[str, Value] = {"businessUnit": "Retail", "costCenter": "CC-1", "owner": "Shop team"}
    assert made == row("Retail web shop", datetime(2026, 11, 20, tzinfo=UTC), **more)


@pytest.mark.parametrize(
    "dates",
    [
        "datetime(2026-11-20), datetime(null)",
        "datetime(2027-01-01), datetime(null)",
        "datetime(2026-01-01), datetime(2026-11-20)",
    ],
)  # fmt: skip  (one case per line is a table)
def test_a_row_that_would_never_be_in_force_is_not_made(dates: str) -> None:
    assert rows(table(f'"retail-web", "Retail", "", "", "", {dates}'), {"retail-web": "Shop"}) == []


def test_the_latest_row_counts_whatever_the_order() -> None:
    old = '"retail-web", "Old", "", "", "Shop", datetime(2026-01-01), datetime(null)'
    new = '"retail-web", "New", "", "", "", datetime(2026-06-01), datetime(null)'
    for known in (table(old, new), table(new, old)):
        assert [made["businessUnit"] for made in rows(known, {"retail-web": "Shop"})] == ["New"]


def test_without_a_name_a_known_consumer_gets_no_second_row() -> None:
    assert rows(table('"retail-web", "", "", "", "", datetime(2026-01-01), datetime(null)'), {}) == []


def test_a_consumer_of_two_types_is_one() -> None:
    columns = ("consumerId", "consumerType", "calls", "firstCall")
    cells = (
        ("a", "subscription", 5, CALLED),
        ("b", "key", 4, "2026-10-05T14:07:03Z"),
        ("a", "unknown", 2, "2026-10-01T00:00:00Z"),
    )
    assert seen(Answer(columns, ("",) * 4, cells)) == (
        Seen("a", "subscription", 7, datetime(2026, 10, 1, tzinfo=UTC)),
        Seen("b", "key", 4, CALLED),
    )


def test_a_file_with_other_columns_is_said() -> None:
    other = parse('let consumers = datatable(consumerId:string)["a"];', "consumers.kql")
    with pytest.raises(ReferenceDataError, match="no column businessUnit"):
        new_rows([WEB], other, {}, TODAY)
