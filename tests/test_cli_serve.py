"""`chargeback local serve`: a local Application Insights that runs until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chargeback.local.store import Store
from tests.test_cli_main import ROOT, called, command, environment, sentence

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


RECORDS = b'{"prompt_tokens":1,"total_tokens":2}\n' * 3 + b"no json\n"


@contextmanager
def serving(folder: Path, *options: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve in a folder; give the process and what it prints."""
    line = [sys.executable, "-m", "chargeback", "local", "serve", "--port", "0", *map(str, options)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=folder
    ) as server:
        assert server.stdout is not None
        printed = ""
        while " query " not in printed:
            printed += server.stdout.readline().decode()
        try:
            yield server, printed
        finally:
            server.kill()  # where it heeds no signal, in the background of a script say, the test fails and ends


def stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)
    output, complaints = server.communicate(timeout=60)
    assert (server.returncode, output, complaints) == (0, b"", b"")


def in_a_shell(script: str, folder: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = ["sh", "-c", script]
    return subprocess.run(
        line, input=given, cwd=folder, env=environment(), capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("store", ["our day's.duckdb", None])
def test_the_lines_that_it_prints_are_all_that_a_replay_needs(tmp_path: Path, store: str | None) -> None:
    with serving(tmp_path, *(("--store", store) if store else ())) as (server, printed):
        exports = "".join(line for line in printed.splitlines(keepends=True) if line.startswith("  export "))
        sent = in_a_shell(f"{exports}{sys.executable} -m chargeback replay -", tmp_path, RECORDS)
        asked = in_a_shell(printed.splitlines()[-1] + " --format csv", ROOT)
        stop(server)

    letters = tmp_path / f"{store or 'local'}.rejected"
    assert sent.returncode == 1
    assert sentence(sent) == f"1 of the records cannot be billed as they are: see why in {letters}"
    assert list(letters.rglob("*.jsonl"))
    assert (asked.returncode, asked.stderr) == (0, b"")
    assert b"\r\nunknown,unknown,3," in asked.stdout


def test_it_prints_the_same_for_the_functions_settings(tmp_path: Path) -> None:
    with serving(tmp_path, "--store", "day.duckdb") as (server, printed):
        stop(server)

    pairs = "".join(line for line in printed.splitlines() if line.startswith('  "')).rstrip(",")
    values = json.loads(f"{{{pairs}}}")
    assert list(values) == ["APPLICATIONINSIGHTS_CONNECTION_STRING", "CHARGEBACK_DEAD_LETTER_FOLDER"]
    assert set(values) <= set(json.loads((ROOT / "local.settings.json.example").read_text())["Values"])
    assert values["CHARGEBACK_DEAD_LETTER_FOLDER"] == str(tmp_path / "day.duckdb.rejected")
    assert all(f"export {name}=" in printed for name in values)


def test_what_was_sent_is_in_the_file_once_it_has_stopped(tmp_path: Path) -> None:
    with serving(tmp_path, "--store", "day.duckdb") as (server, printed):
        exports = "".join(line for line in printed.splitlines(keepends=True) if line.startswith("  export "))
        in_a_shell(f"{exports}{sys.executable} -m chargeback replay -", tmp_path, RECORDS)
        stop(server)

    with Store(tmp_path / "day.duckdb") as store:
        assert store.query("customEvents | count").rows == ((4,),)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = command("local", "serve", "--port", str(port))

    assert finished.returncode == 2
    assert sentence(finished).startswith(f"cannot listen on 127.0.0.1:{port} (Address already in use")
    assert sentence(finished).endswith("choose another port")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    finished = called("local", "serve", "--port", port)

    assert finished.returncode == 2
    assert b"--port" in finished.stderr
