"""Syntax, names and types of every file."""

from __future__ import annotations

import json
import re

from tests.infra.bicep import planned
from tests.infra.bicep.checker import check
from tests.infra.bicep.evaluation import NOT_GIVEN
from tests.infra.bicep.values import Value, rendered
from tests.infra.checks.project import Project

_REASONED = re.compile(r"#disable-next-line\s+[a-zA-Z][\w-]+(\s+[a-zA-Z][\w-]+)*\s+//\s*\S.{9,}")


def files_are_right(project: Project) -> list[str]:
    """Nothing is wrong in any file; the one warning that may be is that a resource's type is not kept."""
    return [
        f"{project.name(finding.path)}:{finding.line}: {finding.message}"
        for finding in check(project.paths, project.files)
        if finding.severity == "error" or not finding.message.startswith("no type data for ")
    ]


def what_is_planned_fits(project: Project) -> list[str]:
    """Values fit their types, and objects have all that is read of them: by default, and with main.parameters.json."""
    written = json.loads((project.infra / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    given = {name: one["value"] for name, one in written.items()}
    found = set()
    two: list[Value] = [
        {"name": "first", "accountName": "contoso-first"},
        {"name": "second", "accountName": "contoso-second", "resourceGroup": "models", "priority": 2},
    ]
    for choice in ({}, given, {"privateNetwork": True}, {"emitTokenMetrics": True}, {"backends": two}):
        made = project.plan(project.defaults() | choice)
        found |= set(planned.check(made.resources))
        texts = [rendered(one.body) for one in made.resources] + [rendered(one) for one in made.outputs.values()]
        found |= {one for text in texts for one in re.findall(rf"{NOT_GIVEN}\([^)]*\)", text)}
    return sorted(found)


def excuses_say_why(project: Project) -> list[str]:
    """A `#disable-next-line` names a rule, and after `//` the reason."""
    return [
        f"{project.name(file.path)}:{line - 1}: {comment!r} does not say why"
        for file in project.bicep
        for line, comment in file.disabled.items()
        if not _REASONED.fullmatch(comment.strip())
    ]
