"""`chargeback local serve`: a local Application Insights to send to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli.stores import new_or_known
from chargeback.settings import CONNECTION_STRING


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 is a free one.")] = 8125,
    store: Annotated[Path | None, typer.Option(metavar="PATH", help="DuckDB file to keep; in memory without.")] = None,
) -> None:
    """Run a local Application Insights until Ctrl-C.

    Put the line that it prints into local.settings.json (or the environment) and everything that is sent ends in the
    store. Only this machine can reach it. `chargeback query` reads the store once the server has stopped.

    \b
    Example:
      chargeback local serve --store day.duckdb
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Here, because the server takes longer to load than most commands to run.
    from chargeback.local.server import serve as serve_store

    with suppress(KeyboardInterrupt):
        serve_store(None if store is None else new_or_known(store), port, ready=_say)


def _say(connection_string: str) -> None:
    print(f'"{CONNECTION_STRING}": "{connection_string}"', flush=True)
