"""All checks over files that call each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.infra.bicep import bodies, bounds, calls, names, order
from tests.infra.bicep.declarations import BicepFile, Finding
from tests.infra.bicep.reading import read


class Files:
    """Bicep files, each read once."""

    def __init__(self) -> None:
        self._read: dict[Path, BicepFile] = {}

    def open(self, path: Path) -> BicepFile:
        path = path.resolve()
        if path not in self._read:
            self._read[path] = read(path)
        return self._read[path]


def check(paths: Iterable[Path], files: Files | None = None) -> list[Finding]:
    """Check files and return what is wrong with them, in the order of files and lines.

    A warning of a line that a reasoned `#disable-next-line` stands above is left out; an error never is.
    """
    files = files or Files()
    found: set[Finding] = set()
    for file in map(files.open, paths):
        if not file.findings:
            names.check(file)
            bodies.check(file)
            calls.check(file, files.open)
            bounds.check(file, files.open)
            order.check(file)
        found.update(finding for finding in file.findings if not _excused(file, finding))
    return sorted(found)


def _excused(file: BicepFile, finding: Finding) -> bool:
    return finding.severity == "warning" and finding.line in file.disabled
