"""The original articles' queries, over our events, and ours in their form."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.kql.rows import Envelope, Row, ask, counted, log_row, part, pending, report

# The two queries of Microsoft's chargeback hack for Azure OpenAI, as published: readers have them in their workbooks.
HACK_LIST = """
customEvents
| where name == "Function called with Chargeback Data"
| project   timestamp, 
            sub=tostring(customDimensions["appSubscriptionKey"]),
            promptTokens=toint(customDimensions["promptTokens"]),
            completionTokens=toint(customDimensions["completionTokens"]),
            totalTokens=toint(customDimensions["totalTokens"])
"""  # noqa: W291  (with the blank that the article has)
HACK_BY_HOUR = (
    HACK_LIST.rstrip()
    + """
| summarize sum(totalTokens) by sub, bin(timestamp, 1h)
| render timechart
"""
)

TEN, ELEVEN = "2026-11-19T10:59:59.000Z", "2026-11-19T11:00:00.000Z"


def seed(record_id: str, key: str, prompt: int, completion: int, time: str) -> Envelope:
    """Return what the function makes of a record of the articles' policy."""
    consumer = {"consumerId": key, "consumerType": "key", "appSubscriptionKey": key, "recordShape": "seed"}
    return counted(record_id, prompt, completion, time, **consumer)


CALLS = [
    seed("ns/hub/0/1@1", "key-aaaaaaaaaaaaaaaa", 10, 1, TEN),
    seed("ns/hub/0/2@2", "key-aaaaaaaaaaaaaaaa", 20, 2, TEN),
    seed("ns/hub/0/3@3", "key-bbbbbbbbbbbbbbbb", 30, 3, TEN),
    seed("ns/hub/0/4@4", "key-aaaaaaaaaaaaaaaa", 40, 4, ELEVEN),
]


def by_text(rows: list[Row]) -> list[Row]:
    """Put rows of a query that promises no order into one."""
    return sorted(rows, key=str)


def test_the_articles_list_gives_a_row_for_every_call() -> None:
    answer = by_text(ask(CALLS, HACK_LIST))
    ten, eleven = (datetime(2026, 11, 19, 10, 59, 59, tzinfo=UTC), datetime(2026, 11, 19, 11, tzinfo=UTC))
    assert [tuple(row.values()) for row in answer] == [
        (ten, "key-aaaaaaaaaaaaaaaa", 10, 1, 11),
        (ten, "key-aaaaaaaaaaaaaaaa", 20, 2, 22),
        (ten, "key-bbbbbbbbbbbbbbbb", 30, 3, 33),
        (eleven, "key-aaaaaaaaaaaaaaaa", 40, 4, 44),
    ]
    assert list(answer[0]) == ["timestamp", "sub", "promptTokens", "completionTokens", "totalTokens"]


def test_the_articles_chart_gives_the_tokens_of_every_hour() -> None:
    answer = by_text(ask(CALLS, HACK_BY_HOUR))
    ten, eleven = (datetime(2026, 11, 19, hour, tzinfo=UTC) for hour in (10, 11))
    assert [part(row, "sub", "timestamp", "sum_totalTokens") for row in answer] == [
        ("key-aaaaaaaaaaaaaaaa", ten, 33),
        ("key-aaaaaaaaaaaaaaaa", eleven, 44),
        ("key-bbbbbbbbbbbbbbbb", ten, 33),
    ]


def test_the_articles_queries_count_a_redelivered_record_twice() -> None:
    """What docs/contract.md warns of, and why reports start from usage."""
    twice = [CALLS[0], CALLS[0]]
    assert [row["sum_totalTokens"] for row in ask(twice, HACK_BY_HOUR)] == [22]
    assert [row["totalTokens"] for row in ask(twice, "usage", period=None)] == [11]


def test_the_example_list_has_the_calls_of_the_last_day_in_order() -> None:
    """The present is 2026-11-20 08:00, so that 07:59 of the day before is older than a day."""
    old = seed("old", "key-aaaaaaaaaaaaaaaa", 9, 9, "2026-11-19T07:59:00.000Z")
    answer = report("examples/usage-list", [CALLS[3], CALLS[2], old])
    columns = ("consumer", "deployment", "promptTokens", "completionTokens", "totalTokens")
    assert [part(row, *columns) for row in answer] == [
        ("key-bbbbbbbbbbbbbbbb", "", 30, 3, 33),
        ("key-aaaaaaaaaaaaaaaa", "", 40, 4, 44),
    ]


def test_the_example_chart_sums_by_consumer_and_hour() -> None:
    answer = report("examples/usage-by-hour", CALLS)
    ten, eleven = (datetime(2026, 11, 19, hour, tzinfo=UTC) for hour in (10, 11))
    assert [part(row, "consumer", "timestamp", "totalTokens") for row in answer] == [
        ("key-aaaaaaaaaaaaaaaa", ten, 33),
        ("key-bbbbbbbbbbbbbbbb", ten, 33),
        ("key-aaaaaaaaaaaaaaaa", eleven, 44),
    ]


def test_the_example_by_consumer_counts_a_record_once_and_shows_who_is_unknown() -> None:
    stream = [pending("s", TEN, appSubscriptionKey="retail"), log_row("s", TEN, totalTokens=500), pending("t", TEN)]
    answer = report("examples/usage-by-consumer", [*CALLS, CALLS[0], *stream])
    assert [part(row, "consumer", "calls", "callsWithoutTotal", "totalTokens") for row in answer] == [
        ("retail", 1, 0, 500),
        ("key-aaaaaaaaaaaaaaaa", 3, 0, 77),
        ("key-bbbbbbbbbbbbbbbb", 1, 0, 33),
        ("unknown", 1, 1, None),
    ]
