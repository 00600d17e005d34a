"""Limits, retries, and that a call is recorded once whatever fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.policy.result import Result
from tests.policy.scenes import document, written
from tests.policy.test_policies_inbound import ANSWER, JSON, POLICIES, Call, standing, token

pytestmark = pytest.mark.needs_mono

RECORD = '<include-fragment fragment-id="record-usage" />'
THROWING = '<set-variable name="later" value="@(((string)null).Length)" />'


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    with standing(POLICIES / "api.xml") as calls:
        yield calls


def over(**limit: Any) -> dict[str, Any]:
    return {"limits": {"exceeded": "llm-token-limit", **limit}}


@pytest.mark.parametrize(
    ("limit", "status", "code", "kind", "reason", "seconds"),
    [
        ({"retryAfter": 17}, 429, "429", "requests", "TokenLimitExceeded", "17"),
        ({"quota": True, "retryAfter": 90000}, 403, *["insufficient_quota"] * 2, "TokenQuotaExceeded", "90000"),
    ],
)
def test_a_limit_answers_in_the_model_apis_words_after_the_record(
    call: Call, limit: dict[str, Any], status: int, code: str, kind: str, reason: str, seconds: str
) -> None:
    result = call(over(**limit))
    assert (result.client_status, result.backend_calls, result.thrown) == (status, 0, [])
    assert (result.client_headers["Retry-After"], result.client_headers["Content-Type"]) == (
        seconds,
        JSON["Content-Type"],
    )
    error = json.loads(result.client_body)["error"]
    assert (error["code"], error["type"], error["param"]) == (code, kind, None)
    assert error["message"].startswith("This consumer's tokens for the ")
    (record,) = result.records
    assert (record["statusCode"], record["forwarded"], record["note"]) == (status, False, f"error:{reason}")
    assert record["usageSource"] == "none"


def test_a_limit_tells_what_is_left(call: Call) -> None:
    left = {"remainingTokens": 0, "remainingQuotaTokens": 5, "consumedTokens": 0}
    headers = call(over(retryAfter=17, **left)).client_headers
    assert headers["x-ratelimit-remaining-tokens"] == "0"
    assert headers["x-ratelimit-remaining-quota-tokens"] == "5"
    assert headers["x-ratelimit-consumed-tokens"] == "0"


@pytest.mark.parametrize(
    ("limit", "status", "kind"), [({}, 429, "rate_limit_error"), ({"quota": True}, 403, "permission_error")]
)
def test_a_limit_answers_anthropics_callers_in_anthropics_words(
    call: Call, limit: dict[str, Any], status: int, kind: str
) -> None:
    result = call({**over(**limit), "request": {"path": "/anthropic/v1/messages"}})
    answer = json.loads(result.client_body)
    assert (result.client_status, result.thrown, set(answer)) == (status, [], {"type", "error"})
    assert (answer["type"], answer["error"]["type"]) == ("error", kind)
    assert set(answer["error"]) == {"type", "message"}


NOBODY: dict[str, Any] = {"subscription": None, "product": None}
APPLICATION = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"


@pytest.mark.parametrize(
    ("case", "counted"),
    [
        ({}, "sub-team-a"),
        ({"user": {"id": "user-7"}}, "sub-team-a"),
        ({**NOBODY, "request": {"headers": {"Authorization": token(appid=APPLICATION)}}}, APPLICATION),
        ({**NOBODY, "user": {"id": "user-7"}}, "user-7"),
        ({**NOBODY, "subscription": {"id": ""}, "user": {"id": "user-7"}}, "user-7"),
        (NOBODY, "nobody"),
    ],
)
def test_a_limit_counts_the_consumer(call: Call, case: dict[str, Any], counted: str) -> None:
    result = call(case)
    assert (result.counter_keys, result.partition_keys) == ([counted], [counted])


def test_metrics_have_the_five_dimensions_and_no_empty_one(call: Call) -> None:
    known = call(
        {
            "user": {"id": "user-7"},
            "request": {"matched": {"deployment-id": "chat"}, "headers": {"Authorization": token(appid=APPLICATION)}},
        }
    ).dimensions
    names = ("Subscription ID", "Product ID", "User ID", "Deployment", "Application")
    values = ("sub-team-a", "oai-gold", "user-7", "chat", APPLICATION)
    assert known == [f"{name}={value}" for name, value in zip(names, values, strict=True)]
    assert call(NOBODY).dimensions == [f"{name}=none" for name in names]


def test_a_body_that_nobody_read_is_sent_again_whole(call: Call) -> None:
    """An audio file, say: the gateway keeps it until a backend has answered."""
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    case = answers(429, 200)
    result = call({**case, "request": {"headers": kind, "body": "--x\r\n\r\nsound\r\n--x--"}})
    assert (result.thrown, result.backend_calls, result.backend_request_body) == (
        *([], 2),
        "--x\r\n\r\nsound\r\n--x--",
    )


def test_an_answer_tells_what_is_left(call: Call) -> None:
    headers = call({"limits": {"remainingTokens": 7, "remainingQuotaTokens": 70, "consumedTokens": 4}}).client_headers
    assert headers["x-ratelimit-remaining-tokens"] == "7"
    assert headers["x-ratelimit-remaining-quota-tokens"] == "70"
    assert headers["x-ratelimit-consumed-tokens"] == "4"


@pytest.mark.parametrize("source", ["rate-limit", "quota-by-key", "validate-azure-ad-token", "forward-request"])
def test_other_failures_keep_the_gateways_own_answer(call: Call, source: str) -> None:
    failure = {"section": "inbound", "source": source, "reason": "Some", "message": "Own words", "status": 429}
    result = call({"failure": failure})
    assert (result.client_status, json.loads(result.client_body)["message"]) == (429, "Own words")
    assert [record["note"] for record in result.records] == ["error:Some"]


def answers(*statuses: Any, after: str | None = None) -> dict[str, Any]:
    """Return a case whose backend answers so, one after the other; the last again and again."""
    headers = {**JSON, **({} if after is None else {"Retry-After": after})}
    busy = {"headers": headers, "body": {"error": {"code": "busy", "message": "Later"}}}
    responses = [
        ANSWER if status == 200 else status if isinstance(status, str) else {"status": status, **busy}
        for status in statuses
    ]
    return {"responses": responses, "request": {"headers": JSON, "body": '{"messages":[],"n":1.10}'}}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_backend_that_is_busy_or_fails_is_asked_again(call: Call, status: int) -> None:
    result = call(answers(status, 200))
    assert (result.backend_calls, result.client_status, result.retry_waits) == (2, 200, [0])
    assert result.backend_request_body == '{"messages":[],"n":1.10}'
    assert [(record["statusCode"], record["promptTokens"]) for record in result.records] == [(200, 3)]


@pytest.mark.parametrize("status", [201, 400, 401, 403, 404, 408, 409, 413, 422, 499])
def test_any_other_answer_is_the_callers_at_once(call: Call, status: int) -> None:
    result = call(answers(status, 200))
    assert (result.backend_calls, result.client_status, result.client_body_intact) == (1, status, True)
    assert [record["statusCode"] for record in result.records] == [status]


@pytest.mark.parametrize(
    ("after", "calls"),
    [(None, 3), ("0", 3), ("5", 3), ("6", 2), ("3600", 2), ("soon", 2), ("", 2), ("Wed, 21 Oct 2026 07:28:00 GMT", 2)],
)
def test_who_asks_for_more_than_five_seconds_is_not_waited_for(call: Call, after: str | None, calls: int) -> None:
    result = call(answers(429, after=after))
    assert (result.backend_calls, result.client_status, len(result.records)) == (calls, 429, 1)
    assert result.client_headers.get("Retry-After") == after
    assert sum(result.retry_waits) <= 5


@pytest.mark.parametrize(
    ("after", "calls", "waits"), [(None, 3, [5, 5]), ("5", 3, [5, 5]), ("6", 1, []), ("soon", 1, [])]
)
def test_a_backend_that_is_alone_gets_the_time_it_asks_for(
    call: Call, after: str | None, calls: int, waits: list[float]
) -> None:
    result = call(answers(429, after=after), {"chargeback-retry-at-once": "false"})
    assert (result.backend_calls, result.retry_waits, len(result.records)) == (calls, waits, 1)


@pytest.mark.parametrize(("how", "calls", "forwarded"), [("timeout", 2, True), ("refused", 2, True)])
def test_no_answer_ends_the_retries(call: Call, how: str, calls: int, forwarded: bool) -> None:
    result = call(answers(503, how, 200))
    assert (result.backend_calls, result.client_status, len(result.records)) == (calls, 500, 1)
    assert result.records[0]["forwarded"] == forwarded


def test_a_stream_that_is_live_is_read_by_nobody(call: Call) -> None:
    stream = {"headers": {"Content-Type": "text/event-stream"}, "body": "data: [DONE]\n\n"}
    result = call({"responses": [answers(429)["responses"][0], stream]})
    assert (result.body_reads, result.client_body, result.backend_calls) == (0, b"data: [DONE]\n\n", 2)


def small(folder: Path, case: dict[str, Any] | None = None, **sections: str) -> Result:
    """Run a case through a policy that has record-usage and something that throws."""
    with standing(written(folder, document(**sections))) as call:
        return call(case or {})


def test_a_later_policy_that_throws_leaves_one_record_of_the_answer(tmp_path: Path) -> None:
    result = small(tmp_path, outbound=RECORD + THROWING, on_error=RECORD)
    assert (result.client_status, len(result.thrown)) == (500, 1)
    assert [(record["statusCode"], record["promptTokens"], record["note"]) for record in result.records] == [
        (200, 3, None)
    ]


def test_an_earlier_policy_that_throws_leaves_one_record_of_the_failure(tmp_path: Path) -> None:
    result = small(tmp_path, outbound=THROWING + RECORD, on_error=RECORD)
    (record,) = result.records
    assert (record["statusCode"], record["note"]) == (500, "error:ExpressionValueEvaluationFailure")
    assert record["forwarded"]


def test_an_inbound_policy_that_throws_leaves_one_record_of_a_call_that_went_nowhere(tmp_path: Path) -> None:
    (record,) = small(tmp_path, inbound=THROWING, outbound=RECORD, on_error=RECORD).records
    assert (record["statusCode"], record["forwarded"], record["backendHost"]) == (500, False, None)


def test_an_on_error_policy_that_throws_behind_the_record_does_not_record_again(tmp_path: Path) -> None:
    result = small(tmp_path, {"backend": "timeout"}, outbound=RECORD, on_error=RECORD + THROWING)
    assert ([record["note"] for record in result.records], len(result.thrown)) == (["error:Timeout"], 1)


def test_a_call_is_recorded_once_however_often_the_fragment_stands_there(tmp_path: Path) -> None:
    result = small(tmp_path, outbound=RECORD * 3, on_error=RECORD * 2)
    assert (len(result.records), result.client_body_intact, result.thrown) == (1, True, [])


def test_a_body_that_an_earlier_policy_took_is_recorded_as_unreadable(tmp_path: Path) -> None:
    taken = '<set-variable name="taken" value="@(context.Response.Body.As<string>())" />'
    result = small(tmp_path, outbound=taken + RECORD, on_error=RECORD)
    (record,) = result.records
    assert (result.thrown, record["statusCode"], record["note"]) == ([], 200, "body-unreadable")


@pytest.mark.parametrize(
    "name",
    ["app-id", "deployment", "backend-id", "usage-requested"],
)
def test_a_variable_of_another_type_costs_no_call_and_no_count(tmp_path: Path, name: str) -> None:
    """Other policies may set variables of these names."""
    wrong = f'<set-variable name="chargeback-{name}" value="@(41)" />'
    result = small(tmp_path, outbound=wrong + RECORD, on_error=RECORD)
    (record,) = result.records
    assert (result.thrown, result.client_status, record["promptTokens"]) == ([], 200, 3)
    assert record["note"] in (None, "record-failed")
