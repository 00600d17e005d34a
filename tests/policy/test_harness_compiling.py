"""Expressions are compiled, and held to the types that API Management allows."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.policy.allowed import LIST, read_list
from tests.policy.gateway import Gateway
from tests.policy.refusal import PolicyRefusedError
from tests.policy.scenes import document, log, run, written

pytestmark = pytest.mark.needs_mono


def reasons(folder: Path, expression: str) -> list[str]:
    """Compile a policy with the expression on its third line; return why it is refused."""
    with pytest.raises(PolicyRefusedError) as refused:
        Gateway(written(folder, document(inbound=f'\n<set-variable name="a" value="@{expression}" />')))
    return list(refused.value.reasons)


def test_a_compile_error_names_file_and_line(tmp_path: Path) -> None:
    (reason,) = reasons(tmp_path, "{\n  var a = 1;\n  return nothing;\n}")
    assert reason.startswith("policy.xml:5: CS0103: The name `nothing' does not exist")


def test_a_compile_error_of_a_fragment_names_the_fragment(tmp_path: Path) -> None:
    text = document(outbound='<include-fragment fragment-id="usage" />')
    policy = written(tmp_path, text, {"usage": f"<fragment>\n\n{log('@(context.Nobody)')}\n</fragment>"})
    with pytest.raises(PolicyRefusedError, match=r"usage.xml:3: CS1061: .*Nobody"):
        Gateway(policy, tmp_path)


def test_a_body_that_does_not_return_is_refused(tmp_path: Path) -> None:
    (reason,) = reasons(tmp_path, "{ var a = 1; }")
    assert reason.startswith("policy.xml:3: CS0161")


def test_csharp_of_today_is_refused(tmp_path: Path) -> None:
    (reason, *_) = reasons(tmp_path, "(context.Request.Method switch { _ => 1 })")
    assert reason.startswith("policy.xml:3: CS")


@pytest.mark.parametrize(
    ("expression", "kind", "name"),
    [
        ('(File.ReadAllText("/etc/passwd"))', "type", "System.IO.File"),
        ("(new Dictionary<string, List<FileInfo>>().Count)", "type", "System.IO.FileInfo"),
        ("(DateTime.UtcNow.ToUniversalTime())", "member", "System.DateTime.ToUniversalTime"),
        ('(Regex.Escape("a"))', "member", "System.Text.RegularExpressions.Regex.Escape"),
        ('(XDocument.Load("a").ToString())', "member", "System.Xml.Linq.XDocument.Load"),
        ("{ try { return 1; } catch (JsonException) { return 2; } }", "type", "Newtonsoft.Json.JsonException"),
        ("{ Func<int> one = () => 1; return one(); }", "type", "Func"),
        ("(System.Diagnostics.Process.GetCurrentProcess().Id)", "type", "System.Diagnostics.Process"),
    ],
)  # fmt: skip  (one violation per line is a table)
def test_what_is_not_on_the_list_is_refused_with_file_and_line(
    tmp_path: Path, expression: str, kind: str, name: str
) -> None:
    assert f"policy.xml:3: the {kind} {name} is not allowed in expressions" in reasons(tmp_path, expression)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        # The list has Regex.Matches, but nothing of what it returns.
        ('(Regex.Matches("a", "b").Count)', "System.Text.RegularExpressions.MatchCollection"),
        ("(context.GetType().ToString())", "System.Type"),
    ],
)
def test_a_type_that_no_name_shows_is_refused_with_its_file(tmp_path: Path, expression: str, name: str) -> None:
    assert reasons(tmp_path, expression) == [f"policy.xml: the type {name} is not allowed in expressions"]


def test_what_the_list_allows_compiles_and_runs(tmp_path: Path) -> None:
    """Lambdas, iteration, anonymous types and interpolation bring compiler types with them: none of them counts."""
    expression = """@{
        var sorted = new [] { 3, 1, 2 }.Where(n => n > 1).OrderBy(n => n).ToList();
        var some = new { Count = sorted.Count };
        var counts = new Dictionary<string, List<JToken>>();
        foreach (var pair in counts) { if (pair.Key == null) { return ""; } }
        foreach (Group group in new Group[0]) { if (group.Success) { return ""; } }
        using (var hash = SHA256.Create()) { hash.ComputeHash(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }); }
        var before = DateTime.UtcNow - TimeSpan.FromDays(1) < DateTime.UtcNow;
        return $"{some.Count:D2} {(before ? "yes" : "no")} " + new JArray().ToString(Newtonsoft.Json.Formatting.None);
    }"""
    assert run(tmp_path, document(inbound=log(expression))).records == ["02 yes []"]


def test_the_list_says_where_it_is_from() -> None:
    text = LIST.read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "learn.microsoft.com/azure/api-management/api-management-policy-expressions" in text
    assert len(read_list(text)) == 129


def test_the_same_content_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = written(tmp_path, document(inbound=log("@(1)")))
    Gateway(policy)
    monkeypatch.setenv("PATH", "")
    Gateway(policy)
    policy.write_text(document(inbound=log("@(1 + 0)")), encoding="utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="mcs"):
        Gateway(policy)
