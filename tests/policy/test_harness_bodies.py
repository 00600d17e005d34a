"""Bodies are streams: who reads them and how decides what arrives."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.policy.gateway import Gateway
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono

RESPONSE = {"response": {"body": "answer"}}
KEEPING = "@(context.Response.Body.As<string>(preserveContent: true))"
TAKING = "@(context.Response.Body.As<string>())"


def test_a_body_that_is_read_with_preserve_content_still_arrives(tmp_path: Path) -> None:
    result = run(tmp_path, document(outbound=log(KEEPING) + log(KEEPING)), RESPONSE)
    assert (result.records, result.body_reads) == (["answer", "answer"], 2)
    assert (result.client_body, result.client_body_intact) == (b"answer", True)


def test_a_body_that_is_read_without_preserve_content_does_not_arrive(tmp_path: Path) -> None:
    result = run(tmp_path, document(outbound=log(TAKING)), RESPONSE)
    assert (result.thrown, result.client_status) == ([], 200)
    assert (result.client_body, result.client_body_intact) == (b"", False)


def test_reading_a_body_that_is_gone_throws(tmp_path: Path) -> None:
    result = run(tmp_path, document(outbound=log(TAKING) + "\n" + log(KEEPING)), RESPONSE)
    (thrown,) = result.thrown
    assert thrown.startswith("policy.xml:5: log-to-eventhub: InvalidOperationException: the message body is gone")
    assert (result.client_status, result.client_body_intact) == (500, False)


def test_a_body_that_is_put_back_arrives(tmp_path: Path) -> None:
    result = run(tmp_path, document(outbound=f"<set-body>{TAKING}</set-body>"), RESPONSE)
    assert (result.client_body, result.client_body_intact) == (b"answer", True)


def test_a_body_that_was_parsed_and_written_again_is_not_what_the_backend_sent(tmp_path: Path) -> None:
    rewriting = "<set-body>@(context.Response.Body.As<JObject>().ToString(Newtonsoft.Json.Formatting.None))</set-body>"
    result = run(tmp_path, document(outbound=rewriting), {"response": {"body": '{"n": 1.10}'}})
    assert (result.client_body, result.client_body_intact) == (b'{"n":1.1}', False)


def test_the_request_body_reaches_the_backend_unless_it_was_taken(tmp_path: Path) -> None:
    case = {"request": {"body": {"a": "ü"}}}
    reading = log("@(context.Request.Body.As<string>({0}))")
    assert run(tmp_path, document(reading.format("true")), case).backend_request_body == '{"a":"ü"}'
    assert run(tmp_path, document(reading.format("")), case).backend_request_body == ""
    changing = "<set-body>@(context.Request.Body.As<string>().Replace('a', 'b'))</set-body>"
    assert run(tmp_path, document(changing), case).backend_request_body == '{"b":"ü"}'


def test_a_request_that_was_sent_cannot_be_read_any_more(tmp_path: Path) -> None:
    reading = log("@(context.Request.Body.As<string>(true))")
    case = {"request": {"body": "question"}}
    (thrown,) = run(tmp_path, document(reading, outbound=reading), case).thrown
    assert "the message body is gone" in thrown
    buffered = '<forward-request buffer-request-body="true" />'
    assert run(tmp_path, document(backend=buffered, outbound=reading), case).records == ["question"]


def test_a_message_without_a_body_has_none(tmp_path: Path) -> None:
    text = document(log("@(context.Request.Body == null)"), outbound=log("@(context.Response.Body == null)"))
    assert run(tmp_path, text).records == ["True", "True"]
    result = run(tmp_path, document("<set-body>x</set-body>"))
    assert result.thrown == ["policy.xml:2: set-body: there is no message body to set"]


@pytest.mark.parametrize(
    ("response", "body"),
    [
        ({"body": {"text": "ü", "n": [1, None]}}, '{"text":"ü","n":[1,null]}'.encode()),
        ({"body": [1, 2]}, b"[1,2]"),
        ({"body": ""}, b""),
        ({"body": "2024-05-01T10:00:00+02:00"}, b"2024-05-01T10:00:00+02:00"),
        ({"bodyBase64": base64.b64encode(b"\xff\x00\xfe").decode()}, b"\xff\x00\xfe"),
        ({"bodyRepeat": ["data: x\n\n", 100_000]}, b"data: x\n\n" * 100_000),
    ],
    ids=["object", "list", "empty", "text like a date", "bytes", "large"],
)
def test_a_case_gives_a_body_in_many_ways(tmp_path: Path, response: dict[str, Any], body: bytes) -> None:
    reading = log("@(context.Response.Body.As<byte[]>(true).Length)")
    result = run(tmp_path, document(outbound=reading), {"response": response})
    assert result.client_body == body
    assert result.records == [str(len(body))]
    assert result.client_body_intact


def test_a_body_is_read_as_what_the_expression_asks_for(tmp_path: Path) -> None:
    reading = log(
        '@((int)context.Response.Body.As<JObject>(true)["a"] + (int)context.Response.Body.As<JToken>(true)["a"])'
    )
    assert run(tmp_path, document(outbound=reading), {"response": {"body": {"a": 2}}}).records == ["4"]
    form = log('@(context.Request.Body.AsFormUrlEncodedContent(true)["a"][1])')
    assert run(tmp_path, document(form), {"request": {"body": "a=1&b=2&a=%C3%BC+3"}}).records == ["ü 3"]


def test_a_record_is_read_as_json_if_it_is_an_object(tmp_path: Path) -> None:
    outbound = log("""@("{\\"at\\":\\"2024-05-01T10:00:00Z\\"}")""") + log("@(12)") + log("plain") + log("@(null)")
    result = run(tmp_path, document(outbound=outbound))
    assert result.records == [{"at": "2024-05-01T10:00:00Z"}, "12", "plain", ""]
    assert (result.bytes, result.logger_ids) == ([29, 2, 5, 0], ["usage"] * 4)


def test_a_record_goes_to_the_partition_of_its_key(tmp_path: Path) -> None:
    keyed = '<log-to-eventhub logger-id="usage" partition-key="@(context.Subscription.Id)">a</log-to-eventhub>'
    assert run(tmp_path, document(keyed + log("b"))).partition_keys == ["sub-team-a", None]


def test_a_record_above_200_kb_is_cut_in_bytes(tmp_path: Path) -> None:
    # Two bytes each, and one before them: the cut goes through the middle of one.
    reading = log("@(\"x\" + new string('ü', 150000))")
    result = run(tmp_path, document(outbound=reading))
    assert result.bytes == [200 * 1024]
    assert result.records[0] == "x" + "ü" * 102_399 + "�"
    result = run(tmp_path, document(outbound=log("@(new string('x', 200 * 1024))")))
    assert result.records == ["x" * 200 * 1024]


def test_one_process_answers_case_after_case(tmp_path: Path) -> None:
    text = document(outbound=log("@(context.Response.Body.As<string>(true))"))
    with Gateway(written(tmp_path, text)) as gateway:
        results = [gateway.run({"name": str(number), "response": {"body": f"{number}ü"}}) for number in range(300)]
    assert [result.case for result in results] == [str(number) for number in range(300)]
    assert [result.records for result in results] == [[f"{number}ü"] for number in range(300)]
    assert all(result.milliseconds > 0 for result in results)
