"""What kind of value an expression gives, and which texts it may be, as far as a file alone can tell."""

from __future__ import annotations

from tests.infra.bicep.declarations import BicepFile, allowed
from tests.infra.bicep.expressions import (
    Array,
    Binary,
    Call,
    Choice,
    Constant,
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
from tests.infra.bicep.functions import FUNCTIONS

KINDS = frozenset({"string", "int", "bool", "object", "array"})
_OF_THE_SAME_KIND = frozenset({"concat", "skip", "take", "union", "intersection"})
_TRUTHS = frozenset({"==", "!=", "=~", "!~", "<", ">", "<=", ">=", "&&", "||"})
_DEEPEST = 12


def declared_kind(written: str) -> str:
    """Return the kind that a declared type stands for."""
    if written in KINDS:
        return written
    if written.endswith("[]"):
        return "array"
    if written.startswith("{"):
        return "object"
    return "string" if written.startswith("'") else "any"


def kind_of(file: BicepFile, value: Expression, depth: int = 0) -> str:
    """Return one of string, int, bool, object, array, null; `any` where it cannot be told."""
    if depth > _DEEPEST:
        return "any"
    match value:
        case Text():
            return "string"
        case Constant(_, constant):
            return "null" if constant is None else "bool" if isinstance(constant, bool) else "int"
        case Object():
            return "object"
        case Array() | Loop():
            return "array"
        case Unary(_, operator, _):
            return "bool" if operator == "!" else "int"
        case Binary(_, "??", left, right):
            return _either(file, left, right, depth)
        case Binary(_, operator, _, _):
            return "bool" if operator in _TRUTHS else "int"
        case Choice(_, _, yes, no):
            return _either(file, yes, no, depth)
        case Call():
            return _called(file, value, depth)
        case Name(_, name):
            return _named(file, name, depth)
        case Member(_, base, name):
            return _member(file, base, name, depth)
        case Index() | Nested() | Lambda():
            return "any"


def _either(file: BicepFile, one: Expression, other: Expression, depth: int) -> str:
    first, second = kind_of(file, one, depth + 1), kind_of(file, other, depth + 1)
    if first == second or second == "null":
        return first
    return second if first == "null" else "any"


def _called(file: BicepFile, call: Call, depth: int) -> str:
    if call.of is not None or call.name in file.functions:
        return "any"
    if call.name in _OF_THE_SAME_KIND and call.arguments:
        return kind_of(file, call.arguments[0], depth + 1)
    return FUNCTIONS.get(call.name, ("any", 0, 0))[0]


def _named(file: BicepFile, name: str, depth: int) -> str:
    if name in file.parameters:
        return declared_kind(file.parameters[name].type)
    if name in file.variables:
        return kind_of(file, file.variables[name].value, depth + 1)
    for made in (file.resources.get(name), file.modules.get(name)):
        if made is not None:
            return "array" if made.repeat else "object"
    return "any"


def _member(file: BicepFile, base: Expression, name: str, depth: int) -> str:
    if isinstance(base, Call) and base.of is None:
        names = {"id", "name", "location", "subscriptionId", "tenantId", "displayName"}
        return "string" if base.name in ("resourceGroup", "subscription", "tenant") and name in names else "any"
    if isinstance(base, Name) and base.name in file.resources:
        return "string" if name in ("id", "name", "type", "apiVersion", "location") else "any"
    if isinstance(base, Name) and base.name in file.variables:
        written = file.variables[base.name].value
        found = written.get(name) if isinstance(written, Object) else None
        return kind_of(file, found, depth + 1) if found else "any"
    return "any"


def texts_of(file: BicepFile, value: Expression, depth: int = 0) -> list[str] | None:
    """Return the texts that an expression may be, among others perhaps; `None` where none can be told."""
    if depth > _DEEPEST:
        return None
    match value:
        case Text():
            return None if value.literal is None else [value.literal]
        case Constant(_, None):
            return []
        case Choice(_, _, yes, no):
            both = [texts for one in (yes, no) if (texts := texts_of(file, one, depth + 1)) is not None]
            return [text for texts in both for text in texts] if both else None
        case Name(_, name) if name in file.variables:
            return texts_of(file, file.variables[name].value, depth + 1)
        case Name(_, name) if name in file.parameters:
            return allowed(file.parameters[name]) or None
        case _:
            return None


def written_out(file: BicepFile, value: Expression) -> Expression:
    """Return what a name stands for, where that is a variable; a circle of them is left as it is."""
    seen: set[str] = set()
    while isinstance(value, Name) and value.name in file.variables and value.name not in seen:
        seen.add(value.name)
        value = file.variables[value.name].value
    return value
