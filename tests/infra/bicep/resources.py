"""Every resource of a file: the form of its type, its parent, and its body against its type."""

from __future__ import annotations

import re

from tests.infra.bicep.bodies import Body
from tests.infra.bicep.declarations import BicepFile, Resource
from tests.infra.bicep.expressions import Constant, Object, Text
from tests.infra.bicep.kinds import texts_of
from tests.infra.bicep.type_data import names, resource_type

_NAME = re.compile(r"[\w.]+(/[\w-]+)+@\d{4}-\d\d-\d\d(-preview)?")


def check(file: BicepFile) -> None:
    """Report what a file's resources do not hold to."""
    for name, resource in file.resources.items():
        if not _NAME.fullmatch(resource.type):
            file.error(resource.line, f"'{resource.type}' is not of the form Type/name@2024-01-01")
            continue
        if resource.body is None:
            file.error(resource.line, f"resource '{name}' has no body")
            continue
        _parent(file, name, resource, resource.body)
        known = resource_type(resource.type)
        if known is None:
            file.warn(resource.line, f"no type data for {resource.type}{_kept(resource.type)}")
        else:
            Body(file, known).resource(name, resource, resource.body)


def _kept(kind: str) -> str:
    """Say of which other versions the type is kept."""
    wanted = kind.partition("@")[0].lower()
    versions = [name.partition("@")[2] for name in names() if name.partition("@")[0] == wanted]
    return f"; there is of {', '.join(versions)}" if versions else ""


def _parent(file: BicepFile, name: str, resource: Resource, body: Object) -> None:
    """A child type has a parent, is nested, or bears its parent's name before its own."""
    is_child = resource.type.split("@")[0].count("/") > 1
    if not is_child or resource.outer or body.get("parent"):
        return
    name_given = body.get("name") or Constant(0, None)
    texts = texts_of(file, name_given) or []
    if isinstance(name_given, Text):
        texts += [part for part in name_given.parts if isinstance(part, str)]
    if not any("/" in text for text in texts):
        file.error(resource.line, f"'{name}' is a child: it needs 'parent', or a name with '/'")
