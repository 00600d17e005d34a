"""Every situation of `cases/`: what the policy records of it, and what the function then reads.

This is the contract between the policy's C# and the function's Python. A situation is a file:

- `about`: one sentence; `case`: a case of `tests.policy.gateway.Gateway`; `named`: named values, where they matter;
  `modes`: the stream modes, where all of them would take time and show nothing
- `expect`: worked out by hand, for `all` stream modes and on top of that for `live`, `buffer`, `buffer-anthropic`:
  - `record`: the record's fields, where they differ from `USUAL`
  - `client`: `status` (the record's, if it is not named), `headers`, `intact`
  - `backend`: `calls`, `waits`, `body` (the caller's, if it is not named), `inserted`, `headers`, `without` (headers)
  - `bodyReads`, `partitionKey`, `consumer` (id and type), `event` (properties)
  - `exact`: false where a text or a sum needs a second look, so that the function's short way may not take the record
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from chargeback.events import usage_event
from chargeback.records import Position, UsageRecord, record_id
from chargeback.shapes import read, usage1
from tests.policy.gateway import Gateway
from tests.policy.result import Result

pytestmark = pytest.mark.needs_mono

Situation: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[..., Result]

POLICIES = Path(__file__).parent.parent.parent / "infra" / "policies"
MODES = ("live", "buffer", "buffer-anthropic")
COUNTS = (
    *("promptTokens", "completionTokens", "totalTokens", "cachedTokens", "cacheWriteTokens", "cacheWrite1hTokens"),
    *("audioPromptTokens", "imagePromptTokens", "reasoningTokens", "audioCompletionTokens"),
)
USUAL: Mapping[str, Any] = {
    "schema": "chargeback.usage/1",
    "requestId": "11111111-1111-1111-1111-111111111111",
    "subscriptionId": "sub-team-a",
    "productId": "oai-gold",
    "apiId": "azure-openai",
    "operationId": "ChatCompletions_Create",
    "userId": None,
    "appId": None,
    "costCenter": None,
    "deploymentId": None,
    "servedDeployment": None,
    "spilloverFrom": None,
    "modelRegion": None,
    "backendId": "openai",
    "backendHost": "openai.backend.example",
    "model": None,
    "serviceTier": None,
    "region": "West Europe",
    "statusCode": 200,
    "forwarded": True,
    "streamed": False,
    "durationMs": 812,
    "usageSource": "body",
    "note": None,
    "traceId": None,
    **dict.fromkeys(COUNTS),
}
LARGEST = 4096
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INSERTED = '{"stream_options":{"include_usage":true},'

DEEP = "[" * 100_000 + "]" * 100_000
SMALL_USAGE = '{"prompt_tokens":21,"completion_tokens":9,"total_tokens":30}'
VECTOR = "[" + ",".join(["-0.0123456789"] * 1536) + "]"


def generated(about: str, body: str, **record: Any) -> Situation:
    """Make a situation whose body is too large for a file."""
    headers = {"Ocp-Apim-Subscription-Key": "PLANTED-KEY"}
    response = {"headers": {"Content-Type": "application/json"}, "body": body}
    return {
        "about": about,
        "case": {"request": {"headers": headers}, "response": response},
        "modes": ["buffer"],
        "expect": {"all": {"record": record}},
    }


COUNTED = {"promptTokens": 21, "completionTokens": 9, "totalTokens": 30}
UNREAD = {"usageSource": "none", "note": "usage-unreadable"}
GENERATED = {
    "generated-5-mb-embeddings": generated(
        "5 MB of vectors before the usage.",
        '{"data":['
        + ",".join(['{"embedding":' + VECTOR + "}"] * 235)
        + '],"usage":{"prompt_tokens":8,"total_tokens":8}}',
        promptTokens=8,
        totalTokens=8,
    ),
    "generated-5-mb-text": generated(
        "5 MB of one text, full of quotes.",
        '{"choices":[{"text":"' + '\\"usage\\":{\\\\' * 350_000 + '"}],"usage":' + SMALL_USAGE + "}",
        **COUNTED,
    ),
    "generated-deep": generated(
        "100,000 lists in each other before the usage.",
        '{"choices":' + DEEP + ',"usage":' + SMALL_USAGE + "}",
        **COUNTED,
    ),
    "generated-deep-usage": generated(
        "100,000 lists in each other within the usage are not parsed: that would end the process.",
        '{"usage":{"prompt_tokens":21,"x":' + DEEP + "}}",
        **UNREAD,
    ),
    "generated-deep-usage-small": generated(
        "Nor are 4,000 lists, which are no more than 8 KB.",
        '{"usage":{"prompt_tokens":21,"x":' + "[" * 4000 + "]" * 4000 + "}}",
        **UNREAD,
    ),
    "generated-large-usage": generated(
        "A usage of 1 MB is no usage.", '{"usage":{"prompt_tokens":21,"x":"' + "x" * 1_000_000 + '"}}', **UNREAD
    ),
}
SITUATIONS: Mapping[str, Situation] = {
    **{
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted((Path(__file__).parent / "cases").glob("*.json"))
    },
    **GENERATED,
}
EACH = [
    pytest.param(name, mode, id=f"{name}-{mode}")
    for name, situation in SITUATIONS.items()
    for mode in situation.get("modes", MODES)
]
each_situation_and_mode = pytest.mark.parametrize(("name", "mode"), EACH)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Run a situation, once for all that is asserted of it."""
    standard = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    gateways: dict[str, Gateway] = {}
    with ExitStack() as stack:

        @cache
        def result(name: str, mode: str, policy: str = "api.xml") -> Result:
            named = {**standard, **SITUATIONS[name].get("named", {}), "chargeback-stream-mode": mode}
            key = policy + json.dumps(named)
            if key not in gateways:
                gateways[key] = stack.enter_context(Gateway(POLICIES / policy, POLICIES, named))
            return gateways[key].run(SITUATIONS[name]["case"])

        yield result


def expected(name: str, mode: str) -> dict[str, Any]:
    """Return what is expected in a mode: for all modes, and on top of that for this one."""
    expect = SITUATIONS[name]["expect"]
    together: dict[str, Any] = {"record": {}, "client": {}, "backend": {}, "event": {}}
    for part in (expect.get("all", {}), expect.get(mode, {})):
        for key, value in part.items():
            together[key] = {**together[key], **value} if isinstance(value, dict) else value
    together["record"] = {**USUAL, **together["record"]}
    return together


def is_now(timestamp: object) -> bool:
    """Tell whether that is the contract's form of a moment ago; the policies read the machine's clock."""
    text = str(timestamp)
    return bool(TIME.fullmatch(text)) and abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(hours=1)


def sent(result: Result) -> bytes:
    """Return the record's bytes, as the policy wrote them."""
    (record,) = result.records
    assert isinstance(record, dict)
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    assert [len(text)] == result.bytes
    return text


@each_situation_and_mode
def test_the_call_is_not_broken(run: Run, name: str, mode: str) -> None:
    result, expect = run(name, mode), expected(name, mode)
    client: dict[str, Any] = {
        "status": expect["record"]["statusCode"],
        "headers": {},
        "intact": True,
        **expect["client"],
    }
    assert result.thrown == []
    assert result.client_status == client["status"]
    assert result.client_body_intact == client["intact"]
    assert {header: result.client_headers.get(header) for header in client["headers"]} == client["headers"]
    if "bodyReads" in expect:
        assert result.body_reads == expect["bodyReads"]
    check_backend(name, result, expect)


def check_backend(name: str, result: Result, expect: Situation) -> None:
    """Assert that the backend got the caller's request, and no key of the caller."""
    backend: dict[str, Any] = {
        "calls": int(expect["record"]["forwarded"]),
        "headers": {},
        "without": [],
        **expect["backend"],
    }
    assert result.backend_calls == backend["calls"]
    if "waits" in backend:
        assert result.retry_waits == backend["waits"]
    if backend["calls"]:
        assert result.backend_request_body == backend.get("body", own_body(name, inserted="inserted" in backend))
    headers = {header.lower(): value for header, value in result.backend_request_headers.items()}
    assert {header: headers.get(header.lower()) for header in backend["headers"]} == backend["headers"]
    assert not {header.lower() for header in backend["without"]} & set(headers)
    assert "PLANTED-KEY" not in json.dumps([headers, result.backend_urls])


def own_body(name: str, inserted: bool) -> str | None:
    """Return the text that the caller sent."""
    body = SITUATIONS[name]["case"].get("request", {}).get("body")
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False) if isinstance(body, dict | list) else body
    return text.replace("{", INSERTED, 1) if inserted else text


@each_situation_and_mode
def test_the_record_is_the_one_that_was_worked_out_by_hand(run: Run, name: str, mode: str) -> None:
    result, expect = run(name, mode), expected(name, mode)
    (record,) = result.records
    assert isinstance(record, dict)
    assert is_now(record.get("timestamp"))
    assert {key: value for key, value in record.items() if key != "timestamp"} == expect["record"]
    assert result.logger_ids == ["chargeback-usage"]
    assert result.partition_keys == [expect.get("partitionKey", "sub-team-a")]
    text = sent(result)
    assert len(text) <= LARGEST
    # Keys, tokens, prompts and completions are planted in the cases; SECRET-KEY is the subscription's own.
    assert b"PLANTED" not in text
    assert b"SECRET-KEY" not in text


@each_situation_and_mode
def test_the_function_reads_what_the_policy_wrote(run: Run, name: str, mode: str) -> None:
    text = sent(run(name, mode))
    expect = expected(name, mode)
    (record,) = read(text)
    assert isinstance(record, UsageRecord)
    if expect.get("exact", True):
        assert usage1.read_exact(text) == record
    assert record.timestamp is not None
    event = usage_event(record, record_id(record.request_id, Position(), text, None), Position(), record.timestamp)
    consumer, kind = expect.get("consumer", ("sub-team-a", "subscription"))
    properties = {
        "recordId": USUAL["requestId"],
        "recordShape": "usage/1",
        "consumerId": consumer,
        "consumerType": kind,
        "statusCode": str(expect["record"]["statusCode"]),
        "note": expect["record"]["note"],
        **{count: expect["record"][count] for count in COUNTS},
        **expect["event"],
    }
    written = {key: None if value is None else str(value) for key, value in properties.items()}
    assert {key: event.properties.get(key) for key in written} == written


def needs_only_the_record(situation: Situation) -> bool:
    """Tell whether nothing but record-usage has a part in it."""
    case = situation["case"]
    return not {"tokens", "limits", "failure", "responses", "backend"} & set(case) and "named" not in situation


@pytest.mark.parametrize("name", [name for name in SITUATIONS if needs_only_the_record(SITUATIONS[name])])
def test_the_least_policy_counts_the_same(run: Run, name: str) -> None:
    result, expect = run(name, "buffer", "api-minimal.xml"), expected(name, "buffer")
    (record,) = result.records
    assert (result.thrown, result.client_body_intact) == ([], True)
    same = (*COUNTS, "usageSource", "statusCode", "streamed", "forwarded")
    assert {key: record[key] for key in same} == {key: expect["record"][key] for key in same}


def test_the_cases_know_every_field_of_the_contract() -> None:
    names = {field.alias for field in UsageRecord.model_fields.values()}
    assert {*USUAL, "timestamp"} == (names - {"shape", "keyId"}) | {"schema"}


def test_each_situation_plants_something_and_says_what_it_is_about() -> None:
    for name, situation in SITUATIONS.items():
        assert "PLANTED" in json.dumps(situation["case"]), name
        assert re.fullmatch(r"\S.{10,150}\.", situation["about"]), name
        assert set(situation["expect"]) <= {"all", *MODES}, name
