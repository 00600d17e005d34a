"""`chargeback demo`: a working day through the real function, and who owes what."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chargeback.cli.proof import Line, billed_by_consumer, period_of, prove, report, stray_records
from chargeback.cli.stores import new_or_known
from chargeback.cli.tables import print_table
from chargeback.errors import ChargebackError
from chargeback.local.day import Day, Tally, make_day, sum_of, total_of
from chargeback.local.faults import Fault
from chargeback.local.host import Delivery, Log, Worker, partitions
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.settings import environment

_BATCH = 1000
_REDELIVERED = 20
_OUTAGE = Fault(kind="status", status=503, times=5)
_CRASH_AT = 1

# A terminal's width where there is one; a file or a pipe gets lines that fit a page.
_console = Console(highlight=False, width=None if Console().is_terminal else 110)


def demo(
    store: Annotated[Path, typer.Option(help="Keep the day's telemetry in this file.")] = Path(".demo/day.duckdb"),
) -> None:
    """Take a working day of a made-up company through the function, and prove the bill.

    About 21,000 calls of 9 consumers go to the function in batches, as the Functions host would deliver them. On the
    way the telemetry endpoint fails for a while, and the worker dies between delivering a batch and saying so. Then the
    reports run, and every number is compared with a ledger that was kept while the day was made up.
    """
    started = time.monotonic()
    day = make_day((datetime.now(UTC) - timedelta(days=1)).date())
    _introduce(day)
    log = Log()
    with Store(_fresh(new_or_known(store))) as database, LocalApplicationInsights(database) as insights:
        _deliver(day, insights, store, log)
        _tell(log, insights)
        billed = billed_by_consumer(database, period_of(day))
        _who_owes_what(day, billed)
        _show("How complete is that?", database, "coverage", day)
        _show("What was delivered twice, and would be charged twice without recordId?", database, "duplicates", day)
        lines = prove(day, billed, stray_records(database, period_of(day)))
    _prove(lines, time.monotonic() - started)
    _console.print(f"\nAsk more: python -m chargeback query kql/reports/coverage-causes.kql --store {store} \\")
    _console.print(f"              --from {day.date} --to {day.date + timedelta(days=1)}")


def _fresh(store: Path) -> Path:
    """Return the path, with nothing of an earlier demo there."""
    store.parent.mkdir(parents=True, exist_ok=True)
    for file in (store, store.with_name(f"{store.name}.wal")):
        file.unlink(missing_ok=True)
    shutil.rmtree(_rejected(store), ignore_errors=True)
    return store


def _rejected(store: Path) -> Path:
    return store.with_name(f"{store.name}.rejected")


def _introduce(day: Day) -> None:
    whole = total_of(day)
    _console.print(
        f"{day.date}: {whole.calls:,} calls of {len(day.ledger)} consumers, {len(day.usage):,} events on the "
        f"usage hub, {len(day.exports):,} on the gateway log's hub, among them {day.strays['rejected']} that nobody "
        f"can read."
    )


def _deliver(day: Day, insights: LocalApplicationInsights, store: Path, log: Log) -> None:
    settings = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "",
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(_rejected(store).resolve()),
        "CHARGEBACK_DELIVERY_SECONDS": "1",  # an outage is handed back to the host, not waited for
        "WEBSITE_INSTANCE_ID": "",
        "GATEWAY_LOG_HUB_NAME": "gateway-log",
    }
    worker = Worker(Path(__file__).resolve().parents[2], environment(settings))
    readers = [*partitions("usage", day.usage, 4), *partitions("gateway-log", day.exports, 1)]
    try:
        with _progress() as progress:
            for number, reader in enumerate(readers):
                task = progress.add_task(f"{reader.hub}/{reader.number}", total=len(reader.events))
                if number == 1:
                    insights.faults.switch_on(_OUTAGE)
                crash = _CRASH_AT if number == 2 else None
                advance = partial(progress.advance, task)
                Delivery(worker, log, _BATCH, _REDELIVERED, crash).drain(reader, advance)
    finally:
        worker.close()


def _progress() -> Progress:
    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_console)


def _tell(log: Log, insights: LocalApplicationInsights) -> None:
    refused = sum(request.fault is not None for request in insights.requests)
    _console.print(
        f"{log.batches} batches acknowledged. The endpoint was down for {refused} requests: the function raised "
        f"{len(log.failures)} times and the host delivered again. The worker died {log.deaths} time, after delivering "
        f"a batch and before acknowledging it. {log.redelivered} acknowledged events came a second time."
    )


def _who_owes_what(day: Day, billed: dict[str, Tally]) -> None:
    """Print the chargeback table: the report by consumer, under the business units that pay."""
    everything = sum(tally.total for tally in billed.values())
    table = Table(title="Who owes what", title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("business unit, consumer", no_wrap=True)
    for name in ("calls", "no usage", "prompt", "completion", "all tokens", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    for unit in sorted(set(day.business_units.values())):
        mine = {who: tally for who, tally in billed.items() if day.business_units.get(who, "unknown") == unit}
        table.add_row(unit, *_cells(sum_of(mine.values()), everything), style="bold")
        for who, tally in sorted(mine.items()):
            table.add_row(f"  {who}", *_cells(tally, everything))
    _console.print()
    _console.print(table)
    _console.print("Some older policies log totals alone: their tokens are in no other column.")


def _cells(tally: Tally, everything: int) -> list[str]:
    numbers = (tally.calls, tally.unknown, tally.prompt, tally.completion, tally.total)
    return [*(f"{number:,}" for number in numbers), f"{100 * tally.total / max(1, everything):.1f} %"]


def _show(title: str, database: Store, name: str, day: Day) -> None:
    columns, rows = report(database, name, period_of(day))
    _console.print(f"\n{title}")
    print_table(columns, rows)


def _prove(lines: list[Line], seconds: float) -> None:
    """Show the totals of ledger and bill side by side; fail loudly when any number differs.

    Raises:
        ChargebackError: a number differs.
    """
    table = Table(title="The proof", title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("", "ledger", "billed", "difference"):
        table.add_column(name, justify="right" if name else "left")
    for line in lines:
        if ":" not in line.subject or not line.holds:
            table.add_row(line.subject, f"{line.ledger:,}", f"{line.billed:,}", f"{line.billed - line.ledger:,}")
    _console.print()
    _console.print(table)
    wrong = [line for line in lines if not line.holds]
    if wrong:
        raise ChargebackError(f"{len(wrong)} of {len(lines)} numbers differ from the ledger: please report this")
    _console.print(f"All {len(lines)} numbers equal the ledger's, to the token. {seconds:.1f} s.")
