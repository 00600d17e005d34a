"""`chargeback local serve`: a local Application Insights to send to."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli.program import command, shown
from chargeback.cli.stores import new_or_known, rejected
from chargeback.reports.compose import kql_folder
from chargeback.settings import CONNECTION_STRING


def serve(
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=65535, help="Port on 127.0.0.1; 0 is a free one.")
    ] = 8125,
    store: Annotated[Path | None, typer.Option(metavar="PATH", help="DuckDB file to keep; in memory without.")] = None,
) -> None:
    """Run a local Application Insights until Ctrl-C.

    Put the lines that it prints into the environment, or into local.settings.json: the first is where events go,
    the second the folder for rejected records (PATH.rejected, or local.rejected here). With both, chargeback replay
    and the function send everything here. Only this machine can reach it. chargeback query asks it while it runs,
    under the address that it prints, and reads the store's file once it has stopped.

    \b
    Examples:
      chargeback local serve --store day.duckdb
      chargeback query kql/reports/coverage.kql --store http://127.0.0.1:8125
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    path = None if store is None else new_or_known(store)
    # Late, because the server takes longer to load than most commands run.
    from chargeback.local.server import serve as serve_store

    with suppress(KeyboardInterrupt):
        serve_store(path, port, ready=partial(_say, rejected(path or Path("local").absolute())))


def _say(folder: Path, address: str, connection_string: str) -> None:
    """Print what has to be set for telemetry to come here, in the two forms in which it is set."""
    settings = {CONNECTION_STRING: connection_string, "CHARGEBACK_DEAD_LETTER_FOLDER": str(folder)}
    report = shown(kql_folder() / "reports" / "tokens-by-consumer.kql")
    lines = [
        f"A local Application Insights listens on {address} until Ctrl-C. To send to it, set in a shell",
        *(f"  export {name}={shlex.quote(value)}" for name, value in settings.items()),
        "or in local.settings.json, under Values",
        *(f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in settings.items()),
        "To ask it",
        f"  {command()} query {report} --store {address.rstrip('/')}",
    ]
    print("\n".join(lines), flush=True)
