"""What a plan would deploy against the published types: values that a file alone does not show are looked at too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.infra.bicep.bodies import Body
from tests.infra.bicep.declarations import BicepFile
from tests.infra.bicep.expressions import Array, Call, Constant, Entry, Expression, Object, Text
from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.type_data import resource_type
from tests.infra.bicep.values import Unknown, Value


def check(resources: Iterable[Deployed]) -> list[str]:
    """Return what is wrong with the bodies of resources, as sentences that begin with module and symbol."""
    found: set[str] = set()
    for one in resources:
        known = resource_type(f"{one.type}@{one.version}")
        body = written(one.body, one.line)
        if known is None or one.existing or not isinstance(body, Object):
            continue
        # It declares nothing: all is said in the values.
        file = BicepFile(Path(one.module))
        Body(file, known).planned(one.place, body)
        found.update(f"{one.module}:{finding.line}: {finding.message}" for finding in file.findings)
    return sorted(found)


def written(value: Value, line: int) -> Expression:
    """Return the expression that gives a value; what is unknown may be anything."""
    match value:
        case Unknown():
            return Call(line, "any", ())
        case str():
            return Text(line, (value,))
        case bool() | int() | None:
            return Constant(line, value)
        case Mapping():
            return Object(
                line, tuple(Entry(line, Text(line, (key,)), written(item, line)) for key, item in value.items())
            )
        case _:
            return Array(line, tuple(written(item, line) for item in value))
