"""Plans: what a file would deploy, worked out by hand for small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep import planned
from tests.infra.bicep.plan import Plan, plan
from tests.infra.bicep.values import Unknown, Value

GROUP = "Microsoft.Insights/actionGroups@2023-01-01"
MODULE = f"""
param name string
param size int = 2
resource group '{GROUP}' = {{
  name: '${{name}}-${{size}}'
  location: 'global'
  properties: {{ groupShortName: name, enabled: true }}
}}
output id string = group.id
output name string = group.name
"""


def planned_of(folder: Path, source: str, given: dict[str, Value] | None = None) -> Plan:
    (folder / "module.bicep").write_text(MODULE, encoding="utf-8")
    (folder / "main.bicep").write_text(source, encoding="utf-8")
    return plan(folder / "main.bicep", given)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'${1 + 2}${'a'}'", "3a"),
        ("'it\\'s \\${none} \\u{41}'", "it's ${none} A"),
        ("'''\nraw ${a}'''", "raw ${a}"),
        ("union({ a: 1, b: { c: 2 } }, { b: { d: 3 } })", {"a": 1, "b": {"c": 2, "d": 3}}),
        ("union(['a', 'b'], ['b', 'c'])", ["a", "b", "c"]),
        ("concat(['a'], true ? ['b'] : [])", ["a", "b"]),
        ("[for (one, at) in ['a', 'b']: '${at}${one}']", ["0a", "1b"]),
        ("map(filter(items({ b: 2, a: 1 }), one => one.value > 1), one => one.key)", ["b"]),
        ("toObject(['a', 'b'], one => one, one => '${one}!')", {"a": "a!", "b": "b!"}),
        ("take(replace('con-to-so', '-', ''), 4)", "cont"),
        ("{ a: { b: 1 } }.a.b", 1),
        ("{ a: 1 }.?b ?? 2", 2),
        ("!empty('') || 2 > 1 && true", True),
        ("length(split('a,b', ',')) == 2 ? 'two' : 'other'", "two"),
        ("resourceGroup().location", Unknown("resourceGroup().location")),
        ("uniqueString('a')", Unknown("uniqueString('a')")),
        ("'x-${uniqueString('a')}'", Unknown("x-${uniqueString('a')}")),
    ],
)  # fmt: skip  (one expression a line is a table)
def test_what_is_known_is_worked_out(tmp_path: Path, expression: str, value: Value) -> None:
    assert planned_of(tmp_path, f"output a object = {expression}\n").outputs["a"] == value


def test_what_nobody_gives_is_unknown_and_what_is_given_is_used(tmp_path: Path) -> None:
    source = "param place string\nparam on bool = true\noutput a string = on ? place : 'nowhere'\n"
    assert planned_of(tmp_path, source).outputs["a"] == Unknown("(main.on ? main.place : 'nowhere')")
    assert planned_of(tmp_path, source, {"on": True}).outputs["a"] == Unknown("main.place")
    assert planned_of(tmp_path, source, {"on": False}).outputs["a"] == "nowhere"


def test_modules_are_planned_with_what_they_are_given(tmp_path: Path) -> None:
    source = "module m 'module.bicep' = { name: 'm', params: { name: 'ops' } }\noutput a string = m.outputs.id\n"
    made = planned_of(tmp_path, f"{source}output b string = m.outputs.name\n")
    (group,) = made.of("Microsoft.Insights/actionGroups")
    assert (group.place, group.body["name"]) == ("module.group", "ops-2")
    assert made.outputs == {"a": Unknown("module.group.id"), "b": "ops-2"}


def test_a_module_in_a_loop_is_planned_for_each(tmp_path: Path) -> None:
    source = "module m 'module.bicep' = [for one in ['a', 'b']: { name: one, params: { name: one, size: 5 } }]\n"
    groups = planned_of(tmp_path, source).of("Microsoft.Insights/actionGroups")
    assert [one.body["name"] for one in groups] == ["a-5", "b-5"]


def test_a_loop_over_what_is_unknown_has_one_round(tmp_path: Path) -> None:
    source = "param names array\nmodule m 'module.bicep' = [for one in names: { name: one, params: { name: one } }]\n"
    (group,) = planned_of(tmp_path, source).of("Microsoft.Insights/actionGroups")
    assert group.body["name"] == Unknown("${each(main.names)}-2")


@pytest.mark.parametrize(
    ("given", "conditions"), [({}, [Unknown("main.on")]), ({"on": True}, [True]), ({"on": False}, [])]
)
def test_a_condition_leaves_out_what_it_denies(
    tmp_path: Path, given: dict[str, Value], conditions: list[Value]
) -> None:
    source = "param on bool\nmodule m 'module.bicep' = if (on) { name: 'm', params: { name: 'ops' } }\n"
    groups = planned_of(tmp_path, source, given).of("Microsoft.Insights/actionGroups")
    assert [one.condition for one in groups] == conditions


def test_what_is_read_of_an_object_and_not_in_it_is_said(tmp_path: Path) -> None:
    made = planned_of(tmp_path, "var a = { size: 1 }\noutput b int = a.sise\n")
    assert made.outputs["b"] == Unknown("NOT GIVEN(main reads .sise)")


def test_values_that_come_from_elsewhere_are_held_against_the_type(tmp_path: Path) -> None:
    """What a file alone does not show: the short name is 12 characters at most, and comes from the caller."""
    source = "module m 'module.bicep' = { name: 'm', params: { name: 'operations-of-contoso' } }\n"
    (finding,) = planned.check(planned_of(tmp_path, source).resources)
    assert finding.startswith(
        "module:4: module.group.properties.groupShortName: 'operations-of-contoso' has 21 characters"
    )
