"""Nothing that comes too late for its month's report is lost without a word."""

from __future__ import annotations

from tests.kql.rows import NOVEMBER, OCTOBER, call, report

EVENT = "2026-09-20T12:00:00.000Z"
IN_TIME = "2026-10-08T23:59:59.000Z"
TOO_LATE = "2026-10-09T00:00:00.000Z"


def late(record_id: str, arrived: str, total: int = 7) -> dict[str, object]:
    return call(record_id, EVENT, arrived, consumerId="retail", totalTokens=total, eventTimeAdjusted=True)


def test_what_arrives_eight_days_after_its_month_is_listed_with_that_month() -> None:
    (row,) = report("too-late", [late("a", TOO_LATE), late("b", IN_TIME)], OCTOBER)
    assert (row["recordId"], row["consumerId"], row["totalTokens"]) == ("a", "retail", 7)
    assert str(row["month"]).startswith("2026-09-01")


def test_what_had_arrived_in_time_and_comes_again_is_not_listed() -> None:
    assert report("too-late", [late("a", IN_TIME), late("a", "2026-11-15T00:00:00.000Z")], NOVEMBER) == []


def test_a_record_is_listed_once_in_the_period_of_its_first_arrival() -> None:
    twice = [late("a", "2026-10-20T00:00:00.000Z"), late("a", "2026-11-15T00:00:00.000Z")]
    assert [row["recordId"] for row in report("too-late", twice, OCTOBER)] == ["a"]
    assert report("too-late", twice, NOVEMBER) == []
