"""The bounds that a parameter's decorators set: its default keeps them, and what a module is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.infra.bicep.calls import called_file
from tests.infra.bicep.declarations import BicepFile, Parameter, argument
from tests.infra.bicep.expressions import Array, Constant, Expression, Name, Object
from tests.infra.bicep.kinds import texts_of


def check(file: BicepFile, open_file: Callable[[Path], BicepFile]) -> None:
    """Report defaults and arguments that are written out and out of bounds."""
    for name, parameter in file.parameters.items():
        if parameter.default:
            hold(file, f"'{name}'", parameter, parameter.default)
    for name, module in file.modules.items():
        given = module.body.get("params") if module.body else None
        if not isinstance(given, Object) or not called_file(file, module).is_file():
            continue
        parameters = open_file(called_file(file, module)).parameters
        for entry in given.entries:
            key = entry.key.literal or ""
            if key in parameters:
                hold(file, f"module '{name}', parameter '{key}'", parameters[key], entry.value)


def hold(file: BicepFile, where: str, parameter: Parameter, value: Expression) -> None:
    """Report a value that its parameter does not take, with where it stands."""
    if isinstance(value, Name) and value.name in file.parameters:
        # What is handed on is, where nobody gives another, a default.
        value = file.parameters[value.name].default or value
    if isinstance(value, Constant) and isinstance(value.value, int) and not isinstance(value.value, bool):
        low, high = _number(parameter, "minValue"), _number(parameter, "maxValue")
        _within(file, value.line, f"{where}: {value.value}", value.value, low, high)
    low, high = _number(parameter, "minLength"), _number(parameter, "maxLength")
    if isinstance(value, Array):
        _within(file, value.line, f"{where}: {len(value.items)} items", len(value.items), low, high)
    for text in texts_of(file, value) or []:
        _within(file, value.line, f"{where}: '{text}' has {len(text)} characters,", len(text), low, high)


def _within(file: BicepFile, line: int, what: str, number: int, low: int | None, high: int | None) -> None:
    if (low is not None and number < low) or (high is not None and number > high):
        file.error(line, f"{what} is not in {low}..{high}")


def _number(parameter: Parameter, decorator: str) -> int | None:
    found = argument(parameter.decorators, decorator)
    return found.value if isinstance(found, Constant) else None
