"""What an expression gives: a value, or what is known of one before anything is deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only Azure, or whoever deploys, knows; `text` says which, in terms of resources and parameters."""

    text: str


Value: TypeAlias = "str | int | bool | Unknown | Mapping[str, Value] | Sequence[Value] | None"


def known(value: Value) -> bool:
    """Tell whether a value is known in all its parts."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    if isinstance(value, str) or not isinstance(value, Sequence):
        return not isinstance(value, Unknown)
    return all(known(item) for item in value)


def rendered(value: Value) -> str:
    """Write a value as Bicep would."""
    match value:
        case Unknown(text):
            return text
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return f"'{value}'"
        case Mapping():
            return "{" + ", ".join(f"{key}: {rendered(item)}" for key, item in value.items()) + "}"
        case _:
            return "[" + ", ".join(rendered(item) for item in value) + "]"


def joined(pieces: Sequence[Value]) -> Value:
    """Put the parts of a text together; what is unknown stands in it as `${}`."""
    if all(isinstance(piece, str | int) for piece in pieces):
        return "".join(piece if isinstance(piece, str) else rendered(piece) for piece in pieces)
    if len(pieces) == 1:
        return pieces[0]
    return Unknown("".join(_piece(piece) for piece in pieces))


def _piece(value: Value) -> str:
    if isinstance(value, str):
        return value
    text = rendered(value)
    if isinstance(value, int):
        return text
    return text if text.startswith("${") and text.endswith("}") else f"${{{text}}}"
