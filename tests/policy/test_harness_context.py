"""What expressions see of a call."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.policy.gateway import Gateway
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono


def test_headers_are_arrays_and_joined_by_get_value_or_default(tmp_path: Path) -> None:
    expression = """@(context.Request.Headers["ACCEPT"].Length + " "
        + context.Request.Headers.GetValueOrDefault("accept", "") + " "
        + context.Request.Headers.GetValueOrDefault("missing", "otherwise"))"""
    case = {"request": {"headers": {"Accept": ["a", "b"]}}}
    assert run(tmp_path, document(log(expression)), case).records == ["2 a,b otherwise"]


def test_get_value_or_default_throws_at_another_type(tmp_path: Path) -> None:
    inbound = '<set-variable name="a" value="1" />' + log('@(context.Variables.GetValueOrDefault<int>("a"))')
    (thrown,) = run(tmp_path, document(inbound)).thrown
    assert thrown.startswith("policy.xml:2: log-to-eventhub: InvalidCastException")


WHO = """@(string.Join(" ", context.Subscription?.Id ?? "-", context.Subscription?.Name ?? "-",
    context.Product?.Id ?? "-", context.User?.Id ?? "-", context.Api.Id, context.Operation.Id, context.RequestId,
    context.Elapsed.TotalMilliseconds))"""
SET = {"requestId": "22222222-2222-2222-2222-222222222222", "elapsedMs": 5}


@pytest.mark.parametrize(
    ("case", "who"),
    [
        (SET, "sub-team-a Team A oai-gold - azure-openai ChatCompletions_Create"),
        ({**SET, "subscription": None, "product": None}, "- - - - azure-openai ChatCompletions_Create"),
        (
            {
                **SET,
                "subscription": {"id": "s", "name": None},
                "product": {"id": "p"},
                "user": {"id": "u"},
                "api": {"id": "a"},
                "request": {"operation": "o"},
            },
            "s - p u a o",
        ),
    ],
)
def test_a_case_says_who_calls_what(tmp_path: Path, case: dict[str, Any], who: str) -> None:
    assert run(tmp_path, document(log(WHO)), case).records == [f"{who} {SET['requestId']} 5"]


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_token_is_read_as_jwt(tmp_path: Path) -> None:
    claims = {"appid": "app-1", "aud": ["a", "b"], "exp": 1732000000, "iss": "me"}
    token = ".".join(encoded(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims, {}))
    expression = """@{
        Jwt jwt;
        if (!context.Request.Headers.GetValueOrDefault("Authorization", "").TryParseJwt(out jwt)) { return "none"; }
        return string.Join(" ", jwt.Claims.GetValueOrDefault("appid", ""), string.Join(",", jwt.Audiences), jwt.Issuer,
            jwt.Algorithm, jwt.ExpirationTime?.ToString("yyyy-MM-dd HH:mm:ss"), jwt.NotBefore == null);
    }"""
    with Gateway(written(tmp_path, document(log(expression)))) as gateway:
        read = gateway.run({"request": {"headers": {"Authorization": f"Bearer {token}"}}})
        others = [
            gateway.run({"request": {"headers": {"Authorization": text}}})
            for text in ("", "Bearer", "Bearer a.b.c", "Bearer " + token.replace(".", ";"), "Basic YTpi")
        ]
    assert read.records == ["app-1 a,b me RS256 2024-11-19 07:06:40 True"]
    assert [other.records for other in others] == [["none"]] * 5


def test_times_and_numbers_are_the_gateways_and_not_this_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    expression = '@(1.5.ToString() + " " + context.Timestamp.ToString() + " " + (DateTime.Now - DateTime.UtcNow).Hours)'
    text = document(log(expression))
    assert run(tmp_path, text).records == ["1.5 11/20/2025 10:00:00 AM 0"]
