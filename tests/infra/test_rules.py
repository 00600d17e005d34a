"""infra/ holds to every rule: language, secrets, roles, settings, the gateway, and what is promised of the data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import programs
from tests.infra.checks.all import RULES
from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT


@pytest.fixture(scope="module")
def project() -> Project:
    return Project(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_infra_holds_to(rule: Callable[[Project], list[str]], project: Project) -> None:
    assert rule(project) == []


@pytest.mark.needs_optional("bicep")
def test_the_bicep_compiler_takes_it() -> None:
    """It is downloaded from GitHub and in no package registry: the one thing that may be missing anywhere."""
    program = shutil.which("bicep", path=programs())
    assert program is not None
    for file in Project(ROOT).entries:
        built = subprocess.run([program, "build", file, "--stdout"], capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
