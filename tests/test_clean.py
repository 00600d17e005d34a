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
from chargeback.deadletter.lines import line_of
from chargeback.deadletter.values import _plain
from chargeback.events import DeadLetter, Position, consumer_of
from chargeback.keys import fingerprint
from chargeback.records import UsageRecord
from chargeback.shapes import names as spellings
from chargeback.shapes import read
from chargeback.shapes.texts import CALLER

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
    among = f"app {KEY}, again"
    whole = _plain(name) in names.KEYS
    assert cleaned({name: among}) == {name: fingerprint(among) if whole else f"app {KEY_PRINT}, again"}


def test_an_address_keeps_its_path_and_loses_its_query() -> None:
    url = f"https://x.openai.azure.com/openai/deployments/chat-eu/chat/completions?subscription-key={SECRET}"
    assert cleaned({"backendUrl": url}) == {"backendUrl": url.partition("?")[0]}


@pytest.mark.parametrize("name", ["apiKey", "Ocp-Apim-Subscription-Key", "subscriptionKey"])
def test_what_stands_under_a_keys_name_becomes_a_fingerprint_whatever_it_looks_like(name: str) -> None:
    assert cleaned({name: "Sup3rS3cretKey!"}) == {name: fingerprint("Sup3rS3cretKey!")}
    assert cleaned({name: "anonymous"}) == {name: "anonymous"}


def test_every_spelling_that_the_shapes_know_stays() -> None:
    """A spelling that is read and not kept would make replayable dead letters unreadable. Counts are numbers."""
    known = {
        spelling
        for field, text in spellings._SPELLINGS.items()
        if field not in spellings.COUNTS
        for spelling in text.split()
    } | {_plain(name) for name in spellings.REQUEST_IDS}
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


@pytest.mark.parametrize("name", sorted(names.KEPT | names.ADDRESSES))
@pytest.mark.parametrize(
    "text",
    [
        "please tell me about my cancer diagnosis",
        "Please tell me about Ann",
        "the prompt was: buy ACME stock",
        "please+tell+me+about+my+diagnosis",
        "please%20tell%20me%20about%20my%20diagnosis",
        "please\u00a0tell\u00a0me\nabout\u2028my diagnosis",
        "Was bedeutet meine Krebs Diagnose",
        "\u8bf7\u544a\u8bc9\u6211\u5173\u4e8e\u6211\u7684\u764c\u75c7\u8bca\u65ad",
    ],
)
def test_sentences_go_even_where_text_may_stay(name: str, text: str) -> None:
    kept = cleaned({name: text})
    assert isinstance(kept, dict)
    printed = name in names.CALL_IDS | names.KEYS
    assert kept[name] == (fingerprint(text) if printed else f"<removed {len(text)} characters>")


@pytest.mark.parametrize("name", ["user", "note", "type", "kind", "object", "code", "status", "model", "deployment"])
@pytest.mark.parametrize("text", ["buy ACME stock", "what is love?", "my ex wife"])
def test_three_words_are_no_code(name: str, text: str) -> None:
    assert cleaned({name: text}) == {name: f"<removed {len(text)} characters>"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("productName", "Contoso Retail Web Shop"),
        ("productName", "Ministry of the Interior and Kingdom Relations"),
        ("product", "retail internal sub"),
        ("appSubscriptionKey", "Contoso Retail Web Shop"),
        ("subscriptionId", "HR (Europe, Middle East and Africa)"),
        ("subscriptionId", "Portal Admin"),
        ("user", "Portal Admin"),
        ("user", "ann+test@contoso.com"),
        ("costCenter", "Marketing North 47-11"),
        ("gatewayRegion", "East US 2"),
        ("routeName", "Contoso Insurance KB"),
        ("operationName", "ChatCompletions_Create"),
        ("operation", "Create Chat Completion"),
        ("model", "gpt-4o (2024-08-06)"),
        ("model", "Llama 3.3 70B Instruct"),
        ("deploymentName", "Meta-Llama-3.1-405B-Instruct-v2"),
        ("note", "stream-not-read, time-from-hub"),
        ("id", "chatcmpl-9TVtj333ld9WDBiRh9qvLE9ZpA"),
        ("userId", "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ"),
        ("timestamp", "Fri, 20 Nov 2026 12:01:30 GMT"),
        ("timestamp", "20.11.2026 12:01:30"),
        ("time", "2026-11-20T10:00:00.1234567+01:00"),
        ("user", "\u5c0f\u58f2\u90e8\u9580"),
    ],
)
def test_names_codes_and_times_stay_as_they_are(name: str, text: str) -> None:
    assert cleaned({name: text}) == {name: text}


CLAIMS = JWT.split(".")[1]
PIECES = {
    "short head": "eyJhbGciOi.",
    "head alone": "eyJhbGciOiJSUzI1NiJ9",
    "head glued to text": "caller-eyJhbGciOiJSUzI1NiJ9.eyJhcHBp",
    "without its head": JWT[3:],
    "claims without their head": f"{CLAIMS[3:]}.c2lnbmF0dXJlLXRoYXQtaXMtc2VjcmV0",
    "claims alone": CLAIMS[3:],
    "claims glued to text": f"caller7{CLAIMS[1:]}",
    "end of the claims and signature": "MSJ9.c2lnbmF0dXJlVGhhdElzU2VjcmV0OTk",
    "access key of a query": f"?code={SECRET}",
    "api key": f"api-key={SECRET}",
    "api key in a header": f"Ocp-Apim-Subscription-Key: {SECRET}",
    "quoted api key": f'"x-api-key": "{SECRET}"',
    "escaped signature": f"sig%3D{SECRET}",
    "authorization": f"Authorization: Bearer {SECRET}",
    "basic": "Basic emVicmE6UXVhcnR6OTk=",
    "password": f"Password={SECRET};",
}
FRAGMENTS = (SECRET, "eyJ", "hbGciOi", "JhcHBp", "hcHBpZCI6", "c2lnbmF0", "emVicmE6")


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("name", ["user", "productName", "backendUrl", "timestamp", "x-cost-center", "note", "type"])
def test_pieces_of_tokens_and_keys_beside_their_names_go(name: str, piece: str) -> None:
    kept = cleaned({name: PIECES[piece]})
    assert isinstance(kept, dict)
    assert [fragment for fragment in FRAGMENTS if fragment in kept[name].replace("emVicmE6UXVhcnR6OTk=", "")] == []


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("frame", ['{{"user":"{}", ,}}', '{{\\"user\\":\\"{}\\"', "5,{},7", "{}"])
def test_pieces_of_tokens_and_keys_go_from_bodies_that_are_no_json(frame: str, piece: str) -> None:
    kept, replayable = clean(frame.format(PIECES[piece]).encode())
    assert [fragment for fragment in FRAGMENTS if fragment in str(kept)] == []
    assert not replayable


def test_a_bearer_token_stays_the_same_caller() -> None:
    """What is read of it is its fingerprint, before the dead letter and after."""
    original = json.dumps({"user": f"Bearer {JWT}", "promptTokens": 1}).encode()
    assert facts(replayed(original)) == facts(original) != []


def test_a_user_or_a_fragment_in_an_address_goes() -> None:
    url = f"https://admin:{SECRET}@x.openai.azure.com/openai#{SECRET}"
    assert cleaned({"url": url}) == {"url": "https://x.openai.azure.com/openai"}


@pytest.mark.parametrize("where", [0, 5, 40])
def test_a_key_that_prose_or_a_length_cuts_in_two_goes_too(where: int) -> None:
    for body in (f"{'1,2;' * where}{KEY.lower()}ab please tell", "1,2;" * 250 + f"ab{LONG_KEY}"):
        kept, _ = clean(body.encode())
        assert KEY.lower()[:16] not in str(kept)
        assert LONG_KEY[:16] not in str(kept)


@pytest.mark.parametrize("text", ["id-please tell me", "\u8bf7\u544a\u8bc9\u6211" * 3])
def test_two_ids_that_are_texts_stay_two(text: str) -> None:
    """As a removal they would be billed as one call."""
    one, two = (cleaned({"requestId": f"{text} {number}"}) for number in (1, 2))
    assert one != two
    assert "tell" not in text_of([one, two])


@pytest.mark.parametrize(
    "text", [JWT, f"Bearer {JWT}", "eyJhbGciOi.", f"sig={SECRET}", f"x api-key: {SECRET}", "i" * 257]
)
def test_a_secret_in_the_place_of_an_id_becomes_a_fingerprint(text: str) -> None:
    assert cleaned({"requestId": text}) == {"requestId": f"key-{hashlib.sha256(text.encode()).hexdigest()[:16]}"}


def test_half_a_surrogate_pair_costs_one_character() -> None:
    body = (
        rb'{"promptTokens":-1,"usage":{"prompt_tokens":5},"user":"Ann \ud83d","response":"{\"usage\":{\"a_tokens\":1},'
    )
    kept, replayable = clean(body + rb'\"x\":\"\ud83d\"}"}')
    assert kept == {
        "promptTokens": -1,
        "usage": {"prompt_tokens": 5},
        "user": "Ann \ufffd",
        "response": '{"usage":{"a_tokens":1},"x":"<removed 1 characters>"}',
    }
    assert replayable


def test_usage_that_is_json_text_stays() -> None:
    usage = json.dumps({"prompt_tokens": 5, "note": f"please {SECRET} again", "x": SECRET})
    kept = cleaned({"usage": usage, "response": {"usage": usage}})
    inside = '{"prompt_tokens":5,"note":"<removed 25 characters>","x":"<removed 12 characters>"}'
    assert kept == {"usage": inside, "response": {"usage": inside}}
    assert cleaned({"usage": SECRET}) == {"usage": "<removed 12 characters>"}


def test_of_a_list_the_objects_stay_and_what_is_between_them_goes() -> None:
    items = [{"usage": {"prompt_tokens": 5}}, SECRET, 15339, None, [SECRET], [[{"model": "m", "text": SECRET}]]]
    assert cleaned({"response": items}) == {
        "response": [
            {"usage": {"prompt_tokens": 5}},
            "<removed 12 characters>",
            "<removed 5 characters>",
            None,
            "<removed 16 characters>",
            [[{"model": "m", "text": "<removed 12 characters>"}]],
        ]
    }


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
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)


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


sentences = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäéñü", min_size=4, max_size=9), min_size=4, max_size=12).map(
    lambda words: " ".join(words)
)
hex_keys = st.binary(min_size=16, max_size=16).map(bytes.hex)
long_keys = st.binary(min_size=64, max_size=64).map(lambda key: base64.b64encode(key).decode())
tokens = st.tuples(st.integers(10**6, 10**9), st.binary(min_size=20, max_size=32)).map(
    lambda parts: ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"RS256","typ":"JWT"}', b'{"appid":"%d","name":"Ann"}' % parts[0], parts[1])
    )
)


def anywhere(planted: str) -> st.SearchStrategy[object]:
    """JSON with a text as a value or within one, under any name, as a name, in lists, and in JSON in texts."""
    holder = any_names.filter(lambda name: _plain(name) not in names.CALL_IDS)
    value = st.sampled_from([planted, f"x, {planted}", f"({planted})", f"{planted}\n", [planted], [{"x": 1}, planted]])
    leaf: st.SearchStrategy[object] = st.dictionaries(holder, value, min_size=1) | st.just({planted: 1})

    def around(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        return st.one_of(
            st.dictionaries(any_names, inner | scalars, min_size=1, max_size=3),
            st.lists(inner | scalars, min_size=1, max_size=3),
            inner.map(lambda value: {"response": json.dumps(value)}),
            inner.map(lambda value: {"usage": json.dumps(json.dumps(value))}),
            inner.map(lambda value: {"message": f"{json.dumps(value)}\n{planted}\n{json.dumps(value)}"}),
            inner.map(lambda value: {"data": f"data: {json.dumps(value)}\n\n"}),
        )

    return st.recursive(leaf, around, max_leaves=6)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.one_of(sentences, hex_keys, long_keys, tokens))
def test_no_sentence_and_no_key_survives_under_any_name(data: st.DataObject, planted: str) -> None:
    body = json.dumps(data.draw(anywhere(planted)), ensure_ascii=data.draw(st.booleans())).encode()
    if data.draw(st.booleans()):
        body = body[: len(body) * data.draw(st.integers(50, 99)) // 100]  # torn, and perhaps no JSON any more
    letter = DeadLetter("call-1", "flat", "no count", "InvalidCount", Position(), body, len(body), "0" * 64)
    line = json.loads(line_of(letter))
    shown = text_of(line["body"]).replace("\\", "")
    pieces = planted.split(".") if "." in planted else [planted]
    assert [piece for piece in pieces if piece in shown] == []


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
    "a list": json.dumps([{"choices": [SPOKEN]}, {"model": "m", "usage": USAGE}, "[DONE]"]),
    "quoted": json.dumps(json.dumps({"model": "m", "choices": [SPOKEN], "usage": USAGE})),
    "quoted three times": json.dumps(json.dumps(json.dumps({"model": "m", "usage": USAGE}))),
    "quoted stream": json.dumps(stream_of({"model": "m", "choices": [SPOKEN]}, {"usage": USAGE})),
    "an object a line": json.dumps({"choices": [SPOKEN]}) + "\n" + json.dumps({"model": "m", "usage": USAGE}) + "\n",
    "an object and words": json.dumps({"model": "m", "usage": USAGE}) + f"\n{SECRET}\n\n{SECRET}",
    "words and an object": f"\n{SECRET}\n" + json.dumps({"model": "m", "usage": USAGE}),
    "two broken objects": '{"model":"m"\n{"usage": {}',
    "usage as text": json.dumps({"model": "m", "usage": json.dumps(USAGE)}),
    "cut emoji": json.dumps({"model": "m", "usage": USAGE})[:-1] + ', "x": "\\ud83d"}',
    "cut emoji in a stream": "data: " + json.dumps({"model": "m", "usage": USAGE})[:-1] + ', "x": "\\ud83d"}\n\n',
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
        for field in CALLER
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
