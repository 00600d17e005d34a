"""A project's folder as the rules see it: its Bicep files, and what they would deploy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from tests.infra.bicep.checker import Files
from tests.infra.bicep.declarations import BicepFile
from tests.infra.bicep.evaluation import evaluate
from tests.infra.bicep.plan import Deployed, Plan, plan
from tests.infra.bicep.scope import Scope
from tests.infra.bicep.values import Unknown, Value, rendered

MAIN = "main"


class Project:
    """Reads each file once; `root` is the folder that holds `infra`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.infra = root / "infra"
        self.files = Files()
        self._plans: dict[tuple[Path, str], Plan] = {}

    @cached_property
    def paths(self) -> list[Path]:
        return sorted(self.infra.rglob("*.bicep"))

    @cached_property
    def bicep(self) -> list[BicepFile]:
        return [self.files.open(path) for path in self.paths]

    @cached_property
    def entries(self) -> list[Path]:
        """What is deployed on its own: main.bicep, and the other readers."""
        return [self.infra / "main.bicep", *sorted((self.infra / "alternatives").rglob("*.bicep"))]

    def module(self, name: str) -> BicepFile:
        """Return the module of that name."""
        return self.files.open(self.infra / "modules" / f"{name}.bicep")

    def plan(self, given: Mapping[str, Value] | None = None, entry: Path | None = None) -> Plan:
        """Plan main.bicep, or another entry, with some parameters given."""
        path = entry or self.infra / "main.bicep"
        key = (path, rendered(given or {}))
        if key not in self._plans:
            self._plans[key] = plan(path, given, self.files)
        return self._plans[key]

    def defaults(self) -> dict[str, Value]:
        """Return what main.bicep's parameters are where nobody gives them."""
        file = self.files.open(self.infra / "main.bicep")
        unknown: dict[str, Value] = {name: Unknown(f"{MAIN}.{name}") for name in file.parameters}
        scope = Scope(file, unknown, lambda module, output: Unknown(f"{module}.{output}"))
        written = {name: parameter.default for name, parameter in file.parameters.items()}
        return {name: evaluate(default, scope) for name, default in written.items() if default is not None}

    def everything(self) -> Iterator[tuple[Path, Deployed]]:
        """Yield all that may be deployed, whatever the parameters, with the entry that deploys it."""
        for entry in self.entries:
            yield from ((entry, one) for one in self.plan(entry=entry).resources if not one.existing)

    def name(self, path: Path) -> str:
        """Return a file's path as it is written in findings."""
        return str(path.resolve().relative_to(self.root.resolve()))
