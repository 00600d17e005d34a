"""What Microsoft's reference allows: which policy in which section, with which attributes and elements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.policy.structure import Element

SECTIONS = ("inbound", "backend", "outbound", "on-error")
IN_RETURN_RESPONSE = ("set-status", "set-header", "set-body")


@dataclass(frozen=True, slots=True)
class Policy:
    sections: frozenset[str]
    required: frozenset[str]
    optional: frozenset[str]
    literal: frozenset[str]
    """Attributes in which no expression is allowed."""
    elements: Mapping[str, list[str] | None] | None
    """Child elements with their attributes (`None`: any); `None` where children are policies, or there are none."""
    text: bool


def _policy(entry: dict[str, Any]) -> Policy:
    return Policy(
        sections=frozenset(entry["sections"]),
        required=frozenset(entry.get("required", ())),
        optional=frozenset(entry.get("optional", ())) | {"id"},
        literal=frozenset(entry.get("literal", ())),
        elements=entry.get("elements"),
        text=entry.get("text", False),
    )


_REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text(encoding="utf-8"))
POLICIES: Mapping[str, Policy] = {name: _policy(entry) for name, entry in _REFERENCE["policies"].items()}


def faults(elements: list[Element], section: str, *, in_fragment: bool = False) -> Iterator[str]:
    """Yield what the reference does not allow among the policies that stand directly in a section."""
    for element in elements:
        if element.name == "base" and not in_fragment:
            yield from _stray_text(element)
        else:
            yield from _faults(element, section, in_fragment)


def _faults(element: Element, section: str, in_fragment: bool) -> Iterator[str]:
    policy = POLICIES.get(element.name)
    if policy is None:
        yield element.refused(f"{element.name} is a policy that this gateway does not know here")
        return
    if section not in policy.sections:
        yield element.refused(f"{element.name} is not allowed in {section}")
    yield from _attribute_faults(element, policy)
    if not policy.text:
        yield from _stray_text(element)
    if in_fragment and element.name == "include-fragment":
        yield element.refused("a fragment cannot include a fragment")
    yield from _child_faults(element, policy, section, in_fragment)


def _attribute_faults(element: Element, policy: Policy) -> Iterator[str]:
    given = set(element.attributes)
    for name in sorted(policy.required - given):
        yield element.refused(f"{element.name} lacks {name}")
    for name in sorted(given - policy.required - policy.optional):
        yield element.refused(f"{element.name} has no attribute {name} that this gateway knows")
    for name in sorted(given & policy.literal):
        if element.attributes[name].lstrip().startswith("@"):
            yield element.refused(f"{name} of {element.name} cannot be an expression")


def _stray_text(element: Element) -> Iterator[str]:
    if element.text.strip():
        yield element.refused(f"{element.name} has a text")


def _child_faults(element: Element, policy: Policy, section: str, in_fragment: bool) -> Iterator[str]:
    match element.name:
        case "choose":
            yield from _branch_faults(element, section, in_fragment)
        case "retry":
            for child in element.children:
                yield from _faults(child, section, in_fragment)
        case "return-response":
            yield from _answer_faults(element)
        case _:
            yield from _element_faults(element, policy.elements or {})


def _branch_faults(choose: Element, section: str, in_fragment: bool) -> Iterator[str]:
    names = [branch.name for branch in choose.children]
    if not names or set(names[:-1]) - {"when"} or names[-1] not in ("when", "otherwise") or names[0] != "when":
        yield choose.refused("choose is one when or more, and at most one otherwise at its end")
    for branch in choose.children:
        expected = {"condition"} if branch.name == "when" else set()
        if set(branch.attributes) != expected:
            yield branch.refused(f"{branch.name} has {'only a condition' if expected else 'no attributes'}")
        yield from _stray_text(branch)
        for child in branch.children:
            yield from _faults(child, section, in_fragment)


def _answer_faults(element: Element) -> Iterator[str]:
    for child in element.children:
        if child.name in IN_RETURN_RESPONSE:
            yield from _attribute_faults(child, POLICIES[child.name])
            yield from _element_faults(child, POLICIES[child.name].elements or {})
        else:
            yield child.refused(f"return-response cannot hold {child.name}")


def _element_faults(element: Element, known: Mapping[str, list[str] | None]) -> Iterator[str]:
    for child in element.children:
        if child.name not in known:
            yield child.refused(f"{element.name} cannot hold {child.name}")
            continue
        attributes = known[child.name]
        for name in sorted(set(child.attributes) - set(attributes or ())) if attributes is not None else ():
            yield child.refused(f"{child.name} has no attribute {name}")
