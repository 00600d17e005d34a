"""Names: every one that is used is declared, every one that is declared is used, every function is one."""

from __future__ import annotations

from tests.infra.bicep.declarations import BicepFile, near
from tests.infra.bicep.expressions import Call, Expression, Lambda, Loop, Name, Nested, parts, walk
from tests.infra.bicep.functions import DECORATORS, DEFAULTS_ONLY, FUNCTIONS

FILE_LOADS = frozenset({"loadTextContent", "loadJsonContent", "loadYamlContent", "loadFileAsBase64"})


def check(file: BicepFile) -> None:
    """Report what a file's names do not hold to."""
    _in_declarations(file)
    for call in file.calls():
        _function(file, call)
    _defaults(file)
    _decorators(file)
    for kind, declared in (("parameter", file.parameters), ("variable", file.variables)):
        for name in declared.keys() - _used(file):
            file.error(declared[name].line, f"{kind} '{name}' is never read")
    outer = {resource.outer for resource in file.resources.values()}
    for name, resource in file.resources.items():
        if resource.existing and name not in _used(file) | outer:
            file.error(resource.line, f"existing resource '{name}' is never read")


def _in_declarations(file: BicepFile) -> None:
    for parameter in file.parameters.values():
        if parameter.default:
            _resolve(file, parameter.default, file.declared)
    for variable in file.variables.values():
        _resolve(file, variable.value, file.declared)
    for function in file.functions.values():
        _resolve(file, function.body, {*function.names})
    for made in file.made():
        scope = file.declared
        if made.repeat:
            _resolve(file, made.repeat.over, scope)
            scope = scope | {*made.repeat.names}
        for expression in (made.body, made.condition):
            if expression:
                _resolve(file, expression, scope)
    for output in file.outputs.values():
        _resolve(file, output.value, file.declared)


def _resolve(file: BicepFile, expression: Expression, scope: set[str]) -> None:
    """Report the names of an expression that stand for nothing."""
    if isinstance(expression, Name) and expression.name not in scope:
        file.error(expression.line, f"'{expression.name}' is not declared{near(expression.name, scope)}")
    within = scope
    if isinstance(expression, Lambda):
        within = scope | {*expression.names}
    if isinstance(expression, Loop):
        _resolve(file, expression.over, scope)
        within = scope | {*expression.names}
    for part in parts(expression):
        if not (isinstance(expression, Loop) and part is expression.over):
            _resolve(file, part, within)


def _function(file: BicepFile, call: Call) -> None:
    if call.of is not None:
        return
    own = file.functions.get(call.name)
    if own is not None:
        _arguments(file, call, len(own.names), len(own.names))
        return
    if call.name not in FUNCTIONS:
        if not call.name.startswith("list"):
            file.error(call.line, f"there is no function '{call.name}'{near(call.name, FUNCTIONS)}")
        return
    _arguments(file, call, *FUNCTIONS[call.name][1:])


def _arguments(file: BicepFile, call: Call, fewest: int, most: int) -> None:
    if not fewest <= len(call.arguments) <= most:
        takes = str(fewest) if fewest == most else f"{fewest} to {most}"
        file.error(call.line, f"{call.name}: {len(call.arguments)} arguments, it takes {takes}")


def _defaults(file: BicepFile) -> None:
    """Some functions, and the names of what is deployed, have their place: the one is a default, the other none."""
    elsewhere = [call for call in file.calls() if call.of is None and call.name in DEFAULTS_ONLY]
    for parameter in file.parameters.values():
        if parameter.default is None:
            continue
        for part in walk(parameter.default):
            elsewhere = [call for call in elsewhere if call is not part]
            if isinstance(part, Name) and part.name not in file.parameters:
                file.error(part.line, f"a default cannot use '{part.name}': only other parameters")
    for call in elsewhere:
        file.error(call.line, f"{call.name} may stand in a parameter's default only")


def _decorators(file: BicepFile) -> None:
    declared = (("parameter", file.parameters), ("output", file.outputs), ("made", file.resources | file.modules))
    for kind, named in declared:
        for name, item in named.items():
            for decorator in item.decorators:
                if decorator.name not in DECORATORS:
                    hint = near(decorator.name, DECORATORS)
                    file.error(item.line, f"'{name}': there is no decorator '{decorator.name}'{hint}")
                elif kind not in DECORATORS[decorator.name]:
                    file.error(item.line, f"'{name}': @{decorator.name} cannot stand here")


def _used(file: BicepFile) -> set[str]:
    return {part.name for top in file.expressions() for part in walk(top) if isinstance(part, Name | Nested)}
