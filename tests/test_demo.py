"""The demo: its day, its host, and that its proof is one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chargeback.cli.proof import prove
from chargeback.errors import DeliveryError
from chargeback.local.day import Day, Sent, Tally, make_day, total_of
from chargeback.local.day.bill import cents
from chargeback.local.day.strays import SECRETS
from chargeback.local.host import Delivery, Log, Worker, partitions
from chargeback.local.store import Store
from chargeback.records import UsageRecord
from chargeback.shapes import read
from tests.test_cli_main import called, environment, sentence

WHEN = date(2026, 11, 19)
REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(WHEN)


@pytest.fixture(scope="module")
def records(day: Day) -> list[UsageRecord]:
    readings = [reading for sent in day.usage for reading in read(sent.body)]
    return [reading for reading in readings if isinstance(reading, UsageRecord)]


def test_the_same_seed_makes_the_same_day() -> None:
    assert make_day(WHEN, calls=300) == make_day(WHEN, calls=300)
    assert make_day(WHEN, calls=300) != make_day(WHEN, calls=300, seed=1)


def test_the_day_is_as_large_and_as_varied_as_it_claims(day: Day, records: list[UsageRecord]) -> None:
    assert len(records) == total_of(day).calls >= 20_000
    assert len({record.subscription_id for record in records if record.shape == "usage/1"} - {None}) == 6
    assert len({record.app_id for record in records if record.shape == "usage/1"} - {None}) == 2
    assert len({record.deployment_id for record in records if record.shape == "usage/1"}) == 5
    assert len({record.model for record in records if record.shape == "usage/1"} - {None}) == 4
    assert set(day.business_units.values()) == {"Finance", "Operations", "Research", "Retail"}
    shapes = Counter(record.shape for record in records)
    assert set(shapes) == {"usage/1", "seed", "entra", "bodies", "gateway-hub", "toolkit"}
    sources = Counter(record.usage_source for record in records)
    assert min(sources[source] for source in ("body", "stream", "pending", "none")) > 400
    assert {429, 400} <= {record.status_code for record in records}
    assert 0.003 < day.strays["rejected"] / len(day.usage) < 0.007


def test_the_day_stays_within_its_working_hours(day: Day) -> None:
    assert datetime(2026, 11, 19, 7, tzinfo=UTC) <= min(sent.at for sent in day.usage)
    assert max(sent.at for sent in day.usage) < datetime(2026, 11, 19, 19, 1, tzinfo=UTC)
    assert [sent.at for sent in day.exports] == sorted(sent.at for sent in day.exports)


def test_every_partition_keeps_a_consumers_events_together_and_in_order(day: Day) -> None:
    spread = partitions("usage", day.usage, 4)
    assert sum(len(partition.events) for partition in spread) == len(day.usage)
    homes = [{sent.consumer_id for sent in partition.events} for partition in spread]
    assert sum(map(len, homes)) == len(set[str]().union(*homes))
    assert all([sent.at for sent in part.events] == sorted(sent.at for sent in part.events) for part in spread)


def small_day() -> Day:
    ledger = {"retail": Tally(calls=2, unknown=1, prompt=10, completion=5, total=15)}
    return Day(WHEN, [Sent(datetime(2026, 11, 19, 8, tzinfo=UTC), b"{}", "retail")], [], ledger, {"retail": "Retail"})


def test_the_proof_holds_when_every_number_does() -> None:
    lines = prove(small_day(), {"retail": Tally(2, 1, 10, 5, 15)}, {"rejected": 0, "ignored": 0})
    assert all(line.holds for line in lines)


@pytest.mark.parametrize("field", ["calls", "unknown", "prompt", "completion", "total"])
def test_one_token_too_many_spoils_the_proof(field: str) -> None:
    billed = Tally(2, 1, 10, 5, 15)
    wrong = replace(billed, **{field: getattr(billed, field) + 1})
    lines = prove(small_day(), {"retail": wrong}, {"rejected": 0, "ignored": 0})
    assert sum(not line.holds for line in lines) == 2, "the consumer's line and the whole's"


def test_a_consumer_that_nobody_knows_spoils_the_proof() -> None:
    billed = {"retail": Tally(2, 1, 10, 5, 15), "stranger": Tally(1)}
    assert not all(line.holds for line in prove(small_day(), billed, {"rejected": 0, "ignored": 0}))


def test_a_rejected_record_that_is_missing_spoils_the_proof() -> None:
    lost = replace(small_day(), strays={"rejected": 3, "ignored": 0})
    assert not all(
        line.holds for line in prove(lost, {"retail": Tally(2, 1, 10, 5, 15)}, {"rejected": 2, "ignored": 0})
    )


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def answer_to_what_is_suggested(output: str, title: str) -> str:
    """Type what stands behind a title into a shell, up to an empty line."""
    suggested = output.partition(title)[2].partition("\n\n")[0]
    answer = subprocess.run(
        ["sh", "-c", suggested], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout


def assert_money_is_stated(output: str, folder: Path) -> None:
    """The statement is the README's, can be made again, and is on the page, whose path can be copied."""
    told = next(text for text in README.split("\n\n") if text.startswith("The statement of "))
    statement = output.partition("The statement of ")[2].partition("\n\n")[0]
    assert in_one_line(statement.partition("\n")[2]) == in_one_line(told.partition("\n")[2])
    assert in_one_line(statement.partition("\n")[2]) in in_one_line(
        answer_to_what_is_suggested(output, "Make the statement again: ")
    )
    page = output.partition("The same as a page, to be opened in a browser: ")[2].partition("\n")[0]
    assert Path(page) == folder / "day-statement.html"
    total = sum(cents(bill.charged) for bill in make_day(WHEN).bills.values())
    assert f"the sum is {total} USD in both." in in_one_line(output)
    assert f">{total}<" in Path(page).read_text()


def test_the_demo_leaves_a_store_alone_that_is_not_its_own(tmp_path: Path) -> None:
    with Store(tmp_path / "mine.duckdb") as store:
        store.add([])
    before = (tmp_path / "mine.duckdb").read_bytes()

    finished = called("demo", "--store", tmp_path / "mine.duckdb")

    assert finished.returncode == 2
    assert sentence(finished) == f"there is {tmp_path}/mine.duckdb already: name a new file"
    assert (tmp_path / "mine.duckdb").read_bytes() == before


def test_the_demo_leaves_a_page_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine-statement.html").write_text("the board's")

    finished = called("demo", "--store", tmp_path / "mine.duckdb")

    assert finished.returncode == 2
    assert sentence(finished) == f"there is {tmp_path}/mine-statement.html already: name a new file"
    assert (tmp_path / "mine-statement.html").read_text() == "the board's"
    assert not (tmp_path / "mine.duckdb").exists()


def test_a_worker_that_dies_by_itself_ends_the_demo_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("raise SystemExit(3)\n")
    (reader,) = partitions("usage", small_day().usage, 1)
    worker = Worker(tmp_path, environment())
    try:
        with pytest.raises(DeliveryError, match="the worker process ended by itself"):
            Delivery(worker, Log(), 10).drain(reader, lambda _: None)
    finally:
        worker.close()


def test_a_worker_whose_host_is_gone_in_the_middle_of_a_batch_ends_in_silence(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("def forward(events, context): ...\n")
    line = [sys.executable, "-m", "chargeback.local.worker", str(tmp_path)]
    ended = subprocess.run(line, cwd=REPOSITORY, input=b'{"batch": {"bod', capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_the_demo_can_be_interrupted_while_its_worker_works(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of a terminal's foreground."""
    line = [sys.executable, "-m", "chargeback", "demo", "--store", str(tmp_path / "day.duckdb")]
    with subprocess.Popen(
        line, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        assert b"calls of 9 consumers" in demo.stdout.readline()
        time.sleep(2)  # the worker is loading, or at its first batches
        os.killpg(demo.pid, signal.SIGINT)
        _, complaints = demo.communicate(timeout=60)

    assert (demo.returncode, complaints) == (130, b"")


def test_the_demo_runs_proves_its_bill_and_leaks_nothing(tmp_path: Path) -> None:
    """The whole of it, in a process of its own, as `make demo` runs it."""
    store = tmp_path / "day.duckdb"
    command = [sys.executable, "-m", "chargeback", "demo", "--store", str(store)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == 0, result.stderr
    assert "numbers equal the ledger's, to the token" in result.stdout
    told = next(text for text in README.split("\n\n") if "batches acknowledged" in text)
    assert in_one_line(told[told.index("27 batches") :]) in in_one_line(result.stdout)
    assert_money_is_stated(result.stdout, tmp_path)
    assert "calls" in answer_to_what_is_suggested(result.stdout, "Ask more: ")
    letters = list((tmp_path / "day.duckdb.rejected").rglob("*.jsonl"))
    ids = {json.loads(line)["id"] for file in letters for line in file.read_text().splitlines()}
    assert len(ids) == make_day(WHEN).strays["rejected"]
    for secret in SECRETS:
        assert secret not in result.stdout + result.stderr
        assert not any(secret.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
