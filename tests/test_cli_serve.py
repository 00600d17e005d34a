"""`chargeback local serve`: a local Application Insights that runs until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chargeback.local.store import Store
from tests.test_cli_main import called, command, environment, sentence

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


def test_what_is_sent_with_the_connection_string_it_prints_is_in_the_store(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "chargeback", "local", "serve", "--port", "0", "--store", str(tmp_path / "s.duckdb")]

    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as server:
        assert server.stdout is not None
        settings = json.loads(b"{%s}" % server.stdout.readline())
        storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
        sent = called("replay", "-", given=b'{"prompt_tokens":1,"total_tokens":2}\n' * 3, settings=settings | storage)
        server.send_signal(signal.SIGINT)
        output, complaints = server.communicate(timeout=60)

    assert list(settings) == ["APPLICATIONINSIGHTS_CONNECTION_STRING"]
    assert (sent.returncode, sent.stderr) == (0, b"")
    assert (server.returncode, output, complaints) == (0, b"", b"")
    with Store(tmp_path / "s.duckdb") as store:
        assert store.query("customEvents | count").rows == ((3,),)


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


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text("{}\n")

    finished = called("local", "serve", "--port", "0", "--store", file)

    assert finished.returncode == 2
    assert sentence(finished) == f"{file} is no store but some other file: name another one"
    assert file.read_text() == "{}\n"
