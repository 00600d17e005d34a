"""Modules that are called, files that are loaded, and properties that are read: whether they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.infra.bicep.declarations import BicepFile, Module, allowed, near
from tests.infra.bicep.expressions import Call, Expression, Index, Member, Name, Nested, Object, Text, walk
from tests.infra.bicep.kinds import KINDS, declared_kind, kind_of, texts_of
from tests.infra.bicep.names import FILE_LOADS
from tests.infra.bicep.type_data import resource_type

Open = Callable[[Path], BicepFile]
OF_A_MODULE = frozenset({"name", "scope", "dependsOn", "params", "identity"})
_ON_EVERY_RESOURCE = frozenset({"id", "name", "type", "apiVersion", "properties", "location", "tags"})


def check(file: BicepFile, open_file: Open) -> None:
    """Report what a file calls, loads or reads that is not there."""
    for name, module in file.modules.items():
        _module(file, name, module, open_file)
    for call in file.calls():
        if call.name in FILE_LOADS:
            _load(file, call)
    for top in file.expressions():
        for part in walk(top):
            if isinstance(part, Member):
                _read(file, part, open_file)
    _declared_kinds(file)


def called_file(file: BicepFile, module: Module) -> Path:
    return (file.path.parent / module.path).resolve()


def _module(file: BicepFile, name: str, module: Module, open_file: Open) -> None:
    path = called_file(file, module)
    if not path.is_file():
        file.error(module.line, f"module '{name}': there is no file '{module.path}'")
        return
    if module.body is None:
        file.error(module.line, f"module '{name}' has no body")
        return
    for entry in module.body.entries:
        key = entry.key.literal or ""
        if key not in OF_A_MODULE:
            file.error(entry.line, f"{name}.{key}: a module has no such property{near(key, OF_A_MODULE)}")
    given = module.body.get("params")
    values = {entry.key.literal or "": entry.value for entry in given.entries} if isinstance(given, Object) else {}
    called = open_file(path)
    for key, value in values.items():
        _argument(file, f"module '{name}', parameter '{key}'", called, key, value)
    for key, parameter in called.parameters.items():
        if not parameter.optional and key not in values:
            file.error(module.line, f"module '{name}': parameter '{key}' is required")


def _argument(file: BicepFile, where: str, called: BicepFile, key: str, value: Expression) -> None:
    parameter = called.parameters.get(key)
    if parameter is None:
        file.error(value.line, f"{where}: the module has none of that name{near(key, called.parameters)}")
        return
    wanted, found = declared_kind(parameter.type), kind_of(file, value)
    if wanted in KINDS and found not in ("any", "null", wanted):
        file.error(value.line, f"{where}: is {found}, must be {wanted}")
    may_be = allowed(parameter)
    for text in (texts_of(file, value) or []) if may_be else []:
        if text not in may_be:
            file.error(value.line, f"{where}: '{text}' is none of {may_be}")


def _load(file: BicepFile, call: Call) -> None:
    path = call.arguments[0] if call.arguments else None
    if not isinstance(path, Text) or path.literal is None:
        file.error(call.line, f"{call.name}: its path must be a plain text")
    elif not (file.path.parent / path.literal).is_file():
        file.error(call.line, f"{call.name}: there is no file '{path.literal}'")


def _chain(expression: Expression) -> tuple[str, tuple[str, ...]]:
    """Return the name that a chain of `.x` begins with, and the chain; an index is left out."""
    match expression:
        case Name(_, name):
            return name, ()
        case Nested(_, _, name):
            return name, ()
        case Member(_, base, name):
            first, rest = _chain(base)
            return first, (*rest, name)
        case Index(_, Name(_, name), _):
            return name, ()
        case _:
            return "", ()


def _read(file: BicepFile, member: Member, open_file: Open) -> None:
    name, chain = _chain(member)
    module, resource = file.modules.get(name), file.resources.get(name)
    if module is not None and module.path.endswith(".bicep") and called_file(file, module).is_file():
        outputs = open_file(called_file(file, module)).outputs
        if chain[0] not in ("outputs", "name"):
            file.error(member.line, f"module '{name}' has no '{chain[0]}'{near(chain[0], ['outputs', 'name'])}")
        elif len(chain) == 2 and chain[1] not in outputs:
            file.error(member.line, f"module '{name}' has no output '{chain[1]}'{near(chain[1], outputs)}")
    elif resource is not None:
        _read_resource(file, member, resource.type, name, chain)


def _read_resource(file: BicepFile, member: Member, kind: str, name: str, chain: tuple[str, ...]) -> None:
    known = resource_type(kind)
    if known is None:
        return
    at, here = known.body, name
    for number, key in enumerate(chain):
        if at["$type"] != "ObjectType":
            return
        if key not in at["properties"]:
            if not at.get("additionalProperties") and number == len(chain) - 1:
                file.error(member.line, f"{here} has no '{key}'{near(key, at['properties'])}")
            return
        at, here = known.at(at["properties"][key]["type"]), f"{here}.{key}"


def _declared_kinds(file: BicepFile) -> None:
    """Defaults and outputs are of the type that is declared."""
    declared = [(name, item.type, item.default) for name, item in file.parameters.items()]
    declared += [(name, item.type, item.value) for name, item in file.outputs.items()]
    for name, written, value in declared:
        wanted, found = declared_kind(written), kind_of(file, value) if value else "any"
        if value and wanted in KINDS and found not in ("any", "null", wanted):
            file.error(value.line, f"'{name}' is {found}, must be {wanted}")
    for name, parameter in file.parameters.items():
        texts = texts_of(file, parameter.default) if parameter.default else None
        for text in texts or []:
            if allowed(parameter) and text not in allowed(parameter):
                file.error(parameter.line, f"'{name}': its default '{text}' is none of {allowed(parameter)}")
