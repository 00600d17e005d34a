"""Expressions -> values, as far as they are known before a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.infra.bicep import built_in, operators
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
from tests.infra.bicep.loading import load
from tests.infra.bicep.scope import Scope
from tests.infra.bicep.values import Unknown, Value, joined, known, rendered

_ON_PARTS = built_in.ON_PARTS | {"shallowMerge", "skip", "take"}


def evaluate(expression: Expression, scope: Scope) -> Value:
    """Return what an expression gives in a scope."""
    match expression:
        case Text(_, parts):
            return joined([part if isinstance(part, str) else evaluate(part, scope) for part in parts])
        case Constant(_, value):
            return value
        case Name(_, name):
            return _named(name, scope)
        case Object(_, entries):
            return {_key(entry.key, scope): evaluate(entry.value, scope) for entry in entries}
        case Array(_, items):
            return [evaluate(item, scope) for item in items]
        case Loop():
            return _loop(expression, scope)
        case Call():
            return _call(expression, scope)
        case Member():
            return _member(expression, scope)
        case Index(_, base, index):
            return _index(base, evaluate(index, scope), scope)
        case Nested(_, _, name):
            return Unknown(f"{scope.module}.{name}")
        case Lambda():
            return Unknown("a function")
        case Unary(_, operator, operand):
            return operators.unary(operator, evaluate(operand, scope))
        case Binary(_, operator, left, right):
            return operators.binary(operator, evaluate(left, scope), evaluate(right, scope))
        case Choice():
            return _choice(expression, scope)


def _key(key: Text, scope: Scope) -> str:
    value = evaluate(key, scope)
    return value if isinstance(value, str) else rendered(value)


def _named(name: str, scope: Scope) -> Value:
    if name in scope.names:
        return scope.names[name]
    if name in scope.parameters:
        return scope.parameters[name]
    if name in scope.file.variables:
        if name not in scope.variables:
            scope.variables[name] = evaluate(scope.file.variables[name].value, replace(scope, names={}))
        return scope.variables[name]
    return Unknown(f"{scope.module}.{name}")


def rounds(over: Value, scope: Scope, names: Sequence[str]) -> list[Scope]:
    """Return the scopes of a loop's rounds; of what is unknown there is one, with an unknown item."""
    if isinstance(over, Sequence) and not isinstance(over, str):
        return [scope.within(names, [item, number]) for number, item in enumerate(over)]
    return [scope.within(names, [Unknown(f"each({rendered(over)})"), Unknown("number")])]


def _loop(loop: Loop, scope: Scope) -> Value:
    over = evaluate(loop.over, scope)
    return [evaluate(loop.body, one) for one in rounds(over, scope, loop.names)]


def _call(call: Call, scope: Scope) -> Value:
    if call.of is not None:
        values = [rendered(evaluate(argument, scope)) for argument in call.arguments]
        return Unknown(f"{rendered(evaluate(call.of, scope))}.{call.name}({', '.join(values)})")
    if call.name in scope.file.functions:
        function = scope.file.functions[call.name]
        values_in = [evaluate(argument, scope) for argument in call.arguments]
        return evaluate(function.body, scope.within(function.names, values_in))
    if call.name.startswith("load"):
        path = call.arguments[0].literal if isinstance(call.arguments[0], Text) else None
        return load(call.name, scope.file.path.parent, path or "")
    if call.name in _WITH_LAMBDAS and isinstance(call.arguments[1], Lambda):
        return _mapped(call, call.arguments[1], scope)
    values_out = [evaluate(argument, scope) for argument in call.arguments]
    suits = not any(isinstance(value, Unknown) for value in values_out)
    if suits and (call.name in _ON_PARTS or all(known(value) for value in values_out)):
        try:
            return built_in.call(call.name, values_out)
        except LookupError:
            pass
    return Unknown(f"{call.name}({', '.join(rendered(value) for value in values_out)})")


_WITH_LAMBDAS = frozenset({"map", "filter", "toObject", "mapValues"})


def _mapped(call: Call, function: Lambda, scope: Scope) -> Value:
    over = evaluate(call.arguments[0], scope)
    if call.name == "mapValues" and isinstance(over, Mapping):
        return {key: evaluate(function.body, scope.within(function.names, [item])) for key, item in over.items()}
    scopes = rounds(over, scope, function.names)
    results = [evaluate(function.body, one) for one in scopes]
    if call.name == "map":
        return results
    items = [one.names[function.names[0]] for one in scopes]
    if call.name == "filter":
        return [item for item, kept in zip(items, results, strict=True) if kept is not False]
    values = items
    if len(call.arguments) > 2 and isinstance(call.arguments[2], Lambda):
        second = call.arguments[2]
        values = [evaluate(second.body, scope.within(second.names, [item])) for item in items]
    keys = [result if isinstance(result, str) else rendered(result) for result in results]
    return dict(zip(keys, values, strict=True))


def _member(member: Member, scope: Scope) -> Value:
    name = member.name
    match member.base:
        case Member(_, Name(_, module) | Index(_, Name(_, module), _), "outputs") if module in scope.file.modules:
            return scope.outputs(module, name)
        case Name(_, resource) | Nested(_, _, resource) if resource in scope.file.resources:
            return _of_a_resource(resource, name, scope)
    value = evaluate(member.base, scope)
    if isinstance(value, Mapping):
        return value[name] if name in value else None if member.safe else _missing(scope, name)
    return None if value is None else Unknown(f"{rendered(value)}.{name}")


NOT_GIVEN = "NOT GIVEN"
"""What the text of a value begins with that is read of an object and is not in it: Azure refuses the deployment."""


def _missing(scope: Scope, name: str) -> Unknown:
    return Unknown(f"{NOT_GIVEN}({scope.module} reads .{name})")


def _of_a_resource(resource: str, name: str, scope: Scope) -> Value:
    """A resource's name is known where its body says it; all else of it is Azure's to say."""
    declared = scope.file.resources[resource]
    written = declared.body.get(name) if declared.body and name == "name" and not declared.repeat else None
    value = evaluate(written, scope) if written else None
    return value if isinstance(value, str) else Unknown(f"{scope.module}.{resource}.{name}")


def _index(base: Expression, index: Value, scope: Scope) -> Value:
    value = evaluate(base, scope)
    if isinstance(value, Mapping) and isinstance(index, str):
        return value[index] if index in value else _missing(scope, index)
    if isinstance(value, Sequence) and not isinstance(value, str) and isinstance(index, int) and index < len(value):
        return value[index]
    return Unknown(f"{rendered(value)}[{rendered(index)}]")


def _choice(choice: Choice, scope: Scope) -> Value:
    condition = evaluate(choice.condition, scope)
    if isinstance(condition, bool):
        return evaluate(choice.yes if condition else choice.no, scope)
    yes, no = evaluate(choice.yes, scope), evaluate(choice.no, scope)
    return yes if yes == no else Unknown(f"({rendered(condition)} ? {rendered(yes)} : {rendered(no)})")
