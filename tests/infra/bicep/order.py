"""What must be known before a deployment begins, and that nothing waits for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.infra.bicep.declarations import BicepFile, Module, Resource
from tests.infra.bicep.expressions import Expression, Index, Loop, Member, Name, Nested, parts, walk

FROM_THE_BEGINNING = frozenset({"id", "name", "type", "apiVersion"})
"""What is known of a resource before it is there; of a module it is the name alone."""


def check(file: BicepFile) -> None:
    """Report names, conditions and loops that depend on what is deployed (BCP120, 177, 178, 182), and circles."""
    for made in file.made():
        name = made.body.get("name") if made.body else None
        asked = (("name", name), ("condition", made.condition), ("loop", made.repeat.over if made.repeat else None))
        for what, expression in asked:
            _known_at_start(file, f"its {what}", expression)
    for top in file.expressions():
        for part in walk(top):
            if isinstance(part, Loop):
                _known_at_start(file, "a loop", part.over)
    for variable in file.variables.values():
        if isinstance(variable.value, Loop):
            _known_at_start(file, "a variable's loop", variable.value.body)
    for circle in _circles(_needs(file)):
        file.error(_line(file, circle[0]), f"{' needs '.join((*circle, circle[0]))}: a circle")


def _known_at_start(file: BicepFile, what: str, expression: Expression | None) -> None:
    late = next(_late(file, expression, frozenset()), None) if expression else None
    if expression and late:
        file.error(expression.line, f"{what} depends on {late}, which is known only when that is deployed")


def _late(file: BicepFile, expression: Expression, seen: frozenset[str]) -> Iterator[str]:
    """Yield what an expression reads of resources and modules that are not there yet; variables are looked into."""
    match expression:
        case Member(_, base, name) if made := _made(file, base):
            if name == "outputs" or (made in file.resources and name not in FROM_THE_BEGINNING):
                yield f"{made}.{name}"
        case Name(_, name) if name in file.variables and name not in seen:
            yield from _late(file, file.variables[name].value, seen | {name})
    for part in parts(expression):
        yield from _late(file, part, seen)


def _made(file: BicepFile, base: Expression) -> str | None:
    match base:
        case Index(_, inner, _):
            return _made(file, inner)
        case Name(_, name) | Nested(_, _, name) if name in file.resources or name in file.modules:
            return name
    return None


def _needs(file: BicepFile) -> Mapping[str, set[str]]:
    """Return what each variable, resource and module waits for."""
    needs = {name: _names(variable.value) for name, variable in file.variables.items()}
    for name, made in _declared(file).items():
        expressions = (made.body, made.condition, made.repeat.over if made.repeat else None)
        needs[name] = {used for one in expressions if one for used in _names(one)}
        if isinstance(made, Resource) and made.outer:
            needs[name].add(made.outer)
    return {name: used & needs.keys() for name, used in needs.items()}


def _names(expression: Expression) -> set[str]:
    return {part.name for part in walk(expression) if isinstance(part, Name | Nested)}


def _circles(needs: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Yield each circle once, as the names on it."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if name in path:
            yield path[path.index(name) :]
        elif name not in done:
            for needed in sorted(needs[name]):
                yield from visit(needed, (*path, name))
            done.add(name)

    for name in needs:
        yield from visit(name, ())


def _line(file: BicepFile, name: str) -> int:
    declared = _declared(file)
    return declared[name].line if name in declared else file.variables[name].line


def _declared(file: BicepFile) -> Mapping[str, Module | Resource]:
    return {**file.resources, **file.modules}
