"""What no report of its month shows, too late for it or dated ahead of it, is not lost without a word."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.kql.rows import NOVEMBER, OCTOBER, call, counted, part, pending, report, usage

EVENT = "2026-09-20T12:00:00.000Z"
IN_TIME = "2026-10-08T23:59:59.000Z"
TOO_LATE = "2026-10-09T00:00:00.000Z"
SENT = "2026-11-12T12:00:00.000Z"
DAY_READ_AS_MONTH = "2026-12-11T12:00:00.000Z"
DECEMBER = (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def sent(record_id: str, arrived: str, event: str = EVENT, total: int = 7) -> dict[str, object]:
    return call(record_id, event, arrived, consumerId="retail", totalTokens=total, eventTimeAdjusted=True)


def test_what_arrives_eight_days_after_its_month_is_listed_with_that_month() -> None:
    (row,) = report("in-no-report", [sent("a", TOO_LATE), sent("b", IN_TIME)], OCTOBER)
    assert part(row, "why", "recordId", "consumerId", "totalTokens") == ("arrived too late", "a", "retail", 7)
    assert row["month"] == datetime(2026, 9, 1, tzinfo=UTC)


def test_a_day_read_as_a_month_is_in_no_months_report_and_therefore_listed() -> None:
    """12/11/2026, sent on 12 November by a gateway that writes the day first."""
    envelopes = [sent("a", SENT, DAY_READ_AS_MONTH), counted("b", 1, 1, SENT)]
    assert [list(usage(envelopes, month)) for month in (NOVEMBER, DECEMBER)] == [["b"], []]
    (row,) = report("in-no-report", envelopes, NOVEMBER)
    assert part(row, "why", "recordId", "consumerId", "totalTokens") == ("dated ahead", "a", "retail", 7)
    assert part(row, "month", "eventTime", "arrived") == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 11, 12, tzinfo=UTC),
        datetime(2026, 11, 12, 12, tzinfo=UTC),
    )
    assert report("in-no-report", envelopes, DECEMBER) == []


def test_what_is_listed_is_just_what_no_months_report_has() -> None:
    """A month's report looks at what arrives from a day before it to eight days after it."""
    arrivals = {
        "a day before": ("2026-10-31T00:00:00.000Z", "2026-11-01T00:00:00.000Z"),
        "earlier": ("2026-10-30T23:59:59.999Z", "2026-11-01T00:00:00.000Z"),
        "weeks ahead in its month": ("2026-11-01T00:00:00.000Z", "2026-11-30T23:59:59.000Z"),
        "in eight days": ("2026-11-08T23:59:59.999Z", "2026-10-31T23:59:59.000Z"),
        "later": ("2026-11-09T00:00:00.000Z", "2026-10-31T23:59:59.000Z"),
        "a century ahead": (SENT, "2126-11-12T12:00:00.000Z"),
        "the last year there is": (SENT, "9999-12-31T23:59:59.000Z"),
        "the first year there is": (SENT, "0001-01-01T00:00:00.000Z"),
    }
    envelopes = [sent(name, arrived, event) for name, (arrived, event) in arrivals.items()]
    months = (OCTOBER, NOVEMBER, DECEMBER)
    listed = {row["recordId"] for month in months for row in report("in-no-report", envelopes, month)}
    found = {name for month in months for name in usage(envelopes, month)}
    assert found == {"a day before", "weeks ahead in its month", "in eight days"}
    assert listed == arrivals.keys() - found


def test_what_had_arrived_in_time_and_comes_again_is_not_listed() -> None:
    assert report("in-no-report", [sent("a", IN_TIME), sent("a", "2026-11-15T00:00:00.000Z")], NOVEMBER) == []


def test_what_is_dated_ahead_and_comes_again_in_its_month_is_not_listed() -> None:
    twice = [sent("a", "2026-11-29T00:00:00.000Z", DAY_READ_AS_MONTH), sent("a", DAY_READ_AS_MONTH, DAY_READ_AS_MONTH)]
    assert list(usage(twice, DECEMBER)) == ["a"]
    assert report("in-no-report", twice, NOVEMBER) == report("in-no-report", twice, DECEMBER) == []


def test_a_log_row_that_is_too_late_for_its_call_is_listed() -> None:
    log = call("a", EVENT, TOO_LATE, recordShape="llm-log", promptTokens=3, completionTokens=4, totalTokens=7)
    (row,) = report("in-no-report", [pending("a", EVENT), log], OCTOBER)
    assert part(row, "why", "recordShape", "totalTokens") == ("arrived too late", "llm-log", 7)


def test_a_record_is_listed_once_in_the_period_of_its_first_arrival() -> None:
    twice = [sent("a", "2026-10-20T00:00:00.000Z"), sent("a", "2026-11-15T00:00:00.000Z")]
    assert [row["recordId"] for row in report("in-no-report", twice, OCTOBER)] == ["a"]
    assert report("in-no-report", twice, NOVEMBER) == []
