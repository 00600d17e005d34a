"""The command line as a whole: its help, its failures, and how tests run it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from chargeback import __version__
from chargeback.cli.app import app

ROOT = Path(__file__).parent.parent
COMMANDS = (
    *("demo", "explain", "replay", "send", "query", "report", "reconcile", "close", "budgets", "doctor"),
    "fingerprint",
)
PRICES = (("prices", "list"), ("prices", "check"), ("prices", "update"))
REJECTED = (("rejected", "list"), ("rejected", "show"), ("rejected", "replay"))
_SETTINGS = (
    "APPLICATIONINSIGHTS",
    "AzureWebJobsStorage",
    "CHARGEBACK_",
    "WEBSITE_",
    "GATEWAY_LOG",
    "EventHub",
    "EVENT_HUB_",
    "PYTHON",
)


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
    assert [words[0] for words in listed if words] == [*COMMANDS, "local", "consumers", "prices", "rejected"]
    assert all(len(words[1]) > 10 for words in listed if words)


def test_without_a_command_the_help_is_shown() -> None:
    assert b"Commands:" in (command().stdout + command().stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("explain",),
        ("replay",),
        ("send",),
        ("doctor",),
        ("query",),
        ("report",),
        ("reconcile",),
        ("close",),
        ("budgets",),
        ("fingerprint",),
        ("local", "serve"),
        ("consumers", "list"),
        ("consumers", "name"),
        *PRICES,
        *REJECTED,
    ],
)
def test_the_help_of_a_command_has_an_example_of_it(words: tuple[str, ...]) -> None:
    shown = called(*words, "--help")

    assert shown.returncode == 0
    examples = [line for line in shown.stdout.decode().splitlines() if f"  chargeback {' '.join(words)}" in line]
    assert examples


def test_texts_name_the_program_as_it_was_started(tmp_path: Path) -> None:
    """Somebody who only ran `make demo` has nothing but the interpreter of its virtual environment."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    there = environment({"PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])})
    says = partial(subprocess.run, cwd=tmp_path, env=there, capture_output=True, text=True, timeout=120, check=False)

    missing = says([".venv/bin/python", "-m", "chargeback", "query", "-", "--store", "gone.duckdb"], input="print 1")
    shown = says([".venv/bin/python", "-m", "chargeback", "explain", "--help"])
    wrong = says([".venv/bin/python", "-m", "chargeback", "explian"])

    program = ".venv/bin/python -m chargeback"
    assert missing.stderr == (
        f"chargeback: there is no store gone.duckdb: make one with {program} replay FILE --store gone.duckdb\n"
    )
    assert shown.stdout.startswith(f"Usage: {program} explain ")
    assert f"  {program} explain records.jsonl | head -1\n" in shown.stdout
    assert f"Try '{program} --help' for help." in wrong.stderr


def test_an_interpreter_on_the_path_is_named_without_its_folder(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    finished = command("query", "-", "--store", tmp_path / "gone", given=b"print 1", settings={"PATH": path})

    assert f"make one with {Path(sys.executable).name} -m chargeback replay " in sentence(finished)


def test_the_installed_script_is_named_by_its_name_where_the_shell_finds_it(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "chargeback"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom chargeback.cli import main\nmain()\n")
    script.chmod(0o755)
    found = environment({"PATH": os.pathsep.join([str(script.parent), os.environ["PATH"]])})
    says = partial(subprocess.run, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert says(["chargeback", "--help"], env=found).stdout.startswith("Usage: chargeback [OPTIONS]")
    assert says(["bin/chargeback", "--help"], env=environment()).stdout.startswith("Usage: bin/chargeback [OPTIONS]")


def test_a_command_loads_nothing_that_it_does_not_need() -> None:
    finished = command("fingerprint", given=b"0" * 32, settings={"PYTHONPROFILEIMPORTTIME": "1"})

    loaded = {line.rpartition("|")[2].strip() for line in finished.stderr.decode().splitlines()}
    assert "typer" in loaded
    needless = {"duckdb", "rich", "starlette", "uvicorn", "azure.core", "http.client", "chargeback.pipeline"}
    assert loaded & needless == set()


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


def test_an_interruption_before_there_is_a_command_is_quiet() -> None:
    """The command line takes a moment to load, in which somebody may think better of it."""
    stopped = (
        "import sys\nclass Stop:\n def find_spec(self, name, *_):\n  if name == 'typer': raise KeyboardInterrupt\n"
    )
    stopped += "sys.meta_path.insert(0, Stop())\nfrom chargeback.cli import main; main()"

    finished = command("--help", program=("-c", stopped))

    assert (finished.returncode, finished.stdout, finished.stderr) == (130, b"", b"")


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_streams_that_are_closed_are_taken_as_empty(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"prompt_tokens":1,"total_tokens":2}\n')

    def said(words: str) -> tuple[int, str]:
        line = ["sh", "-c", f"{sys.executable} -m chargeback {words}"]
        finished = subprocess.run(
            line, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        return finished.returncode, finished.stdout + finished.stderr

    assert said("explain one.jsonl >&-") == (0, "")
    assert said("replay one.jsonl --store s.duckdb >&-") == (0, "")
    assert said("explain gone.jsonl 2>&-") == (2, "")
    assert said("explain - <&-") == (0, "chargeback: there are no records in standard input\n")
    assert said("fingerprint <&-")[0] == 2


@pytest.mark.parametrize(
    "words", [("doctor",), ("rejected", "list"), ("replay", "-", "--store", "day.duckdb"), ("demo",)], ids=" ".join
)
def test_a_reader_that_has_gone_is_not_told_that_something_is_wrong(tmp_path: Path, words: tuple[str, ...]) -> None:
    """As in `chargeback doctor | head -1`; these print by tables and colours."""
    with subprocess.Popen(
        [sys.executable, "-m", "chargeback", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment({"CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path)}),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()

    assert process.returncode == 141
    assert b"Traceback" not in complaints
    assert b"Error" not in complaints


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
