"""Reading rules of docs/contract.md section 2: times, keys, identities, several records in a body, what is no usage."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from chargeback.keys import fingerprint
from chargeback.records import Ignored, Reading, Rejected, UsageRecord
from chargeback.shapes import read, split

KEY = "0123456789abcdef0123456789ABCDEF"
LONG_KEY = base64.b64encode(bytes(range(64))).decode()
USAGE1: dict[str, object] = {
    "schema": "chargeback.usage/1",
    "requestId": "r-1",
    "timestamp": "2026-11-20T10:00:00.123Z",
    "subscriptionId": "retail",
    "promptTokens": 12,
    "completionTokens": 3,
    "totalTokens": 15,
}


def one(source: object) -> Reading:
    """Read a body of one record."""
    readings = read(source if isinstance(source, bytes) else json.dumps(source).encode())
    assert len(readings) == 1
    return readings[0]


def usage(source: object) -> UsageRecord:
    reading = one(source)
    assert isinstance(reading, UsageRecord), reading
    return reading


def rejected(source: object) -> Rejected:
    reading = one(source)
    assert isinstance(reading, Rejected), reading
    return reading


def test_the_projects_own_record_is_read_as_it_stands() -> None:
    record = usage(USAGE1)
    assert record.shape == "usage/1"
    assert record.request_id == "r-1"
    assert record.timestamp == datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)
    assert (record.prompt_tokens, record.completion_tokens, record.total_tokens) == (12, 3, 15)
    assert record.cached_tokens is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"promptTokens": -1}, "promptTokens is not a whole number from 0 to 10^12"),
        ({"cachedTokens": 1.5}, "cachedTokens is not a whole number from 0 to 10^12"),
        ({"timestamp": "yesterday"}, "time is not in a known form"),
        ({"timestamp": 1716561956}, "time is not in a known form"),
        ({"statusCode": "ok"}, "statusCode has the wrong type"),
        ({"model": ["gpt"]}, "model has the wrong type"),
        ({"schema": "chargeback.usage/2"}, "schema is of a version that this code does not know; deploy a newer one"),
    ],
)
def test_a_record_of_ours_that_breaks_the_contract_is_rejected_by_name(change: dict[str, object], reason: str) -> None:
    reading = rejected(USAGE1 | change)
    assert (reading.shape, reading.reason, reading.request_id) == ("usage/1", reason, "r-1")


def test_counts_of_ours_may_be_text_too() -> None:
    assert usage(USAGE1 | {"promptTokens": "12", "totalTokens": ""}).total_tokens == 15


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.1234567Z", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T10:00:00.1234567", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T12:00:00+02:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:00.5", datetime(2026, 11, 20, 10, 0, 0, 500000, tzinfo=UTC)),
        ("5/24/2024 2:45:56 PM", datetime(2024, 5, 24, 14, 45, 56, tzinfo=UTC)),
        ("5/24/2024 2:45:56\u202fPM", datetime(2024, 5, 24, 14, 45, 56, tzinfo=UTC)),
        ("5/24/2024 12:00:00 AM", datetime(2024, 5, 24, 0, 0, 0, tzinfo=UTC)),
        ("5/24/2024 12:00:00 PM", datetime(2024, 5, 24, 12, 0, 0, tzinfo=UTC)),
        ("05/24/2024 14:45:56", datetime(2024, 5, 24, 14, 45, 56, tzinfo=UTC)),
    ],
)
def test_times_in_the_three_forms_are_read_as_utc(text: str, moment: datetime) -> None:
    assert usage({"timestamp": text, "promptTokens": 1}).timestamp == moment


@pytest.mark.parametrize(
    "text",
    [
        "24/5/2024 14:45:56",
        "2/30/2024 1:00:00 PM",
        "5/24/2024 13:00:00 PM",
        "2026-02-30T00:00:00Z",
        "2026-11-20",
        "now",
    ],
)
def test_times_that_do_not_exist_or_could_be_another_day_are_rejected(text: str) -> None:
    assert rejected({"timestamp": text, "promptTokens": 1}).reason == "time is not in a known form"


def test_an_edge_of_the_calendar_is_rejected_and_does_not_raise() -> None:
    assert rejected({"timestamp": "0001-01-01T00:00:00+23:59", "promptTokens": 1}).error_type == "InvalidTime"


@pytest.mark.parametrize("key", [KEY, LONG_KEY])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("subscriptionId", "subscription_id"),
        ("appSubscriptionKey", "key_id"),
        ("AppKey", "key_id"),
        ("appId", "app_id"),
        ("userId", "user_id"),
        ("productName", "product_id"),
        ("x-cost-center", "cost_center"),
    ],
)
def test_what_looks_like_a_key_in_a_callers_field_leaves_as_its_fingerprint(key: str, name: str, field: str) -> None:
    record = usage({"promptTokens": 1, name: key})
    assert getattr(record, field) == fingerprint(key)
    assert key not in record.model_dump_json()


def test_keys_in_our_own_record_are_fingerprinted_too() -> None:
    record = usage(USAGE1 | {"subscriptionId": KEY, "costCenter": f"cc {KEY}"})
    assert KEY not in record.model_dump_json()


def test_ids_of_the_call_are_left_alone() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    record = usage(USAGE1 | {"requestId": trace, "traceId": trace})
    assert (record.request_id, record.trace_id) == (trace, trace)


def test_a_cost_center_is_a_hint_of_at_most_64_characters() -> None:
    assert usage(USAGE1 | {"costCenter": "x" * 100}).cost_center == "x" * 64


@pytest.mark.parametrize(
    "name", ["requestId", "RequestId", "apimRequestId", "message-id", "operation_id", "correlationId"]
)
def test_the_gateways_ids_identify_a_call(name: str) -> None:
    assert usage({"promptTokens": 1, name: "call-1", "id": "chatcmpl-1"}).request_id == "call-1"


def test_the_models_id_identifies_nothing() -> None:
    assert usage({"promptTokens": 1, "id": "chatcmpl-1"}).request_id is None


def test_operation_id_is_an_identity_and_operationid_an_operation() -> None:
    record = usage({"promptTokens": 1, "operation_id": "call-1", "operationId": "ChatCompletions_Create"})
    assert (record.request_id, record.operation_id) == ("call-1", "ChatCompletions_Create")


@pytest.mark.parametrize("placeholder", ["NA", "N/A", "unknown", "anonymous", "Portal-Admin", "", "  "])
def test_placeholders_name_nobody(placeholder: str) -> None:
    record = usage({"promptTokens": 1, "subscriptionId": placeholder, "model": placeholder, "requestId": placeholder})
    assert (record.subscription_id, record.model, record.request_id) == (None, None, None)


@pytest.mark.parametrize("model", ["streaming", "completions", "NA", "unknown"])
def test_some_words_in_the_models_place_are_no_models(model: str) -> None:
    assert usage({"promptTokens": 1, "model": model}).model is None


def test_a_total_that_is_missing_is_the_sum_of_its_parts() -> None:
    assert usage({"promptTokens": 5, "completionTokens": 2}).total_tokens == 7


def test_a_total_is_not_made_from_one_part() -> None:
    assert usage({"promptTokens": 5}).total_tokens is None


def test_a_total_that_differs_is_kept_and_said() -> None:
    record = usage({"promptTokens": 5, "completionTokens": 2, "totalTokens": 9})
    assert (record.total_tokens, record.note) == (9, "total-mismatch")


def test_the_gateway_hubs_placeholder_parts_are_forgotten() -> None:
    record = usage({"promptTokens": 1, "responseTokens": 0, "totalTokens": 1261})
    assert (record.shape, record.prompt_tokens, record.completion_tokens) == ("gateway-hub", None, None)
    assert (record.total_tokens, record.note) == (1261, None)


def test_the_same_numbers_in_another_shape_are_kept() -> None:
    record = usage({"promptTokens": 1, "completionTokens": 0, "totalTokens": 1261})
    assert (record.prompt_tokens, record.completion_tokens, record.note) == (1, 0, "total-mismatch")


def test_sums_beyond_every_call_are_rejected() -> None:
    reading = rejected({"promptTokens": 10**12, "completionTokens": 10**12})
    assert reading.reason == "totalTokens is not a whole number from 0 to 10^12"


def test_zero_is_zero_and_null_is_unknown() -> None:
    record = usage({"promptTokens": 0, "completionTokens": None})
    assert (record.prompt_tokens, record.completion_tokens) == (0, None)


def test_a_nested_usage_object_is_read() -> None:
    record = usage({"requestId": "r", "model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
    assert (record.shape, record.prompt_tokens, record.total_tokens, record.model) == ("flat", 5, 7, "gpt-4o")


def test_flattened_names_with_points_are_read() -> None:
    names = {
        "Usage.Prompt_Tokens": "9",
        "Usage.Completion_Tokens": "4",
        "Usage.Prompt_Tokens_Details.Cached_Tokens": "3",
    }
    record = usage(names)
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (9, 4, 3)


def test_flat_anthropic_names_are_normalised_too() -> None:
    record = usage({"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1})
    assert (record.prompt_tokens, record.cached_tokens, record.total_tokens) == (15, 5, 16)


def test_a_body_with_counts_beside_an_answer_without_usage_keeps_the_counts() -> None:
    record = usage({"request": "{}", "response": "[]", "promptTokens": "55", "responseTokens": "14"})
    assert (record.shape, record.prompt_tokens, record.completion_tokens, record.note) == ("bodies", 55, 14, None)


def test_the_counts_of_an_answer_replace_those_beside_it_as_one_set() -> None:
    record = usage({"response": {"usage": {"prompt_tokens": 5}}, "promptTokens": 9, "completionTokens": 9})
    assert (record.prompt_tokens, record.completion_tokens) == (5, None)


def test_a_backends_address_gives_host_and_deployment_and_never_its_query() -> None:
    address = f"https://aoai.openai.azure.com/openai/deployments/chat/completions?key={KEY}"
    record = usage({"promptTokens": 1, "backendUrl": address})
    assert record.backend_host == "aoai.openai.azure.com"
    assert KEY not in record.model_dump_json()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"type": "PII_Processing", "promptTokens": 1}, "PII notice"),
        ({"targetService": "AI-Search", "promptTokens": 1, "responseTokens": 0, "totalTokens": 1}, "AI Search call"),
        ({"targetService": "AI-Document-Intelligence", "promptTokens": 1}, "call of another AI service"),
        ({"event-time": "8/30/2024 1:02:03 PM", "appid": "a", "messages": "[]", "prompt": "x"}, "prompt audit"),
        ({"timestamp": "2026-11-20T10:00:00Z", "choices": "[]"}, "prompt audit"),
        ({"records": []}, "no records in the body"),
        ([], "no records in the body"),
    ],
)
def test_what_is_no_usage_is_ignored_with_a_reason(source: object, reason: str) -> None:
    reading = one(source)
    assert isinstance(reading, Ignored)
    assert reading.reason == reason


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_an_empty_body_is_ignored(body: bytes) -> None:
    assert one(body) == Ignored("unknown", "empty body")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe{}", "not UTF-8"),
        (b"5/24/2024 2:45:56 PM,apim", "not JSON"),
        (b'{"promptTokens": NaN}', "not JSON"),
        (b'{"promptTokens": 1', "not JSON"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{}", "no known token counts in it"),
        (b'{"hello": 1}', "no known token counts in it"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_a_reason(body: bytes, reason: str) -> None:
    reading = rejected(body)
    assert (reading.reason, reading.body) == (reason, body)


def test_a_byte_order_mark_is_skipped() -> None:
    assert usage(b'\xef\xbb\xbf{"promptTokens": 4}').prompt_tokens == 4


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n", ""])
def test_several_objects_in_one_body_are_several_records(separator: str) -> None:
    body = separator.join(json.dumps({"promptTokens": n}, indent=2) for n in (1, 2, 3)).encode()
    assert [getattr(reading, "prompt_tokens", None) for reading in read(body)] == [1, 2, 3]


def test_a_broken_record_between_good_ones_costs_only_itself() -> None:
    first, broken, last = read(b'{"promptTokens": 1}\n{"promptTokens": \n{"promptTokens": 3}')
    assert isinstance(first, UsageRecord)
    assert first.prompt_tokens == 1
    assert isinstance(broken, Rejected)
    assert broken.body == b'{"promptTokens": '
    assert isinstance(last, UsageRecord)
    assert last.prompt_tokens == 3


def test_an_array_is_several_records() -> None:
    body = b'[{"promptTokens": 1}, {"promptTokens": -2}, 7]'
    good, bad, number = read(body)
    assert isinstance(good, UsageRecord)
    assert isinstance(bad, Rejected)
    assert bad.body == b'{"promptTokens":-2}'
    assert isinstance(number, Rejected)
    assert split(body, 3)[1] == b'{"promptTokens":-2}'


def cloud_event(**attributes: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "gw",
        "type": "usage",
        "time": "2026-11-20T10:00:00Z",
    } | attributes


def test_a_cloud_event_is_its_data_with_the_envelopes_time_and_subject() -> None:
    record = usage(cloud_event(subject="team-a", data={"promptTokens": 3}))
    assert (record.prompt_tokens, record.user_id, record.request_id) == (3, "team-a", None)
    assert record.timestamp == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_cloud_event_takes_its_datas_shape() -> None:
    data = {"timestamp": "2/20/2024 9:14:07 AM", "appSubscriptionKey": KEY, "promptTokens": "55"}
    record = usage(cloud_event(subject="ignored", data=json.dumps(data)))
    assert (record.shape, record.key_id, record.user_id) == ("seed", fingerprint(KEY), None)


def test_a_cloud_events_data_may_be_base64() -> None:
    assert usage(cloud_event(data_base64=base64.b64encode(b'{"promptTokens": 3}').decode())).prompt_tokens == 3


@pytest.mark.parametrize("data", [None, 5, "text", "[1]"])
def test_a_cloud_event_without_an_object_is_rejected(data: object) -> None:
    assert rejected(cloud_event(data=data)).reason == "CloudEvent without a data object"


@pytest.mark.parametrize(
    ("kind", "field"), [("input", "prompt_tokens"), ("output", "completion_tokens"), ("total", "total_tokens")]
)
def test_an_event_per_token_type_counts_that_type(kind: str, field: str) -> None:
    assert getattr(usage(cloud_event(data={"tokens": "100", "type": kind})), field) == 100


def test_an_event_of_a_token_type_that_nobody_knows_is_rejected() -> None:
    assert rejected(cloud_event(data={"tokens": 5, "type": "magic"})).reason == "tokens are of a type that is not known"


def export(category: str, properties: object, **row: object) -> dict[str, object]:
    """Write one row of API Management's export."""
    return {
        "records": [
            {
                "time": "2026-07-24T10:50:22.1234567Z",
                "category": category,
                "correlationId": "call-9",
                "properties": properties,
            }
            | row
        ]
    }


def test_an_llm_log_row_gives_counts_and_never_a_caller() -> None:
    properties = {
        "requestId": "chatcmpl-1",
        "userId": "someone",
        "subscriptionId": "sub",
        "modelName": "gpt-4.1",
        "deploymentName": "chat",
        "promptTokens": 55,
        "promptCachedTokens": 40,
        "completionTokens": 14,
        "totalTokens": 69,
        "requestMessages": "[]",
    }
    record = usage(export("GatewayLlmLogs", properties))
    assert (record.shape, record.request_id, record.model, record.deployment_id) == (
        "llm-log",
        "call-9",
        "gpt-4.1",
        "chat",
    )
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (55, 40, 14)
    assert (record.subscription_id, record.user_id) == (None, None)


def test_an_anthropic_llm_log_row_counts_the_cache_beside_the_prompt() -> None:
    properties = {
        "modelName": "claude-sonnet-4-6",
        "promptTokens": 25,
        "promptCachedTokens": 5,
        "completionTokens": 15,
        "totalTokens": 40,
    }
    record = usage(export("GatewayLlmLogs", properties))
    assert (record.prompt_tokens, record.cached_tokens, record.total_tokens) == (30, 5, 45)
    assert (record.cache_write_tokens, record.note) == (None, "cache-writes-unknown")


@pytest.mark.parametrize("counts", [{}, {"promptTokens": 0, "completionTokens": 0, "totalTokens": 0}])
def test_an_llm_log_row_that_only_carries_text_is_ignored(counts: dict[str, object]) -> None:
    assert one(export("GatewayLlmLogs", counts | {"requestMessages": "secret"})) == Ignored(
        "llm-log", "empty gateway log row", "call-9"
    )


def test_an_llm_log_row_with_a_model_counts_even_without_tokens() -> None:
    assert usage(export("GatewayLlmLogs", {"modelName": "gpt-4.1"})).model == "gpt-4.1"


def test_a_gateway_log_row_gives_caller_and_status() -> None:
    properties = {
        "apimSubscriptionId": "sub-1",
        "productId": "ai",
        "apiId": "openai",
        "operationId": "chat",
        "responseCode": 429,
        "backendResponseCode": 429,
        "backendUrl": "https://aoai.openai.azure.com/openai?x=1",
    }
    record = usage(export("GatewayLogs", properties, durationMs=89, location="West Europe"))
    assert (record.shape, record.request_id, record.subscription_id) == ("gateway-log", "call-9", "sub-1")
    assert (record.status_code, record.forwarded, record.duration_ms, record.region) == (429, True, 89, "West Europe")
    assert (record.operation_id, record.backend_host) == ("chat", "aoai.openai.azure.com")


def test_rows_of_other_log_categories_are_ignored() -> None:
    assert one(export("WebSocketConnectionLogs", {})) == Ignored("unknown", "log category without usage", "call-9")


def test_an_exports_row_may_hold_its_properties_as_text() -> None:
    assert usage(export("GatewayLlmLogs", '{"modelName":"gpt-4.1","promptTokens":5}')).prompt_tokens == 5


def test_a_list_of_records_may_hold_usage_records_too() -> None:
    readings = read(json.dumps({"records": [USAGE1, {"promptTokens": 1}]}).encode())
    assert [getattr(reading, "shape", None) for reading in readings] == ["usage/1", "flat"]


@pytest.mark.parametrize("odd", [{"category": "finance", "correlationId": "c1"}, {"targetService": "AI-Foundry"}])
def test_usage_is_not_ignored_for_a_word_beside_its_counts(odd: dict[str, object]) -> None:
    assert usage(odd | {"promptTokens": 5, "completionTokens": 2}).total_tokens == 7


def test_a_bearer_token_in_a_callers_field_does_not_travel() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk"
    assert token not in usage({"appid": f"Bearer {token}", "promptTokens": 5}).model_dump_json()


def test_a_key_before_an_equals_sign_does_not_travel() -> None:
    assert KEY not in usage({"user": f"key:{KEY}=", "promptTokens": 5}).model_dump_json()
