"""`chargeback fingerprint`: the key goes in, and never comes out."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest

from tests.test_cli_main import called, command, environment, sentence

KEY = "0123456789abcdef0123456789abcdef"
FINGERPRINT = "key-3eb1bd439947eb76"
"""`printf 0123456789abcdef0123456789abcdef | sha256sum | cut -c1-16`"""


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_key_from_a_pipe_is_fingerprinted_without_the_end_of_its_line(ending: str) -> None:
    finished = command("fingerprint", given=f"{KEY}{ending}".encode())

    assert (finished.returncode, finished.stdout.decode(), finished.stderr) == (0, f"{FINGERPRINT}\n", b"")


def test_it_is_the_name_under_which_the_function_shows_the_key() -> None:
    record = f'{{"appSubscriptionKey":"{KEY}","promptTokens":"1","completionTokens":"2","totalTokens":"3"}}'

    explained = called("explain", "-", given=record.encode()).stdout.decode()

    assert f'"consumerId":"{FINGERPRINT}"' in explained
    assert KEY not in explained


def test_nothing_but_the_end_of_the_line_is_taken_off() -> None:
    """A space belongs to what was given; that it is no key then is said aside."""
    finished = called("fingerprint", given=f" {KEY} \n".encode())

    # printf ' 0123456789abcdef0123456789abcdef ' | sha256sum
    assert finished.stdout.decode() == "key-689098bb0db3482e\n"
    assert "check for spaces" in sentence(finished)


@pytest.mark.parametrize("given", [b"short\n", b"0123456789abcdef0123456789abcdefg\n"])
def test_what_does_not_look_like_a_key_is_fingerprinted_with_a_remark(given: bytes) -> None:
    finished = called("fingerprint", given=given)

    assert finished.returncode == 0
    assert finished.stdout.startswith(b"key-")
    assert sentence(finished).startswith("this does not look like a key")
    assert given.strip() not in finished.stdout + finished.stderr


@pytest.mark.parametrize("given", [b"", b"\n", b"\r\n"])
def test_no_key_is_a_mistake(given: bytes) -> None:
    finished = called("fingerprint", given=given)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == "there is no key on standard input: pipe one in, or type it when asked"


def test_two_lines_are_a_mistake_and_are_not_shown() -> None:
    finished = called("fingerprint", given=f"{KEY}\nother\n".encode())

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == "there is more than one line on standard input: give one key"


def test_bytes_that_are_no_text_are_a_mistake_and_are_not_shown() -> None:
    finished = called("fingerprint", given=b"secret\xff")

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == "standard input is no text: give one key"


@pytest.mark.parametrize("arguments", [(KEY,), (f"--{KEY}",), ("--key", KEY), (f"--key={KEY}",)])
def test_a_key_in_the_command_is_refused_and_not_repeated(arguments: tuple[str, ...]) -> None:
    finished = called("fingerprint", *arguments)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert KEY not in finished.stderr.decode()
    assert sentence(finished).startswith("do not put the key into the command")


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
def test_at_a_terminal_the_key_is_asked_for_and_not_shown() -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "chargeback", "fingerprint"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(),
        start_new_session=True,  # without a terminal of its own it asks on the one that is its standard input
    ) as process:
        os.close(theirs)
        shown = b""
        while b"Key:" not in shown:
            shown += os.read(ours, 1024)
        time.sleep(0.3)  # the prompt is written before the echo is known to be off
        os.write(ours, f"{KEY}\n".encode())
        output, _ = process.communicate(timeout=60)
    # Reading a terminal whose program has ended is an error on Linux.
    with contextlib.suppress(OSError):
        shown += os.read(ours, 1024)
    os.close(ours)

    assert output.decode() == f"{FINGERPRINT}\n"
    assert KEY.encode() not in shown
