"""The Bicep checker: what it refuses in a small file, and what it lets pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.bicep.checker import check
from tests.infra.deployed import ROOT

HUB = "Microsoft.EventHub/namespaces@2024-01-01"
EVENT_HUB = "Microsoft.EventHub/namespaces/eventhubs@2024-01-01"
NAMESPACE = f"""
resource ns '{HUB}' = {{
  name: 'contoso-hub'
  location: 'westeurope'
  sku: {{ name: 'Standard', tier: 'Standard', capacity: 1 }}
  properties: {{ disableLocalAuth: true }}
}}
"""
MODULE = """
@minLength(3)
param name string
@allowed(['Open', 'Shut'])
param door string = 'Open'
@minValue(1)
@maxValue(9)
param number int = 1
output id string = '${name}${door}${number}'
"""


def findings(folder: Path, source: str, module: str = MODULE) -> list[str]:
    (folder / "module.bicep").write_text(module, encoding="utf-8")
    (folder / "file.bicep").write_text(source, encoding="utf-8")
    return [f"{finding.line}: {finding.message}" for finding in check([folder / "file.bicep"])]


def call(params: str, more: str = "") -> str:
    return f"module m 'module.bicep' = {{\n  name: 'm'\n  params: {{ {params} }}\n}}\n{more}"


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("var a = [1\n", "1: syntax"),
        ("output a array = [1,\n  2]\n", "1: syntax: a new line after a comma"),
        ("output a array = [1 2]\n", "1: syntax: a comma is missing before '2'"),
        ("output a object = { b: 1 c: 2 }\n", "1: syntax: a comma is missing before 'c: 2'"),
        (
            "output a array = [for b in [1]: if (b > 1) { c: b }]\n",
            "0: syntax: line 1: a condition stands in the loop of",
        ),
        ("targetScope = 'group'\n", "1: targetScope = 'group': no such scope"),
        ("output a string = b\n", "1: 'b' is not declared"),
        ("param place string\noutput a string = plase\n", "2: 'plase' is not declared; did you mean 'place'?"),
        ("param a string\n", "1: parameter 'a' is never read"),
        ("var a = 1\n", "1: variable 'a' is never read"),
        ("param a string\nvar a = 1\noutput b string = a\n", "2: 'a' is declared twice"),
        ("output a string = toLowr('B')\n", "1: there is no function 'toLowr'; did you mean 'toLower'?"),
        ("output a string = toLower('B', 'C')\n", "1: toLower: 2 arguments, it takes 1"),
        ("output a string = utcNow()\n", "1: utcNow may stand in a parameter's default only"),
        (
            "var b = 'x'\nparam a string = b\noutput c string = a\n",
            "2: a default cannot use 'b': only other parameters",
        ),
        ("@desription('x')\nparam a string\noutput b string = a\n", "2: 'a': there is no decorator 'desription'"),
        ("@batchSize(1)\nparam a string\noutput b string = a\n", "2: 'a': @batchSize cannot stand here"),
        ("param a int = 'x'\noutput b int = a\n", "1: 'a' is string, must be int"),
        ("param a string\noutput b int = a\n", "2: 'b' is string, must be int"),
        ("@allowed(['x'])\nparam a string = 'y'\noutput b string = a\n", "2: 'a': its default 'y' is none of ['x']"),
        ("@maxValue(3)\nparam a int = 4\noutput b int = a\n", "2: 'a': 4 is not in None..3"),
        ("@minLength(2)\nparam a array = [1]\noutput b array = a\n", "2: 'a': 1 items is not in 2..None"),
        ("output a string = loadTextContent('b.txt')\n", "1: loadTextContent: there is no file 'b.txt'"),
        ("var a = '${b}'\nvar b = a\noutput c string = b\n", "1: a needs b needs a: a circle"),
        (f"resource a '{HUB}' existing = {{ name: 'contoso' }}\n", "1: existing resource 'a' is never read"),
        ("module m 'none.bicep' = { name: 'm' }\n", "1: module 'm': there is no file 'none.bicep'"),
        (call(""), "1: module 'm': parameter 'name' is required"),
        (call("name: 'contoso', nmber: 1"), "3: module 'm', parameter 'nmber': the module has none of that name"),
        (call("name: 7"), "3: module 'm', parameter 'name': is int, must be string"),
        (call("name: 'ab'"), "3: module 'm', parameter 'name': 'ab' has 2 characters, is not in 3..None"),
        (call("name: 'abc', number: 10"), "3: module 'm', parameter 'number': 10 is not in 1..9"),
        (call("name: 'abc', door: 'Ajar'"), "3: module 'm', parameter 'door': 'Ajar' is none of ['Open', 'Shut']"),
        (call("name: 'abc'", "output a string = m.outputs.ib\n"), "5: module 'm' has no output 'ib'"),
        (call("name: 'abc'", "output a string = m.output.id\n"), "5: module 'm' has no 'output'"),
        (call("name: 'abc'").replace("params", "parms"), "3: m.parms: a module has no such property"),
    ],
)  # fmt: skip  (one mistake a line is a table)
def test_a_mistake_of_the_language_is_found(tmp_path: Path, source: str, finding: str) -> None:
    assert any(found.startswith(finding) for found in findings(tmp_path, source)), findings(tmp_path, source)


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        (
            "disableLocalAuth",
            "disableLocalAuht",
            "6: ns.properties.disableLocalAuht: there is no such property; did you",
        ),
        ("disableLocalAuth", "DisableLocalAuth", "6: ns.properties.DisableLocalAuth: write 'disableLocalAuth'"),
        ("disableLocalAuth: true", "disableLocalAuth: 'true'", "6: ns.properties.disableLocalAuth: is string, must be"),
        ("disableLocalAuth: true", "status: 'x'", "6: ns.properties.status is read-only"),
        ("tier: 'Standard', ", "tier: 'Standrad', ", "5: ns.sku.tier: 'Standrad' is unknown; did you mean 'standard'?"),
        ("sku: { name: 'Standard', ", "sku: { ", "5: ns.sku: 'name' is required"),
        ("capacity: 1", "capacity: true", "5: ns.sku.capacity: is bool, must be int"),
        ("  name: 'contoso-hub'\n", "", "2: ns: 'name' is required"),
        ("name: 'contoso-hub'\n", "name: 'contoso-hub'\n  name: 'x'\n", "4: ns.name stands twice"),
        ("@2024-01-01", "", "2: 'Microsoft.EventHub/namespaces' is not of the form"),
        ("name: 'contoso-hub'", "name: ns.properties.metricId", "3: its name depends on ns.properties"),
        ("= {\n", "existing = {\n", "4: ns.location: an existing resource has its name only"),
    ],
)  # fmt: skip  (the same)
def test_a_mistake_in_a_resource_is_found(tmp_path: Path, right: str, wrong: str, finding: str) -> None:
    assert right in NAMESPACE
    found = findings(tmp_path, NAMESPACE.replace(right, wrong, 1))
    assert any(one.startswith(finding) for one in found), found


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("output a string = ns.properties.statuss\n", "8: ns.properties has no 'statuss'"),
        (f"resource hub '{EVENT_HUB}' = {{\n  name: 'hub'\n}}\n", "8: 'hub' is a"),
        (
            f"resource hub '{EVENT_HUB}' = [for one in ['x']: {{\n  name: one\n}}]\n",
            "8: 'hub' is a child: it needs 'parent', or a name with '/'",
        ),
        (
            "module m 'module.bicep' = if (ns.properties.disableLocalAuth) { name: 'm', params: { name: 'abc' } }\n",
            "8: its condition depends on ns.properties",
        ),
        (
            "resource rule 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = {\n  parent: ns\n"
            "  name: 'a'\n  properties: { rights: ['Send', 'Sendd'] }\n}\n",
            "11: rule.properties.rights[1]: 'Sendd' is unknown; did you mean 'send'?",
        ),
    ],
)  # fmt: skip  (the same)
def test_a_mistake_beside_a_resource_is_found(tmp_path: Path, source: str, finding: str) -> None:
    found = findings(tmp_path, NAMESPACE + source)
    assert any(one.startswith(finding) for one in found), found


@pytest.mark.parametrize(
    "source",
    [
        NAMESPACE,
        NAMESPACE + f"resource hub '{EVENT_HUB}' = {{\n  parent: ns\n  name: 'h'\n}}\n",
        NAMESPACE + f"resource hub '{EVENT_HUB}' = {{\n  name: '${{ns.name}}/h'\n}}\n",
        NAMESPACE.replace("  properties", "  resource hub 'eventhubs' = { name: 'h' }\n  properties"),
        call("name: 'abc', door: 'Shut', number: 9", "output a string = m.outputs.id\n"),
        "param a array\noutput b array = map(filter(a, one => one.on && one.n > 1), (one, at) => '${at}${one.name}')\n",
        "param a object\noutput b string = a.?b.?c ?? 'it\\'s \\${none} \\u{41}'\n",
        "param a string[]?\noutput b array = [for (one, at) in a ?? []: { one: one, at: at }]\n",
        "func twice(a string) string => '${a}${a}'\noutput b string = twice('x')\n",
        "output a string = '''it's\n${raw}'''\n",
        "output a object = {\n  b: 1\n  // a comment\n  c: 2 // another\n}\n",
    ],
)  # fmt: skip  (the same)
def test_what_is_right_is_not_found(tmp_path: Path, source: str) -> None:
    assert findings(tmp_path, source) == []


def test_a_type_that_is_not_kept_is_a_warning(tmp_path: Path) -> None:
    source = "resource a 'Microsoft.Batch/batchAccounts@2024-07-01' = {\n  name: 'contoso'\n}\noutput b string = a.id\n"
    assert findings(tmp_path, source) == ["1: no type data for Microsoft.Batch/batchAccounts@2024-07-01"]
    excused = f"#disable-next-line BCP081 // the service's types are not published\n{source}"
    assert findings(tmp_path, excused) == []


def test_an_error_is_never_excused(tmp_path: Path) -> None:
    wrong = NAMESPACE.replace("disableLocalAuth", "disableLocal")
    excused = wrong.replace("  properties", "  #disable-next-line BCP037 // we know better\n  properties")
    assert findings(tmp_path, excused) != []


def test_the_command_says_what_it_found_and_fails(tmp_path: Path) -> None:
    (tmp_path / "a.bicep").write_text("output a string = b\n", encoding="utf-8")
    (tmp_path / "b.bicep").write_text("output a string = 'b'\n", encoding="utf-8")
    results = {
        name: subprocess.run(
            [sys.executable, "-m", "tests.infra.bicep", tmp_path / name],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        for name in ("a.bicep", "b.bicep", "c.bicep")
    }
    assert [results[name].returncode for name in results] == [1, 0, 2]
    assert results["a.bicep"].stdout.endswith("a.bicep:1: error: 'b' is not declared\n1 files, 1 errors, 0 warnings\n")
    assert results["b.bicep"].stdout == "1 files, 0 errors, 0 warnings\n"
