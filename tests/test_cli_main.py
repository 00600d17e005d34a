"""The command line as a whole: its help, its failures, and how tests run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from chargeback import __version__
from chargeback.cli.app import app

ROOT = Path(__file__).parent.parent
COMMANDS = ("demo", "explain", "replay", "query", "fingerprint")
_SETTINGS = ("APPLICATIONINSIGHTS", "AzureWebJobsStorage", "CHARGEBACK_", "WEBSITE_", "GATEWAY_LOG", "PYTHON")


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without any settings of the function, but with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    # What is left open or unclosed is told on stderr, which the tests look at.
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::ResourceWarning", **(settings or {})}


def command(
    *arguments: str | Path,
    given: bytes | IO[bytes] = b"",
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "chargeback"),
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a user does; `given` is its standard input, as a pipe (bytes) or as a file."""
    line = [sys.executable, *program, *map(str, arguments)]
    env = environment(settings)
    if isinstance(given, bytes):
        return subprocess.run(line, input=given, capture_output=True, env=env, timeout=120, check=False)
    return subprocess.run(line, stdin=given, capture_output=True, env=env, timeout=120, check=False)


def called(
    *arguments: str | Path, given: bytes = b"", settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line within this process: as `command`, without the second that a new process takes."""
    ours = environment(settings)
    theirs: dict[str, str | None] = {name: ours.get(name) for name in {*os.environ, *ours}}
    result = CliRunner().invoke(app, [*map(str, arguments)], input=given, env=theirs, prog_name="chargeback")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return subprocess.CompletedProcess([], result.exit_code, result.stdout_bytes, result.stderr_bytes)


def sentence(finished: subprocess.CompletedProcess[bytes]) -> str:
    """Return what a failed command said: one line on stderr, under the program's name, and nothing else."""
    lines = finished.stderr.decode().splitlines()
    assert len(lines) == 1, finished.stderr.decode()
    assert lines[0].startswith("chargeback: ")
    return lines[0].removeprefix("chargeback: ")


def test_the_help_names_every_command_and_what_it_does() -> None:
    finished = command("--help")

    assert finished.returncode == 0
    listed = [line.split(maxsplit=1) for line in finished.stdout.decode().partition("Commands:")[2].splitlines()]
    assert [words[0] for words in listed if words] == [*COMMANDS, "local"]
    assert all(len(words[1]) > 10 for words in listed if words)


def test_without_a_command_the_help_is_shown() -> None:
    assert b"Commands:" in (command().stdout + command().stderr)


@pytest.mark.parametrize("words", [("explain",), ("replay",), ("query",), ("fingerprint",), ("local", "serve")])
def test_the_help_of_a_command_has_an_example_of_it(words: tuple[str, ...]) -> None:
    shown = called(*words, "--help")

    assert shown.returncode == 0
    examples = [line for line in shown.stdout.decode().splitlines() if f"  chargeback {' '.join(words)}" in line]
    assert examples


def test_the_version_is_that_of_the_package() -> None:
    assert command("--version").stdout.decode() == f"chargeback {__version__}\n"


def test_an_unknown_command_is_named_and_ends_with_2() -> None:
    finished = called("explian")

    assert finished.returncode == 2
    assert b"explian" in finished.stderr
    assert b"Traceback" not in finished.stderr


@pytest.mark.parametrize("missing", ["typer", "rich", "duckdb", "uvicorn"])
def test_without_the_local_extra_one_sentence_says_what_to_install(missing: str, tmp_path: Path) -> None:
    """The deployed function has the package without it, and other programs bring some of it along."""
    hidden = f"import sys; sys.modules[{missing!r}] = None; from chargeback.cli import main; main()"

    finished = command("replay", "-", "--store", tmp_path / "s.duckdb", program=("-c", hidden))

    assert finished.returncode == 2
    assert sentence(finished) == f"{missing} is not installed: pip install 'azure-openai-chargeback[local]'"


def test_a_full_disk_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full: run on Linux")
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "chargeback", "explain", "-"],
            input=b"{}\n",
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=120,
            check=False,
        )

    assert finished.returncode == 2
    assert sentence(subprocess.CompletedProcess([], 2, b"", finished.stderr)).startswith("No space left on device")
