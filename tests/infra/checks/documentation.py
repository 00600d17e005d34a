"""What people read: descriptions, sizes, and that nothing is left over."""

from __future__ import annotations

from tests.infra.bicep.calls import called_file
from tests.infra.bicep.declarations import Parameter, described
from tests.infra.bicep.type_data import READ_ONLY, resource_type
from tests.infra.bicep.values import rendered
from tests.infra.checks.project import Project

LONGEST_MAIN, LONGEST_MODULE = 150, 120


def everything_is_described(project: Project) -> list[str]:
    """Every parameter and output has a description; a parameter's begins with whether it must be given."""
    found = []
    for file in project.bicep:
        for name, parameter in file.parameters.items():
            if problem := _described(parameter):
                found.append(f"{project.name(file.path)}:{parameter.line}: parameter '{name}' {problem}")
        for name, output in file.outputs.items():
            if len(described(output.decorators) or "") < 10:
                found.append(f"{project.name(file.path)}:{output.line}: output '{name}' has no description")
    return found


def _described(parameter: Parameter) -> str | None:
    text = described(parameter.decorators)
    begins = "Optional. " if parameter.optional else "Required. "
    if text is None:
        return "has no description"
    if not text.startswith(begins):
        return f"must be described as {begins.strip()!r}"
    return None if len(text) >= len(begins) + 10 else "has an empty description"


def files_are_short(project: Project) -> list[str]:
    """main.bicep has at most 150 lines, every other file at most 120."""
    main = project.infra / "main.bicep"
    return [
        f"{project.name(file.path)}: {file.lines} lines, at most {most}"
        for file in project.bicep
        if file.lines > (most := LONGEST_MAIN if file.path == main.resolve() else LONGEST_MODULE)
    ]


def every_module_is_used(project: Project) -> list[str]:
    """Every file is an entry, or called from one."""
    reached, ahead = set(), [entry.resolve() for entry in project.entries]
    while ahead:
        path = ahead.pop()
        if path not in reached and path.is_file():
            reached.add(path)
            file = project.files.open(path)
            ahead += [called_file(file, module) for module in file.modules.values()]
    return [f"{project.name(path)}: no other file calls it" for path in project.paths if path.resolve() not in reached]


def tags_are_on_everything(project: Project) -> list[str]:
    """Every resource that takes tags bears those that main.bicep was given."""
    types = {
        f"{resource.type.split('@')[0]}": resource.type
        for file in project.bicep
        for resource in file.resources.values()
    }
    found = []
    for entry, one in project.everything():
        known = resource_type(types[one.type])
        takes = known.body["properties"].get("tags") if known and known.body["$type"] == "ObjectType" else None
        if takes and not takes["flags"] & READ_ONLY and f"{entry.stem}.tags" not in rendered(one.body.get("tags")):
            found.append(f"{one.place}: does not bear the tags of {entry.stem}")
    return found
