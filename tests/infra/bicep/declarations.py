"""What a Bicep file declares, and what is found wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from tests.infra.bicep.expressions import Array, Call, Expression, Object, Text, walk

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something wrong in a file."""

    path: Path
    line: int
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The loop that a resource or a module stands in."""

    names: tuple[str, ...]
    over: Expression


@dataclass(frozen=True, slots=True)
class Parameter:
    line: int
    type: str
    """As it is written, without the `?` of an optional one."""
    default: Expression | None
    optional: bool
    """It has a default, or its type allows null."""
    decorators: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    line: int
    value: Expression


@dataclass(frozen=True, slots=True)
class Function:
    line: int
    names: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class Resource:
    line: int
    type: str
    """Type@version, of a nested one in full."""
    existing: bool
    body: Object | None
    repeat: Repeat | None
    condition: Expression | None
    outer: str | None
    """The resource that it is declared in."""
    decorators: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Module:
    line: int
    path: str
    body: Object | None
    repeat: Repeat | None
    condition: Expression | None
    decorators: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Output:
    line: int
    type: str
    value: Expression
    decorators: tuple[Call, ...]


@dataclass(slots=True)
class BicepFile:
    """A file as it was read: what it declares by name, and what cannot be read."""

    path: Path
    lines: int = 0
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    disabled: dict[int, str] = field(default_factory=dict)
    """Line -> the `#disable-next-line` comment that speaks of it, which stands above."""
    findings: list[Finding] = field(default_factory=list)

    def error(self, line: int, message: str) -> None:
        self.findings.append(Finding(self.path, line, "error", message))

    def warn(self, line: int, message: str) -> None:
        self.findings.append(Finding(self.path, line, "warning", message))

    @property
    def declared(self) -> set[str]:
        """The names that an expression may use anywhere in the file."""
        return {*self.parameters, *self.variables, *self.resources, *self.modules}

    def made(self) -> Iterator[Resource | Module]:
        """Yield what is deployed or referred to."""
        yield from self.resources.values()
        yield from self.modules.values()

    def expressions(self) -> Iterator[Expression]:
        """Yield the expressions of all declarations, decorators' left out, each at its top."""
        yield from (parameter.default for parameter in self.parameters.values() if parameter.default)
        yield from (variable.value for variable in self.variables.values())
        yield from (function.body for function in self.functions.values())
        for made in self.made():
            yield from (part for part in (made.body, made.condition) if part)
            if made.repeat:
                yield made.repeat.over
        yield from (output.value for output in self.outputs.values())

    def calls(self) -> Iterator[Call]:
        """Yield every call of a function, wherever it stands."""
        for top in self.expressions():
            yield from (part for part in walk(top) if isinstance(part, Call))


def described(decorators: tuple[Call, ...]) -> str | None:
    """Return what `@description` says."""
    text = argument(decorators, "description")
    return text.literal if isinstance(text, Text) else None


def argument(decorators: tuple[Call, ...], name: str) -> Expression | None:
    """Return the first argument of a decorator."""
    return next((call.arguments[0] for call in decorators if call.name == name and call.arguments), None)


def allowed(parameter: Parameter) -> list[str]:
    """Return the texts that `@allowed` names."""
    values = argument(parameter.decorators, "allowed")
    items = values.items if isinstance(values, Array) else ()
    return [item.literal for item in items if isinstance(item, Text) and item.literal is not None]


def near(name: str, names: Iterable[str]) -> str:
    """Say which of the names may have been meant; nothing if none is like it."""
    found = get_close_matches(name, list(names), 1, 0.6)
    return f"; did you mean '{found[0]}'?" if found else ""
