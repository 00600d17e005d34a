"""`chargeback explain`: its format, which others read, and what a line is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_cli_main import ROOT, called, command, environment, sentence

USAGE = (
    b'{"schema":"chargeback.usage/1","requestId":"r-1","timestamp":"2020-01-02T03:04:05.678Z",'
    b'"subscriptionId":"retail","statusCode":200,"promptTokens":5,"completionTokens":7,"totalTokens":12}'
)
COUNTS = b'{"prompt_tokens":1,"total_tokens":2}'


PRETTY = b'{\n  "prompt_tokens": 1,\n  "total_tokens": 2\n}\n'


def explained(*arguments: str | Path, given: bytes = b"") -> list[dict[str, object]]:
    finished = called("explain", *arguments, given=given)
    assert (finished.returncode, finished.stderr) == (0, b"")
    return [json.loads(line) for line in finished.stdout.splitlines()]


def remark(given: bytes) -> str:
    """Return what is said beside the explanation; there is a line of that for each line of the file, as always."""
    finished = called("explain", "-", given=given)
    assert finished.returncode == 0
    assert [json.loads(line)["line"] for line in finished.stdout.splitlines()] == list(
        range(1, len(given.splitlines()) + 1)
    )
    return sentence(finished) if finished.stderr else ""


def identity(content: bytes) -> str:
    return f"file/{hashlib.sha256(content).hexdigest()[:16]}"


def reasons(line: dict[str, object]) -> list[tuple[object, object, object]]:
    records = line["records"]
    assert isinstance(records, list)
    return [(record["outcome"], record["reason"], record["recordShape"]) for record in records]


def test_a_usage_record_is_explained_by_the_event_that_would_be_sent() -> None:
    properties = {
        "recordId": "r-1",
        "recordShape": "usage/1",
        "eventTime": "2020-01-02T03:04:05.678Z",
        "eventTimeAdjusted": "true",
        "consumerType": "subscription",
        "consumerId": "retail",
        "appSubscriptionKey": "retail",
        "requestId": "r-1",
        "subscriptionId": "retail",
        "statusCode": "200",
        "promptTokens": "5",
        "completionTokens": "7",
        "totalTokens": "12",
    }
    event = {"name": "Function called with Chargeback Data", "properties": properties}

    assert explained("-", given=USAGE) == [
        {"line": 1, "records": [{"outcome": "usage", "reason": None, "recordShape": "usage/1", "events": [event]}]}
    ]


def test_an_ignored_body_is_explained_by_its_reason() -> None:
    given = b"\n"
    properties = {"recordId": f"{identity(given)}/1", "recordShape": "unknown", "reason": "empty body"}
    event = {"name": "Chargeback record ignored", "properties": properties}

    assert explained("-", given=given) == [
        {
            "line": 1,
            "records": [{"outcome": "ignored", "reason": "empty body", "recordShape": "unknown", "events": [event]}],
        }
    ]


def test_a_rejected_body_is_explained_by_its_reason_and_its_dead_letter() -> None:
    given = b"no json"
    properties = {
        "recordId": f"{identity(given)}/1",
        "recordShape": "unknown",
        "reason": "not JSON",
        "errorType": "NotJson",
        "bytes": "7",
        "sha256": hashlib.sha256(given).hexdigest(),
        "deadLetter": f"rejected/{identity(given)}/1.jsonl",
    }
    event = {"name": "Chargeback record rejected", "properties": properties}

    assert explained("-", given=given) == [
        {
            "line": 1,
            "records": [{"outcome": "rejected", "reason": "not JSON", "recordShape": "unknown", "events": [event]}],
        }
    ]


def test_records_in_one_body_are_explained_one_by_one_in_their_order() -> None:
    given = b'{"records":[' + COUNTS + b',{"a":1},' + COUNTS + b"]}\n"

    (line,) = explained("-", given=given)

    usage, rejected = ("usage", None, "flat"), ("rejected", "no known token counts in it", "unknown")
    assert reasons(line) == [usage, rejected, usage]
    records = line["records"]
    assert isinstance(records, list)
    identities = [record["events"][0]["properties"]["recordId"] for record in records]
    assert identities == [f"{identity(given)}/1/{index}" for index in range(3)]


def test_what_application_insights_would_refuse_for_its_length_is_a_rejection() -> None:
    given = b'{"schema":"chargeback.usage/1","requestId":"r-1","productId":"%s","promptTokens":5}' % (b"ab-" * 2731)

    (line,) = explained("-", given=given)

    why = "refused by Application Insights: property productId longer than 8192 characters"
    assert reasons(line) == [("rejected", why, "usage/1")]


def test_every_line_is_a_body_and_a_newline_at_the_end_begins_none() -> None:
    lines = explained("-", given=COUNTS + b"\n\n \t\n" + COUNTS + b"\n")

    assert [line["line"] for line in lines] == [1, 2, 3, 4]
    assert [reasons(line)[0][0] for line in lines] == ["usage", "ignored", "ignored", "usage"]
    assert [line["line"] for line in explained("-", given=COUNTS + b"\n" + COUNTS)] == [1, 2]


def test_a_line_is_taken_as_it_stands_with_its_carriage_return() -> None:
    """Nobody cut the bytes on the hub either, and other line ends than the newline are no ends."""
    given = b"no json\r\n" + b"no\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8json\n"

    first, second = explained("-", given=given)

    assert str(first).count(hashlib.sha256(b"no json\r").hexdigest()) == 1
    assert str(second).count(hashlib.sha256(given[9:-1]).hexdigest()) == 1


def test_the_whole_file_is_one_body_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "pretty.json"
    file.write_bytes(PRETTY)

    (line,) = explained("--body", file)

    assert line["line"] == 1
    assert reasons(line) == [("usage", None, "flat")]
    assert f"{identity(file.read_bytes())}/1'" in str(line)


@pytest.mark.parametrize(
    "given",
    [
        PRETTY,
        b"\n" + PRETTY,
        b"\xef\xbb\xbf" + PRETTY.replace(b"\n", b"\r\n"),
        b"[\n" + COUNTS + b",\n" + COUNTS + b"\n]\n",
        b'{"prompt_tokens": 1,\n"total_tokens": 2}',
    ],
)
def test_a_body_over_several_lines_is_explained_line_by_line_with_a_hint(given: bytes) -> None:
    assert remark(given) == (
        "standard input is one JSON value over several lines, and each line is taken as a body: add --body to take it "
        "as one"
    )


@pytest.mark.parametrize("given", [PRETTY + PRETTY, b"[\nrubbish\n"])
def test_what_begins_like_a_body_over_several_lines_is_hinted_at(given: bytes) -> None:
    assert remark(given).startswith("standard input seems to hold JSON over several lines")


@pytest.mark.parametrize("given", [COUNTS, COUNTS + b"\n" + COUNTS, b"[" + COUNTS + b"]\n", b"no\njson", b"1\n2\n"])
def test_a_file_with_a_body_on_each_line_gets_no_hint(given: bytes) -> None:
    assert remark(given) == ""


def test_an_empty_file_has_no_lines_but_is_a_body(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    finished = called("explain", tmp_path / "empty.jsonl")
    assert (finished.returncode, finished.stdout) == (0, b"")
    assert sentence(finished) == f"there are no records in {tmp_path}/empty.jsonl"
    assert remark(b"") == "there are no records in standard input"
    assert [reasons(line) for line in explained("-", "--body")] == [[("ignored", "empty body", "unknown")]]


def test_a_file_a_pipe_and_a_redirection_give_the_same_answer(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(COUNTS + b"\nno json\n")

    by_name = called("explain", file).stdout
    with file.open("rb") as redirected:
        by_redirection = command("explain", "-", given=redirected).stdout

    assert by_name == command("explain", "-", given=file.read_bytes()).stdout == by_redirection
    assert by_name.count(b"\n") == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf 'no json\\n' > {pipe}"]):
        (line,) = explained(pipe)

    assert f"{identity(b'no json' + bytes([10]))}/1'" in str(line)


def test_a_dead_letter_is_named_by_the_first_line_of_its_thousand() -> None:
    """Replay takes a thousand lines at a time and keeps one file for each."""
    given = b"{}\n" * 1000 + b"x\n" + b"{}\n" * 3

    lines = explained("-", given=given)

    files = [line["records"][0]["events"][0]["properties"]["deadLetter"] for line in lines]  # type: ignore[index]  # JSON
    assert set(files[:1000]) == {f"rejected/{identity(given)}/1.jsonl"}
    assert set(files[1000:]) == {f"rejected/{identity(given)}/1001.jsonl"}


def test_binary_garbage_is_rejected_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(bytes(range(256)) * 4)

    lines = explained(file)

    assert len(lines) == 5  # 4 newlines, and what follows the last one
    assert {reason[0] for line in lines for reason in reasons(line)} == {"rejected"}


def test_records_of_wild_policies_get_one_line_each() -> None:
    wild = (ROOT / "tests" / "data" / "wild" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    given = "".join(f"{json.dumps(json.loads(line)['record'])}\n" for line in wild)

    lines = explained("-", given=given.encode())

    assert [line["line"] for line in lines] == list(range(1, len(wild) + 1))
    assert {outcome for line in lines for outcome, _, _ in reasons(line)} == {"usage", "ignored"}


def test_neither_settings_nor_a_network_are_needed() -> None:
    settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "not a connection string", "AzureWebJobsStorage": "neither"}

    assert called("explain", "-", given=USAGE, settings=settings).returncode == 0


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    finished = called("explain", tmp_path / "gone.jsonl")

    assert finished.returncode == 2
    assert sentence(finished) == (
        f"cannot read {tmp_path}/gone.jsonl (No such file or directory): "
        "name a file with a record body on each line, or - for standard input"
    )


def test_a_folder_is_one_sentence(tmp_path: Path) -> None:
    finished = called("explain", tmp_path)

    assert finished.returncode == 2
    assert sentence(finished).startswith(f"cannot read {tmp_path} (Is a directory)")


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    """As in `chargeback explain FILE | head`."""
    file = tmp_path / "many.jsonl"
    file.write_bytes((COUNTS + b"\n") * 5000)
    line = [sys.executable, "-m", "chargeback", "explain", str(file)]

    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()

    assert json.loads(first)["line"] == 1
    assert complaints == b""
    assert process.returncode == 141
