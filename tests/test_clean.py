"""Cleaning, docs/contract.md section 5.4: what stays of a rejected body, and what never does."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeback.deadletter import names
from chargeback.deadletter.clean import clean
from chargeback.events import consumer_of
from chargeback.records import UsageRecord
from chargeback.shapes import names as spellings
from chargeback.shapes import read

WILD = Path(__file__).parent / "data" / "wild" / "records.jsonl"

KEY = "0123456789abcdef0123456789ABCDEF"
KEY_PRINT = "key-" + hashlib.sha256(KEY.encode()).hexdigest()[:16]
LONG_KEY = base64.b64encode(bytes(range(64))).decode()
LONG_KEY_PRINT = "key-" + hashlib.sha256(LONG_KEY.encode()).hexdigest()[:16]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhcHBpZCI6IjQ3MTEifQ.c2lnbmF0dXJlLXRoYXQtaXMtc2VjcmV0"
SECRET = "zebra-Quartz"
SPOKEN = {"role": "user", "content": f"please {SECRET}"}
"""Somebody's words, 19 characters of them."""


def cleaned(body: object) -> object:
    """Clean a JSON body that must stay replayable."""
    kept, replayable = clean(json.dumps(body).encode())
    assert replayable
    return kept


def text_of(kept: object) -> str:
    return json.dumps(kept, ensure_ascii=False)


# What stays.


def test_counts_model_ids_and_error_code_stay() -> None:
    body = {
        "requestId": "9b1c7e52-0000-4000-8000-000000000001",
        "model": "gpt-4o",
        "statusCode": 400,
        "promptTokens": -5,
        "completionTokens": "12.5",
        "timestamp": "5/24/2024 2:45:56\u202fPM",
        "usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
        "error": {"code": "content_filter", "type": "invalid_request_error", "status": 400},
    }
    assert cleaned(body) == body


@pytest.mark.parametrize("name", ["requestId", "apimRequestId", "message-id", "correlationId", "traceId", "id"])
def test_ids_of_the_call_are_left_alone_although_they_look_like_keys(name: str) -> None:
    assert cleaned({name: KEY}) == {name: KEY}


def test_the_request_id_that_is_called_operation_id_is_left_alone() -> None:
    """It is the billing key of policies that write it: another value would bill a replayed call twice."""
    assert cleaned({"operation_id": KEY}) == {"operation_id": KEY}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "subscriptionId",
            "appSubscriptionKey",
            "AppSubscriptionKey",
            "subscription_key",
            "Ocp-Apim-Subscription-Key",
        ),
        *("apiKey", "appid", "azp", "clientAppId", "userId", "endUserId", "user", "subject", "productName"),
        *("x-cost-center", "costCentre", "apim_subscription_id"),
    ],
)
def test_keys_in_callers_fields_become_fingerprints(name: str) -> None:
    assert cleaned({name: KEY}) == {name: KEY_PRINT}
    assert cleaned({name: LONG_KEY}) == {name: LONG_KEY_PRINT}
    assert cleaned({name: f"app {KEY}, again"}) == {name: f"app {KEY_PRINT}, again"}


def test_an_address_keeps_its_path_and_loses_its_query() -> None:
    url = f"https://x.openai.azure.com/openai/deployments/chat-eu/chat/completions?subscription-key={SECRET}"
    assert cleaned({"backendUrl": url}) == {"backendUrl": url.partition("?")[0]}


def test_every_spelling_that_the_shapes_know_stays() -> None:
    """A spelling that is read and not kept would make replayable dead letters unreadable. Counts are numbers."""
    known = {
        spelling
        for field, text in spellings._SPELLINGS.items()
        if field not in spellings.COUNTS
        for spelling in text.split()
    } | {name.lower().translate(spellings._PUNCTUATION) for name in spellings.REQUEST_IDS}
    assert not known - (names.KEPT | names.ADDRESSES)


def test_no_name_is_kept_and_removed_at_once() -> None:
    assert not names.KEPT & (names.TEXTS | names.RESPONSES)


# What goes.


@pytest.mark.parametrize("name", sorted(names.TEXTS))
@pytest.mark.parametrize(
    "value",
    [SECRET, [SECRET], [SPOKEN], {"deep": [SPOKEN]}, [15339, 1917], [0.25, -1.5], [[15339], [1917]], 15339],
    ids=["text", "lines", "messages", "object", "token ids", "vector", "lists of token ids", "number"],
)
def test_whatever_is_under_a_texts_name_goes(name: str, value: object) -> None:
    length = len(value) if isinstance(value, str) else len(json.dumps(value, separators=(",", ":")))
    assert cleaned({name: value, "promptTokens": 7}) == {name: f"<removed {length} characters>", "promptTokens": 7}


@pytest.mark.parametrize("wrap", [lambda body: body, json.dumps], ids=["objects", "JSON text"])
def test_of_a_bodies_record_the_texts_go_and_the_usage_stays(wrap: Callable[[object], object]) -> None:
    usage = {"prompt_tokens": 55, "completion_tokens": 14, "total_tokens": 69}
    answer = {
        "id": "chatcmpl-1",
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": SPOKEN, "logprobs": {"content": [{"token": SECRET}]}}],
        "usage": usage,
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"jailbreak": {"detected": False}}}],
    }
    request = {"messages": [SPOKEN], "tools": [{"function": {"description": SECRET}}], "user": KEY}
    kept = cleaned({"appSubscriptionKey": KEY, "request": wrap(request), "response": wrap(answer)})
    assert isinstance(kept, dict)
    assert kept["appSubscriptionKey"] == KEY_PRINT
    response = json.loads(kept["response"]) if isinstance(kept["response"], str) else kept["response"]
    assert response["usage"] == usage
    assert (response["id"], response["model"]) == ("chatcmpl-1", "gpt-4o")
    for gone in (SECRET, KEY):
        assert gone not in text_of(kept)


def test_of_a_stream_only_events_that_tell_something_stay_and_without_their_texts() -> None:
    stream = (
        'event: x\ndata: {"model":"gpt-4o","choices":[{"delta":{"content":"zebra-Quartz"}}]}\n\n'
        'data: {"model":"gpt-4o","choices":[{"delta":{"content":"more"}}]}\n\n'
        'data: {"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\ndata: [DONE]\n\n'
    )
    kept = cleaned({"response": stream})
    assert kept == {
        "response": 'data: {"model":"gpt-4o","choices":"<removed 38 characters>"}\n\n'
        'data: {"model":"gpt-4o","choices":"<removed 2 characters>",'
        '"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    }


@pytest.mark.parametrize(
    "message",
    [
        f"The response was filtered. Prompt: {SECRET}",
        json.dumps({"prompt": SECRET}),
        json.dumps([SECRET]),
        json.dumps(SECRET),
        f"data: {SECRET}",
        f'data: {{"usage": "{SECRET}"}}',
        {"detail": SECRET},
        [SECRET],
    ],
    ids=["words", "object text", "list text", "string text", "stream", "stream of usage", "object", "list"],
)
def test_an_error_keeps_its_code_and_loses_words_that_may_quote_the_prompt(message: object) -> None:
    kept = cleaned({"error": {"code": "content_filter", "message": message, "innererror": {"revised_prompt": SECRET}}})
    assert isinstance(kept, dict)
    assert kept["error"]["code"] == "content_filter"
    assert SECRET not in text_of(kept)


@pytest.mark.parametrize("name", ["user", "note", "status", "model", "subscriptionId", "backendUrl"])
@pytest.mark.parametrize(
    "text",
    [
        JWT,
        f"Bearer {JWT}",
        f"sv=2024&sig={SECRET}%3D",
        f"Endpoint=sb://x/;SharedAccessKey={SECRET}",
        f"bearer {SECRET}",
    ],
)
def test_tokens_and_signatures_go_even_where_text_may_stay(name: str, text: str) -> None:
    kept = text_of(cleaned({name: text}))
    assert SECRET not in kept
    assert JWT not in kept


def test_long_text_goes_even_where_text_may_stay() -> None:
    assert cleaned({"model": "m" * 256, "user": "u" * 257}) == {"model": "m" * 256, "user": "<removed 257 characters>"}


def test_names_that_are_text_go() -> None:
    kept = text_of(cleaned({f"please {SECRET}": 1, "usage": {f"{SECRET}?": {"prompt_tokens": 2}}, KEY: 3}))
    assert SECRET not in kept
    assert KEY not in kept
    assert '"prompt_tokens": 2' in kept


# Bodies that are no JSON, or not UTF-8.


def test_a_body_that_is_no_json_is_cut_before_the_first_name_of_a_text() -> None:
    body = f'{{"appSubscriptionKey":"{KEY}","promptTokens":3,"requestBody":{{"x":"{SECRET}"}},"responseBody": ,}}'
    kept, replayable = clean(body.encode())
    head = f'{{"appSubscriptionKey":"{KEY}","promptTokens":3,"'
    shown = head.replace(KEY, KEY_PRINT)
    assert kept == f"{shown}<removed {len(body) - len(head)} characters>"
    assert not replayable


@pytest.mark.parametrize(
    "name",
    [
        *("request", "Response", "messages", "prompt", "input", "choices", "content", "output", "text", "completion"),
        *("instructions", "query", "question", "answer", "tools", "arguments", "delta", "system", "embedding"),
    ],
)
def test_every_name_of_a_text_cuts(name: str) -> None:
    for body in (f'{{"model":"m","{name}":"{SECRET}', f'{{\\"model\\":\\"m\\",\\"{name}\\" : \\"{SECRET}'):
        kept, replayable = clean(body.encode())
        assert SECRET not in str(kept)
        assert "model" in str(kept)
        assert not replayable


@pytest.mark.parametrize("prose", ["Please translate this", "Hallo, liebe Leute", "vous avez raison"])
def test_prose_cuts_whatever_it_is_called(prose: str) -> None:
    body, replayable = clean(f"5/24/2024 2:45:56 PM,apim-x.azure-api.net,{prose} and more".encode())
    assert (body, replayable) == (
        f"5/24/2024 2:45:56 PM,apim-x.azure-api.net,<removed {len(prose) + 9} characters>",
        False,
    )


def test_counts_and_ids_do_not_cut() -> None:
    head = '{"prompt_tokens":1,"inputTokens":2,"output_tokens":3,"requestId":"r","completionTokens":4,"message-id":5,'
    assert clean((head + '"operation":"ChatCompletion"').encode()) == (head + '"operation":"ChatCompletion"', False)


def test_of_a_long_text_at_most_1024_characters_stay_and_its_length_is_told() -> None:
    kept, _ = clean(b"1,2;" * 1000)
    assert kept == "1,2;" * 256 + "<removed 2976 characters>"


@pytest.mark.parametrize("length", [16, 31, 60, 87])
def test_a_key_that_the_end_of_a_torn_body_cuts_in_two_goes_too(length: int) -> None:
    piece = LONG_KEY[:length]
    kept, _ = clean(f'{{"appSubscriptionKey":"{piece}'.encode())
    assert kept == f'{{"appSubscriptionKey":"<removed {length} characters>'


def test_a_body_that_is_not_utf_8_is_read_as_latin_1_and_cannot_be_replayed() -> None:
    kept, replayable = clean(f'{{"model":"caf\xe9","user":"{KEY}","prompt":"{SECRET}"}}'.encode("latin-1"))
    assert kept == {"model": "caf\xe9", "user": KEY_PRINT, "prompt": "<removed 12 characters>"}
    assert not replayable


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_body_in_utf_16_or_32_shows_no_text_and_no_key(encoding: str) -> None:
    kept, replayable = clean(json.dumps({"user": KEY, "prompt": SECRET}).encode(encoding))
    shown = str(kept).replace("\0", "")
    assert SECRET not in shown
    assert KEY not in shown
    assert KEY_PRINT in shown
    assert not replayable


def test_a_byte_order_mark_is_skipped() -> None:
    assert clean(b'\xef\xbb\xbf{"promptTokens":1}') == ({"promptTokens": 1}, True)


# Hard bodies.

DEEP = [
    '{"a":' * 300 + "1" + "}" * 300,
    '{"messages":' + "[" * 1000 + "]" * 1000 + "}",
    '{"x":' + '[{"y":' * 400 + "1" + "}]" * 400 + "}",
    '{"response":"' + "data:" * 150_000 + '\\"usage\\""}',
    '{"response":"' + 'data: {\\"usage\\":' * 40_000 + '"}',
    '{"message":"' + "{" * 90_000 + '"}',
]


@pytest.mark.parametrize("body", DEEP, ids=range(len(DEEP)))
def test_deep_nesting_is_removed_and_never_raises(body: str) -> None:
    """A body that cannot be cleaned could not be stored, and would block its partition for ever."""
    kept, _ = clean(body.encode())
    assert len(json.dumps(kept)) < 1000


@pytest.mark.parametrize(
    "body",
    [
        b'{"response":"' + b'data: {\\"usage\\":{\\"prompt_tokens\\":1}}\\n\\n' * 22_000 + b'"}',
        b'{"prompt":"' + b"words " * 170_000 + b'"}',
        b'{"x":[' + b"0.5," * 250_000 + b"0.5]}",
        b"not json, no names, " * 50_000,
        b'{"user":"' + b"sig" * 333_000 + b'"}',
        b"eyJ" * 333_000,
        b" " * 1_000_000,
        b'{"a":"' + b" " * 1_000_000 + b'"}',
        b"[" + b'{"a":1},' * 90_000 + b'{"a":1}]',
    ],
    ids=range(9),
)
def test_a_body_of_1_mb_takes_no_time_and_little_memory(body: bytes) -> None:
    started = time.perf_counter()
    clean(body)
    assert time.perf_counter() - started < 5  # milliseconds if it is linear, hours if it is not
    tracemalloc.start()
    try:
        clean(body)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


# Properties.

secrets = st.text("ghjkmnpqrstvwxyz", min_size=12, max_size=40).map("Secret ".__add__)
unknown_names = st.text("abcdefghijklmnopqrstuvwxyz_-", min_size=1, max_size=12).filter(
    lambda name: (
        name.translate(str.maketrans("", "", "-_")) not in names.KEPT | names.ADDRESSES | names.RESPONSES | names.TEXTS
    )
)
text_names = st.sampled_from(sorted(names.TEXTS | names.RESPONSES))
any_names = st.one_of(unknown_names, text_names, st.sampled_from(sorted(names.KEPT)))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)


def planted(secret: str) -> st.SearchStrategy[object]:
    """JSON objects with the secret under names of texts and names that nobody knows, at any depth."""
    holder = st.one_of(text_names, unknown_names)
    leaf: st.SearchStrategy[object] = st.dictionaries(
        holder, st.sampled_from([secret, [secret], [[secret]]]), min_size=1
    )

    def around(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        return st.one_of(
            st.dictionaries(any_names, inner | scalars, min_size=1, max_size=3),
            st.lists(inner, min_size=1, max_size=3).map(lambda items: {"records": items}),
            inner.map(lambda value: {"response": json.dumps(value)}),
            inner.map(lambda value: {"data": f"data: {json.dumps(value)}\n\n"}),
            inner.map(lambda value: {"data_base64": base64.b64encode(json.dumps(value).encode()).decode()}),
        )

    return st.recursive(leaf, around, max_leaves=6)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), secrets)
def test_a_secret_under_a_texts_or_an_unknown_name_never_stays(data: st.DataObject, secret: str) -> None:
    body = data.draw(planted(secret))
    kept = text_of(cleaned(body))
    assert secret not in kept
    for encoded in filter(None, (part if len(part) > 20 else "" for part in kept.replace("\\", "").split('"'))):
        assert secret.encode() not in _decoded(encoded)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_names | st.text(), inner, max_size=4)
)


@settings(max_examples=300)
@given(st.one_of(st.binary(), json_values.map(lambda value: json.dumps(value).encode()), st.text().map(str.encode)))
def test_cleaning_returns_json_for_any_body(body: bytes) -> None:
    kept, replayable = clean(body)
    assert json.loads(orjson.dumps(kept)) == kept
    assert isinstance(replayable, bool)


def facts(body: bytes) -> list[tuple[object, ...]]:
    """What a bill needs of each record in a body: who, which call, how many tokens."""
    found: list[tuple[object, ...]] = []
    for reading in read(body):
        if isinstance(reading, UsageRecord):
            counts = {name: value for name, value in reading if name.endswith("_tokens")}
            found.append((consumer_of(reading), reading.request_id, reading.timestamp, counts))
    return found


def replayed(body: bytes) -> bytes:
    kept, replayable = clean(body)
    assert replayable
    return json.dumps(kept).encode()


def wild_bodies() -> list[bytes]:
    lines = WILD.read_text("utf-8").splitlines()
    return [json.dumps(json.loads(line)["record"]).encode() for line in lines]


WRAPS: dict[str, Callable[[object], object]] = {
    "alone": lambda record: record,
    "records": lambda record: {"records": [record, record]},
    "CloudEvent": lambda record: {"specversion": "1.0", "time": "2026-11-20T10:00:00Z", "data": record},
    "CloudEvent of text": lambda record: {"specversion": "1.0", "subject": "team-1", "data": json.dumps(record)},
    "CloudEvent of base64": lambda record: {
        "specversion": "1.0",
        "subject": KEY,
        "data_base64": base64.b64encode(json.dumps(record).encode()).decode(),
    },
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("body", wild_bodies(), ids=lambda body: hashlib.sha256(body).hexdigest()[:8])
def test_a_replayable_letter_reads_as_the_original_did(body: bytes, wrap: str) -> None:
    original = json.dumps(WRAPS[wrap](json.loads(body))).encode()
    assert facts(replayed(original)) == facts(original)


def stream_of(*events: object, start: str = "") -> str:
    return start + "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)


USAGE = {"prompt_tokens": 55, "completion_tokens": 14, "total_tokens": 69}
CLAUDE = {"input_tokens": 9, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 1}
RESPONSES = {
    "plain": json.dumps({"model": "m", "usage": USAGE}),
    "after a byte order mark": "\ufeff" + json.dumps({"model": "m", "usage": USAGE}),
    "stream": stream_of({"model": "m", "choices": [SPOKEN]}, {"usage": USAGE}),
    "stream after a comment": stream_of({"usage": USAGE}, start=": keep-alive\n\n"),
    "stream with ids": stream_of({"usage": USAGE}, start="id: 1\nretry: 3\n"),
    "stream after blank lines": stream_of({"usage": USAGE}, start="\ufeff\r\n\n"),
    "stream with a line separator in a text": stream_of(
        {"response": {"output": [{"text": "a\u2028b\u0085c"}], "usage": {"input_tokens": 3, "output_tokens": 4}}}
    ),
    "stream over several lines": 'data: {"usage":\ndata: {"prompt_tokens": 1,\ndata: "completion_tokens": 2}}\n\n',
    "stream of carriage returns": 'data: {"model":"m"}\r\n\r\ndata: {"usage":{"prompt_tokens":1}}\r\r',
    "Claude's stream": stream_of(
        {"type": "message_start", "message": {"model": "claude", "usage": CLAUDE}},
        {"type": "content_block_delta", "delta": {"text": SECRET}},
        {"type": "message_delta", "usage": {"output_tokens": 17}},
    ),
    "stream that failed": stream_of({"model": "m"}, {"error": {"code": "server_error", "message": SECRET}}),
    "stream without usage": stream_of({"model": "m", "choices": [SPOKEN]}, {"choices": [SPOKEN]}),
}


@pytest.mark.parametrize("response", RESPONSES)
def test_a_replayable_letter_keeps_what_its_response_told(response: str) -> None:
    body = {"eventTime": "2026-11-20T10:00:00Z", "appSubscriptionKey": KEY, "response": RESPONSES[response]}
    original = json.dumps(body).encode()
    again = replayed(original)
    assert facts(again) == facts(original)
    assert SECRET.encode() not in again
    for before, after in zip(read(original), read(again), strict=True):
        assert isinstance(before, UsageRecord)
        assert isinstance(after, UsageRecord)
        assert (after.model, after.note, after.streamed) == (before.model, before.note, before.streamed)


count_values = st.none() | st.integers(0, 10**12) | st.integers(0, 10**12).map(str) | st.integers(0, 999).map(float)
callers = st.sampled_from([KEY, LONG_KEY, "sub-finance", "Portal-Admin", "NA", "b0c1e7c4-1111-4222-8333-444455556666"])
caller_names = st.sampled_from(
    [
        name
        for field in spellings.CALLER
        for name in spellings._SPELLINGS[field].split()
        if field not in ("productId", "costCenter")
    ]
)
count_names = st.sampled_from(
    [name for field in sorted(spellings.COUNTS) for name in spellings._SPELLINGS[field].split()]
)


@settings(max_examples=200)
@given(
    st.dictionaries(count_names, count_values, min_size=1, max_size=6),
    st.dictionaries(caller_names, callers, max_size=3),
    st.sampled_from(sorted(WRAPS)),
    st.sampled_from(["requestId", "apimRequestId", "message-id", "operation_id", "correlationId"]),
)
def test_any_flat_record_reads_after_cleaning_as_before(
    counts: dict[str, object], who: dict[str, object], wrap: str, identity: str
) -> None:
    original = json.dumps(WRAPS[wrap]({identity: KEY, "time": "2026-11-20T10:00:00Z"} | who | counts)).encode()
    assert facts(replayed(original)) == facts(original)


def test_spaces_in_a_known_name_do_not_make_it_a_text() -> None:
    body = json.dumps({"App Subscription Key": "team-1", "Total Tokens": 12, "_timestamp": "2026-11-20T10:00:00Z"})
    assert facts(replayed(body.encode())) == facts(body.encode()) != []
