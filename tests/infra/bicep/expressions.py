"""Bicep's expressions as values. Every one knows the line that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """A string; what stands in `${}` is an expression among its parts."""

    line: int
    parts: tuple[str | Expression, ...]

    @property
    def literal(self) -> str | None:
        """The whole text, if nothing in it has to be calculated."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, true, false or null."""

    line: int
    value: int | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter, variable, resource, module, or what a loop or a lambda names."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A property of an object."""

    line: int
    key: Text
    value: Expression


@dataclass(frozen=True, slots=True)
class Object:
    line: int
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Expression | None:
        """Return the value of a property that is written out; `None` where there is none."""
        return next((entry.value for entry in self.entries if entry.key.literal == key), None)


@dataclass(frozen=True, slots=True)
class Array:
    line: int
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`[for item in over: body]`."""

    line: int
    names: tuple[str, ...]
    """The item and, if it is named, its index."""
    over: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function's call; `of` is the value whose method it is."""

    line: int
    name: str
    arguments: tuple[Expression, ...]
    of: Expression | None = None


@dataclass(frozen=True, slots=True)
class Member:
    line: int
    base: Expression
    name: str
    safe: bool = False
    """Written with `.?`: null where there is none of that name."""


@dataclass(frozen=True, slots=True)
class Index:
    line: int
    base: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Nested:
    """`outer::inner`: a resource that is declared within another."""

    line: int
    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Lambda:
    line: int
    names: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class Unary:
    line: int
    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    line: int
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    line: int
    condition: Expression
    yes: Expression
    no: Expression


Expression: TypeAlias = (
    Text | Constant | Name | Object | Array | Loop | Call | Member | Index | Nested | Lambda | Unary | Binary | Choice
)


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions that an expression is directly made of, in the order they are written."""
    match expression:
        case Text():
            return tuple(part for part in expression.parts if not isinstance(part, str))
        case Object():
            return tuple(half for entry in expression.entries for half in (entry.key, entry.value))
        case Array():
            return expression.items
        case Loop(_, _, over, body):
            return (over, body)
        case Call(_, _, arguments, of):
            return arguments if of is None else (of, *arguments)
        case Member(_, base) | Nested(_, base):
            return (base,)
        case Index(_, base, index):
            return (base, index)
        case Lambda(_, _, body):
            return (body,)
        case Unary(_, _, operand):
            return (operand,)
        case Binary(_, _, left, right):
            return (left, right)
        case Choice(_, condition, yes, no):
            return (condition, yes, no)
        case Constant() | Name():
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything in it."""
    yield expression
    for part in parts(expression):
        yield from walk(part)
