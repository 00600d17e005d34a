"""What the language's functions give for values that are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from tests.infra.bicep.values import Value

_Function = Callable[..., Value]


def call(name: str, arguments: Sequence[Value]) -> Value:
    """Call a function on what is known; `LookupError` if it is not one of those, or the arguments do not suit it."""
    try:
        return _FUNCTIONS[name](*arguments)
    except (TypeError, ValueError, AttributeError) as error:
        raise LookupError(name) from error


def merged(*values: Value) -> Value:
    """Unite objects property by property, or arrays without what they have in common."""
    return reduce(_pair, values)


def _pair(one: Value, other: Value) -> Value:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {
            key: _pair(one[key], value) if isinstance(one.get(key), Mapping) and isinstance(value, Mapping) else value
            for key, value in other.items()
        }
        return {**one, **both}
    if _is_list(one) and _is_list(other):
        return [*one, *(item for item in other if item not in one)]  # type: ignore[union-attr, misc, operator]  # lists
    raise TypeError("union takes objects, or arrays")


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _concat(*values: Value) -> Value:
    if all(_is_list(value) for value in values):
        return [item for value in values for item in value]  # type: ignore[union-attr]  # all are lists
    return "".join(str(value) for value in values)


def _empty(value: Value) -> Value:
    return value is None or len(value) == 0  # type: ignore[arg-type]  # a number is an error, and said to be one


def _contains(where: Value, what: Value) -> Value:
    if isinstance(where, Mapping):
        return str(what).lower() in {key.lower() for key in where}
    return what in where  # type: ignore[operator]  # likewise


def _items(value: Mapping[str, Value]) -> Value:
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _format(pattern: str, *values: Value) -> Value:
    return reduce(lambda text, at: text.replace(f"{{{at}}}", str(values[at])), range(len(values)), pattern)


_FUNCTIONS: Mapping[str, _Function] = {
    "any": lambda value: value,
    "array": lambda value: value if _is_list(value) else [value],
    "bool": lambda value: str(value).lower() == "true",
    "concat": _concat,
    "contains": _contains,
    "empty": _empty,
    "endsWith": lambda text, end: text.lower().endswith(end.lower()),
    "first": lambda value: value[0] if value else None,
    "flatten": lambda lists: [item for items in lists for item in items],
    "format": _format,
    "int": int,
    "items": _items,
    "join": lambda texts, between: between.join(texts),
    "json": json.loads,
    "last": lambda value: value[-1] if value else None,
    "length": len,
    "max": max,
    "min": min,
    "objectKeys": sorted,
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "shallowMerge": lambda objects: {key: value for item in objects for key, value in item.items()},
    "skip": lambda value, count: value[count:],
    "split": lambda text, at: text.split(at),
    "startsWith": lambda text, start: text.lower().startswith(start.lower()),
    "string": lambda value: value if isinstance(value, str) else json.dumps(value),
    "substring": lambda text, start, length=None: text[start:] if length is None else text[start : start + length],
    "take": lambda value, count: value[:count],
    "toLower": lambda text: text.lower(),
    "toUpper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "union": merged,
}

ON_PARTS = frozenset({"any", "array", "concat", "first", "flatten", "items", "last", "length", "objectKeys", "union"})
"""Functions that need not know what is in their lists and objects; nor do `shallowMerge`, `skip` and `take`."""
