"""Records that are odd and still clear: what a strict reader would lose, and what a careless one would invent."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from chargeback.keys import fingerprint
from chargeback.records import Ignored, Reading, Rejected, UsageRecord
from chargeback.shapes import read

KEY = "0123456789abcdef0123456789abcdef"
ANSWER = {"model": "gpt-4o", "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}
OURS = {"schema": "chargeback.usage/1", "requestId": "r-1", "promptTokens": 12}
TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
BOM = b"\xef\xbb\xbf"


def several(source: object) -> list[Reading]:
    return read(source if isinstance(source, bytes) else json.dumps(source).encode())


def usage(source: object) -> UsageRecord:
    (reading,) = several(source)
    assert isinstance(reading, UsageRecord), reading
    return reading


def counts(record: UsageRecord) -> tuple[int | None, int | None, int | None]:
    return record.prompt_tokens, record.completion_tokens, record.total_tokens


@pytest.mark.parametrize(
    "source",
    [
        rb'{"promptTokens":12,"completionTokens":3,"user":"Ann \ud83d"}',
        rb'{"response":{"usage":{"prompt_tokens":12,"completion_tokens":3},"x":"\ude00"}}',
        json.dumps({"response": json.dumps(ANSWER)[:-1] + r', "x": "cut \ud83d"}'}).encode(),
        json.dumps({"response": f"data: {json.dumps(ANSWER)[:-1]}" + r', "x": "cut \ud83d"}' + "\n\n"}).encode(),
        rb'{"promptTokens":1}' + b"\n" + rb'{"promptTokens":12,"completionTokens":3,"x":"\ud83d"}',
    ],
)
def test_a_cut_emoji_costs_no_usage(source: bytes) -> None:
    record = several(source)[-1]
    assert isinstance(record, UsageRecord), record
    assert counts(record) == (12, 3, 15)


@pytest.mark.parametrize(
    "source",
    [
        {"response": "", "responseBody": ANSWER},
        {"Response": None, "response": "  ", "ResponseBody": json.dumps(ANSWER)},
        {"response": {}, "responseBody": ANSWER},
        {"response": [{"choices": []}, ANSWER]},
        {"response": json.dumps([{"choices": []}, ANSWER])},
        {"response": json.dumps(json.dumps(ANSWER))},
        {"response": json.dumps({"choices": []}) + "\n" + json.dumps(ANSWER) + "\n"},
        {"response": ANSWER | {"usage": json.dumps(ANSWER["usage"])}},
        {"response": {"usage": {"promptTokens": 12, "completionTokens": 3, "totalTokens": 15}}},
        {"appSubscriptionKey": "retail", "promptTokens": None, "totalTokens": "", "response": ANSWER},
        {"event-time": None, "appid": "app-1", "prompt_tokens": "", "responseBody": json.dumps(ANSWER)},
        {"usage": json.dumps(ANSWER["usage"])},
    ],
)
def test_usage_is_found_wherever_it_stands(source: dict[str, object]) -> None:
    assert counts(usage(source)) == (12, 3, 15)


def test_an_empty_response_beside_known_counts_leaves_the_record_what_it_was() -> None:
    record = usage({"appSubscriptionKey": "retail", "promptTokens": 5, "response": ""})
    assert (record.shape, record.prompt_tokens, record.note) == ("seed", 5, None)


@pytest.mark.parametrize("kind", ["snake", "camel"])
@pytest.mark.parametrize("place", ["flat", "nested", "response"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # input, output, total, read, written -> prompt, completion, total
        ((10, 4, 14, 100, 20), (130, 4, 134)),
        ((10, 4, 134, 100, 20), (130, 4, 134)),
        ((10, 4, None, 100, 20), (130, 4, 134)),
        ((10, None, 10, 0, None), (10, None, 10)),
        ((10, None, 10, 5, None), (15, None, 15)),
        ((10, None, 30, 5, None), (15, None, None)),
        ((None, None, 30, 5, None), (None, None, 30)),
        ((10, 4, 99, 5, None), (15, 4, 99)),
    ],
)
def test_cache_counts_beside_input_tokens_join_prompt_and_total(
    kind: str, place: str, given: tuple[int | None, ...], expected: tuple[int | None, ...]
) -> None:
    snake = ("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    camel = ("inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    found = dict(zip(snake if kind == "snake" else camel, given, strict=True))
    source = {"flat": found, "nested": {"usage": found}, "response": {"response": {"usage": found}}}[place]
    record = usage(source)
    assert counts(record) == expected
    assert (record.cached_tokens, record.cache_write_tokens) == given[3:]
    assert (record.note == "total-mismatch") == (given[2] == 99)


def llm_row(**properties: object) -> dict[str, object]:
    return {"category": "GatewayLlmLogs", "correlationId": "c-1", "properties": properties}


def test_a_claude_row_with_a_total_alone_keeps_it() -> None:
    record = usage(llm_row(modelName="claude-sonnet-4-6", totalTokens=30))
    assert (*counts(record), record.note) == (None, None, 30, "cache-writes-unknown")


def test_a_claude_rows_total_takes_the_cache_in() -> None:
    record = usage(
        llm_row(modelName="claude", promptTokens=10, completionTokens=4, totalTokens=14, promptCachedTokens=5)
    )
    assert counts(record) == (15, 4, 19)


@pytest.mark.parametrize(
    "names", [{"modelName": "anthropic.sonnet"}, {"deploymentName": "Claude-team"}, {"modelName": "CLAUDE-opus-4-1"}]
)
def test_anthropic_rows_are_known_by_model_or_deployment(names: dict[str, object]) -> None:
    assert usage(llm_row(promptTokens=10, promptCachedTokens=5, **names)).prompt_tokens == 15


def test_a_rows_time_may_stand_in_its_properties() -> None:
    assert usage(llm_row(modelName="gpt-4o", totalTokens=30, time="2026-11-20T10:00:00Z")).timestamp == TEN


def test_a_time_that_cannot_be_read_beside_one_that_can_is_passed_over() -> None:
    assert usage({"time": "just now", "timestamp": "2026-11-20T10:00:00Z", "promptTokens": 1}).timestamp == TEN
    assert usage({"timestamp": "2026-11-20T10:00:00Z", "time": 5, "promptTokens": 1}).timestamp == TEN


@pytest.mark.parametrize("text", ["2026-11-20T10:00:00z", "2026-11-20t10:00:00.000z", "20/11/2026"])
def test_small_letters_are_iso_too(text: str) -> None:
    (reading,) = several({"timestamp": text, "promptTokens": 1})
    assert (reading.timestamp if isinstance(reading, UsageRecord) else None) == (None if "/" in text else TEN)


@pytest.mark.parametrize("body", [BOM, BOM + b"\n", BOM + BOM])
def test_a_body_of_a_byte_order_mark_alone_is_empty(body: bytes) -> None:
    assert several(body) == [Ignored("unknown", "empty body")]


def test_byte_order_marks_between_records_are_skipped() -> None:
    body = BOM + b'{"promptTokens":1}\n' + BOM + b'{"promptTokens":2}' + BOM
    assert [reading.prompt_tokens for reading in several(body) if isinstance(reading, UsageRecord)] == [1, 2]
    assert len(several(body)) == 2


def event(data: object, **more: object) -> dict[str, object]:
    return {"specversion": "1.0", "id": "e-1", "time": "2026-11-20T10:00:00Z", "subject": "retail", "data": data} | more


@pytest.mark.parametrize(
    "data",
    [
        [{"promptTokens": 1}, {"promptTokens": 2}],
        {"records": [{"promptTokens": 1}, {"promptTokens": 2}]},
        json.dumps([{"promptTokens": 1}, {"promptTokens": 2}]),
    ],
)
def test_a_cloudevent_may_hold_several_records(data: object) -> None:
    readings = several(event(data))
    assert [reading.prompt_tokens for reading in readings if isinstance(reading, UsageRecord)] == [1, 2]
    assert {reading.timestamp for reading in readings if isinstance(reading, UsageRecord)} == {TEN}
    assert {reading.user_id for reading in readings if isinstance(reading, UsageRecord)} == {"retail"}


def test_exports_in_an_array_are_all_read() -> None:
    readings = several([{"records": [{"promptTokens": 1}]}, {"records": [{"promptTokens": 2}, {"promptTokens": 3}]}])
    assert [reading.prompt_tokens for reading in readings if isinstance(reading, UsageRecord)] == [1, 2, 3]


@pytest.mark.parametrize("own", [{}, {"timestamp": None}, {"timestamp": ""}])
def test_a_cloudevents_time_stands_in_for_our_own_records_too(own: dict[str, object]) -> None:
    assert usage(event(OURS | own)).timestamp == TEN


def test_a_cloudevents_base64_data_is_read() -> None:
    packed = base64.b64encode(json.dumps([OURS]).encode()).decode()
    source = {"specversion": "1.0", "time": "2026-11-20T10:00:00Z", "data_base64": packed}
    assert usage(source).prompt_tokens == 12


def test_braces_within_texts_are_no_objects() -> None:
    record = usage({"promptTokens": 1, "response": {"usage": {"prompt_tokens": 7}, "text": '{[\\" ' * 60_000}})
    assert record.prompt_tokens == 7


def test_braces_of_objects_still_count() -> None:
    (reading,) = several(b'{"promptTokens":1,"x":[' + b'{"a{":1},' * 100_000 + b"1]}")
    assert isinstance(reading, Rejected)
    assert reading.error_type == "TooLarge"


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "apiId",
        "deploymentId",
        "region",
        "backendId",
        "operationName",
        "serviceTier",
        "servedDeployment",
        "note",
    ],
)
@pytest.mark.parametrize("value", [KEY, f"https://host/openai?api-key={KEY}", f"error:{KEY}"])
@pytest.mark.parametrize("ours", [True, False])
def test_keys_leave_no_field_but_the_ids_of_the_call(name: str, value: str, ours: bool) -> None:
    more = OURS | {"timestamp": "2026-11-20T10:00:00.000Z"} if ours else {"promptTokens": 12}
    body = json.dumps({**more, name: value}, separators=(",", ":")).encode()
    assert KEY not in usage(body).model_dump_json()


def test_an_errors_code_is_no_way_out_for_a_key() -> None:
    record = usage({"response": {"error": {"code": KEY}}})
    assert record.note == f"error:{fingerprint(KEY)}"


@pytest.mark.parametrize("trace", ["please summarise this letter", "x" * 200, f"{KEY} {KEY}"])
@pytest.mark.parametrize("ours", [True, False])
def test_a_trace_id_is_an_id_or_nothing(trace: str, ours: bool) -> None:
    more = OURS | {"timestamp": "2026-11-20T10:00:00.000Z"} if ours else {"promptTokens": 12}
    body = json.dumps({**more, "traceId": trace}, separators=(",", ":")).encode()
    assert usage(body).trace_id is None


@pytest.mark.parametrize("name", ["model", "deploymentId"])
def test_a_models_name_is_no_place_for_prose(name: str) -> None:
    prose = "Dear model, please summarise the following letter of my lawyer for me."
    record = usage({"promptTokens": 1, name: prose, "requestId": "r-1"})
    assert prose not in record.model_dump_json()


U = ANSWER["usage"]


@pytest.mark.parametrize(
    "source",
    [
        {"subscriptionId": "a", "request": "hi", "response": "Hello there", "usage": U},
        {"appSubscriptionKey": "a", "response": [{"text": "hi"}], "usage": U},
        {"request": {"max_tokens": 5}, "response_body": {"usage": U}},
        {"Request": "x", "RESPONSE": json.dumps(ANSWER)},
        {"response": {"status_code": 200, "body": ANSWER}},
        {"response": {"status_code": 200, "body": json.dumps(ANSWER)}},
        {"response": {"Model": "gpt-4", "Usage": {"PromptTokens": 12, "CompletionTokens": 3, "TotalTokens": 15}}},
        {"Model": "gpt-4", "Usage": {"PromptTokens": 12, "CompletionTokens": 3}},
        {"category": "llm-usage", "properties": {"a": 1}, "promptTokens": 12, "completionTokens": 3},
        {"category": "llm-usage", "properties": {"a": 1}, "response": ANSWER},
        {"type": "chat.completion", "promptTokens": 12, "completionTokens": 3, "tokens": 15},
        {"promptTokens": 12, "completionTokens": 3, "tokens": ["a"]},
        {"promptTokens": 12, "completionTokens": 3, "response": json.dumps({"usage": {"prompt_tokens": 0}})},
    ],
)
def test_usage_that_stands_elsewhere_is_not_lost(source: dict[str, object]) -> None:
    assert counts(usage(source)) == (12, 3, 15)


@pytest.mark.parametrize(
    "source",
    [
        {"input": "x", "result": {"usage": U}},
        {"messages": [], "gen_ai.usage.input_tokens": 5, "max_output_tokens": 5},
        {"prompt": "x", "token_usage": U},
        {"category": "Other", "properties": {"promptTokens": 5}},
    ],
)
def test_what_speaks_of_usage_in_an_unknown_way_is_kept_and_not_ignored(source: dict[str, object]) -> None:
    (reading,) = several(source)
    assert isinstance(reading, Rejected)
    assert reading.error_type == "UnknownShape"


def test_a_prompt_audit_may_ask_for_at_most_so_many_tokens() -> None:
    assert several({"request": {"messages": [], "max_tokens": 5}, "max_tokens": 5}) == [
        Ignored("unknown", "prompt audit")
    ]


@pytest.mark.parametrize("nobody", ["undefined", "-", "(null)", "nil", "00000000-0000-0000-0000-000000000000"])
def test_what_writers_write_for_nothing_is_nothing(nobody: str) -> None:
    record = usage({"requestId": nobody, "subscriptionId": nobody, "appId": "app", "promptTokens": 5})
    assert (record.request_id, record.subscription_id, record.app_id) == (None, None, "app")


def test_a_name_longer_than_any_is_left_out_and_the_call_is_billed() -> None:
    record = usage({"request": {"model": "x" * 9000}, "region": "y" * 300, "durationMs": 1e30, "response": ANSWER})
    assert (record.deployment_id, record.region, record.duration_ms, record.total_tokens) == (None, None, None, 15)
    assert record.note == "left-out:region, left-out:deploymentId"


@pytest.mark.parametrize("ours", [True, False])
def test_fine_tuned_models_keep_their_names(ours: bool) -> None:
    name = "gpt-35-turbo-0613.ft-b044a9d3cf9c4228b5d393567f693b83"
    more = OURS | {"timestamp": "2026-11-20T10:00:00.000Z"} if ours else {"promptTokens": 12}
    assert usage(json.dumps({**more, "model": name}, separators=(",", ":")).encode()).model == name


def test_reasoning_that_stands_beside_the_completion_is_taken_in() -> None:
    """Grok's way: the total says so."""
    details = {"completion_tokens_details": {"reasoning_tokens": 94}}
    record = usage(
        {"response": {"usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, **details}}}
    )
    assert (*counts(record), record.reasoning_tokens, record.note) == (32, 103, 135, 94, None)


def test_cache_counts_under_dotted_names_are_taken_in_too() -> None:
    source = {"Usage.Input_Tokens": "10", "Usage.Cache_Read_Input_Tokens": "100", "Usage.Output_Tokens": "3"}
    assert counts(usage(source)) == (110, 3, 113)


def test_rows_of_a_workspaces_data_export_are_the_gateways_log() -> None:
    row = {"TimeGenerated": "2026-11-20T10:00:00Z", "Type": "ApiManagementGatewayLlmLog", "CorrelationId": "c-1"}
    record = usage(
        {"records": [row | {"ModelName": "gpt-4", "PromptTokens": 5, "CompletionTokens": 6, "TotalTokens": 11}]}
    )
    assert (record.shape, record.request_id, record.timestamp, record.total_tokens) == ("llm-log", "c-1", TEN, 11)


@pytest.mark.parametrize("text", ["1.000", "12.", "1.5", "1,000"])
def test_text_that_may_be_a_thousand_is_no_count(text: str) -> None:
    (reading,) = several({"promptTokens": text})
    assert isinstance(reading, Rejected)


def test_duration_usage_is_said_beside_zeros_too() -> None:
    response = {"usage": {"type": "duration", "seconds": 3}}
    record = usage({"promptTokens": 0, "completionTokens": 0, "totalTokens": 0, "response": response})
    assert (*counts(record), record.note) == (None, None, None, "duration-usage")


def test_a_prompt_is_nobodys_name() -> None:
    prompt = "Please tell me about my medical condition: diabetes type two"
    assert usage({"user": prompt, "promptTokens": 5}).user_id is None
    assert usage({"user": "Maria de la Cruz y Gonzalez Perez", "promptTokens": 5}).user_id is not None


@pytest.mark.parametrize("name", ["apiKey", "api-key", "Ocp-Apim-Subscription-Key", "subscriptionKey"])
def test_whatever_stands_under_a_keys_name_is_a_key(name: str) -> None:
    secret = "Sup3rS3cretKey!"
    assert usage({name: secret, "promptTokens": 5}).key_id == fingerprint(secret)
    assert usage({name: fingerprint(secret), "promptTokens": 5}).key_id == fingerprint(secret)


@pytest.mark.parametrize("names", [("subscription", "subscriptionId"), ("subscriptionId", "subscription")])
def test_the_nearest_name_wins_whatever_the_order(names: tuple[str, str]) -> None:
    record = usage({"promptTokens": 5} | {name: f"by {name}" for name in names})
    assert record.subscription_id == "by subscriptionId"


@pytest.mark.parametrize("data", [{"product": "AI"}, {"subscriptionId": "NA"}, {"costCenter": "4711"}])
def test_a_cloudevents_subject_stands_in_where_nobody_is_named(data: dict[str, object]) -> None:
    assert usage(event({"promptTokens": 5} | data)).user_id == "retail"
    assert usage(event(OURS | data)).user_id == "retail"
