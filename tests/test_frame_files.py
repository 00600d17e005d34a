"""The packaging files: what is installed, what a wheel holds, what is deployed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
REQUIREMENTS = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_every_runtime_package_in_one_exact_version(python: str) -> None:
    chosen = [r for r in REQUIREMENTS if r.marker is None or r.marker.evaluate({"python_version": python})]
    assert {r.name for r in chosen} == {r.name for r in REQUIREMENTS}
    assert len(chosen) == len({r.name for r in chosen})
    assert all(re.fullmatch(r"==[0-9.]+", str(r.specifier)) for r in chosen)


def test_the_node_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_every_test_folder_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    ("file", "stays"),
    [
        ("function_app.py", False),
        ("host.json", False),
        ("requirements.txt", False),
        ("chargeback/pipeline.py", False),
        ("chargeback/shapes/seed.py", False),
        ("chargeback/cli/demo.py", True),
        ("chargeback/cloud/logs.py", True),
        ("chargeback/local/store.py", True),
        ("chargeback/prices/vocabulary.toml", True),
        ("chargeback/reports/run.py", True),
        ("kql/lib/usage.kql", True),
        ("infra/main.bicep", True),
        ("docs/contract.md", True),
        ("tests/test_frame.py", True),
        ("local.settings.json", True),
        (".demo/statement.html", True),
        ("node_modules/azurite/package.json", True),
        ("package-lock.json", True),
        (".venv-3.13/bin/python", True),
        (".git/config", True),
    ],
)
def test_only_what_the_function_needs_is_deployed(tmp_path: Path, file: str, stays: bool) -> None:
    """Git reads .funcignore as the Functions tools do: both follow the rules of .gitignore."""
    shutil.copy(ROOT / ".funcignore", tmp_path / ".gitignore")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    answer = subprocess.run(["git", "-C", tmp_path, "check-ignore", "--quiet", "--no-index", file])
    assert (answer.returncode == 0) is stays


@pytest.mark.parametrize("rules", [".gitignore", ".funcignore"])
@pytest.mark.parametrize(
    "file",
    [
        *(".azurite/__azurite_db_blob__.json", "AzuriteConfig", "__azurite_db_blob_extent__.json"),
        *("__azurite_db_table__.json", *(f"__{kind}storage__/7d1f" for kind in ("blob", "queue", "table"))),
        *("local.duckdb", "local.duckdb.wal", "local.duckdb.rejected/a.jsonl", ".demo/statement.html"),
    ],
)
def test_what_trials_leave_behind_is_neither_kept_nor_deployed(tmp_path: Path, rules: str, file: str) -> None:
    """Azurite and local stores hold what was tried with: usage, perhaps a real one."""
    shutil.copy(ROOT / rules, tmp_path / ".gitignore")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    answer = subprocess.run(["git", "-C", tmp_path, "check-ignore", "--quiet", "--no-index", file])
    assert answer.returncode == 0


def test_the_wheel_holds_every_room_its_data_and_the_queries(tmp_path: Path) -> None:
    for name in ("setup.py", "pyproject.toml", "requirements.txt", "LICENSE", "chargeback", "kql"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "."]
    subprocess.run(command, cwd=tmp_path, check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("chargeback/")}
    modules = {str(file.relative_to(ROOT)) for file in (ROOT / "chargeback").rglob("*.py")}
    queries = {f"chargeback/{file.relative_to(ROOT)}" for file in (ROOT / "kql").rglob("*.kql")}
    data = {
        str(file.relative_to(ROOT)) for kind in ("toml", "kql") for file in (ROOT / "chargeback").rglob(f"*.{kind}")
    }
    pages = {f"chargeback/reports/page/{name}" for name in ("page.css", "page.html.jinja")}
    assert held == modules | queries | data | pages | {"chargeback/py.typed", "chargeback/reports/focus/facts.json"}
