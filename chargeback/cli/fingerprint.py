"""`chargeback fingerprint`: the name under which a subscription key shows up in the reports."""

from __future__ import annotations

import getpass
import sys

import typer

from chargeback.cli.program import say
from chargeback.errors import ChargebackError
from chargeback.keys import fingerprint as fingerprint_of
from chargeback.keys import without_keys

TAKES_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}
"""A key given as an argument must be met here: the parser would print it in its complaint."""


def fingerprint(ctx: typer.Context) -> None:
    """Print the fingerprint of a subscription key.

    The key is read from standard input. Keys never leave the function: where a gateway logs them, reports show key-
    and 16 hex digits instead, and this tells you whose they are. At a terminal the key is asked for and not shown.

    \b
    Examples:
      chargeback fingerprint
      az keyvault secret show --id "$KEY_ID" --query value --output tsv | chargeback fingerprint
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    if ctx.args:
        raise ChargebackError("do not put the key into the command, where the shell's history keeps it: pipe it in")
    key = _read_key()
    if not key:
        raise ChargebackError("there is no key on standard input: pipe one in, or type it when asked")
    if "\n" in key:
        raise ChargebackError("there is more than one line on standard input: give one key")
    print(fingerprint_of(key))
    if without_keys(key) != fingerprint_of(key):
        say(
            "this does not look like a key (32 hex or 88 base64 characters): the function would not have replaced it; "
            "check for spaces and for what is missing"
        )


def _read_key() -> str:
    """Return what stands on standard input, without the end of the line and nothing else changed."""
    try:
        if sys.stdin.isatty():
            return getpass.getpass("Key: ")
        text = sys.stdin.buffer.read().decode()
    except EOFError:
        return ""
    except UnicodeDecodeError:
        # The decoder's own words would quote the key.
        raise ChargebackError("standard input is no text: give one key") from None
    return text.removesuffix("\n").removesuffix("\r")
