"""Whatever a backend answers and a caller asks: the call is not broken, and one small, true record is sent.

True is what another reading of the same body says: `chargeback.shapes.read`, which shares no line with the policy. The
policy may know less than that, never something else. Real bodies are the case files', changed here and there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeback.records import UsageRecord
from chargeback.shapes import read
from tests.policy.gateway import Gateway
from tests.policy.result import Result

pytestmark = pytest.mark.needs_mono

Case: TypeAlias = Mapping[str, Any]

POLICIES = Path(__file__).parents[2] / "infra" / "policies"
LARGEST = 4096
INSERTED = '"stream_options":{"include_usage":true},'
JSON, STREAM = "application/json", "text/event-stream; charset=utf-8"
COUNTS = tuple(name for name in UsageRecord.model_fields if name.endswith("_tokens"))


def real_answers() -> Iterator[dict[str, Any]]:
    """Yield what backends answer in the case files, as far as a change to it is to be seen in a screenful."""
    for file in sorted((Path(__file__).parent / "cases").glob("*.json")):
        answer = json.loads(file.read_text(encoding="utf-8"))["case"].get("response", {})
        if isinstance(answer, dict) and len(json.dumps(answer.get("body"))) < 2000:
            yield answer


def stands_on_lines(stream: str) -> bool:
    """Tell whether each event is one line: spreading is for the test to do, that knows what the whole event was."""
    events = [line[5:].strip() for line in stream.splitlines() if line.startswith("data:")]
    return all(event == "[DONE]" or (event[:1] + event[-1:] == "{}" and is_json(event)) for event in events)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


BODIES = [answer.get("body") for answer in real_answers()]
OBJECTS = [body for body in BODIES if isinstance(body, dict)]
STREAMS = [body for body in BODIES if isinstance(body, str) and "\ndata:" in body and stands_on_lines(body)]

USAGE_NAMES = ("usage", "Usage", "prompt_tokens", "input_tokens", "output_tokens", "completion_tokens", "total_tokens")
MORE_NAMES = ("cache_read_input_tokens", "prompt_tokens_details", "cached_tokens", "seconds", "x")
OUTER_NAMES = ("model", "service_tier", "type", "error", "code", "response", "message", "choices", "stream")
NAMES = st.sampled_from([*USAGE_NAMES, *MORE_NAMES, *OUTER_NAMES, "stream_options", "data_sources"])
WHOLE = st.sampled_from([0, 1, 7, -1, 2**31, 2**63, 10**12, 10**12 + 1, 10**40])
NUMBERS = st.one_of(WHOLE, st.sampled_from([1.5, 1e3, 1e300]))
TEXTS = st.sampled_from(
    ["", "7", "-7", "x", "message_start", "gpt-4o", 'a"b', "\\", '{"prompt_tokens":9}', "}{", "\u2028é"]
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=10,
)
SIGNS = ('"', "\\", "{", "}", "[", "]", ":", ",", "\n", "\r\n", " ", "\ufeff", "\0", "é", "\U0001f600", "\ufffd")
WORDS = ('"usage"', '"usage":{"prompt_tokens":3}', '"message":', '"model":"m"', "null", "1")
PIECES = st.sampled_from([*SIGNS, *WORDS, "data:", "data: ", "event: x", "[DONE]"])
SOUP = st.lists(PIECES, max_size=25).map("".join)


def places(value: object) -> list[tuple[Any, Any]]:
    """Return where a value could be changed: each container of it with each of its keys."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(value, key), *places(inner)]
    return found


def usage_places(value: object) -> list[tuple[Any, Any]]:
    """Return the places within `usage`, if there is one."""
    within = [place for container, key in places(value) if key == "usage" for place in places(container[key])]
    return within or places(value)


@st.composite
def near_answers(draw: st.DrawFn, named_twice: bool = True) -> str:
    """Draw a real answer whose usage, and perhaps more, is not quite as it was."""
    body = json.loads(json.dumps(draw(st.sampled_from(OBJECTS))))
    for find in draw(st.lists(st.sampled_from([usage_places, usage_places, places]), max_size=3)):
        if not (found := find(body)):
            break
        container, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            container[key] = draw(SCALARS)
        elif isinstance(container, dict):
            container[draw(st.sampled_from(["x", "seconds", "Usage", "response"]))] = container.pop(key)
        else:
            del container[key]
    text = json.dumps(body, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, None, 2])))
    again = draw(st.sampled_from(["", "", ', "usage": null', ', "usage": {"prompt_tokens": 3}', ', "usage": "x"']))
    return text[:-1].rstrip() + again + "}" if again and named_twice and body else text


@st.composite
def broken(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """Draw a text that was cut, or into which something fell."""
    text = draw(texts)
    at = draw(st.integers(0, len(text)))
    return text[:at] if draw(st.booleans()) else text[:at] + draw(PIECES) + text[at:]


@st.composite
def near_streams(draw: st.DrawFn) -> list[str]:
    """Draw the lines of a real stream with some lost, repeated, moved, or changed in their usage."""
    lines: list[str] = draw(st.sampled_from(STREAMS)).splitlines()
    for change in draw(st.lists(st.sampled_from(["drop", "repeat", "usage", "between", "move"]), max_size=4)):
        if not lines:
            break
        at = draw(st.integers(0, len(lines) - 1))
        line = lines.pop(at)
        if change == "move":
            lines.insert(draw(st.integers(0, len(lines))), line)
        elif change == "repeat":
            lines[at:at] = [line, line]
        elif change == "between":
            lines[at:at] = [draw(ODD_LINES), line]
        elif change == "usage":
            lines.insert(at, draw(recounted(line)))
    return lines


ODD_LINES = st.sampled_from(
    ["", ": ping", ': {"usage":{"prompt_tokens":3}}', "event: x", 'data: {"usage":null}', "data:", "data: [DONE]"]
)


@st.composite
def recounted(draw: st.DrawFn, line: str) -> str:
    """Draw a line whose event, if it has usage, has another number somewhere in it."""
    try:
        event = json.loads(line.removeprefix("data:"))
    except ValueError:
        return line
    numbers = [(holder, key) for holder, key in usage_places(event) if type(holder[key]) is int]
    if not numbers:
        return line
    holder, key = draw(st.sampled_from(numbers))
    holder[key] = draw(WHOLE)
    return "data: " + json.dumps(event, separators=(",", ":"))


@st.composite
def as_sent(draw: st.DrawFn, lines: list[str]) -> str:
    """Draw how a stream's lines come: their ends, a byte order mark, events spread over several lines."""
    if draw(st.booleans()):
        lines = [part for line in lines for part in (spread(line) if draw(st.booleans()) else [line])]
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + end.join(lines) + draw(st.sampled_from(["", end, end + end]))


def spread(line: str) -> list[str]:
    """Return an event as three `data:` lines, if it is JSON."""
    try:
        event = json.loads(line.removeprefix("data:"))
    except ValueError:
        return [line]
    lines = json.dumps(event, indent=0, ensure_ascii=False).split("\n")
    third = len(lines) // 3
    return ["data: " + "".join(part) for part in (lines[:third], lines[third : 2 * third], lines[2 * third :])]


STREAM_TEXTS = near_streams().flatmap(as_sent)


def text_body(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return texts.map(lambda text: {"body": text})


ODD_TEXTS = st.one_of(st.text(max_size=40), SOUP, st.sampled_from(["x" * 9000, "語" * 3000, "\x01" * 2000]))
ODD_HEADERS = st.dictionaries(
    st.sampled_from(["x-ms-region", "x-ms-deployment-name", "x-ms-spillover-from-deployment", "Retry-After"]),
    ODD_TEXTS,
    max_size=3,
)
ODD_REQUESTS = st.fixed_dictionaries(
    {
        "headers": st.dictionaries(
            st.sampled_from(["x-cost-center", "traceparent", "Priority", "Authorization"]), ODD_TEXTS, max_size=3
        )
    },
    optional={
        "matched": st.fixed_dictionaries({"deployment-id": ODD_TEXTS}),
        "path": st.sampled_from(["/anthropic/v1/messages", "/openai/v1/responses/", "/", "/openai/v1/embeddings"]),
    },
)
NO_UTF8 = st.one_of(
    st.binary(max_size=60),
    near_answers().map(lambda text: text.encode("latin-1", "replace")),
    SOUP.map(lambda text: text.encode("utf-16")),
).map(lambda some: {"bodyBase64": base64.b64encode(some).decode()})
ANY_BODY = st.one_of(
    text_body(near_answers()),
    text_body(STREAM_TEXTS),
    text_body(SOUP),
    text_body(broken(STREAM_TEXTS)),
    NO_UTF8,
    st.just({}),
)
TYPES = st.sampled_from(
    [JSON, STREAM, "text/html", "", "APPLICATION/JSON", "application/problem+json", "text/event-stream", "x" * 5000]
)


@st.composite
def odd_calls(draw: st.DrawFn) -> Case:
    """Draw a call of which nothing is as usual."""
    headers = {"Content-Type": draw(TYPES), **draw(ODD_HEADERS)}
    status = draw(st.sampled_from([200, 200, 201, 204, 400, 401, 404, 429, 499, 500, 503, 599]))
    answer = {**draw(ANY_BODY), "headers": headers, "status": status}
    without = draw(st.lists(st.sampled_from(["subscription", "product"]), max_size=2))
    return {"request": draw(ODD_REQUESTS), "response": answer, **dict.fromkeys(without)}


@pytest.fixture(scope="module")
def buffering() -> Iterator[Gateway]:
    with Gateway(POLICIES / "api.xml", POLICIES, named("buffer")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def live() -> Iterator[Gateway]:
    with Gateway(POLICIES / "api.xml", POLICIES, named("live")) as gateway:
        yield gateway


def named(mode: str) -> dict[str, str]:
    values: dict[str, str] = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    return {**values, "chargeback-stream-mode": mode}


def many(count: int) -> settings:
    return settings(max_examples=count, suppress_health_check=list(HealthCheck))


def sent_bytes(answer: Mapping[str, Any]) -> bytes:
    return base64.b64decode(answer["bodyBase64"]) if "bodyBase64" in answer else str(answer.get("body", "")).encode()


def record_of(result: Result, case: Case) -> UsageRecord:
    """Assert what holds for every call; return its record as the function reads it."""
    assert result.thrown == []
    assert result.client_body == sent_bytes(case["response"])
    assert result.client_body_intact
    assert result.client_status == case["response"].get("status", 200)
    (record,) = result.records
    assert isinstance(record, dict)
    assert result.bytes[0] <= LARGEST
    (reading,) = read(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode())
    assert isinstance(reading, UsageRecord)
    return reading


def answered(text: str, kind: str) -> Case:
    return {"response": {"headers": {"Content-Type": kind}, "body": text}}


def true_counts(text: str, streamed: bool) -> dict[str, int | None] | None:
    """Return the counts by the other reading; nothing where it refuses the body."""
    source = {"requestId": "r-1", "response": ":\n" + text.removeprefix("\ufeff") if streamed else text}
    (reading,) = read(json.dumps(source).encode())
    return counts_of(reading) if isinstance(reading, UsageRecord) else None


def counts_of(record: UsageRecord) -> dict[str, int | None]:
    return {name: getattr(record, name) for name in COUNTS}


def assert_true(record: UsageRecord, text: str, streamed: bool) -> None:
    """Assert that the record knows nothing that the other reading does not."""
    known = {name: count for name, count in counts_of(record).items() if count is not None}
    assert (record.usage_source in ("body", "stream")) == bool(known)
    truth = true_counts(text, streamed)
    if truth is None:
        # The function would refuse such a body as a whole; the policy leaves the count out, and says so.
        assert not known or "count-unreadable" in str(record.note)
        return
    if truth["total_tokens"] is None:
        known.pop("total_tokens", None)  # without a completion the function cannot tell whether the cache is in it
    assert known == {name: truth[name] for name in known}


@given(near_answers())
@many(800)
def test_an_answer_that_is_nearly_a_providers_is_read_as_it_stands(buffering: Gateway, text: str) -> None:
    case = answered(text, JSON)
    assert_true(record_of(buffering.run(case), case), text, streamed=False)


@given(near_answers(named_twice=False), st.floats(0, 1))
@many(200)
def test_an_answer_that_was_cut_tells_what_the_whole_one_would(buffering: Gateway, text: str, part: float) -> None:
    case = answered(text[: int(len(text) * part)], JSON)
    assert_true(record_of(buffering.run(case), case), text, streamed=False)


@given(st.data())
@many(500)
def test_a_stream_that_is_nearly_a_providers_is_read_as_it_stands(buffering: Gateway, data: st.DataObject) -> None:
    lines = data.draw(near_streams())
    case = answered(data.draw(as_sent(lines)), STREAM)
    assert_true(record_of(buffering.run(case), case), "\n".join(lines), streamed=True)


@given(broken(STREAM_TEXTS))
@many(200)
def test_a_broken_stream_is_read_as_far_as_it_goes(buffering: Gateway, text: str) -> None:
    case = answered(text, STREAM)
    record_of(buffering.run(case), case)


@given(odd_calls())
@many(300)
def test_no_call_is_broken_however_odd_its_answer(buffering: Gateway, case: Case) -> None:
    record_of(buffering.run(case), case)


@given(odd_calls())
@many(200)
def test_no_call_is_broken_where_streams_are_live(live: Gateway, case: Case) -> None:
    result = live.run(case)
    record = record_of(result, case)
    if record.streamed and "body" in case["response"]:
        assert (record.usage_source, record.note, result.body_reads) == ("pending", "stream-not-read", 0)


MEMBERS = st.fixed_dictionaries(
    {"stream": st.sampled_from([True, True, True, False, None, "true"])},
    optional={
        "model": st.just("gpt-4o"),
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.just("user"), "content": st.one_of(SOUP, ANYTHING)}), max_size=2
        ),
        "data_sources": ANYTHING,
        "stream_options": st.one_of(st.just({"include_usage": True}), ANYTHING),
        "tools": ANYTHING,
        "temperature": st.sampled_from([1.10, 1e-7, 12345678901234567890]),
        'say "stream"': st.just(True),
    },
)


@st.composite
def questions(draw: st.DrawFn) -> str:
    """Draw a request's text: members in any order, written in any way, some of them twice."""
    members = list(draw(MEMBERS).items())
    members += draw(st.lists(st.sampled_from([("stream", True), ("stream", False), ("n", 1)]), max_size=1))
    draw(st.randoms(use_true_random=False)).shuffle(members)
    colon, comma = draw(st.sampled_from([(":", ","), (": ", ", "), (" :\n", "\t,\r\n")]))
    ascii_only = draw(st.booleans())
    return (
        "{"
        + comma.join(json.dumps(name) + colon + json.dumps(value, ensure_ascii=ascii_only) for name, value in members)
        + "}"
    )


def should_be_asked(text: str) -> bool:
    """Tell by another reading whether a stream has to be asked for its usage."""
    pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    names = {name for name, _ in pairs}
    unclear = "\ufffd" in text or any('"' in name for name in names)
    return dict(pairs)["stream"] is True and not names & {"stream_options", "data_sources"} and not unclear


@given(questions())
@many(300)
def test_a_stream_is_asked_for_usage_by_one_insertion(live: Gateway, text: str) -> None:
    result = live.run({"request": {"body": text, "query": {"api-version": "2024-10-21"}}, "response": {}})
    asked = should_be_asked(text)
    assert result.thrown == []
    assert result.backend_request_body == (text.replace("{", "{" + INSERTED, 1) if asked else text)
    if asked:
        assert json.loads(result.backend_request_body) == {
            **json.loads(text),
            "stream_options": {"include_usage": True},
        }


@given(st.one_of(broken(questions()), SOUP, ANYTHING.map(json.dumps)))
@many(200)
def test_a_request_of_any_other_form_goes_on_as_it_came(live: Gateway, text: str) -> None:
    result = live.run({"request": {"body": text}, "response": {}})
    assert result.thrown == []
    assert result.backend_request_body in (text, text.replace("{", "{" + INSERTED, 1))


@given(NO_UTF8)
@many(100)
def test_request_bytes_that_are_no_text_go_on_as_they_came(live: Gateway, body: Mapping[str, str]) -> None:
    result = live.run({"request": body, "response": {}})
    text = base64.b64decode(body["bodyBase64"]).decode(errors="replace")
    assert result.thrown == []
    assert one_mark(result.backend_request_body or "") == one_mark(text)


def one_mark(text: str) -> str:
    """Return a text with one replacement character for many: how many bytes one stands for is the runtime's choice."""
    return re.sub("\ufffd+", "\ufffd", text)
