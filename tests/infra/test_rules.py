"""infra/ holds to every rule: language, secrets, roles, settings, the gateway, and what is promised of the data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.infra.checks.all import RULES
from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT


@pytest.fixture(scope="module")
def project() -> Project:
    return Project(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_infra_holds_to(rule: Callable[[Project], list[str]], project: Project) -> None:
    assert rule(project) == []


def test_the_bicep_compiler_takes_it_where_there_is_one() -> None:
    """It is downloaded from GitHub and in no package registry: the one thing that may be missing anywhere."""
    bicep = ["bicep"] if shutil.which("bicep") else ["az", "bicep"] if shutil.which("az") else []
    if bicep:
        built = subprocess.run(
            [*bicep, "build", ROOT / "infra/main.bicep", "--stdout"], capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stderr
