"""What the names of a file stand for while it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.infra.bicep.declarations import BicepFile
from tests.infra.bicep.values import Value


class Outputs(Protocol):
    """Gives the value of an output of a module that a file calls."""

    def __call__(self, module: str, output: str) -> Value: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a file stand for."""

    file: BicepFile
    parameters: Mapping[str, Value]
    outputs: Outputs
    names: Mapping[str, Value] = field(default_factory=dict)
    """Those of loops and lambdas."""
    variables: dict[str, Value] = field(default_factory=dict, compare=False, repr=False)
    """What variables were found to be: each is evaluated once."""

    @property
    def module(self) -> str:
        return self.file.path.stem

    def within(self, names: Sequence[str], values: Sequence[Value]) -> Scope:
        inner = {**self.names, **dict(zip(names, values, strict=False))}
        return Scope(self.file, self.parameters, self.outputs, inner, self.variables)
