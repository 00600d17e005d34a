"""The reports about tokens and about duplicates, over rows whose answers were worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.kql.rows import call, counted, log_row, part, pending, report

UNKNOWN = {"consumerId": "unknown", "consumerType": "unknown"}


def test_tokens_by_consumer() -> None:
    """Retail: 100+20 twice delivered, 900+80 from the log, 30+0 embeddings, one unknown; HR only unknown calls."""
    answer = report(
        "tokens-by-consumer",
        [
            *[counted("a", 100, 20, cachedTokens=64, reasoningTokens=5)] * 2,
            *(pending("b"), log_row("b", promptTokens=900, completionTokens=80, totalTokens=980)),
            call("c", consumerId="retail", consumerType="subscription", promptTokens=30, totalTokens=30),
            pending("d"),
            call("e", consumerId="hr", consumerType="application", statusCode=200),
            call("f", consumerId="toolkit", consumerType="subscription", totalTokens=77),
            counted("g", 10**12, 10**12, consumerId="research", cacheWriteTokens=0),
            call("h", promptTokens=1, completionTokens=1, totalTokens=2),
        ],
    )
    columns = ("consumerId", "consumerType", "calls", "callsWithoutUsage", "callsPartlyKnown")
    sums = ("promptTokens", "cachedTokens", "cacheWriteTokens", "completionTokens", "reasoningTokens", "totalTokens")
    assert [part(row, *columns, *sums) for row in answer] == [
        ("research", "subscription", 1, 0, 0, 10**12, None, 0, 10**12, None, 2 * 10**12),
        ("retail", "subscription", 4, 1, 0, 1030, 64, None, 100, 5, 1130),
        ("toolkit", "subscription", 1, 0, 1, None, None, None, None, None, 77),
        ("unknown", "unknown", 1, 0, 0, 1, None, None, 1, None, 2),
        ("hr", "application", 1, 1, 0, None, None, None, None, None, None),
    ]


def test_tokens_by_consumer_and_hour() -> None:
    """An hour has its first moment and not its last; the hour of a late row is its call's."""
    late = call("d", "2026-10-15T11:30:00Z", "2026-10-18T00:00:00Z", totalTokens=4, consumerId="hr")
    answer = report(
        "tokens-by-consumer-and-hour",
        [
            *[counted("a", 1, 2, "2026-10-15T11:00:00.000Z"), counted("b", 10, 20, "2026-10-15T11:59:59.999Z")],
            counted("c", 100, 200, "2026-10-15T12:00:00.000Z"),
            *[late, call("e", "2026-10-15T12:30:00Z")],
        ],
    )
    eleven, twelve = (datetime(2026, 10, 15, hour, tzinfo=UTC) for hour in (11, 12))
    columns = ("calls", "callsWithoutUsage", "promptTokens", "completionTokens", "totalTokens")
    assert [part(row, "hour", "consumerId", *columns) for row in answer] == [
        (eleven, "hr", 1, 0, None, None, 4),
        (eleven, "retail", 2, 0, 11, 22, 33),
        (twelve, "retail", 1, 0, 100, 200, 300),
        (twelve, "unknown", 1, 1, None, None, None),
    ]


def test_tokens_by_model_and_deployment() -> None:
    """Who served a call counts, not who was asked; a model that only the log knows is the call's."""
    answer = report(
        "tokens-by-model-and-deployment",
        [
            counted("a", 5, 5, model="gpt-4o", deploymentId="chat"),
            counted(
                "b", 7, 7, model="gpt-4o", deploymentId="chat-ptu", servedDeployment="chat", spilloverFrom="chat-ptu"
            ),
            *(pending("c", deploymentId="chat-ptu"), log_row("c", model="gpt-4o", promptTokens=1, totalTokens=1)),
            pending("d", deploymentId="claude"),
        ],
    )
    columns = ("calls", "callsSpilledOver", "callsWithoutUsage", "promptTokens", "completionTokens", "totalTokens")
    assert [part(row, "model", "deployment", *columns) for row in answer] == [
        ("gpt-4o", "chat", 2, 1, 0, 12, 12, 24),
        ("gpt-4o", "chat-ptu", 1, 0, 0, 1, None, 1),
        ("unknown", "claude", 1, 0, 1, None, None, None),
    ]


def test_duplicates() -> None:
    """usage/1: `a` came 3 times, `b` twice without counts, `c` once; the log's two pieces of `b` are no duplicates."""
    answer = report(
        "duplicates",
        [
            *[counted("a", 100, 20)] * 3,
            *[pending("b")] * 2,
            counted("c", 1, 1),
            *[log_row("b", promptTokens=8, completionTokens=1, totalTokens=9)] * 2,
            log_row("b", promptTokens=8, completionTokens=3, totalTokens=11),
            *[call("d", recordShape="seed", consumerId="retail")] * 2,
            call("e", recordShape="toolkit", totalTokens=1),
            *[counted("next", 1, 1, "2026-11-01T00:00:00Z")] * 2,
        ],
    )
    columns = ("records", "deliveries", "duplicates", "recordsDeliveredAgain", "tokensDeliveredAgain")
    assert [part(row, "recordShape", *columns) for row in answer] == [
        ("usage/1", 3, 6, 3, 2, 240),
        ("llm-log", 2, 3, 1, 1, 9),
        ("seed", 1, 2, 1, 1, None),
        ("toolkit", 1, 1, 0, 0, 0),
    ]


def test_what_only_shares_a_request_id_is_no_redelivery() -> None:
    """`a`: two calls, one of them delivered twice; `b`: one call in two events; `c`: two consumers."""
    answer = report(
        "duplicates",
        [
            *(counted("a", 100, 20), counted("a", 100, 20), counted("a", 7, 3)),
            *(call("b", promptTokens=8), call("b", completionTokens=3)),
            *(counted("c", 1, 1), counted("c", 1, 1, consumerId="hr")),
        ],
    )
    columns = ("records", "deliveries", "duplicates", "recordsDeliveredAgain", "tokensDeliveredAgain")
    assert [part(row, "recordShape", *columns) for row in answer] == [("usage/1", 6, 7, 1, 1, 120)]


def test_calls_of_one_request_id_are_among_the_counts_that_differ() -> None:
    answer = report(
        "counts-differ",
        [
            *(counted("a", 100, 20), counted("a", 7, 50, consumerId="hr")),
            *(counted("b", 3, 4), log_row("b", promptTokens=3, completionTokens=9, totalTokens=12)),
            *[counted("c", 1, 1)] * 2,
        ],
    )
    counts = ("promptTokens", "leastPromptTokens", "totalTokens", "leastTotalTokens", "logTotalTokens")
    assert [part(row, "recordId", "disagreeing", "consumerId", "otherConsumerId", *counts) for row in answer] == [
        ("a", "records of one id", "retail", "hr", 100, 7, 120, 57, None),
        ("b", "policy and log", "retail", "", 3, 3, 7, 7, 12),
    ]


def test_counts_differ() -> None:
    answer = report(
        "counts-differ",
        [
            *(counted("same", 3, 4), log_row("same", promptTokens=3, completionTokens=4, totalTokens=7)),
            *(
                counted("other", 3, 4, model="gpt-4o"),
                log_row("other", promptTokens=3, completionTokens=9, totalTokens=12),
            ),
        ],
    )
    (row,) = answer
    assert part(row, "recordId", "consumerId", "model", "usageSource") == ("other", "retail", "gpt-4o", "body")
    assert part(row, "promptTokens", "logPromptTokens", "completionTokens", "logCompletionTokens") == (3, 3, 4, 9)
    assert part(row, "totalTokens", "logTotalTokens") == (7, 12)
