"""`chargeback replay`: records from a file through the function's own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Record bodies, one a line; - is standard input.")],
    store: Annotated[
        Path | None, typer.Option(metavar="PATH", help="DuckDB file of a local store; made if new.")
    ] = None,
    body: Annotated[bool, typer.Option("--body", help="Take the whole file as one body.")] = False,
) -> None:
    """Take records from a file through the function's own pipeline.

    Events go to the Application Insights resource that the environment names, and rejected records to its
    storage account or folder: the function's own settings, of which two are enough,
    APPLICATIONINSIGHTS_CONNECTION_STRING and AzureWebJobsStorage (or CHARGEBACK_DEAD_LETTER_FOLDER). With --store
    both stay on this machine: events in a DuckDB file, rejected records in the folder PATH.rejected beside it.

    Rejected records in the dead letter itself go back through the hub with `rejected replay`.

    Replaying a file twice bills it once. The report of a month finds what arrives from a day before the month to 8
    days after it; kql/reports/in-no-report.kql lists what is replayed later. Exit code 1: some records were
    rejected or refused; 2: something could not be delivered, and the rest was not tried.

    \b
    Examples:
      chargeback replay records.jsonl --store day.duckdb
      chargeback replay - --store day.duckdb < records.jsonl
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, because it loads the rooms that read, send and keep, for longer than most commands run.
    from chargeback.cli.playback import replay_all

    replay_all(file, store, body)
