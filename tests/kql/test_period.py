"""A period is exact: a call belongs to the month it was made in, however late its parts arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chargeback.local.store import Store
from chargeback.reports.compose import compose
from tests.kql.rows import (
    NOVEMBER,
    OCTOBER,
    Envelope,
    Row,
    ask,
    call,
    counted,
    ignored,
    log_row,
    only,
    part,
    pending,
    rejected,
    rows_of,
    usage,
)

LAST_SECOND = "2026-10-31T23:59:59.900Z"
FIRST_SECOND = "2026-11-01T00:00:00.000Z"


def test_a_period_has_its_first_moment_and_not_its_last() -> None:
    calls = [counted("start", 1, 0, "2026-10-01T00:00:00.000Z"), counted("end", 1, 0, FIRST_SECOND)]
    assert list(usage(calls, OCTOBER)) == ["start"]
    assert list(usage(calls, NOVEMBER)) == ["end"]


def test_a_stream_and_its_log_on_both_sides_of_the_months_end_are_one_call_of_the_first_month() -> None:
    log = log_row("a", "2026-11-01T00:02:00.000Z", promptTokens=900, completionTokens=80, totalTokens=980)
    both = [pending("a", LAST_SECOND), log]
    assert part(only(both, OCTOBER), "totalTokens", "usageSource", "deliveries") == (980, "gateway-log", 2)
    assert usage(both, NOVEMBER) == {}


def test_a_log_row_before_the_months_start_completes_a_call_after_it() -> None:
    """The policy's time decides, also where the log's is earlier."""
    log = log_row("a", LAST_SECOND, promptTokens=1, completionTokens=1, totalTokens=2)
    both = [log, pending("a", FIRST_SECOND)]
    assert usage(both, OCTOBER) == {}
    assert part(only(both, NOVEMBER), "totalTokens", "deliveries") == (2, 2)


def test_without_a_policys_record_the_earliest_row_decides() -> None:
    rows = [
        log_row("a", FIRST_SECOND, promptTokens=1, completionTokens=1, totalTokens=2),
        call("a", LAST_SECOND, recordShape="gateway-log", consumerId="hr", consumerType="subscription"),
    ]
    assert part(only(rows, OCTOBER), "consumerId", "totalTokens") == ("hr", 2)
    assert usage(rows, NOVEMBER) == {}


def test_a_duplicate_over_the_months_end_is_charged_once_in_the_first_month() -> None:
    again = counted("a", 100, 20, LAST_SECOND) | {"time": "2026-11-02T09:00:00Z"}
    both = [counted("a", 100, 20, LAST_SECOND), again]
    assert part(only(both, OCTOBER), "totalTokens", "deliveries") == (120, 2)
    assert usage(both, NOVEMBER) == {}


def test_a_row_forty_seven_hours_late_is_of_the_month_of_its_call() -> None:
    late = call("a", LAST_SECOND, "2026-11-02T23:00:00Z", eventTimeAdjusted=True, totalTokens=5)
    assert only([late], OCTOBER)["totalTokens"] == 5
    assert usage([late], NOVEMBER) == {}


def test_a_row_that_arrives_after_the_month_was_read_is_in_the_next_reading() -> None:
    late = call("late", LAST_SECOND, "2026-11-06T10:00:00Z", eventTimeAdjusted=True, totalTokens=7)
    query = compose("usage | summarize calls = count(), tokens = sum(totalTokens)", period=OCTOBER)
    with Store() as store:
        store.add([counted("early", 1, 2)])
        assert rows_of(store.query(query)) == [{"calls": 1, "tokens": 3}]
        store.add([late])
        assert rows_of(store.query(query)) == [{"calls": 2, "tokens": 10}]


@pytest.mark.parametrize(
    ("sent", "found"), [("2026-11-08T23:59:59Z", 1), ("2026-11-09T00:00:00Z", 0)], ids=["in 8 days", "later"]
)
def test_rows_are_looked_for_until_eight_days_after_the_period(sent: str, found: int) -> None:
    """Hubs keep a record for 7 days; what comes later than that came from somewhere else."""
    assert len(usage([call("a", LAST_SECOND, sent, totalTokens=1)], OCTOBER)) == found


def test_a_record_without_a_time_of_its_own_has_the_events() -> None:
    untimed = call("a", totalTokens=1) | {"time": LAST_SECOND}
    del untimed["data"]["baseData"]["properties"]["eventTime"]  # type: ignore[index]  # the envelope is ours
    assert only([untimed], OCTOBER)["eventTime"] == datetime(2026, 10, 31, 23, 59, 59, 900000, tzinfo=UTC)
    assert usage([untimed], NOVEMBER) == {}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), ["october"]),
        (datetime(2026, 11, 1, tzinfo=UTC), ["november"]),
    ],
)
def test_the_period_is_the_current_month_unless_it_is_set(now: datetime, found: list[str]) -> None:
    calls = [counted("october", 1, 0, LAST_SECOND), counted("november", 1, 0, FIRST_SECOND)]
    assert [row["recordId"] for row in ask(calls, "usage", None, now)] == found


@pytest.mark.parametrize("make", [ignored, rejected])
def test_ignored_and_rejected_records_belong_to_the_month_the_hub_took_them(make: Callable[..., Envelope]) -> None:
    """Both deliveries were too late for the service to take the hub's time as theirs."""
    first, again = (make("a", f"2026-11-0{day}T00:00:00Z", enqueuedTime=LAST_SECOND) for day in (3, 4))
    question = "outcomeRows | project recordId, deliveries"
    expected: list[Row] = [{"recordId": "a", "deliveries": 2}]
    assert ask([first, again], question, OCTOBER) == expected
    assert ask([first, again], question, NOVEMBER) == []
