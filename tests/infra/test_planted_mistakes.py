"""Every rule of infra/ finds what it is for: mistakes planted in a copy, one at a time."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.infra.checks.all import RULES
from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT

pytestmark = pytest.mark.once


class Mistake(NamedTuple):
    rule: str
    file: str
    right: str
    wrong: str


_FILE = Path(__file__).with_name("mistakes.toml")
MISTAKES = [Mistake(**one) for one in tomllib.loads(_FILE.read_text(encoding="utf-8"))["mistake"]]
BY_NAME = {rule.__name__: rule for rule in RULES}
SEEN_ELSEWHERE = {"all_is_known"}
"""It guards the others: they would pass what they cannot read."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the rules read; a test puts back what it changes."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "infra", folder / "infra")
    shutil.copytree(ROOT / "kql", folder / "kql")
    for name in ("azure.yaml", "function_app.py", "local.settings.json.example"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.rule}: {one.wrong.strip()[:40]}")
def test_it_is_found(copy: Path, mistake: Mistake) -> None:
    file = copy / mistake.file
    right = file.read_text(encoding="utf-8")
    assert mistake.right in right, "the mistake cannot be made: what is right has changed"
    file.write_text(right.replace(mistake.right, mistake.wrong), encoding="utf-8")
    try:
        assert BY_NAME[mistake.rule](Project(copy)) != []
    finally:
        file.write_text(right, encoding="utf-8")


def test_every_rule_has_a_mistake_that_it_finds() -> None:
    assert {mistake.rule for mistake in MISTAKES} == BY_NAME.keys() - SEEN_ELSEWHERE
