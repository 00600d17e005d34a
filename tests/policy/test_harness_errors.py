"""What fails goes to on-error, with what the reference says of it in context.LastError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policy.gateway import Gateway
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono

TOLD = log(
    '@(string.Join("|", context.LastError.Source, context.LastError.Reason, context.LastError.Message,'
    " context.LastError.Section, context.Response.StatusCode))"
)
FAILING = '<set-variable id="mine" name="a" value="@(((string)null).Length)" />'


@pytest.mark.parametrize("section", ["inbound", "backend", "outbound"])
def test_an_expression_that_throws_leads_to_on_error(tmp_path: Path, section: str) -> None:
    text = document(**{section: "\n" + FAILING + log("never")}, on_error=TOLD)
    result = run(tmp_path, text, {"response": {"body": "billed"}})
    message = "Object reference not set to an instance of an object"
    assert result.records == [
        f"set-variable|ExpressionValueEvaluationFailure|Expression evaluation failed. {message}|{section}|500"
    ]
    (thrown,) = result.thrown
    line = {"inbound": 3, "backend": 4, "outbound": 5}[section]
    assert thrown == f"policy.xml:{line}: set-variable: NullReferenceException: {message}"
    assert result.client_status == 500
    assert json.loads(result.client_body) == {"statusCode": 500, "message": "Internal server error"}
    assert result.client_body_intact == (section != "outbound")


def test_without_on_error_the_caller_gets_the_error(tmp_path: Path) -> None:
    result = run(tmp_path, f"<policies><inbound>{FAILING}</inbound></policies>")
    assert (result.client_status, len(result.thrown), result.backend_calls) == (500, 1, 0)


def test_the_error_says_where_in_the_policy_it_happened(tmp_path: Path) -> None:
    inner = f'<choose><when condition="@(false)" /><when condition="@(true)">{FAILING}</when></choose>'
    error = run(tmp_path, document(f"<choose><when condition='false' /></choose>{inner}")).last_error
    assert error is not None
    assert (error["path"], error["policyId"], error["scope"]) == ("choose[2]/when[2]", "mine", "api")


def test_on_error_may_answer_in_its_own_way(tmp_path: Path) -> None:
    answer = '<return-response><set-status code="503" reason="Later" /><set-body>later</set-body></return-response>'
    result = run(tmp_path, document(FAILING, on_error=answer))
    assert (result.client_status, result.client_body) == (503, b"later")


def test_on_error_may_change_the_status_and_the_headers(tmp_path: Path) -> None:
    changes = """<set-status code="502" reason="Bad" />
    <set-header name="x"><value>@(context.LastError.Source)</value></set-header>"""
    result = run(tmp_path, document(FAILING, on_error=changes))
    assert (result.client_status, result.client_headers["x"]) == (502, "set-variable")


def test_an_on_error_that_throws_does_not_run_again(tmp_path: Path) -> None:
    result = run(tmp_path, document(FAILING, on_error=log("first") + FAILING))
    assert (result.records, len(result.thrown), result.client_status) == (["first"], 2, 500)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"backend": "timeout"}, "forward-request|Timeout|The backend did not answer in time.|backend|500"),
        (
            {"backend": "refused"},
            "forward-request|BackendConnectionFailure|The backend could not be reached.|backend|500",
        ),
        (
            {
                "failure": {
                    "section": "inbound",
                    "source": "authorization",
                    "reason": "SubscriptionKeyInvalid",
                    "message": "Access denied",
                    "status": 401,
                }
            },
            "authorization|SubscriptionKeyInvalid|Access denied|inbound|401",
        ),
        (
            {"failure": {"section": "backend", "source": "transfer", "reason": "ClientConnectionFailure"}},
            "transfer|ClientConnectionFailure||backend|500",
        ),
    ],
)  # fmt: skip  (a case is read in one piece)
def test_the_gateways_own_failures_are_no_fault_of_the_policy(tmp_path: Path, case: dict[str, Any], told: str) -> None:
    result = run(tmp_path, document(on_error=TOLD), case)
    assert (result.records, result.thrown) == ([told], [])


@pytest.mark.parametrize(("after", "records"), [(False, ["failed"]), (True, ["passed", "failed"])])
def test_a_section_may_fail_before_its_policies_or_after(tmp_path: Path, after: bool, records: list[str]) -> None:
    text = document(outbound=log("passed"), on_error=log("failed"))
    failure = {"section": "outbound", "source": "transfer", "reason": "ClientConnectionFailure", "after": after}
    result = run(tmp_path, text, {"failure": failure, "response": {"body": "answer"}})
    assert (result.records, result.client_body_intact) == (records, False)


def test_a_backend_that_does_not_answer_was_called(tmp_path: Path) -> None:
    result = run(tmp_path, document(), {"backend": "timeout", "request": {"body": "question"}})
    assert (result.backend_calls, result.backend_request_body, result.client_status) == (1, "question", 500)


TOKEN = "e30.eyJhcHBpZCI6ImEifQ.e30"
VALIDATIONS = [
    '<validate-jwt header-name="Authorization" output-token-variable-name="jwt" {0}/>',
    '<validate-azure-ad-token tenant-id="t" output-token-variable-name="jwt" {0}/>',
]


@pytest.mark.parametrize("validation", VALIDATIONS)
def test_a_valid_token_fills_the_variable(tmp_path: Path, validation: str) -> None:
    reading = log('@(((Jwt)context.Variables["jwt"]).Claims.GetValueOrDefault("appid", ""))')
    case = {"request": {"headers": {"Authorization": f"Bearer {TOKEN}"}}, "tokens": True}
    assert run(tmp_path, document(validation.format("") + reading), case).records == ["a"]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [(False, "JwtInvalid"), ("TokenExpired", "TokenExpired"), ({"reason": "TokenAudienceNotAllowed"},) * 2],
)
@pytest.mark.parametrize("validation", VALIDATIONS)
def test_a_token_that_is_not_valid_is_a_401(tmp_path: Path, validation: str, tokens: Any, reason: Any) -> None:
    case = {"request": {"headers": {"Authorization": f"Bearer {TOKEN}"}}, "tokens": tokens}
    result = run(tmp_path, document(validation.format("") + log("never"), on_error=TOLD), case)
    expected = reason["reason"] if isinstance(reason, dict) else reason
    source = validation[1:].split()[0]
    assert result.records == [f"{source}|{expected}|The token is not valid. Access denied.|inbound|401"]
    assert (result.client_status, result.backend_calls, result.thrown) == (401, 0, [])


def test_a_call_without_a_token_is_refused_in_the_policys_words(tmp_path: Path) -> None:
    words = 'failed-validation-httpcode="403" failed-validation-error-message="No."'
    result = run(tmp_path, document(VALIDATIONS[1].format(words), on_error=TOLD))
    assert result.records == ["validate-azure-ad-token|TokenNotPresent|JWT not present.|inbound|403"]
    assert json.loads(result.client_body) == {"statusCode": 403, "message": "No."}


def test_check_header_wants_the_header_and_one_of_its_values(tmp_path: Path) -> None:
    check = """<check-header name="X-Team" failed-check-httpcode="400" failed-check-error-message="Whose call?"
    ignore-case="true"><value>blue</value><value>red</value></check-header>"""
    with Gateway(written(tmp_path, document(check, on_error=TOLD))) as gateway:
        right, wrong, none = (
            gateway.run({"request": {"headers": headers}}) for headers in ({"x-team": "RED"}, {"x-team": "green"}, {})
        )
    assert right.backend_calls == 1
    assert wrong.records == [
        "check-header|HeaderValueNotAllowed|Header X-Team value of green is not allowed. Access denied.|inbound|400"
    ]
    assert none.records == [
        "check-header|HeaderNotFound|Header X-Team was not found in the request. Access denied.|inbound|400"
    ]
    assert json.loads(none.client_body)["message"] == "Whose call?"
