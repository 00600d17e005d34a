"""What operators give, as far as their operands are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.infra.bicep.values import Unknown, Value, known, rendered


def unary(operator: str, value: Value) -> Value:
    """Put an operator before a value."""
    if operator == "!" and isinstance(value, bool):
        return not value
    if operator == "-" and isinstance(value, int):
        return -value
    return Unknown(f"{operator}{rendered(value)}")


def binary(operator: str, left: Value, right: Value) -> Value:
    """Join two values by an operator."""
    match operator:
        case "&&" if left is False or right is False:
            return False
        case "||" if left is True or right is True:
            return True
        case "&&" | "||" if isinstance(left, bool):
            return right
        case "&&" | "||" if isinstance(right, bool):
            return left
        case "??" if left is None:
            return right
        case "??" if not isinstance(left, Unknown):
            return left
        case "==" if known(left) and known(right):
            return left == right
        case "!=" if known(left) and known(right):
            return left != right
        case _ if isinstance(left, int) and isinstance(right, int) and operator in _ON_NUMBERS:
            return _ON_NUMBERS[operator](left, right)
        case _:
            return Unknown(f"({rendered(left)} {operator} {rendered(right)})")


_ON_NUMBERS: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one // other,
    "%": lambda one, other: one % other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}
