"""The doors between the rooms: who may import whom, and what may be used in one room only.

The tables are docs/design.md's, as data. An import is read from the source, wherever it stands in a module.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "chargeback"

ALL_BUT_THE_COMMAND_LINE = frozenset(
    {
        *("errors", "jsontext", "keys", "settings", "records", "usage", "shapes", "events", "delivery", "deadletter"),
        *("telemetry", "pipeline", "reports", "cloud", "local", "prices", "function_app", "hub", "doctor"),
    }
)
DOORS: Mapping[str, frozenset[str]] = {
    "errors": frozenset(),
    "jsontext": frozenset(),
    "keys": frozenset(),
    "settings": frozenset({"errors"}),
    "records": frozenset({"errors"}),
    "usage": frozenset({"errors", "jsontext", "records"}),
    "shapes": frozenset({"errors", "jsontext", "keys", "records", "usage"}),
    "events": frozenset({"errors", "keys", "records"}),
    "delivery": frozenset({"errors", "events", "settings"}),
    "deadletter": frozenset({"errors", "events", "jsontext", "keys", "settings"}),
    "telemetry": frozenset({"settings"}),
    "pipeline": frozenset({"errors", "events", "records", "shapes"}),
    "reports": frozenset({"errors", "events"}),
    "doctor": frozenset({"errors", "events", "settings", "hub", "delivery", "deadletter", "reports", "cloud"}),
    "cloud": frozenset({"errors", "events", "reports"}),
    "hub": frozenset({"errors", "events", "settings"}),
    "local": frozenset({"errors", "events"}),
    "prices": frozenset({"errors", "reports"}),
    "cli": ALL_BUT_THE_COMMAND_LINE,
    "__main__": frozenset({"cli"}),
    "function_app": frozenset({"deadletter", "delivery", "pipeline", "settings", "telemetry"}),
}
"""Room -> the rooms it may import. A room may always import itself, and the package's version."""

ONE_ROOM_ONLY: Mapping[str, str] = {
    "azure.eventhub": "hub",
    "azure.functions": "function_app",
    "azure.monitor.opentelemetry": "telemetry",
    "azure.monitor.query": "cloud",
    "opentelemetry": "telemetry",
    "duckdb": "local",
    "duckdb_kql": "local",
    "genai_prices": "prices",
    "jinja2": "reports",
}
"""Library -> the only room that may import it."""

THE_FLOW = frozenset({"shapes", "usage", "records", "events", "pipeline"})
CLOCKS = frozenset({"now", "utcnow", "today"})
ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})


def sources(root: Path) -> Iterator[tuple[str, str, ast.Module]]:
    """Yield (room, module's full name, parsed module) for all the code that ships."""
    for file in [root / "function_app.py", *sorted((root / PACKAGE).rglob("*.py"))]:
        parts = file.relative_to(root).with_suffix("").parts
        name = parts[:-1] if parts[-1] == "__init__" else parts
        room = name[1] if len(name) > 1 else name[0]
        yield room, ".".join(name), ast.parse(file.read_text(encoding="utf-8"))


def imported(module: str, is_package: bool, tree: ast.Module) -> Iterator[str]:
    """Yield the full name of everything a module imports, at its top or further in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")
            up = node.level - is_package
            here = parents[: len(parents) - up] if node.level else []
            origin = ".".join([*here, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str | None:
    """Return the room that an imported name lives in; `None` for what is not ours, and for the version."""
    first, _, rest = name.partition(".")
    if first != PACKAGE:
        return first if first == "function_app" else None
    second = rest.partition(".")[0]
    return None if second in ("", "__version__") else second


def wrong_doors(root: Path) -> list[str]:
    """Return every import that the table does not allow."""
    found = []
    for room, module, tree in sources(root):
        is_package = (root / module.replace(".", "/")).is_dir()
        for name in imported(module, is_package, tree):
            there = room_of(name)
            if there is not None and there != room and there not in DOORS.get(room, frozenset()):
                found.append(f"{module} imports {there}")
    return found


def strangers(root: Path) -> list[str]:
    """Return every import of a library outside the one room that may use it."""
    found = []
    for room, module, tree in sources(root):
        for name in imported(module, False, tree):
            for library, home in ONE_ROOM_ONLY.items():
                if f"{name}.".startswith(f"{library}.") and room != home:
                    found.append(f"{module} imports {library}")
    return found


def environment_readers(root: Path) -> list[str]:
    """Return every module but the settings that touches the environment."""
    return _users(root, ENVIRONMENT, lambda room: room != "settings")


def clock_readers(root: Path) -> list[str]:
    """Return every module of the flow that asks for the present, or imports what could."""
    timed = [
        f"{module} imports time"
        for room, module, tree in sources(root)
        if room in THE_FLOW and any(name.split(".")[0] == "time" for name in imported(module, False, tree))
    ]
    asked = [
        f"{module} asks {node.attr}()"
        for room, module, tree in sources(root)
        for node in ast.walk(tree)
        if room in THE_FLOW and isinstance(node, ast.Attribute) and node.attr in CLOCKS
    ]
    return timed + asked


def printers(root: Path) -> list[str]:
    """Return every module outside the command line that prints."""
    return _users(root, frozenset({"print"}), lambda room: room != "cli")


def hidden_imports(root: Path) -> list[str]:
    """Return every module that imports by name at run time, where no table can see it."""
    return _users(root, frozenset({"import_module", "__import__"}), lambda _: True)


def _users(root: Path, names: frozenset[str], applies: Callable[[str], bool]) -> list[str]:
    found: list[str] = []
    for room, module, tree in sources(root):
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        # A name that is imported is used, whatever it is called here.
        used |= {name.rpartition(".")[2] for name in imported(module, False, tree)}
        if applies(room):
            found.extend(f"{module} uses {name}" for name in sorted(used & names))
    return found


RULES = [wrong_doors, strangers, environment_readers, clock_readers, printers, hidden_imports]


@pytest.mark.parametrize("rule", RULES)
def test_the_project_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


def test_every_room_is_in_the_table() -> None:
    """A new room has to say whom it may import."""
    assert {room for room, _, _ in sources(ROOT)} - {PACKAGE} <= set(DOORS)


def test_the_table_has_no_circles() -> None:
    """Rooms can be put in an order in which each imports only rooms before it."""
    placed: set[str] = set()
    while free := {room for room, doors in DOORS.items() if room not in placed and doors <= placed}:
        placed |= free
    assert placed == set(DOORS)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that ships, to break."""
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "function_app.py", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("rule", "file", "line", "finding"),
    [
        (
            wrong_doors,
            "chargeback/records.py",
            "from chargeback.events import iso",
            "chargeback.records imports events",
        ),
        (wrong_doors, "chargeback/shapes/flat.py", "import chargeback.events", "chargeback.shapes.flat imports events"),
        (wrong_doors, "chargeback/shapes/flat.py", "from ..events import iso", "chargeback.shapes.flat imports events"),
        (wrong_doors, "chargeback/shapes/__init__.py", "from .. import events", "chargeback.shapes imports events"),
        (
            wrong_doors,
            "chargeback/pipeline.py",
            "from chargeback import delivery",
            "chargeback.pipeline imports delivery",
        ),
        (
            wrong_doors,
            "chargeback/keys.py",
            "from chargeback.errors import DeliveryError",
            "chargeback.keys imports errors",
        ),
        (wrong_doors, "chargeback/settings.py", "import function_app", "chargeback.settings imports function_app"),
        (wrong_doors, "function_app.py", "from chargeback.shapes import read", "function_app imports shapes"),
        (
            wrong_doors,
            "chargeback/helpers.py",
            "from chargeback.keys import fingerprint",
            "chargeback.helpers imports keys",
        ),
        (
            strangers,
            "chargeback/pipeline.py",
            "import azure.functions as func",
            "chargeback.pipeline imports azure.functions",
        ),
        (strangers, "chargeback/events.py", "from azure import functions", "chargeback.events imports azure.functions"),
        (
            strangers,
            "chargeback/delivery/__init__.py",
            "from azure.monitor.opentelemetry import exporter",
            "chargeback.delivery imports azure.monitor.opentelemetry",
        ),
        (
            strangers,
            "chargeback/reports/compose.py",
            "from azure.monitor import query",
            "chargeback.reports.compose imports azure.monitor.query",
        ),
        (
            wrong_doors,
            "chargeback/reports/compose.py",
            "from chargeback.cloud import sign_in",
            "chargeback.reports.compose imports cloud",
        ),
        (strangers, "function_app.py", "from opentelemetry import trace", "function_app imports opentelemetry"),
        (strangers, "chargeback/deadletter/folder.py", "import duckdb", "chargeback.deadletter.folder imports duckdb"),
        (
            environment_readers,
            "chargeback/telemetry.py",
            "import os; os.getenv('X')",
            "chargeback.telemetry uses getenv",
        ),
        (environment_readers, "function_app.py", "from os import environ as settings_", "function_app uses environ"),
        (clock_readers, "chargeback/events.py", "present = datetime.now()", "chargeback.events asks now()"),
        (
            clock_readers,
            "chargeback/pipeline.py",
            "from time import monotonic as clock",
            "chargeback.pipeline imports time",
        ),
        (printers, "chargeback/pipeline.py", "print('done')", "chargeback.pipeline uses print"),
        (printers, "chargeback/events.py", "tell = print", "chargeback.events uses print"),
        (
            hidden_imports,
            "chargeback/records.py",
            "__import__('chargeback.events')",
            "chargeback.records uses __import__",
        ),
    ],
)  # fmt: skip  (one violation per line is a table)
def test_a_planted_violation_is_found(
    copy: Path, rule: Callable[[Path], list[str]], file: str, line: str, finding: str
) -> None:
    before = set(rule(copy))
    target = copy / file
    existing = target.read_text(encoding="utf-8") if target.exists() else ""
    target.write_text(f"{existing}\n\ndef planted() -> None:\n    {line}\n", encoding="utf-8")
    assert set(rule(copy)) - before == {finding}
