"""What the reference does not allow is refused before anything runs, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.documents import load
from tests.policy.reference import POLICIES, SECTIONS
from tests.policy.scenes import document, refusals, written

EVERYWHERE = frozenset(SECTIONS)
SECTIONS_OF = {
    **dict.fromkeys(("choose", "include-fragment", "log-to-eventhub", "retry", "return-response"), EVERYWHERE),
    **dict.fromkeys(("set-header", "set-status", "set-variable"), EVERYWHERE),
    "set-body": EVERYWHERE - {"on-error"},
    **dict.fromkeys(("set-backend-service", "set-query-parameter"), frozenset({"inbound", "backend"})),
    "forward-request": {"backend"},
}


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_is_allowed_in_the_sections_of_the_reference(name: str) -> None:
    assert POLICIES[name].sections == SECTIONS_OF.get(name, {"inbound"})


def test_a_policy_in_a_section_where_it_is_not_allowed_is_refused_with_file_and_line(tmp_path: Path) -> None:
    text = document(on_error="\n<set-body>sorry</set-body>")
    assert refusals(tmp_path, text) == ["policy.xml:6: set-body is not allowed in on-error"]


def test_what_is_nested_is_looked_at_too(tmp_path: Path) -> None:
    inner = '<retry condition="@(false)" count="1" interval="1"><forward-request /></retry>'
    text = document(outbound=f'<choose><when condition="@(true)">{inner}</when></choose>')
    assert refusals(tmp_path, text) == ["policy.xml:4: forward-request is not allowed in outbound"]


def test_return_response_may_set_a_body_even_in_on_error(tmp_path: Path) -> None:
    policy = written(tmp_path, document(on_error="<return-response><set-body>sorry</set-body></return-response>"))
    assert len(load(policy, None, {})) == 1


@pytest.mark.parametrize(
    ("policies", "why"),
    [
        ("<send-smoke />", "send-smoke is a policy that this gateway does not know here"),
        ("<set-header />", "set-header lacks name"),
        (
            '<set-header name="a" exist-action="skip" />',
            "set-header has no attribute exist-action",
        ),
        ('<set-header name="a"><values>b</values></set-header>', "set-header cannot hold values"),
        ('<set-header name="a"><value x="y">b</value></set-header>', "value has no attribute x"),
        ('<set-variable name="@(1)" value="a" />', "name of set-variable cannot be an expression"),
        ('<set-variable name="a" value="b">c</set-variable>', "set-variable has a text"),
        ("<choose />", "choose is one when or more, and at most one otherwise at its end"),
        (
            '<choose><when condition="@(true)"><base /></when></choose>',
            "base is a policy that",
        ),
        ("<return-response><set-variable /></return-response>", "return-response cannot hold set-variable"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, policies: str, why: str) -> None:
    (reason,) = refusals(tmp_path, document(inbound=policies))
    assert reason.startswith(f"policy.xml:2: {why}")


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    assert len(refusals(tmp_path, document(inbound="<a />", outbound="<b />"))) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<policies>\n<outbond /></policies>", "policy.xml:2: outbond is no section"),
        ("<policies><inbound />\n<inbound /></policies>", "policy.xml:2: inbound stands there twice"),
        ("<fragment />", "policy.xml:1: a policy is a document of policies, not of fragment"),
        ("<policies>\n<inbound></policies>", "policy.xml:2: not well formed: mismatched tag"),
    ],
)
def test_a_document_that_is_no_policy_is_refused(tmp_path: Path, text: str, why: str) -> None:
    assert refusals(tmp_path, text) == [why]


INCLUDING = document(outbound='\n<include-fragment fragment-id="usage" />')


@pytest.mark.parametrize(
    ("fragment", "why"),
    [
        ("<fragment>\n<forward-request />\n</fragment>", "usage.xml:2: forward-request is not allowed in outbound"),
        ("<fragment><base /></fragment>", "usage.xml:1: base is a policy that this gateway does not know here"),
        ("<fragment><inbound /></fragment>", "usage.xml:1: inbound is a policy that this gateway does not know here"),
        (
            '<fragment><include-fragment fragment-id="usage" /></fragment>',
            "usage.xml:1: a fragment cannot include a fragment",
        ),
        ("<policies />", "usage.xml:1: a fragment is a document of fragment, not of policies"),
    ],
)
def test_a_fragment_is_held_to_the_section_that_includes_it(tmp_path: Path, fragment: str, why: str) -> None:
    assert refusals(tmp_path, INCLUDING, {"usage": fragment}) == [why]


def test_a_missing_fragment_is_named(tmp_path: Path) -> None:
    assert refusals(tmp_path, INCLUDING) == [f"policy.xml:5: there is no fragment usage in {tmp_path}"]


def test_a_named_value_that_is_missing_is_named_with_file_and_line(tmp_path: Path) -> None:
    text = document(inbound='\n<set-variable name="a" value="{{stream-mode}}" />')
    assert refusals(tmp_path, text, named={"other": "x"}) == ["policy.xml:3: there is no named value stream-mode"]


def test_named_values_are_filled_in_before_anything_else(tmp_path: Path) -> None:
    text = document(inbound='<set-variable name="a" value="@("{{mode}}" + "{{ mode }}")" />')
    (read,) = load(written(tmp_path, text), None, {"mode": "live"})
    assert [expression.code for expression in read.expressions] == ['("live" + "live")']
