"""Limits are stand-ins: they set and announce what the reference documents, and refuse when the case says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.gateway import Gateway
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono

TOLD = log('@(context.LastError.Source + "|" + context.LastError.Reason + "|" + context.Response.StatusCode)')
TOKEN_LIMIT = """<{0} counter-key="@(context.Subscription.Id)" tokens-per-minute="5000" estimate-prompt-tokens="true"
    remaining-tokens-header-name="remaining" remaining-tokens-variable-name="left" retry-after-variable-name="wait"
    tokens-consumed-header-name="consumed" tokens-consumed-variable-name="used" />"""
QUOTA = """<llm-token-limit counter-key="a" token-quota="9" token-quota-period="Daily" estimate-prompt-tokens="false"
    remaining-quota-tokens-header-name="quota" remaining-quota-tokens-variable-name="quotaLeft" />"""
USED = log('@((int)context.Variables["left"] + " " + (int)context.Variables["used"])')


@pytest.mark.parametrize("name", ["llm-token-limit", "azure-openai-token-limit"])
def test_a_token_limit_tells_what_is_left_and_what_was_used(tmp_path: Path, name: str) -> None:
    text = document(TOKEN_LIMIT.format(name), backend=USED + "<forward-request />", outbound=USED)
    limits = {"remainingTokens": 4000, "estimatedTokens": 20, "consumedTokens": 46}
    result = run(tmp_path, text, {"limits": limits})
    assert result.records == ["4000 20", "4000 46"]
    assert result.client_headers == {"remaining": "4000", "consumed": "46"}


def test_a_token_quota_tells_what_is_left(tmp_path: Path) -> None:
    text = document(QUOTA + log('@((int)context.Variables["quotaLeft"])'))
    result = run(tmp_path, text, {"limits": {"remainingQuotaTokens": 7}})
    assert (result.records, result.client_headers) == (["7"], {"quota": "7"})


@pytest.mark.parametrize("name", ["llm-token-limit", "azure-openai-token-limit"])
def test_a_token_limit_that_is_exceeded_is_a_429_with_retry_after(tmp_path: Path, name: str) -> None:
    text = document(TOKEN_LIMIT.format(name), on_error=TOLD + log('@((int)context.Variables["wait"])'))
    result = run(tmp_path, text, {"limits": {"exceeded": name, "retryAfter": 17, "remainingTokens": 0}})
    assert result.records == [f"{name}|TokenLimitExceeded|429", "17"]
    assert (result.client_status, result.backend_calls, result.thrown) == (429, 0, [])
    assert (result.client_headers["Retry-After"], result.client_headers["remaining"]) == ("17", "0")
    assert "consumed" not in result.client_headers


def test_a_token_quota_that_is_exceeded_is_a_403(tmp_path: Path) -> None:
    result = run(tmp_path, document(QUOTA, on_error=TOLD), {"limits": {"exceeded": "llm-token-limit", "quota": True}})
    assert result.records == ["llm-token-limit|TokenQuotaExceeded|403"]


CALLS = """<rate-limit calls="10" renewal-period="60" remaining-calls-variable-name="left"
    total-calls-header-name="total" />
<rate-limit-by-key calls="20" renewal-period="60" counter-key="a" retry-after-header-name="Wait" />
<quota calls="30" renewal-period="3600" /><quota-by-key calls="40" renewal-period="3600" counter-key="a" />"""


@pytest.mark.parametrize(
    ("exceeded", "told", "header"),
    [
        ("rate-limit", "rate-limit|RateLimitExceeded|429", "Retry-After"),
        ("rate-limit-by-key", "rate-limit-by-key|RateLimitExceeded|429", "Wait"),
        ("quota", "quota|QuotaExceeded|403", "Retry-After"),
        ("quota-by-key", "quota-by-key|QuotaExceeded|403", "Retry-After"),
    ],
)
def test_a_call_limit_refuses_when_the_case_says_so(tmp_path: Path, exceeded: str, told: str, header: str) -> None:
    reading = log('@((int)context.Variables["left"])')
    with Gateway(written(tmp_path, document(CALLS + reading, on_error=TOLD))) as gateway:
        refused = gateway.run({"limits": {"exceeded": exceeded}})
        allowed = gateway.run({"limits": {"remainingCalls": 3}})
    assert (refused.records, refused.client_headers[header]) == ([told], "30")
    assert (allowed.records, allowed.client_headers["total"]) == (["3"], "10")
