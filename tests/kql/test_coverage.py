"""What is known of the calls: every call in one class, every class with its cause, nothing left out."""

from __future__ import annotations

import pytest

from tests.kql.rows import Envelope, ask, call, counted, ignored, log_row, part, pending, rejected, report

AGO_14_MINUTES, AGO_16_MINUTES = "2026-11-20T07:46:00.000Z", "2026-11-20T07:44:00.000Z"

NOT_BILLED, MAYBE, UNKNOWN = "not-billed", "maybe-billed", "unknown"

# (class, cause, what the policy told)
CASES: list[tuple[str, str, dict[str, object]]] = [
    (NOT_BILLED, "not forwarded", {"forwarded": False, "statusCode": 401, "note": "error:401"}),
    (NOT_BILLED, "not forwarded", {"forwarded": False, "statusCode": 500}),
    (NOT_BILLED, "not forwarded", {"forwarded": False, "statusCode": 200, "note": "body-without-usage"}),
    (NOT_BILLED, "error:401", {"forwarded": True, "statusCode": 401, "note": "error:401"}),
    (NOT_BILLED, "status 403", {"forwarded": True, "statusCode": 403}),
    (
        NOT_BILLED,
        "error:DeploymentNotFound",
        {"forwarded": True, "statusCode": 404, "note": "error:DeploymentNotFound"},
    ),
    (NOT_BILLED, "status 429", {"statusCode": 429}),
    (NOT_BILLED, "error:unsupported_parameter", {"statusCode": 400, "note": "error:unsupported_parameter"}),
    (MAYBE, "error:content_filter", {"forwarded": True, "statusCode": 400, "note": "error:content_filter"}),
    (MAYBE, "error:contentFilter", {"statusCode": 400, "note": "error:contentFilter"}),
    (MAYBE, "error:content_policy_violation", {"statusCode": 400, "note": "error:content_policy_violation"}),
    (MAYBE, "error:ResponsibleAIPolicyViolation", {"statusCode": 400, "note": "error:ResponsibleAIPolicyViolation"}),
    (MAYBE, "error:moderation_blocked", {"statusCode": 400, "note": "error:moderation_blocked"}),
    (MAYBE, "error:context_length_exceeded", {"statusCode": 400, "note": "error:context_length_exceeded"}),
    (MAYBE, "error:string_above_max_length", {"statusCode": 400, "note": "error:string_above_max_length"}),
    (MAYBE, "error:content_filter", {"recordShape": "bodies", "note": "error:content_filter"}),
    (MAYBE, "status 400", {"statusCode": 400}),
    (MAYBE, "body-without-usage", {"statusCode": 400, "note": "body-without-usage"}),
    (MAYBE, "error:", {"statusCode": 400, "note": "error:"}),
    (MAYBE, "status 408", {"statusCode": 408}),
    (MAYBE, "status 499", {"statusCode": 499}),
    (MAYBE, "status 500", {"statusCode": 500}),
    (MAYBE, "status 504", {"statusCode": 504}),
    (MAYBE, "status 0", {"statusCode": 0}),
    (MAYBE, "status 302", {"statusCode": 302}),
    (MAYBE, "stream-cut", {"statusCode": 200, "streamed": True, "note": "stream-cut"}),
    (MAYBE, "error:server_error", {"statusCode": 200, "streamed": True, "note": "error:server_error"}),
    (UNKNOWN, "stream-not-read", {"forwarded": True, "statusCode": 200, "streamed": True, "note": "stream-not-read"}),
    (UNKNOWN, "usage-not-requested", {"statusCode": 200, "streamed": True, "note": "usage-not-requested"}),
    (UNKNOWN, "body-without-usage", {"statusCode": 200, "note": "body-without-usage"}),
    (MAYBE, "status 400", {"statusCode": 400, "note": "time-from-hub"}),
    (MAYBE, "status 500", {"statusCode": 500, "note": "left-out:model, left-out:traceId, time-unknown"}),
    (MAYBE, "error:odd", {"statusCode": 500, "note": "total-mismatch, error:odd, cache-writes-unknown"}),
    (MAYBE, "stream-cut, error:odd", {"statusCode": 500, "note": "stream-cut, left-out:model, error:odd"}),
    (UNKNOWN, "body-without-usage", {"statusCode": 200, "note": "body-without-usage, time-from-hub"}),
    (UNKNOWN, "no reason given", {"statusCode": 200, "note": "time-from-hub"}),
    (UNKNOWN, "duration-usage", {"statusCode": 200, "note": "left-out:deploymentId, duration-usage"}),
    (UNKNOWN, "error:odd", {"statusCode": 200, "note": "error:odd"}),
    (UNKNOWN, "no reason given", {"statusCode": 204}),
    (UNKNOWN, "no reason given", {"recordShape": "seed"}),
    (UNKNOWN, "only in the gateway's log", {"recordShape": "gateway-log", "statusCode": 200}),
    (UNKNOWN, "only in the gateway's log", {"recordShape": "llm-log", "model": "gpt-4o"}),
    (UNKNOWN, "no row in the gateway's log after 15 minutes", {"usageSource": "pending", "statusCode": 200}),
    ("known", "", {"statusCode": 400, "note": "error:content_filter", "promptTokens": 9}),
    ("known", "", {"statusCode": 200, "totalTokens": 0}),
    (NOT_BILLED, "retrieved", {"statusCode": 200, "forwarded": True, "note": "retrieved"}),
    (NOT_BILLED, "retrieved", {"statusCode": 200, "streamed": True, "note": "retrieved, time-from-hub"}),
    ("known", "", {"forwarded": False, "totalTokens": 5}),
]


def test_every_call_is_in_the_class_its_cost_is_in() -> None:
    """One query over all cases: a query a case would be slow."""
    calls = [call(str(number), **told) for number, (_, _, told) in enumerate(CASES)]
    answer = {row["recordId"]: row for row in ask(calls, "classifiedCalls")}
    for number, (expected, cause, told) in enumerate(CASES):
        assert part(answer[str(number)], "callClass", "cause") == (expected, cause), told


def test_the_classes_add_up_to_the_calls() -> None:
    calls = [call(str(number), **told) for number, (_, _, told) in enumerate(CASES)]
    by_subject = {row["subject"]: row for row in report("coverage", calls)}
    numbers = {subject: row["number"] for subject, row in by_subject.items() if row["countedAs"] == "class"}
    expected = {name: sum(case[0] == name for case in CASES) for name in ("known", NOT_BILLED, MAYBE, UNKNOWN)}
    assert numbers == expected
    assert sum(expected.values()) == by_subject["calls"]["number"] == len(CASES)


def test_coverage_shows_every_line_with_its_share_unrounded() -> None:
    answer = report(
        "coverage",
        [
            *(counted("a", 3, 4), log_row("a", promptTokens=3, completionTokens=5, totalTokens=8)),
            *(counted("b", 1, 1), counted("b", 1, 1)),
            *(pending("c"), call("d", statusCode=429), call("e", statusCode=500)),
            *(call("f", statusCode=503, consumerId="it"), call("f", statusCode=503, consumerId="hr")),
            call("g", statusCode=503),
            *[ignored("i", enqueuedTime="2026-10-15T12:00:00.000Z")] * 2,
            *[rejected("j", enqueuedTime="2026-10-15T12:00:00.000Z")] * 3,
            rejected("k"),
        ],
    )
    assert [part(row, "subject", "countedAs", "number", "shareOfCalls") for row in answer] == [
        ("calls", "all", 7, 1.0),
        ("known", "class", 2, 2 / 7),
        ("not-billed", "class", 1, 1 / 7),
        ("maybe-billed", "class", 3, 3 / 7),
        ("unknown", "class", 1, 1 / 7),
        ("pending-too-long", "check", 1, 1 / 7),
        ("counts-differ", "check", 1, 1 / 7),
        ("conflicting", "check", 1, 1 / 7),
        ("ignored", "record", 1, None),
        ("rejected", "record", 2, None),
    ]


def test_coverage_of_no_calls_has_no_share() -> None:
    answer = report("coverage", [])
    assert [part(row, "number", "shareOfCalls") for row in answer] == [(0, None)] * 10


@pytest.mark.parametrize(
    ("time", "cause", "too_long"),
    [
        (AGO_14_MINUTES, "waits for the gateway's log", 0),
        (AGO_16_MINUTES, "no row in the gateway's log after 15 minutes", 1),
    ],
)
def test_a_pending_stream_has_fifteen_minutes_to_find_its_log_row(time: str, cause: str, too_long: int) -> None:
    """The present is 2026-11-20 08:00."""
    (row,) = ask([pending("a", time)], "classifiedCalls", None)
    assert part(row, "callClass", "cause", "pendingTooLong") == (UNKNOWN, cause, bool(too_long))


def test_a_pending_stream_with_its_log_row_is_known_and_waits_no_more() -> None:
    both = [pending("a", AGO_16_MINUTES), log_row("a", AGO_14_MINUTES, totalTokens=5)]
    (row,) = ask(both, "classifiedCalls", None)
    assert part(row, "callClass", "cause", "pendingTooLong") == ("known", "", False)


def test_coverage_causes() -> None:
    hr: dict[str, object] = {"consumerId": "hr", "consumerType": "subscription"}
    answer = report(
        "coverage-causes",
        [
            *[counted("a", 1, 1), pending("b"), pending("c")],
            *[call(name, statusCode=429, **hr) for name in "def"],
            call("g", recordShape="seed"),
        ],
    )
    columns = ("callClass", "cause", "statusCode", "consumerId", "recordShape", "calls")
    assert [part(row, *columns) for row in answer] == [
        ("not-billed", "status 429", 429, "hr", "usage/1", 3),
        ("unknown", "no row in the gateway's log after 15 minutes", 200, "retail", "usage/1", 2),
        ("unknown", "no reason given", None, "unknown", "seed", 1),
    ]


def test_a_time_that_was_borrowed_is_no_cause() -> None:
    answer = report("coverage-causes", [call("a", statusCode=400, note="time-from-hub"), call("b", statusCode=400)])
    assert [part(row, "callClass", "cause", "calls") for row in answer] == [(MAYBE, "status 400", 2)]


def test_ignored() -> None:
    pii: dict[str, object] = {"recordShape": "unknown", "reason": "PII notice"}
    answer = report("ignored", [*[ignored("a", **pii)] * 2, ignored("b", **pii), ignored("c", recordShape="llm-log")])
    assert [part(row, "recordShape", "reason", "records", "deliveries") for row in answer] == [
        ("unknown", "PII notice", 2, 3),
        ("llm-log", "empty body", 1, 1),
    ]


def test_rejected_counts_a_record_once_however_often_it_is_delivered() -> None:
    told: dict[str, object] = {"recordShape": "unknown", "errorType": "NotJson"}
    early: dict[str, object] = told | {"deadLetter": "rejected/2026/10/15/ns/hub/0-7.jsonl"}
    letters: list[Envelope] = [rejected("a", **early), rejected("a", "2026-10-15T12:09:00Z", **early)]
    (row,) = report("rejected", [*letters, rejected("b", **told), counted("a", 1, 1)])
    assert part(row, "recordShape", "errorType", "reason", "records", "deliveries") == (
        *("unknown", "NotJson", "not JSON"),
        *(2, 3),
    )
    assert row["deadLetter"] == "rejected/2026/10/15/ns/hub/0-7.jsonl"
