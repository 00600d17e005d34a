"""`kql/lib/usage.kql`: one row per call, whatever was delivered twice or came in parts."""

from __future__ import annotations

import pytest

from chargeback.records import UsageRecord
from tests.kql.rows import call, counted, event, log_row, only, part, pending, usage

TOKENS = ("promptTokens", "completionTokens", "totalTokens")


def test_a_call_keeps_every_field_with_its_type() -> None:
    texts = "requestId subscriptionId productId apiId operationId userId appId costCenter deploymentId servedDeployment"
    texts += " spilloverFrom modelRegion backendId backendHost model serviceTier region usageSource note traceId"
    counts = "promptTokens completionTokens totalTokens cachedTokens cacheWriteTokens cacheWrite1hTokens"
    counts += " audioPromptTokens imagePromptTokens reasoningTokens audioCompletionTokens"
    told: dict[str, object] = {name: f"1 {name}" for name in texts.split()}
    told |= {name: number for number, name in enumerate(counts.split())}
    told |= {"consumerId": "retail", "consumerType": "subscription"}
    told |= {"statusCode": 200, "forwarded": True, "streamed": False, "durationMs": 1834}
    assert len(told) == len(UsageRecord.model_fields) - 3 + 2, "all but shape, timestamp and key id, and the consumer"
    row = only([call("r-1", "2026-10-15T12:00:00.123Z", **told)])
    assert {name: row[name] for name in told} == told
    assert row["recordShape"] == "usage/1"
    assert str(row["eventTime"]) == "2026-10-15 12:00:00.123000+00:00"
    assert part(row, "deliveries", "usageKnown", "countsDiffer") == (1, True, False)


def test_what_is_not_known_is_null_and_zero_stays_zero() -> None:
    calls = usage([counted("zero", 0, 0, cachedTokens=0), call("nothing"), call("part", promptTokens=7)])
    assert part(calls["zero"], *TOKENS, "cachedTokens", "reasoningTokens") == (0, 0, 0, 0, None)
    assert part(calls["nothing"], *TOKENS, "statusCode", "forwarded", "usageKnown") == (None,) * 5 + (False,)
    assert part(calls["nothing"], "consumerId", "consumerType", "model") == ("", "unknown", "")
    assert part(calls["part"], *TOKENS, "usageKnown") == (7, None, None, True)


def test_a_million_million_tokens_are_counted_to_the_token() -> None:
    row = only([counted("huge", 10**12, 10**12 - 1)])
    assert part(row, *TOKENS) == (1_000_000_000_000, 999_999_999_999, 1_999_999_999_999)


def test_a_record_delivered_three_times_is_one_call() -> None:
    row = only([counted("a", 100, 20)] * 3)
    assert part(row, *TOKENS, "deliveries", "countsDiffer") == (100, 20, 120, 3, False)


COUNTS = "promptTokens completionTokens totalTokens cachedTokens cacheWriteTokens cacheWrite1hTokens"
COUNTS += " audioPromptTokens imagePromptTokens reasoningTokens audioCompletionTokens"


@pytest.mark.parametrize("name", [*COUNTS.split(), "consumerId"])
def test_two_calls_of_one_request_id_are_conflicting(name: str) -> None:
    """A gateway that reuses request ids makes one row of two calls; nobody can tell them apart, but it is said."""
    told: dict[str, object] = dict.fromkeys(COUNTS.split(), 5) | {"consumerId": "retail"}
    other = told | {name: "hr" if name == "consumerId" else 9}
    calls = usage(
        [
            *(call("two calls", **told), call("two calls", **other)),
            *(call("delivered again", **told), call("delivered again", **told)),
            *(call("silent", **told), call("silent", **{key: told[key] for key in told if key != name})),
            *(call("the log", **told), log_row("the log", **other)),
        ]
    )
    assert {key: row["conflicting"] for key, row in calls.items()} == {
        "two calls": True,
        "delivered again": False,
        "silent": False,
        "the log": False,
    }
    assert calls["two calls"]["countsDiffer"] is False, "that is about policy and log"
    assert calls["two calls"][name] == ("retail" if name == "consumerId" else 9)


def test_zero_and_some_tokens_are_conflicting() -> None:
    assert only([counted("a", 0, 0), counted("a", 3, 4)])["conflicting"] is True


def test_a_call_told_in_two_events_is_one_call_without_a_conflict() -> None:
    """OpenMeter's producers send a call's prompt and its completion as two events."""
    row = only([call("a", consumerId="retail", promptTokens=8), call("a", consumerId="retail", completionTokens=3)])
    assert part(row, "promptTokens", "completionTokens", "consumerId") == (8, 3, "retail")
    assert part(row, "deliveries", "conflicting", "otherConsumerId") == (2, False, "")


def test_a_conflict_tells_the_other_consumer_and_the_least_counts() -> None:
    row = only([counted("a", 100, 20), counted("a", 7, 50, consumerId="hr")])
    assert part(row, "consumerId", *TOKENS) == ("retail", 100, 50, 120)
    assert part(row, "otherConsumerId", "leastPromptTokens", "leastCompletionTokens", "leastTotalTokens") == (
        *("hr", 7, 20),
        57,
    )


def test_events_without_an_identity_are_calls_of_their_own() -> None:
    """The original articles' function sends no recordId; two of its events must not become one call."""
    theirs = event("Function called with Chargeback Data", "2026-10-15T12:00:00Z", {"totalTokens": 5})
    assert [row["totalTokens"] for row in usage([theirs, theirs]).values()] == [5, 5]


def test_a_pending_stream_gets_its_counts_from_the_gateways_log() -> None:
    row = only([pending("a"), log_row("a", model="gpt-4o", promptTokens=900, completionTokens=80, totalTokens=980)])
    assert part(row, *TOKENS) == (900, 80, 980)
    assert part(row, "usageSource", "note", "consumerId", "model") == ("gateway-log", "", "retail", "gpt-4o")
    assert part(row, "recordShape", "statusCode", "streamed", "deliveries") == ("usage/1", 200, True, 2)


def test_a_pending_stream_without_counts_in_the_log_is_still_pending() -> None:
    calls = usage([pending("alone"), pending("named"), log_row("named", model="gpt-4o")])
    assert part(calls["alone"], "usageSource", "note", "usageKnown") == ("pending", "stream-not-read", False)
    assert part(calls["named"], "usageSource", "note", "usageKnown") == ("pending", "stream-not-read", False)
    assert part(calls["named"], "model", *TOKENS) == ("gpt-4o", None, None, None)


def test_the_logs_rows_of_one_answer_give_the_largest_of_each_count() -> None:
    pieces = [
        log_row("a", model="gpt-4o", promptTokens=50, completionTokens=0, totalTokens=50, reasoningTokens=1),
        log_row("a", promptTokens=12, completionTokens=9, totalTokens=59, cachedTokens=3),
        log_row("a", completionTokens=7, cachedTokens=8, reasoningTokens=4),
    ]
    row = only([pending("a"), *pieces])
    assert part(row, *TOKENS, "cachedTokens", "reasoningTokens", "deliveries") == (50, 9, 59, 8, 4, 4)


def test_counts_of_the_policy_win_as_one_set() -> None:
    """The log's cached tokens are not mixed into the policy's set, which does not know them."""
    log = log_row("a", promptTokens=100, completionTokens=20, totalTokens=120, cachedTokens=64)
    row = only([counted("a", 100, 20), log])
    assert part(row, *TOKENS, "cachedTokens", "usageSource", "countsDiffer") == (100, 20, 120, None, "body", False)


def test_zero_from_the_policy_is_a_count_and_wins() -> None:
    row = only([counted("a", 0, 0), log_row("a", promptTokens=5, completionTokens=5, totalTokens=10)])
    assert part(row, *TOKENS, "countsDiffer") == (0, 0, 0, True)


@pytest.mark.parametrize("name", ["promptTokens", "completionTokens", "totalTokens", "cachedTokens", "reasoningTokens"])
def test_a_count_that_differs_is_shown(name: str) -> None:
    same = {"promptTokens": 10, "completionTokens": 5, "totalTokens": 15, "cachedTokens": 4, "reasoningTokens": 3}
    calls = usage(
        [
            *(call("differs", **same), log_row("differs", **{**same, name: 99})),
            *(call("agrees", **same), log_row("agrees", **same)),
            *(call("silent", **same), log_row("silent", **{key: same[key] for key in same if key != name})),
        ]
    )
    assert {key: row["countsDiffer"] for key, row in calls.items()} == {
        "differs": True,
        "agrees": False,
        "silent": False,
    }
    assert calls["differs"][name] == same[name]
    assert part(calls["agrees"], "logPromptTokens", "logCompletionTokens", "logTotalTokens") == (10, 5, 15)


def test_anthropics_log_rows_leave_cache_writes_unknown() -> None:
    log = {"model": "claude-sonnet-4", "promptTokens": 700, "completionTokens": 50, "totalTokens": 750}
    row = only([pending("a"), log_row("a", **log, cachedTokens=600, note="cache-writes-unknown")])
    assert part(row, *TOKENS, "cachedTokens", "cacheWriteTokens") == (700, 50, 750, 600, None)
    assert part(row, "usageSource", "note") == ("gateway-log", "cache-writes-unknown")


@pytest.mark.parametrize(("prompt", "differs"), [(700, False), (701, True)])
def test_cache_writes_that_the_log_cannot_see_are_no_difference(prompt: int, differs: bool) -> None:
    """The policy's prompt of 1000 has 300 cache writes in it; the log knows the other 700."""
    policy = counted("a", 1000, 50, cachedTokens=600, cacheWriteTokens=300)
    log = {"promptTokens": prompt, "completionTokens": 50, "totalTokens": prompt + 50, "note": "cache-writes-unknown"}
    assert only([policy, log_row("a", **log)])["countsDiffer"] is differs


def test_the_gateways_log_says_who_called_where_the_policy_is_silent() -> None:
    gateway = call(
        "a",
        recordShape="gateway-log",
        consumerId="hr",
        consumerType="subscription",
        deploymentId="chat",
        statusCode=200,
        forwarded=True,
    )
    row = only([log_row("a", model="gpt-4o", promptTokens=3, completionTokens=4, totalTokens=7), gateway])
    assert part(row, "consumerId", "consumerType", "deploymentId", "statusCode") == ("hr", "subscription", "chat", 200)
    assert part(row, *TOKENS, "usageSource", "recordShape") == (3, 4, 7, "gateway-log", "gateway-log")


def test_the_policy_comes_before_the_gateways_log_and_that_before_the_llm_log() -> None:
    told = [
        log_row("a", deploymentId="llm", backendId="llm", model="llm"),
        call("a", recordShape="gateway-log", deploymentId="gateway", backendId="gateway", statusCode=500),
        counted("a", 1, 1, deploymentId="policy", consumerId="it"),
    ]
    row = only(told)
    assert part(row, "deploymentId", "backendId", "model") == ("policy", "gateway", "llm")
    assert part(row, "consumerId", "statusCode", "recordShape") == ("it", 200, "usage/1")


def test_a_caller_unknown_to_the_policy_is_the_gateways_logs() -> None:
    nobody = counted("a", 1, 1)
    unknown = call("a", consumerType="unknown", totalTokens=2)
    known = call("a", recordShape="gateway-log", consumerId="u-7", consumerType="user")
    assert part(only([unknown, known]), "consumerId", "consumerType") == ("u-7", "user")
    assert part(only([nobody, known]), "consumerId", "consumerType") == ("retail", "subscription")


def test_records_in_the_hacks_shape_need_neither_status_nor_backend() -> None:
    seed = {"recordShape": "seed", "consumerId": "key-0123456789abcdef", "consumerType": "key"}
    row = only([call("ns/hub/0/7@1", **seed, promptTokens=11, completionTokens=2, totalTokens=13)])
    assert part(row, *TOKENS, "usageKnown") == (11, 2, 13, True)
    assert part(row, "statusCode", "forwarded", "streamed", "usageSource") == (None, None, None, "")
    assert part(row, "consumerId", "consumerType") == ("key-0123456789abcdef", "key")
