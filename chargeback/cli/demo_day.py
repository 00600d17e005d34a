"""The demo itself: a made-up day, its way through the function, the reports, the proofs."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chargeback.cli.demo_money import ask_again, state
from chargeback.cli.demo_screen import sentences, show_proof, tables
from chargeback.cli.program import command, shown
from chargeback.cli.proof import billed_by_consumer, period_of, prove, report, stray_records
from chargeback.cli.stores import new_or_known, rejected
from chargeback.cli.tables import print_table
from chargeback.errors import ChargebackError
from chargeback.local.day import Day, Tally, make_day, sum_of, total_of
from chargeback.local.faults import Fault
from chargeback.local.host import Delivery, Log, Worker, partitions
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from chargeback.settings.process import environment

_BATCH = 1000
_REDELIVERED = 20
_DELIVERY_SECONDS = 60
# The first failure is waited out within the delivery. The others ask for more patience than a delivery has: the batch
# goes back to the host. Neither depends on how fast this machine is, nor on when the app sends its own logs.
_OUTAGE = (
    Fault(kind="status", status=503, times=1, only="EventData"),
    Fault(kind="status", status=503, times=4, only="EventData", retry_after=10 * _DELIVERY_SECONDS),
)
_CRASH_AT = 1


def run(store: Path, *, replace: bool) -> None:
    """Take the day before today through the function into `store`, and compare every number with the ledger.

    Raises:
        ChargebackError: a number differs; or the store exists, and is not to be replaced.
    """
    started = time.monotonic()
    page = store.with_name("statement.html" if replace else f"{store.stem}-statement.html")
    path = _fresh(store, page, replace)
    day = make_day((datetime.now(UTC) - timedelta(days=1)).date())
    _introduce(day)
    log = Log()
    with Store(path) as database, LocalApplicationInsights(database) as insights:
        _deliver(day, insights, path, log)
        _tell(log, insights)
        billed = billed_by_consumer(database, period_of(day))
        _who_used_what(day, billed)
        _show("How complete is that?", database, "coverage", day)
        _show("What was delivered twice, and would be charged twice without recordId?", database, "duplicates", day)
        lines = prove(day, billed, stray_records(database, period_of(day)))
    show_proof("The proof", "billed", lines)
    sentences.print(f"All {len(lines)} numbers equal the ledger's, to the token.")
    state(day, path, page)
    sentences.print(f"{time.monotonic() - started:.1f} s in all.")
    ask_again(day, store)
    _ask_more(day, store)


def _fresh(store: Path, page: Path, replace: bool) -> Path:
    """Return the path, with nothing of an earlier demo there."""
    store.parent.mkdir(parents=True, exist_ok=True)
    path = new_or_known(store)
    for file in (path, rejected(path), page):
        if file.exists() and not replace:
            raise ChargebackError(f"there is {shown(file)} already: name a new file")
    for file in (path, path.with_name(f"{path.name}.wal"), page):
        file.unlink(missing_ok=True)
    shutil.rmtree(rejected(path), ignore_errors=True)
    return path


def _introduce(day: Day) -> None:
    whole = total_of(day)
    sentences.print(
        f"{day.date}: {whole.calls:,} calls of {len(day.ledger)} consumers, {len(day.usage):,} events on the "
        f"usage hub, {len(day.exports):,} on the gateway log's hub, among them {day.strays['rejected']} that nobody "
        f"can read."
    )


def _deliver(day: Day, insights: LocalApplicationInsights, store: Path, log: Log) -> None:
    settings = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "",
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(rejected(store)),
        "CHARGEBACK_DELIVERY_SECONDS": str(_DELIVERY_SECONDS),
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
                    insights.faults.switch_on(*_OUTAGE)
                crash = _CRASH_AT if number == 2 else None
                advance = partial(progress.advance, task)
                Delivery(worker, log, _BATCH, _REDELIVERED, crash).drain(reader, advance)
    finally:
        worker.close()


def _progress() -> Progress:
    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=sentences)


def _tell(log: Log, insights: LocalApplicationInsights) -> None:
    refused = sum(request.fault is not None for request in insights.requests)
    sentences.print(
        f"{log.batches} batches acknowledged. The endpoint was down for {refused} requests: the function raised "
        f"{len(log.failures)} times and the host delivered again. The worker died {log.deaths} time, after delivering "
        f"a batch and before acknowledging it. {log.redelivered} acknowledged events came a second time."
    )


def _who_used_what(day: Day, billed: dict[str, Tally]) -> None:
    """Print the report by consumer, under the business units that pay."""
    everything = sum(tally.total for tally in billed.values())
    table = Table(title="Who used what", title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("business unit, consumer", no_wrap=True)
    for name in ("calls", "no usage", "prompt", "completion", "all tokens", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    for unit in sorted(set(day.business_units.values())):
        mine = {who: tally for who, tally in billed.items() if day.business_units.get(who, "unknown") == unit}
        table.add_row(unit, *_cells(sum_of(mine.values()), everything), style="bold")
        for who, tally in sorted(mine.items()):
            table.add_row(f"  {who}", *_cells(tally, everything))
    sentences.print()
    tables.print(table)
    sentences.print("Some older policies log totals alone: their tokens are in no other column.")


def _cells(tally: Tally, everything: int) -> list[str]:
    numbers = (tally.calls, tally.unknown, tally.prompt, tally.completion, tally.total)
    return [*(f"{number:,}" for number in numbers), f"{100 * tally.total / max(1, everything):.1f} %"]


def _show(title: str, database: Store, name: str, day: Day) -> None:
    columns, rows = report(database, name, period_of(day))
    sentences.print(f"\n{title}")
    print_table(columns, rows)


def _ask_more(day: Day, store: Path) -> None:
    """Say how to go on; in lines that can be copied, so none is folded."""
    report = shown(kql_folder() / "reports" / "coverage-causes.kql")
    print(f"\nAsk more: {command()} query {report} --store {shown(store)} \\")
    print(f"              --from {day.date} --to {day.date + timedelta(days=1)}")
