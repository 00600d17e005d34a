"""The command line: one file a command. The only room that prints."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from pathlib import Path

_EXTRA = frozenset({"azure.eventhub", "duckdb", "duckdb_kql", "rich", "starlette", "typer", "uvicorn"})


def main() -> None:
    """Run the command line; where the `local` extra is missing say what to install."""
    with ExitStack() as streams:
        # Started without one of its standard streams, the program has nothing to read, or nobody reads it.
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                setattr(sys, name, streams.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
        _run()


def _run() -> None:
    try:
        # Late, because the deployed function has the package without what the command line needs.
        from chargeback.cli.app import app
        from chargeback.cli.program import command

        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that lacks a letter shows its number instead of ending the program.
            sys.stdout.reconfigure(errors="backslashreplace")
        app(prog_name=command())
    except ModuleNotFoundError as missing:
        named = missing.name or ""
        # `import a.b` of what is not there names the whole or a part.
        name = next((extra for extra in _EXTRA if f"{named}.".startswith(f"{extra}.")), "")
        if not name:
            raise
        print(f"chargeback: {name} is not installed: pip install 'azure-openai-chargeback[local]'", file=sys.stderr)
        raise SystemExit(2) from missing
    except KeyboardInterrupt:  # before there was a command to stop
        raise SystemExit(130) from None
