"""`--store`: whatever stands there already, no command spoils it, and all of them say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli_main import called, command, sentence

RECORD = b'{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}\n'
COMMANDS = (("replay", "-"), ("query", "-"), ("local", "serve", "--port", "0"), ("demo",))

with_every_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


@with_every_command
@pytest.mark.parametrize("name", ["records.json", "records.jsonl", "table.csv", "notes.txt", "noise.duckdb"])
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, words: tuple[str, ...], name: str) -> None:
    """DuckDB itself would take a JSON file, into memory, and forget what it was given."""
    file = tmp_path / name
    file.write_bytes(RECORD)

    finished = called(*words, "--store", file, given=RECORD)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == f"{file} is no store but some other file: name another one"
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (RECORD, [file])


@with_every_command
def test_a_folder_is_no_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    finished = called(*words, "--store", tmp_path, given=RECORD)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == f"cannot read the store {tmp_path} (Is a directory): name another file"


@pytest.mark.parametrize("words", COMMANDS[::2], ids=" ".join)
def test_a_store_in_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    finished = called(*words, "--store", tmp_path / "gone" / "day.duckdb", given=RECORD)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == f"there is no folder {tmp_path}/gone: make it, or name another file"
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_finds_no_room_for_its_store_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    finished = command("demo", "--store", tmp_path / "file" / "day.duckdb")

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == f"{tmp_path}/file: File exists: choose another place"
