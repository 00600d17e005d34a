"""What model responses say of their usage; the counts are worked out by hand from the providers' references."""

from __future__ import annotations

import json

import pytest

from chargeback.errors import UnreadableRecord
from chargeback.usage import Answer, answer_of, count


def sse(*events: object, named: bool = False) -> str:
    """Write server-sent events."""
    lines = []
    for event in events:
        kind = f"event: {event['type']}\n" if named and isinstance(event, dict) else ""
        lines.append(f"{kind}data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
    return "".join(lines)


CHAT = {
    "model": "gpt-4o-2024-11-20",
    "service_tier": "default",
    "choices": [{"message": {"content": "hi"}}],
    "usage": {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 11},
    },
}
CHAT_COUNTS: dict[str, int | None] = {
    "promptTokens": 2006,
    "completionTokens": 300,
    "totalTokens": 2306,
    "cachedTokens": 1920,
    "audioPromptTokens": 6,
    "reasoningTokens": 64,
    "audioCompletionTokens": 11,
}


def counts(response: object) -> dict[str, int | None]:
    return dict(answer_of(response).counts)


def test_chat_completions_give_every_part() -> None:
    answer = answer_of(CHAT)
    assert answer == Answer(CHAT_COUNTS, "gpt-4o-2024-11-20", "default", "body")


def test_a_response_may_be_json_text() -> None:
    assert counts(json.dumps(CHAT)) == CHAT_COUNTS


def test_legacy_completions() -> None:
    body = {"object": "text_completion", "model": "davinci-002", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}
    assert counts(body) == {"promptTokens": 5, "completionTokens": 7}


def test_embeddings_have_no_completion_and_none_is_invented() -> None:
    body = {"object": "list", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    assert counts(body) == {"promptTokens": 8, "totalTokens": 8}


def test_responses_api() -> None:
    usage = {
        "input_tokens": 75,
        "input_tokens_details": {"cached_tokens": 64},
        "output_tokens": 1186,
        "output_tokens_details": {"reasoning_tokens": 1024},
        "total_tokens": 1261,
    }
    expected = {
        "promptTokens": 75,
        "cachedTokens": 64,
        "completionTokens": 1186,
        "reasoningTokens": 1024,
        "totalTokens": 1261,
    }
    assert counts({"object": "response", "model": "gpt-5-mini", "usage": usage}) == expected


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete", "response.failed"])
def test_every_end_of_a_responses_stream_carries_usage(end: str) -> None:
    stream = sse(
        {"type": "response.created", "response": {"model": "gpt-5", "usage": None}},
        {"type": "response.output_text.delta", "delta": "usage"},
        {"type": end, "response": {"model": "gpt-5", "usage": {"input_tokens": 10, "output_tokens": 3}}},
        named=True,
    )
    assert answer_of(stream) == Answer(
        {"promptTokens": 10, "completionTokens": 3}, "gpt-5", None, "stream", streamed=True
    )


def test_a_failed_response_without_usage_says_its_code() -> None:
    stream = sse(
        {"type": "response.failed", "response": {"usage": None, "error": {"code": "server_error", "message": "x"}}},
        named=True,
    )
    assert answer_of(stream).note == "error:server_error"


def test_anthropic_cache_counts_stand_beside_the_input_and_are_added() -> None:
    usage = {
        "input_tokens": 4144,
        "cache_creation_input_tokens": 1000,
        "cache_read_input_tokens": 2455,
        "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400},
        "output_tokens": 23,
        "service_tier": "standard",
    }
    answer = answer_of({"type": "message", "model": "claude-sonnet-4-6", "usage": usage})
    assert answer.counts == {
        "promptTokens": 7599,
        "completionTokens": 23,
        "cachedTokens": 2455,
        "cacheWriteTokens": 1000,
        "cacheWrite1hTokens": 400,
    }
    assert answer.service_tier == "standard"


def test_an_anthropic_stream_splits_its_usage_over_two_events() -> None:
    stream = sse(
        {
            "type": "message_start",
            "message": {
                "model": "claude-x",
                "usage": {"input_tokens": 25, "cache_read_input_tokens": 5, "output_tokens": 1},
            },
        },
        {"type": "content_block_delta", "delta": {"text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
        {"type": "message_stop"},
        named=True,
    )
    assert counts(stream) == {"promptTokens": 30, "completionTokens": 15, "cachedTokens": 5}


def test_counts_of_a_stream_never_go_down() -> None:
    """Some gateways repeat `input_tokens: 0` in the last event."""
    stream = sse(
        {"type": "message_start", "message": {"usage": {"input_tokens": 25, "output_tokens": 1}}},
        {"type": "message_delta", "usage": {"input_tokens": 0, "output_tokens": 15}},
        named=True,
    )
    assert counts(stream) == {"promptTokens": 25, "completionTokens": 15}


def test_parts_of_a_stream_never_go_down_either() -> None:
    """As the gateway's policy reads them: each count's greatest."""
    events = ({"audio_tokens": 1, "cached_tokens": None}, {"audio_tokens": 0, "cached_tokens": 2})
    stream = sse(*({"usage": {"prompt_tokens": 7, "prompt_tokens_details": details}} for details in events))
    assert answer_of(stream).counts == {"promptTokens": 7, "audioPromptTokens": 1, "cachedTokens": 2}


def test_counts_that_include_the_cache_already_are_not_added_to() -> None:
    """Gateways that speak `prompt_tokens` for Anthropic models put the cache inside it."""
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "cache_read_input_tokens": 60}
    assert counts({"usage": usage}) == {"promptTokens": 100, "completionTokens": 1, "cachedTokens": 60}


def test_usage_may_come_on_a_chunk_that_has_choices() -> None:
    stream = sse({"choices": [{"delta": {}}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}, "[DONE]")
    assert counts(stream) == {"promptTokens": 9, "completionTokens": 2}


def test_usage_that_grows_chunk_by_chunk_is_read_at_its_end() -> None:
    stream = sse(*({"usage": {"prompt_tokens": 9, "completion_tokens": n}} for n in (1, 2, 3)), {"usage": None})
    assert counts(stream) == {"promptTokens": 9, "completionTokens": 3}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_streams_may_end_their_lines_in_every_way_of_the_standard(line_end: str) -> None:
    stream = 'data: {"usage":{"prompt_tokens":9}}\n\ndata: [DONE]\n\n'.replace("\n", line_end)
    assert counts(stream) == {"promptTokens": 9}


def test_one_event_may_spread_over_several_data_lines() -> None:
    assert counts('data: {"usage":\ndata: {"prompt_tokens":9}}\n\n') == {"promptTokens": 9}


def test_events_without_blank_lines_between_them_are_still_read() -> None:
    assert counts('data: {"a":1}\ndata: {"usage":{"prompt_tokens":9}}\ndata: [DONE]') == {"promptTokens": 9}


def test_text_in_an_answer_cannot_forge_usage() -> None:
    body = {"choices": [{"message": {"content": '{"usage":{"prompt_tokens":1000000}}'}}], "tools": {"usage": {"x": 1}}}
    assert counts(body) == {}
    assert answer_of(body).note == "body-without-usage"


def test_a_line_separator_inside_a_string_does_not_cut_an_event() -> None:
    """U+2028 may stand raw in JSON text, and is no line end of an event stream."""
    assert counts('data: {"x":"a\u2028b","usage":{"prompt_tokens":9}}\n\n') == {"promptTokens": 9}


def test_image_usage() -> None:
    usage = {
        "total_tokens": 4350,
        "input_tokens": 150,
        "output_tokens": 4200,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 100},
    }
    assert counts({"created": 1, "data": [{"b64_json": "iVBOR"}], "usage": usage}) == {
        "promptTokens": 150,
        "completionTokens": 4200,
        "totalTokens": 4350,
        "imagePromptTokens": 100,
    }


def test_transcription_by_tokens() -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 59,
    }
    assert counts({"text": "spoken", "usage": usage}) == {
        "promptTokens": 14,
        "completionTokens": 45,
        "totalTokens": 59,
        "audioPromptTokens": 14,
    }


def test_transcription_by_duration_has_no_tokens_and_says_so() -> None:
    answer = answer_of({"text": "spoken", "usage": {"type": "duration", "seconds": 9}})
    assert (answer.counts, answer.source, answer.note) == ({}, "none", "duration-usage")


@pytest.mark.parametrize(
    ("response", "note"),
    [
        (None, "no-body"),
        ("", "no-body"),
        ({"id": "x"}, "body-without-usage"),
        ({"usage": None}, "body-without-usage"),
        ({"error": {"code": "content_filter", "message": "secret"}}, "error:content_filter"),
        ({"error": {"code": 429}}, "error:429"),
        ({"error": {"code": "what the caller wrote, at length"}}, "error:unknown"),
        ("<html>gateway timeout</html>", "not-json"),
        ("data: [DONE]\n\n", "stream-without-usage"),
        ('data: {"choices":[]}', "stream-without-usage"),
        ([1, 2], "body-without-usage"),
    ],
)
def test_an_answer_without_usage_says_why(response: object, note: str) -> None:
    answer = answer_of(response)
    assert (answer.counts, answer.note) == ({}, note)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (55, 55), ("55", 55), (" 55 ", 55), (55.0, 55), ("55.0", 55), (10**12, 10**12), (None, None), ("", None)],
)
def test_a_count_is_a_whole_number_its_text_or_not_known(value: object, expected: int | None) -> None:
    assert count(value, "promptTokens") == expected


@pytest.mark.parametrize(
    "value",
    [
        -1,
        "-1",
        1.5,
        "1.5",
        10**12 + 1,
        "1000000000001",
        True,
        "many",
        "1,234",
        "1e3",
        "1_000",
        "٣",
        [],
        {},
        float("inf"),
        float("nan"),
        "9" * 5000,
    ],
)
def test_anything_else_is_no_count(value: object) -> None:
    with pytest.raises(UnreadableRecord, match=r"^promptTokens is not a whole number from 0 to 10\^12$"):
        count(value, "promptTokens")


def test_a_bad_count_in_a_response_is_not_read_over() -> None:
    with pytest.raises(UnreadableRecord, match="cachedTokens"):
        answer_of({"usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": -5}}})


START = {
    "type": "message_start",
    "message": {"model": "claude-sonnet-4-6", "usage": {"input_tokens": 25, "output_tokens": 1}},
}


def test_an_anthropic_stream_that_breaks_off_knows_no_completion() -> None:
    """The start's `output_tokens` is a placeholder: the real count comes with `message_delta`."""
    answer = answer_of(sse(START, {"type": "content_block_delta", "delta": {"text": "Hel"}}, named=True))
    assert (answer.counts, answer.note) == ({"promptTokens": 25}, "stream-cut")


def test_an_anthropic_stream_that_ends_knows_both() -> None:
    answer = answer_of(sse(START, {"type": "message_delta", "usage": {"output_tokens": 503}}, named=True))
    assert (answer.counts, answer.note) == ({"promptTokens": 25, "completionTokens": 503}, None)


@pytest.mark.parametrize(
    ("error", "note"),
    [
        ({"code": "429"}, "error:429"),
        ({"code": None, "type": "overloaded_error"}, "error:overloaded_error"),
        ({"message": "no code"}, "error:unknown"),
        ({"code": "what somebody wrote"}, "error:unknown"),
        ({"code": 429}, "error:429"),
    ],
)
def test_an_error_without_a_usable_code_is_an_unknown_one(error: object, note: str) -> None:
    assert answer_of({"error": error}).note == note
