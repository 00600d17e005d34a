"""`python -m tests.policy`, and what it shows of the policy that everybody starts with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policy.__main__ import main
from tests.policy.gateway import Gateway, GatewayEndedError
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono

# What tutorials have: parse the answer, take its counts.
TUTORIAL = document(
    outbound=log("""@{
        var body = context.Response.Body?.As<JObject>(true);
        var usage = body["usage"];
        return new JObject(
            new JProperty("promptTokens", usage["prompt_tokens"].ToString()),
            new JProperty("completionTokens", usage["completion_tokens"].ToString())
        ).ToString();
    }""")
)
CHAT = {"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}
STREAM = {"Content-Type": "text/event-stream"}
ANSWERS: dict[str, dict[str, Any]] = {
    "chat": {"body": CHAT},
    "embeddings": {"body": {"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}},
    "responses": {"body": {"usage": {"input_tokens": 3, "output_tokens": 4}}},
    "image": {"body": {"created": 1, "data": []}},
    "usage-null": {"body": {**CHAT, "usage": None}},
    "stream": {"headers": STREAM, "body": f"data: {json.dumps(CHAT)}\n\ndata: [DONE]\n\n"},
    "throttled": {"status": 429, "body": {"error": {"code": "429"}}},
    "html": {"status": 502, "body": "<html>Bad gateway</html>"},
    "empty": {"body": ""},
    "no-body": {"status": 401},
}
CASES = [{"name": name, "response": response} for name, response in ANSWERS.items()]


def test_the_tutorials_policy_fails_calls_that_the_model_has_answered(tmp_path: Path) -> None:
    with Gateway(written(tmp_path, TUTORIAL)) as gateway:
        results = {case["name"]: gateway.run(case) for case in CASES}
    chat = results.pop("chat")
    assert (chat.thrown, chat.records) == ([], [{"promptTokens": "5", "completionTokens": "7"}])
    assert chat.client_body_intact
    for result in results.values():
        assert len(result.thrown) == 1
        assert (result.client_status, result.client_body_intact, result.records) == (500, False, [])


@pytest.mark.parametrize("form", ["a list", "lines"])
def test_a_file_of_cases_comes_out_as_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps(CASES) if form == "a list" else "\n".join(map(json.dumps, CASES)), encoding="utf-8")
    assert main([str(cases), "--policy", str(written(tmp_path, TUTORIAL))]) == 0
    first, second, *others = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["case"], first["thrown"], first["clientBodyIntact"]) == ("chat", None, True)
    assert first["records"] == [{"promptTokens": "5", "completionTokens": "7"}]
    assert first["backendRequestBody"] is None
    assert second["thrown"].startswith("policy.xml:4: log-to-eventhub: NullReferenceException")
    assert len(others) == len(CASES) - 2


def test_named_values_come_from_the_file_beside_the_policy_and_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = written(tmp_path, document(log("{{chargeback-stream-mode}} {{a}} {{b}}")))
    defaults = {"chargeback-stream-mode": "live", "a": "1", "b": "2"}
    (tmp_path / "named-values.json").write_text(json.dumps(defaults), encoding="utf-8")
    cases = tmp_path / "cases.json"
    cases.write_text("{}", encoding="utf-8")
    arguments = [str(cases), "--policy", str(policy)]
    assert main(arguments) == 0
    assert main([*arguments, "--stream-mode", "buffer-anthropic", "--named", "b=3=4"]) == 0
    records = [json.loads(line)["records"] for line in capsys.readouterr().out.splitlines()]
    assert records == [["live 1 2"], ["buffer-anthropic 1 3=4"]]


@pytest.mark.parametrize(
    ("text", "arguments", "why"),
    [
        (document("<smoke />"), [], "policy.xml:2: smoke is a policy that this gateway does not know here\n"),
        (document("{{a}}"), [], "policy.xml:2: there is no named value a\n"),
        (document(), ["--named", "a"], "--named takes NAME=VALUE, not a\n"),
        (document(), ["--policy", "nowhere.xml"], "[Errno 2] No such file or directory: 'nowhere.xml'\n"),
    ],
)
def test_what_cannot_be_run_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, arguments: list[str], why: str
) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text("{}", encoding="utf-8")
    assert main([str(cases), "--policy", str(written(tmp_path, text)), *arguments]) == 1
    assert capsys.readouterr().err == why


def test_a_case_that_is_not_of_the_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(GatewayEndedError, match=r"case 'odd': (?s:.*)not asleep"):
        run(tmp_path, document(), {"name": "odd", "backend": "asleep"})


def test_a_case_that_ends_the_process_does_not_end_the_gateway(tmp_path: Path) -> None:
    with Gateway(written(tmp_path, document(log("@(1)")))) as gateway:
        with pytest.raises(GatewayEndedError):
            gateway.run({"requestId": "no guid"})
        assert gateway.run({}).records == ["1"]
