"""Expressions come out of a document whatever C# is in them."""

from __future__ import annotations

import pytest

from tests.policy.extraction import extract
from tests.policy.refusal import PolicyRefusedError
from tests.policy.structure import parse


def codes(text: str) -> list[str]:
    return [expression.code for expression in extract(text, "policy.xml").expressions]


@pytest.mark.parametrize(
    "code",
    [
        "(1 + 1)",
        "{ return 2; }",
        '(a["b"] == "c" && 1 < 2)',
        '(")")',
        r'("\")")',
        '(@"\\")',
        '(@"say "")"" twice")',
        '($"{a["b"]} and }} and {{ )")',
        '($"{(b ? ")" : "(")}")',
        '($@"{a}\\")',
        "(')' == c)",
        r"('\'' == c)",
        "(1 /* ) */ + 1)",
        "{ // it's }\n return 1; }",
        "{ var b = new { A = 1 }; return b.A; }",
        '("</set-variable>")',
        '("<!-- -->")',
        '("it\'s")',
    ],
)
def test_an_expression_ends_where_csharp_says(code: str) -> None:
    assert codes(f'<a b="@{code}" c="literal">@{code}</a>') == [code, code]


def test_what_is_left_is_xml_with_every_element_on_its_line() -> None:
    text = '<a\n b="@{\n return 1 < 2;\n}">\n  <c>@(\n1 && 2)</c>\n  <d />\n</a>'
    root = parse(extract(text, "policy.xml").structure, "policy.xml")
    assert [(child.name, child.line) for child in root.children] == [("c", 5), ("d", 7)]
    assert root.attributes["b"].strip() == "@expression:0"
    assert root.children[0].text.strip() == "@expression:1"


def test_expressions_are_numbered_on_and_know_their_line() -> None:
    found = extract('<a>\n\n<b>@(1)</b><c d="@(2)" />\n</a>', "policy.xml", first_number=5).expressions
    assert [(each.number, each.file, each.line) for each in found] == [(5, "policy.xml", 3), (6, "policy.xml", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- @(1) --><a />",
        "<?xml version='1.0'?><a />",
        "<a><![CDATA[@(1)]]></a>",
        "<a>someone@example.com</a>",
        "<a b='@' />",
    ],
)
def test_what_is_no_expression_stays(text: str) -> None:
    extracted = extract(text, "policy.xml")
    assert extracted.expressions == ()
    assert extracted.structure == text


def test_white_space_may_stand_around_an_expression() -> None:
    assert codes('<a b=" @(1) ">\n  @{ return 1; }\n</a>') == ["(1)", "{ return 1; }"]


def test_an_attribute_may_stand_in_single_quotes() -> None:
    assert codes("<a b='@(\"x\" + 'y')' />") == ["(\"x\" + 'y')"]


@pytest.mark.parametrize("text", ["<a>\n<b>Bearer @(1)</b></a>", '<a>\n<b c="@(1) and more" /></a>'])
def test_an_expression_that_is_part_of_a_value_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(PolicyRefusedError, match=r"policy.xml:2: an expression is the whole of a value or none of it"):
        extract(text, "policy.xml")


@pytest.mark.parametrize(
    ("text", "line"), [('<a>\n<b c="@(1" /></a>', 2), ('<a>\n\n<b>@{ return "x; }</b></a>', 3), ("<a>@(</a>", 1)]
)
def test_an_expression_that_does_not_end_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(PolicyRefusedError, match=rf"policy.xml:{line}: an expression does not end"):
        extract(text, "policy.xml")
