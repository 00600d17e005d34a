"""The command line: one file a command. The only room that prints."""

from __future__ import annotations

import sys

_EXTRA = frozenset({"typer", "rich"})


def main() -> None:
    """Run the command line; without the `local` extra say what to install."""
    try:
        # Late, because the deployed function has the package without what the command line needs.
        from chargeback.cli.app import app
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        print(
            f"chargeback: {missing.name} is not installed: pip install 'azure-openai-chargeback[local]'",
            file=sys.stderr,
        )
        raise SystemExit(2) from missing
    app(prog_name="chargeback")
