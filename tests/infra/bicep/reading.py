"""A Bicep file's text -> what it declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from tree_sitter import Node

from tests.infra.bicep import parsing
from tests.infra.bicep.declarations import (
    BicepFile,
    Function,
    Module,
    Output,
    Parameter,
    Repeat,
    Resource,
    Variable,
)
from tests.infra.bicep.expressions import Call, Expression, Object
from tests.infra.bicep.parsing import children, line, text

Decorators = tuple[Call, ...]

_COMMENTS = frozenset({"comment", "diagnostic_comment"})


def read(path: Path) -> BicepFile:
    """Read a file. What cannot be read is among its findings, and then nothing else of it is."""
    known = _read(path, path.read_bytes())
    return replace(known, findings=[*known.findings])


@cache
def _read(path: Path, source: bytes) -> BicepFile:
    """Read a text once; nobody changes what it declares, and findings are each reader's own."""
    file = BicepFile(path, len(source.splitlines()))
    root = parsing.tree(source)
    for node, message in _unreadable(root):
        file.error(line(node), message)
    if not file.findings:
        try:
            _collect(file, root)
        except ValueError as error:
            file.error(0, f"syntax: {error}")
    return file


def _unreadable(root: Node) -> Iterator[tuple[Node, str]]:
    """Yield what the grammar refuses, and what it lets pass and Bicep refuses (BCP238)."""
    for node in _everything(root):
        if node.is_missing:
            yield node, f"syntax: {node.type} is missing"
        elif node.type == "ERROR":
            yield node, f"syntax: unexpected {text(node)[:40]!r}"
        elif node.type in ("object", "array"):
            yield from ((bad, f"syntax: {message}") for bad, message in _separators(node))


def _everything(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _everything(child)


def _separators(node: Node) -> Iterator[tuple[Node, str]]:
    """Items stand on lines of their own, or have a comma between them; never a comma and a new line."""
    for left, right in zip(node.children, node.children[1:], strict=False):
        same_line = left.end_point[0] == right.start_point[0]
        if left.type == "," and not same_line:
            yield left, "a new line after a comma"
        elif left.is_named and right.is_named and same_line and not {left.type, right.type} & _COMMENTS:
            yield right, f"a comma is missing before {text(right)[:40]!r}"


def _collect(file: BicepFile, root: Node) -> None:
    decorators: Decorators = ()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = tuple(parsing.call(child.named_children[0]) for child in node.named_children)
        elif node.type not in _COMMENTS:
            _declare(file, node, decorators)
            decorators = ()
    for node in _everything(root):
        if node.type == "diagnostic_comment":
            file.disabled[line(node) + 1] = text(node)


def _declare(file: BicepFile, node: Node, decorators: Decorators) -> None:
    declare = _DECLARATIONS.get(node.type)
    if declare is None:
        file.error(line(node), f"{node.type.replace('_', ' ')}: this checker does not know it")
        return
    declare(file, node, decorators)


def _name(file: BicepFile, node: Node) -> str:
    """Return the name that is declared; a name is declared once, but an output may be called like anything else."""
    name = text(children(node)[0])
    others = file.outputs if node.type == "output_declaration" else file.declared | {*file.functions} | {*file.types}
    if name in others:
        file.error(line(node), f"'{name}' is declared twice")
    return name


def _value(node: Node) -> Expression | None:
    """Return what stands behind the equals sign."""
    given = any(child.type == "=" for child in node.children)
    return parsing.expression(children(node)[-1]) if given else None


def _parameter(file: BicepFile, node: Node, decorators: Decorators) -> None:
    name, default = _name(file, node), _value(node)
    written = children(node)[1]
    kind = text(written).strip() if written.type == "type" else "any"
    optional = default is not None or kind.endswith("?")
    file.parameters[name] = Parameter(line(node), kind.rstrip("?"), default, optional, decorators)


def _variable(file: BicepFile, node: Node, _: Decorators) -> None:
    value = _value(node)
    assert value is not None, "the grammar asks for one"
    file.variables[_name(file, node)] = Variable(line(node), value)


def _output(file: BicepFile, node: Node, decorators: Decorators) -> None:
    value = _value(node)
    assert value is not None, "the grammar asks for one"
    file.outputs[_name(file, node)] = Output(line(node), text(children(node)[1]), value, decorators)


def _function(file: BicepFile, node: Node, _: Decorators) -> None:
    parameters = next(child for child in children(node) if child.type == "parameters")
    names = tuple(text(children(child)[0]) for child in children(parameters))
    file.functions[_name(file, node)] = Function(line(node), names, parsing.expression(children(node)[-1]))


def _type(file: BicepFile, node: Node, _: Decorators) -> None:
    file.types[_name(file, node)] = line(node)


def _made(node: Node) -> tuple[Repeat | None, Expression | None, Node | None]:
    """Return the loop, the condition and the object of a resource or a module."""
    found, repeat, condition = children(node)[-1], None, None
    if found.type == "for_statement":
        names, over, found = parsing.loop_parts(found)
        repeat = Repeat(names, over)
    if found.type == "if_statement":
        asked, found = children(found)
        condition = parsing.expression(asked)
    return repeat, condition, found if found.type == "object" else None


def _object(node: Node | None) -> Object | None:
    return None if node is None else parsing.body(node)


def _module(file: BicepFile, node: Node, decorators: Decorators) -> None:
    path = parsing.string(children(node)[1]).literal or ""
    repeat, condition, found = _made(node)
    file.modules[_name(file, node)] = Module(line(node), path, _object(found), repeat, condition, decorators)


def _resource(file: BicepFile, node: Node, decorators: Decorators, outer: str | None = None) -> None:
    kind = parsing.string(children(node)[1]).literal or ""
    if outer is not None and "/" not in kind.split("@")[0]:
        above, version = file.resources[outer].type.split("@")
        kind = f"{above}/{kind}" if "@" in kind else f"{above}/{kind}@{version}"
    existing = any(child.type == "existing" for child in node.children)
    repeat, condition, found = _made(node)
    name = _name(file, node)
    file.resources[name] = Resource(line(node), kind, existing, _object(found), repeat, condition, outer, decorators)
    for entry in found.named_children if found else ():
        inner = next((child for child in entry.named_children if child.type == "resource_declaration"), None)
        if inner is not None:
            _resource(file, inner, (), name)


def _target_scope(file: BicepFile, node: Node, _: Decorators) -> None:
    if not re.search(r"'(resourceGroup|subscription|managementGroup|tenant)'", text(node)):
        file.error(line(node), f"{text(node)}: no such scope")


_DECLARATIONS: dict[str, Callable[[BicepFile, Node, Decorators], None]] = {
    "parameter_declaration": _parameter,
    "variable_declaration": _variable,
    "output_declaration": _output,
    "user_defined_function": _function,
    "type_declaration": _type,
    "module_declaration": _module,
    "resource_declaration": _resource,
    "target_scope_assignment": _target_scope,
}
