"""Syntax, names and types of every file."""

from __future__ import annotations

import re

from tests.infra.bicep.checker import check
from tests.infra.checks.project import Project

_REASONED = re.compile(r"#disable-next-line\s+[a-zA-Z][\w-]+(\s+[a-zA-Z][\w-]+)*\s+//\s*\S.{9,}")


def files_are_right(project: Project) -> list[str]:
    """Nothing is wrong in any file; the one warning that may be is that a resource's type is not kept."""
    return [
        f"{project.name(finding.path)}:{finding.line}: {finding.message}"
        for finding in check(project.paths, project.files)
        if finding.severity == "error" or not finding.message.startswith("no type data for ")
    ]


def excuses_say_why(project: Project) -> list[str]:
    """A `#disable-next-line` names a rule, and after `//` the reason."""
    return [
        f"{project.name(file.path)}:{line - 1}: {comment!r} does not say why"
        for file in project.bicep
        for line, comment in file.disabled.items()
        if not _REASONED.fullmatch(comment.strip())
    ]
