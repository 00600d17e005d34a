"""The command line: one file a command. The only room that prints."""

from __future__ import annotations

import io
import sys

_EXTRA = frozenset({"duckdb", "duckdb_kql", "rich", "starlette", "typer", "uvicorn"})


def main() -> None:
    """Run the command line; where the `local` extra is missing say what to install."""
    try:
        # Late, because the deployed function has the package without what the command line needs.
        from chargeback.cli.app import app

        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that lacks a letter shows its number instead of ending the program.
            sys.stdout.reconfigure(errors="backslashreplace")
        app(prog_name="chargeback")
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in _EXTRA:
            raise
        print(f"chargeback: {name} is not installed: pip install 'azure-openai-chargeback[local]'", file=sys.stderr)
        raise SystemExit(2) from missing
