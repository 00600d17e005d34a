"""`chargeback demo`: a working day through the real function, and who owes what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OWN_STORE = Path(".demo/day.duckdb")
"""In the current folder; the next demo takes its place."""


def demo(
    store: Annotated[
        Path, typer.Option(metavar="PATH", help="Keep the day's telemetry in this new DuckDB file.")
    ] = OWN_STORE,
) -> None:
    """Take a working day of a made-up company through the function, and prove the bill, in tokens and in money.

    About 21,000 calls of 9 consumers go to the function in batches, as the Functions host would deliver them. On the
    way the telemetry endpoint fails for a while, and the worker dies between delivering a batch and saying so. Then the
    reports run, and every number is compared with a ledger that was kept while the day was made up. Last comes the
    month's statement, with the company's own prices, also as a page beside the store.
    """
    # Late, because it loads the database and the server, for longer than most commands run.
    from chargeback.cli.demo_day import run

    run(store, replace=store == OWN_STORE)
