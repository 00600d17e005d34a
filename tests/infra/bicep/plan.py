"""What a file would deploy: it and the modules that it calls, with the parameters they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.infra.bicep.calls import called_file
from tests.infra.bicep.checker import Files
from tests.infra.bicep.declarations import BicepFile, Module, Resource
from tests.infra.bicep.evaluation import evaluate, rounds
from tests.infra.bicep.expressions import Name, Nested, Object
from tests.infra.bicep.scope import Scope
from tests.infra.bicep.values import Unknown, Value, rendered

Body = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource of a plan; a resource in a loop over what is unknown stands for all of them."""

    module: str
    """The file's name without its ending."""
    symbol: str
    type: str
    """Without the version."""
    existing: bool
    condition: Value
    """When it is deployed; `True` or what that depends on."""
    body: Body
    parent: str | None
    """Module and symbol of its parent, as in `eventhub.namespace`."""
    scope: str | None
    """Module and symbol of what it is an extension of."""
    line: int
    version: str

    @property
    def place(self) -> str:
        return f"{self.module}.{self.symbol}"

    @property
    def properties(self) -> Body:
        found = self.body.get("properties")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Plan:
    resources: tuple[Deployed, ...]
    outputs: Mapping[str, Value]

    def of(self, *types: str) -> list[Deployed]:
        """Return the resources of these types that are deployed, not only referred to."""
        wanted = {name.lower() for name in types}
        return [one for one in self.resources if one.type.lower() in wanted and not one.existing]


def plan(path: Path, given: Mapping[str, Value] | None = None, files: Files | None = None) -> Plan:
    """Plan a file with some of its parameters given.

    The others are unknown, `main.location` for one; what depends on them is planned both ways, with its condition.
    """
    files = files or Files()
    file = files.open(path)
    own: dict[str, Value] = {name: Unknown(f"{file.path.stem}.{name}") for name in file.parameters}
    made = _Planned(files, file, {**own, **(given or {})}, True)
    outputs = {name: evaluate(output.value, made.scope) for name, output in file.outputs.items()}
    return Plan(tuple(made.resources()), outputs)


class _Planned:
    """One file with the values of its parameters."""

    def __init__(self, files: Files, file: BicepFile, given: Mapping[str, Value], condition: Value) -> None:
        self._files = files
        self._file = file
        self._condition = condition
        self._asked: dict[str, _Planned | None] = {}
        self.scope = Scope(file, given, self._output)
        for name, parameter in file.parameters.items():
            if name not in given:
                default = None if parameter.default is None else evaluate(parameter.default, self.scope)
                self.scope = Scope(file, {**self.scope.parameters, name: default}, self._output)

    def resources(self) -> Iterator[Deployed]:
        for name, resource in self._file.resources.items():
            for scope in self._scopes(resource):
                condition = self._if(resource, scope)
                if condition is not False:
                    yield self._resource(name, resource, scope, condition)
        for module in self._file.modules.values():
            for scope in self._scopes(module):
                condition = self._if(module, scope)
                if condition is not False:
                    yield from self._called(module, scope, condition).resources()

    def _scopes(self, made: Resource | Module) -> list[Scope]:
        if made.repeat is None:
            return [self.scope]
        return rounds(evaluate(made.repeat.over, self.scope), self.scope, made.repeat.names)

    def _if(self, made: Resource | Module, scope: Scope) -> Value:
        own: Value = True if made.condition is None else evaluate(made.condition, scope)
        if own is False or self._condition is True:
            return own
        if own is True:
            return self._condition
        return Unknown(f"{rendered(self._condition)} && {rendered(own)}")

    def _resource(self, name: str, resource: Resource, scope: Scope, condition: Value) -> Deployed:
        body = resource.body or Object(resource.line, ())
        evaluated = {
            entry.key.literal or "": evaluate(entry.value, scope)
            for entry in body.entries
            if entry.key.literal not in ("parent", "scope", "dependsOn")
        }
        parent = self._symbol(body, "parent") or (resource.outer and f"{scope.module}.{resource.outer}")
        return Deployed(
            scope.module,
            name,
            resource.type.split("@")[0],
            resource.existing,
            condition,
            evaluated,
            parent,
            self._symbol(body, "scope"),
            resource.line,
            resource.type.partition("@")[2],
        )

    def _symbol(self, body: Object, key: str) -> str | None:
        """Return the resource that a property names, with its module."""
        match body.get(key):
            case None:
                return None
            case Name(_, name) | Nested(_, _, name):
                return f"{self._file.path.stem}.{name}"
            case other:
                return rendered(evaluate(other, self.scope))

    def _called(self, module: Module, scope: Scope, condition: Value) -> _Planned:
        given = module.body.get("params") if module.body else None
        values = evaluate(given, scope) if given else {}
        file = self._files.open(called_file(self._file, module))
        return _Planned(self._files, file, values if isinstance(values, Mapping) else {}, condition)

    def _output(self, module: str, output: str) -> Value:
        """Evaluate a module's output as it is called in its first round."""
        declared = self._file.modules[module]
        if not called_file(self._file, declared).is_file():
            return Unknown(f"{module}.outputs.{output}")
        if module not in self._asked:
            scopes = self._scopes(declared)
            self._asked[module] = self._called(declared, scopes[0], True) if scopes else None
        called = self._asked[module]
        if called is None or output not in called.scope.file.outputs:
            return Unknown(f"{module}.outputs.{output}")
        return evaluate(called.scope.file.outputs[output].value, called.scope)
