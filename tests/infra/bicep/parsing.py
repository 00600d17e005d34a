"""tree-sitter's nodes -> expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests.infra.bicep.expressions import (
    Array,
    Binary,
    Call,
    Choice,
    Constant,
    Entry,
    Expression,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Nested,
    Object,
    Text,
    Unary,
)

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_COMMENTS = ("comment", "diagnostic_comment")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def tree(source: bytes) -> Node:
    """Return a file's syntax tree; what cannot be read is in it as ERROR nodes or as missing ones."""
    return _PARSER.parse(source).root_node


def text(node: Node) -> str:
    return (node.text or b"").decode("utf-8")


def line(node: Node) -> int:
    """Return the line a node starts in; the first is 1."""
    return node.start_point[0] + 1


def children(node: Node) -> list[Node]:
    """Return a node's named children without comments."""
    return [child for child in node.named_children if child.type not in _COMMENTS]


def expression(node: Node) -> Expression:
    """Read an expression; a `ValueError` names a node that is none."""
    read = _READERS.get(node.type)
    if read is None:
        raise ValueError(f"line {line(node)}: {node.type} is no expression that is known: {text(node)[:60]!r}")
    return read(node)


def string(node: Node) -> Text:
    raw = text(node).startswith("'''")
    source, start, marks = node.text or b"", node.start_byte, 3 if raw else 1
    pieces: list[str | Expression] = []
    end = marks
    for child in children(node):
        if child.type == "interpolation":
            pieces += [_piece(source[end : child.start_byte - start], raw), expression(children(child)[0])]
            end = child.end_byte - start
    pieces.append(_piece(source[end:-marks], raw))
    return Text(line(node), tuple(piece for piece in pieces if piece != ""))


def _piece(source: bytes, raw: bool) -> str:
    """Read what stands between two interpolations; the grammar's own pieces lack a dollar that is escaped."""
    piece = source.decode("utf-8")
    return piece.removeprefix("\n") if raw else _unescaped(piece)


def _unescaped(piece: str) -> str:
    piece = re.sub(r"\\u\{([0-9A-Fa-f]+)\}", lambda found: chr(int(found[1], 16)), piece)
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), piece)


def body(node: Node) -> Object:
    """Read an object; resources that are declared in it are left out."""
    entries = [_entry(child) for child in children(node) if child.type == "object_property"]
    return Object(line(node), tuple(entry for entry in entries if entry))


def _entry(node: Node) -> Entry | None:
    halves = children(node)
    if halves[0].type in ("resource_declaration", "decorators"):
        return None
    key = string(halves[0]) if halves[0].type == "string" else Text(line(node), (text(halves[0]),))
    return Entry(line(node), key, expression(halves[1]))


def loop_parts(node: Node) -> tuple[tuple[str, ...], Expression, Node]:
    """Return a loop's names, what it runs over, and what it repeats, which may be an `if_statement`."""
    names, over, repeated = children(node)
    named = [names] if names.type == "identifier" else children(names)
    return tuple(text(name) for name in named), expression(over), repeated


def _loop(node: Node) -> Loop:
    names, over, repeated = loop_parts(node)
    condition = None
    if repeated.type == "if_statement":
        asked, repeated = children(repeated)
        condition = expression(asked)
    return Loop(line(node), names, over, condition, expression(repeated))


def call(node: Node) -> Call:
    target, arguments = children(node)
    values = tuple(expression(child) for child in children(arguments))
    if target.type != "member_expression":
        return Call(line(node), text(target), values)
    base, name = children(target)
    of = None if text(base) in ("az", "sys") else expression(base)
    return Call(line(node), text(name), values, of)


def _called(node: Node) -> Expression:
    made = call(node)
    if made.of is None:
        return made
    return _last(children(children(node)[0])[0], lambda value: Call(made.line, made.name, made.arguments, value))


def _lambda(node: Node) -> Lambda:
    names, result = children(node)
    return Lambda(line(node), tuple(re.findall(r"\w+", text(names))), expression(result))


def _within(first: Expression, make: Callable[[Expression], Expression]) -> Expression:
    """Make an expression of its first operand; the grammar ends a lambda too early, at its first operand."""
    if isinstance(first, Lambda):
        return Lambda(first.line, first.names, make(first.body))
    return make(first)


def _last(node: Node, make: Callable[[Expression], Expression]) -> Expression:
    """Make an expression of the last operand; the grammar lets an operator bind closer than the dot behind it."""
    at, parts = line(node), children(node)
    match node.type:
        case "member_expression":
            return _last(parts[0], lambda value: make(Member(at, value, text(parts[1]))))
        case "subscript_expression":
            return _last(parts[0], lambda value: make(Index(at, value, expression(parts[1]))))
        case "unary_expression":
            return Unary(at, text(node)[0], _last(parts[0], make))
        case "binary_expression":
            operator = next(text(child) for child in node.children if not child.is_named)
            right = _last(parts[1], make)
            return _within(expression(parts[0]), lambda value: Binary(at, operator, value, right))
        case "ternary_expression":
            yes, no = expression(parts[1]), _last(parts[2], make)
            return _within(expression(parts[0]), lambda value: Choice(at, value, yes, no))
    return _within(expression(node), make)


def _operands(node: Node) -> Expression:
    return _last(node, lambda value: value)


def _nested(node: Node) -> Nested:
    base, name = children(node)
    return Nested(line(node), expression(base), text(name))


_READERS: dict[str, Callable[[Node], Expression]] = {
    "string": string,
    "number": lambda node: Constant(line(node), int(text(node))),
    "boolean": lambda node: Constant(line(node), text(node) == "true"),
    "null": lambda node: Constant(line(node), None),
    "identifier": lambda node: Name(line(node), text(node)),
    "object": body,
    "array": lambda node: Array(line(node), tuple(expression(child) for child in children(node))),
    "for_statement": _loop,
    "call_expression": _called,
    "member_expression": _operands,
    "subscript_expression": _operands,
    "resource_expression": _nested,
    "lambda_expression": _lambda,
    "unary_expression": _operands,
    "binary_expression": _operands,
    "ternary_expression": _operands,
    "parenthesized_expression": lambda node: expression(children(node)[0]),
}
