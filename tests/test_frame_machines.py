"""The Makefile and .ci/run, run on made-up machines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = [
    "bash",
    "cat",
    "cut",
    "dirname",
    "env",
    "grep",
    "id",
    "make",
    "mktemp",
    "rm",
    "sed",
    "sh",
    "sort",
    "tail",
    "tee",
    "timeout",
]
BROKEN_SHIM = 'echo "pyenv: $0: command not found" >&2; exit 127'


class Machine:
    """A PATH with the usual small tools, and only those programs that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.calls = folder / "calls.txt"
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is missing on this machine"
            (folder / tool).symlink_to(found)

    def install(self, name: str, script: str) -> None:
        """Put a program there."""
        file = self.path / name
        file.unlink(missing_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def install_python(self, name: str, version: str, *, venv: bool = True) -> None:
        """Put a Python there that answers as `version` would, with or without what makes environments."""
        pretend = f"import sys; sys.version_info = type('V', (tuple,), {{'minor': {version.split('.')[1]}}})"
        pretend += f"(({version.replace('.', ', ')}, 0)); "
        pretend += "" if venv else "sys.modules['ensurepip'] = None; "
        self.install(
            name,
            f'if [ "$1" = --version ]; then echo "Python {version}"; exit; fi\n'
            f"code=$2; shift 2\nexec '{sys.executable}' -c \"{pretend}\nexec(compile(sys.argv.pop(1), '', 'exec'))\""
            ' "$code" "$@"',
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the project on this machine."""
        return subprocess.run(
            command, cwd=ROOT, env={"PATH": str(self.path), "CALLS": str(self.calls)}, text=True, capture_output=True
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_make_takes_the_newest_python(machine: Machine) -> None:
    machine.install_python("python3.11", "3.11")
    machine.install_python("python3.12", "3.12")
    assert machine.run("make", "interpreter").stdout == "python3.12\n"


def test_make_skips_a_shim_that_answers_command_not_found(machine: Machine) -> None:
    machine.install("python3.13", BROKEN_SHIM)
    machine.install_python("python3.11", "3.11")
    assert machine.run("make", "interpreter").stdout == "python3.11\n"


def test_make_takes_python3_when_it_is_new_enough(machine: Machine) -> None:
    machine.install_python("python3", "3.14")
    assert machine.run("make", "interpreter").stdout == "python3\n"


def test_make_says_in_one_sentence_what_to_do_without_a_new_enough_python(machine: Machine) -> None:
    machine.install("python3.13", BROKEN_SHIM)
    machine.install_python("python3", "3.10")
    result = machine.run("make", "interpreter")
    assert result.returncode != 0
    assert result.stderr.startswith("No Python 3.11 or newer among: python3.13 python3.12 python3.11 python3.")
    assert "make PYTHON=/path/to/python3" in result.stderr


def test_make_says_which_package_debian_lacks_when_no_python_can_make_an_environment(machine: Machine) -> None:
    machine.install_python("python3.11", "3.11", venv=False)
    result = machine.run("make", "interpreter")
    assert result.returncode != 0
    assert result.stderr.startswith("python3.11 cannot make a virtual environment")
    assert "apt install python3-venv" in result.stderr


def test_make_passes_over_a_python_that_cannot_make_an_environment(machine: Machine) -> None:
    machine.install_python("python3.13", "3.13", venv=False)
    machine.install_python("python3.11", "3.11")
    assert machine.run("make", "interpreter").stdout == "python3.11\n"


def test_a_named_python_gets_an_environment_of_its_own(machine: Machine) -> None:
    machine.install_python("snake", "3.12")
    assert ".venv-3.12/bin/python -m pytest" in machine.run("make", "--dry-run", "test", "PYTHON=snake").stdout


def test_make_alone_prints_one_line_for_each_target(machine: Machine) -> None:
    lines = machine.run("make").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["help", "demo", "test", "check", "bench"]


@pytest.fixture
def ci(machine: Machine) -> Machine:
    """Add what .ci/run calls: make and npm that write down how they were called."""
    machine.install("node", "exit 0")
    for program in ("mcs", "mono", "dpkg", "chromium", "cc"):
        machine.install(program, "exit 0")
    machine.install("git", "exit 0")
    machine.install("npm", 'echo "npm $*" >>"$CALLS"')
    machine.install("touch", "exit 0")
    machine.install(
        "make", 'echo "all=$CHARGEBACK_TEST_ALL once=$CHARGEBACK_TEST_ONCE make $*" >>"$CALLS"; echo "7 passed"'
    )
    return machine


def pyenv(machine: Machine, *versions: str) -> str:
    """Add a pyenv whose shims do not work, with these versions; return the folder they are in."""
    for version in versions:
        machine.install_python(f"pyenv.d/versions/{version}/bin/python", version.rsplit(".", 1)[0])
        machine.install(f"python{version.rsplit('.', 1)[0]}", BROKEN_SHIM)
    root = machine.path / "pyenv.d"
    listed = " ".join(versions)
    machine.install("pyenv", f'if [ "$1" = root ]; then echo {root}; else printf "%s\\n" {listed}; fi')
    return f"{root}/versions"


def test_ci_checks_once_and_tests_everything_on_3_11_and_3_13(ci: Machine) -> None:
    versions = pyenv(ci, "3.11.7", "3.12.1", "3.13.0")
    result = ci.run("bash", ".ci/run")
    assert result.returncode == 0, result.stderr
    assert ci.calls.read_text(encoding="utf-8").splitlines() == [
        "npm ci --loglevel=error --no-progress",
        f"all= once= make .venv-checkov/bin/checkov PYTHON={versions}/3.11.7/bin/python",
        f"all= once= make check PYTHON={versions}/3.13.0/bin/python",
        f"all=1 once=elsewhere make test PYTHON={versions}/3.11.7/bin/python",
        f"all=1 once=here make test PYTHON={versions}/3.13.0/bin/python",
    ]
    assert result.stdout.endswith("Python 3.11: 7 passed\nPython 3.13: 7 passed\n")


def test_ci_runs_on_the_only_python_there_is(ci: Machine) -> None:
    ci.install_python("python3.12", "3.12")
    assert ci.run("bash", ".ci/run").returncode == 0
    assert "all=1 once=here make test PYTHON=python3.12" in ci.calls.read_text(encoding="utf-8")


def test_ci_fails_when_an_installed_3_13_was_not_used(ci: Machine) -> None:
    ci.install_python("python3.11", "3.11")
    ci.install_python("python3.13", "3.13", venv=False)
    result = ci.run("bash", ".ci/run")
    assert result.returncode == 1
    assert "Python 3.13 is installed but was not used" in result.stderr


@pytest.mark.parametrize("target", ["check", "test"])
def test_ci_fails_with_make(ci: Machine, target: str) -> None:
    ci.install_python("python3.13", "3.13")
    ci.install("make", f'echo "1 failed"; test "$1" != {target}')
    assert ci.run("bash", ".ci/run").returncode != 0


def test_ci_installs_what_a_bare_debian_lacks(ci: Machine) -> None:
    ci.install_python("python3.11", "3.11", venv=False)
    (ci.path / "node").unlink()
    (ci.path / "npm").unlink()
    (ci.path / "mono").unlink()
    (ci.path / "chromium").unlink()
    (ci.path / "cc").unlink()
    ci.install("id", "echo 0")
    ci.install("apt-get", 'echo "apt-get $*" >>"$CALLS"')
    ci.run("bash", ".ci/run")
    assert ci.calls.read_text(encoding="utf-8").splitlines()[:2] == [
        "apt-get update -q",
        "apt-get install -q -y --no-install-recommends nodejs npm mono-mcs mono-runtime libnewtonsoft-json5.0-cil"
        " chromium gcc python3-dev python3 python3-venv",
    ]
