"""Each policy does to a call what the reference says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.gateway import Gateway
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono


def test_a_call_goes_to_the_backend_and_back(tmp_path: Path) -> None:
    case = {
        "name": "plain",
        "request": {"headers": {"a": "1"}, "body": {"n": 1.10}, "query": {"api-version": "2024-10-21"}},
        "response": {"status": 201, "headers": {"b": "2"}, "body": "done"},
    }
    result = run(tmp_path, document(backend="<base />"), case)
    assert (result.case, result.thrown, result.last_error) == ("plain", [], None)
    assert (result.backend_calls, result.backend_request_body) == (1, '{"n":1.1}')
    assert result.backend_request_headers == {"a": "1"}
    assert result.backend_urls == [
        "https://backend.example/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    ]
    assert (result.client_status, result.client_headers, result.client_body) == (201, {"b": "2"}, b"done")
    assert result.client_body_intact


@pytest.mark.parametrize("text", ["<policies />", "<policies><inbound /><outbound /></policies>"])
def test_a_section_that_is_missing_is_the_global_one(tmp_path: Path, text: str) -> None:
    assert run(tmp_path, text).backend_calls == 1


def test_a_backend_section_without_forwarding_asks_nobody(tmp_path: Path) -> None:
    result = run(tmp_path, document(backend=""), {"response": {"body": "never"}})
    assert (result.backend_calls, result.client_status, result.client_body) == (0, 200, b"")


def test_set_variable_keeps_the_type_of_an_expression_and_makes_a_literal_text(tmp_path: Path) -> None:
    inbound = """<set-variable name="number" value="@(41L + 1)" /><set-variable name="text" value="41" />
    <set-variable name="nothing" value="@(null)" />"""
    expression = """@{
        var number = context.Variables.GetValueOrDefault<long>("number");
        return number + " " + (string)context.Variables["text"] + " " + context.Variables.ContainsKey("nothing") + " "
            + context.Variables.GetValueOrDefault<string>("missing", "otherwise");
    }"""
    assert run(tmp_path, document(inbound, outbound=log(expression))).records == ["42 41 True otherwise"]


def test_set_variable_refuses_types_that_the_reference_does_not_list(tmp_path: Path) -> None:
    result = run(
        tmp_path, document('\n<set-variable name="a" value="@(new [] { &quot;b&quot; })" />'.replace("&quot;", '"'))
    )
    assert result.thrown == ["policy.xml:3: set-variable: a variable cannot be a System.String[]"]


def test_set_header_overrides_skips_appends_and_deletes_whatever_the_case(tmp_path: Path) -> None:
    def header(name: str, action: str, *values: str) -> str:
        inner = "".join(f"<value>{value}</value>" for value in values)
        return f'<set-header name="{name}" exists-action="{action}">{inner}</set-header>'

    policies = (
        '<set-header name="Plain"><value>@("new")</value></set-header>'
        + header("OVER", "override", "new", "newer")
        + header("skip", "skip", "new")
        + header("absent", "skip", "new")
        + header("add", "append", "new")
        + header("gone", "delete")
    )
    old = {"plain": "old", "over": "old", "Skip": "old", "Add": ["old", "older"], "Gone": "old"}
    case = {"request": {"headers": old}, "response": {"headers": old, "body": ""}}
    result = run(tmp_path, document(policies, outbound=policies), case)
    expected = {
        "plain": "new",
        "over": "new,newer",
        "Skip": "old",
        "absent": "new",
        "Add": "old,older,new",
    }
    assert result.backend_request_headers == expected
    assert result.client_headers == expected


def test_choose_takes_the_first_branch_that_is_true(tmp_path: Path) -> None:
    def choose(variable: str) -> str:
        return (
            f'<choose><when condition="@((string)context.Variables["{variable}"] == "1")">{log("first")}</when>'
            f'<when condition="@(true)">{log("second")}</when><otherwise>{log("third")}</otherwise></choose>'
        )

    inbound = '<set-variable name="a" value="1" /><set-variable name="b" value="2" />' + choose("a") + choose("b")
    inbound += f'<choose><when condition="false">{log("never")}</when><otherwise>{log("else")}</otherwise></choose>'
    assert run(tmp_path, document(inbound)).records == ["first", "second", "else"]


def test_the_url_changes_for_the_backend_and_not_for_the_original(tmp_path: Path) -> None:
    inbound = """<set-backend-service base-url="https://eu.example/base/" />
    <rewrite-uri template="/v2/{deployment-id}?extra=1" />
    <set-query-parameter name="b"><value>@("2")</value></set-query-parameter>
    <set-query-parameter name="api-version" exists-action="delete"><value>-</value></set-query-parameter>"""
    seen = log(
        '@(context.Request.OriginalUrl.Path + context.Request.OriginalUrl.QueryString + " " + context.Request.Url.Path'
        ' + context.Request.Url.QueryString + " " + context.Request.Url.Query.GetValueOrDefault("b", ""))'
    )
    request = {"path": "/openai/x", "query": {"api-version": "1", "k": "v"}, "matched": {"deployment-id": "gpt"}}
    result = run(tmp_path, document(inbound + seen), {"request": request})
    assert result.records == ["/openai/x?api-version=1&k=v /base/v2/gpt?k=v&extra=1&b=2 2"]
    assert result.backend_urls == ["https://eu.example/base/v2/gpt?k=v&extra=1&b=2"]


def test_rewrite_uri_may_leave_the_other_parameters_behind(tmp_path: Path) -> None:
    text = document('<rewrite-uri template="@("/y")" copy-unmatched-params="false" />')
    result = run(tmp_path, text, {"request": {"path": "/openai/x", "query": {"a": "1"}}})
    assert result.backend_urls == ["https://backend.example/openai/y"]


def test_a_backend_is_found_by_its_id(tmp_path: Path) -> None:
    text = document('<set-backend-service backend-id="ptu" />')
    with Gateway(written(tmp_path, text)) as gateway:
        known = gateway.run({"backends": {"ptu": "https://ptu.example:8443/o"}, "request": {"path": "/openai/x"}})
        unknown = gateway.run({"request": {"path": "/openai/x"}})
    assert known.backend_urls == ["https://ptu.example:8443/o/x"]
    assert unknown.backend_urls == ["https://ptu.backend.example/openai/x"]


@pytest.mark.parametrize("attribute", ["", 'base-url="@("elsewhere")"'])
def test_a_backend_without_an_address_fails_the_call(tmp_path: Path, attribute: str) -> None:
    (thrown,) = run(tmp_path, document(f"<set-backend-service {attribute} />")).thrown
    assert thrown.startswith("policy.xml:2: set-backend-service: base-url is no address")


@pytest.mark.parametrize("section", ["inbound", "outbound"])
def test_return_response_ends_the_call_where_it_stands(tmp_path: Path, section: str) -> None:
    answer = """<return-response><set-status code="418" reason="Teapot" />
    <set-header name="x"><value>@("y")</value></set-header><set-body>@("short")</set-body></return-response>"""
    text = document(**{section: answer + log("never")}, on_error=log("never"))
    result = run(tmp_path, text, {"response": {"body": "backend's"}})
    assert (result.client_status, result.client_headers, result.client_body) == (418, {"x": "y"}, b"short")
    assert (result.records, result.backend_calls) == ([], 0 if section == "inbound" else 1)
    assert result.client_body_intact == (section == "inbound")


def test_set_status_changes_the_response(tmp_path: Path) -> None:
    text = document(outbound='<set-status code="@(202)" reason="Accepted" />')
    assert run(tmp_path, text).client_status == 202


def test_set_status_before_there_is_a_response_fails_the_call(tmp_path: Path) -> None:
    result = run(tmp_path, document('<set-status code="202" reason="Accepted" />'))
    assert result.thrown == ["policy.xml:2: set-status: there is no response yet"]


def test_fragments_run_where_they_are_included(tmp_path: Path) -> None:
    inclusion = '<include-fragment fragment-id="note" />'
    text = document(inclusion, outbound=inclusion + inclusion)
    policy = written(tmp_path, text, {"note": f"<fragment>{log('@(context.Response == null)')}</fragment>"})
    with Gateway(policy, tmp_path) as gateway:
        assert gateway.run({}).records == ["True", "False", "False"]


def test_managed_identity_replaces_the_callers_token_or_fills_a_variable(tmp_path: Path) -> None:
    identity = '<authentication-managed-identity resource="https://cognitiveservices.azure.com" {0}/>'
    kept = identity.format('output-token-variable-name="token" ')
    case = {"request": {"headers": {"authorization": "Bearer callers"}}}
    result = run(tmp_path, document(kept + log('@((string)context.Variables["token"])')), case)
    assert (result.records, result.backend_request_headers) == (["gateway-token"], {"authorization": "Bearer callers"})
    result = run(tmp_path, document(identity.format("")), case)
    assert result.backend_request_headers == {"authorization": "Bearer gateway-token"}


def test_the_dimensions_of_token_metrics_are_evaluated(tmp_path: Path) -> None:
    dimension = '<dimension name="App" value="@(context.Variables["missing"].ToString())" />'
    (thrown,) = run(tmp_path, document(f"<llm-emit-token-metric>{dimension}</llm-emit-token-metric>")).thrown
    assert thrown.startswith("policy.xml:2: llm-emit-token-metric: KeyNotFoundException")
