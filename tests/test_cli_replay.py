"""`chargeback replay`: where records go, what is counted, and how it fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.faults import Fault
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from tests.faults.azurite import Azurite
from tests.test_cli_main import called, command, environment, sentence

STORAGE = "AzureWebJobsStorage"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
USAGE = "Function called with Chargeback Data"
AGAIN = "replay the whole file again: records keep their identity, so that what is delivered twice is billed once"
MIXED = (
    b'{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}\n'
    b'{"requestId":"r-2","schema":"chargeback.usage/1","promptTokens":10,"completionTokens":0,"cachedTokens":6}\n'
    b"\n"
    b"no json\n"
    b'{"requestId":"r-5","schema":"chargeback.usage/1","promptTokens":-1}\n'
    b'{"requestId":"r-6","schema":"chargeback.usage/1","promptTokens":1,"productId":"%s"}\n' % (b"ab-" * 2731)
)
FLAWLESS = b'{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}\n' * 2500


def summary(output: bytes) -> dict[str, list[int]]:
    """Return the table that a replay prints: shape -> usage, ignored, rejected, refused."""
    lines = output.decode().splitlines()
    assert lines[0].split() == ["record", "shape", "usage", "ignored", "rejected", "refused"]
    rows = (line.split() for line in lines[2:-1])
    return {shape: [int(number) for number in numbers] for shape, *numbers in rows}


def last_line(output: bytes) -> str:
    return output.decode().splitlines()[-1]


def count(store: Store, event: str) -> tuple[object, object]:
    """Return the rows of an event and how many records they tell of."""
    (row,) = store.query(
        f"customEvents | where name == '{event}' | summarize count(), dcount(tostring(customDimensions.recordId))"
    ).rows
    return row[0], row[1]


@pytest.fixture
def local() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights() as resource:
        yield resource


def settings(local: LocalApplicationInsights, storage: str = "UseDevelopmentStorage=true") -> dict[str, str]:
    return {CONNECTION: local.connection_string, STORAGE: storage, "CHARGEBACK_DELIVERY_SECONDS": "3"}


def test_a_replay_into_a_store_counts_every_record_by_shape_and_outcome(tmp_path: Path) -> None:
    finished = called("replay", "-", "--store", tmp_path / "day.duckdb", given=MIXED)

    assert summary(finished.stdout) == {
        "flat": [1, 0, 0, 0],
        "unknown": [0, 1, 1, 0],
        "usage/1": [1, 0, 1, 1],
        "total": [2, 1, 2, 1],
    }
    assert last_line(finished.stdout) == "6 bodies read; tokens: 13 prompt, 4 completion, 6 cached"


def test_records_that_cannot_be_billed_end_it_with_1_and_are_in_the_folder(tmp_path: Path) -> None:
    finished = called("replay", "-", "--store", tmp_path / "day.duckdb", given=MIXED)

    assert finished.returncode == 1
    folder = tmp_path / "day.duckdb.rejected"
    assert sentence(finished) == f"3 of the records cannot be billed as they are: see why in {folder}"
    identity = hashlib.sha256(MIXED).hexdigest()[:16]
    letters = (folder / "rejected" / "file" / identity / "1.jsonl").read_bytes().splitlines()
    assert [(json.loads(letter)["id"], json.loads(letter)["errorType"]) for letter in letters] == [
        (f"file/{identity}/4", "NotJson"),
        ("r-5", "InvalidCount"),
        ("r-6", "Refused:0"),
    ]


def test_the_store_holds_an_event_for_every_record(tmp_path: Path) -> None:
    called("replay", "-", "--store", tmp_path / "day.duckdb", given=MIXED)

    with Store(tmp_path / "day.duckdb") as store:
        assert count(store, USAGE) == (2, 2)
        assert count(store, "Chargeback record ignored") == (1, 1)
        assert count(store, "Chargeback record rejected") == (3, 3)


def test_records_that_the_report_of_their_month_cannot_find_are_counted_and_their_report_is_named(
    tmp_path: Path,
) -> None:
    """A store in which everything is, and every report of whose month is empty, would be a riddle."""
    times = ("2020-10-15T12:00:00Z", "2999-10-15T12:00:00Z", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    one = '{{"requestId":"r-{}","schema":"chargeback.usage/1","timestamp":"{}","promptTokens":{}}}\n'
    given = "".join(one.format(number, time, number) for number, time in enumerate(times, 1)).encode()
    refused = one.format(4, times[0], 4).replace('"promptTokens"', f'"productId":"{"ab-" * 2731}","promptTokens"')

    finished = called("replay", "-", "--store", tmp_path / "day.duckdb", given=given + refused.encode())

    said, cannot = finished.stderr.decode().splitlines()
    assert said == (
        "chargeback: 2 of the records come more than 8 days after their month, or more than a day before it, where its "
        "reports do not look: see them with chargeback query kql/reports/in-no-report.kql "
        f"--store {tmp_path}/day.duckdb"
    )
    assert cannot.startswith("chargeback: 1 of the records cannot be billed as they are")
    listed = called(*shlex.split(said.partition(" see them with chargeback ")[2]), "--format", "json")
    assert [(row["recordId"], row["why"]) for row in json.loads(listed.stdout)] == [
        ("r-1", "arrived too late"),
        ("r-2", "dated ahead"),
    ]


def test_records_that_a_resource_took_too_late_are_listed_by_a_report_too(local: LocalApplicationInsights) -> None:
    old = b'{"requestId":"r","schema":"chargeback.usage/1","timestamp":"2020-10-15T12:00:00Z","promptTokens":1}\n'
    named = settings(local) | {"CHARGEBACK_EVENT_NAME": "Usage of ours"}

    finished = called("replay", "-", given=old, settings=named)

    assert finished.returncode == 0
    assert sentence(finished).startswith("1 of the records come more than 8 days after their month")
    assert sentence(finished).endswith(": kql/reports/in-no-report.kql lists them")


def test_a_file_that_is_replayed_twice_is_billed_once(tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(FLAWLESS)
    for _ in range(2):
        finished = command("replay", file, "--store", tmp_path / "day.duckdb")
        assert (finished.returncode, finished.stderr) == (0, b"")
        assert last_line(finished.stdout) == "2500 bodies read; tokens: 7500 prompt, 10000 completion"

    with Store(tmp_path / "day.duckdb") as store:
        assert count(store, USAGE) == (5000, 2500)
    assert not (tmp_path / "day.duckdb.rejected").exists()


def test_a_local_store_asks_for_no_settings_and_follows_none(tmp_path: Path) -> None:
    elsewhere = {CONNECTION: "nonsense", STORAGE: "nonsense", "CHARGEBACK_EVENT_NAME": "Another name"}
    finished = called("replay", "-", "--store", tmp_path / "s.duckdb", given=FLAWLESS[:59], settings=elsewhere)

    assert finished.returncode == 0
    with Store(tmp_path / "s.duckdb") as store:
        assert count(store, USAGE) == (1, 1)


def test_without_a_store_events_go_to_the_resource_of_the_environment(local: LocalApplicationInsights) -> None:
    named = settings(local) | {"CHARGEBACK_EVENT_NAME": "Usage of ours"}

    finished = called("replay", "-", given=FLAWLESS, settings=named)

    assert (finished.returncode, finished.stderr) == (0, b"")
    assert count(local.store, "Usage of ours") == (2500, 2500)
    assert [request.items for request in local.requests] == [1000, 1000, 500]


@pytest.mark.needs_node("azurite")
def test_what_the_service_refuses_goes_to_the_storage_account_even_in_words_nobody_knows(
    local: LocalApplicationInsights,
) -> None:
    """No host is there to deliver it five times more; whoever replays would wait in vain."""
    local.faults.switch_on(Fault("refuse_items", times=1, item_status=400, message="no such thing", share=0.001))
    with Azurite() as azurite:
        finished = called("replay", "-", given=FLAWLESS, settings=settings(local, azurite.connection_string))

    assert finished.returncode == 1
    assert summary(finished.stdout)["total"] == [2499, 0, 0, 1]
    assert (
        b"1 of the records cannot be billed as they are: see why in the container chargeback-rejected"
        in finished.stderr
    )
    assert count(local.store, "Chargeback record rejected") == (1, 1)


def test_a_short_fault_is_survived(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("reset", times=1, stored="all"), Fault("empty_answer", times=1))

    finished = called("replay", "-", given=FLAWLESS, settings=settings(local))

    assert finished.returncode == 0
    assert summary(finished.stdout)["total"] == [2500, 0, 0, 0]
    assert count(local.store, USAGE) == (3500, 2500)  # the first thousand came twice


def test_an_endpoint_that_is_not_there_ends_it_with_2_and_says_how_to_go_on(local: LocalApplicationInsights) -> None:
    gone = settings(local) | {CONNECTION: local.connection_string.rpartition(":")[0] + ":9/"}

    finished = called("replay", "-", given=FLAWLESS, settings=gone)

    assert finished.returncode == 2
    assert sentence(finished) == (
        "line 1 and what follows is not delivered: no answer from Application Insights (ServiceRequestError): "
        f"check its address and the network; {AGAIN}"
    )
    assert summary(finished.stdout)["total"] == [0, 0, 0, 0]


def test_what_was_delivered_before_a_fault_that_stays_is_counted(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("status", every=2, times=1, status=400), Fault("status", status=403))

    finished = called("replay", "-", given=FLAWLESS, settings=settings(local))

    assert finished.returncode == 2
    assert summary(finished.stdout)["total"] == [1000, 0, 0, 0]
    assert last_line(finished.stdout).startswith("1000 bodies read")
    assert sentence(finished).startswith("line 1001 and what follows is not delivered: the service answered 403: check")
    assert count(local.store, USAGE) == (1000, 1000)


def test_a_service_that_is_overloaded_for_ever_ends_it_with_2(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("status", status=503))

    finished = called("replay", "-", given=FLAWLESS, settings=settings(local))

    assert finished.returncode == 2
    assert "the service answered 503" in sentence(finished)


def test_a_service_that_hangs_is_waited_for_once() -> None:
    """A batch is tried again only within the time that one delivery may take."""
    with LocalApplicationInsights() as local:
        local.faults.switch_on(Fault("hang"))
        finished = called("replay", "-", given=FLAWLESS, settings=settings(local))

    assert finished.returncode == 2
    assert "ServiceResponseTimeoutError" in sentence(finished)
    assert len(local.requests) == 1


def test_dead_letters_that_cannot_be_stored_end_it_with_2(tmp_path: Path) -> None:
    (tmp_path / "day.duckdb.rejected").write_text("in the way")

    finished = called("replay", "-", "--store", tmp_path / "day.duckdb", given=b"no json\n")

    assert finished.returncode == 2
    assert sentence(finished).startswith("line 1 and what follows is not delivered: dead letters cannot be stored in")


def test_a_body_over_several_lines_is_not_torn_into_rejected_pieces(tmp_path: Path) -> None:
    """Not one of its lines can be a record; as dead letters and events they would have to be cleaned up."""
    pretty = b'{\n"prompt_tokens": 3,\n"completion_tokens": 4,\n"total_tokens": 7\n}\n'

    refused = called("replay", "-", "--store", tmp_path / "day.duckdb", given=pretty)

    assert refused.returncode == 2
    assert sentence(refused) == (
        "standard input is one JSON value over several lines: add --body to take it as one body, "
        "or put each record on a line of its own"
    )
    assert list(tmp_path.iterdir()) == []

    taken = called("replay", "-", "--body", "--store", tmp_path / "day.duckdb", given=pretty)

    assert (taken.returncode, taken.stderr) == (0, b"")
    assert last_line(taken.stdout) == "1 body read; tokens: 3 prompt, 4 completion"


def test_what_only_looks_like_a_body_over_several_lines_is_replayed_with_a_hint(tmp_path: Path) -> None:
    finished = called("replay", "-", "--store", tmp_path / "day.duckdb", given=b"{\n" + FLAWLESS[:59])

    assert summary(finished.stdout)["total"] == [1, 0, 1, 0]
    assert b"standard input seems to hold JSON over several lines" in finished.stderr


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    finished = called("replay", "-", "--store", tmp_path / "day.duckdb")

    assert finished.returncode == 0
    assert summary(finished.stdout) == {"total": [0, 0, 0, 0]}
    assert sentence(finished) == "there are no records in standard input"


def test_a_folder_for_dead_letters_is_named_where_they_lie_in_one(
    local: LocalApplicationInsights, tmp_path: Path
) -> None:
    folder = {CONNECTION: local.connection_string, "CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path / "letters")}

    finished = called("replay", "-", given=b"no json\n", settings=folder)

    assert sentence(finished) == f"1 of the records cannot be billed as they are: see why in {tmp_path}/letters"
    assert list((tmp_path / "letters").rglob("*.jsonl"))


def test_without_a_resource_the_sentence_names_the_setting_and_the_other_way() -> None:
    finished = called("replay", "-", given=FLAWLESS)

    assert finished.returncode == 2
    assert sentence(finished) == (
        "set APPLICATIONINSIGHTS_CONNECTION_STRING to the resource that shall take the events, "
        "or name a local store with --store"
    )


def test_without_a_storage_account_nothing_is_sent(local: LocalApplicationInsights) -> None:
    finished = called("replay", "-", given=FLAWLESS, settings={CONNECTION: local.connection_string})

    assert finished.returncode == 2
    assert "AzureWebJobsStorage" in sentence(finished)
    assert local.requests == []


def test_a_store_that_another_process_holds_is_one_sentence(tmp_path: Path) -> None:
    with Store(tmp_path / "day.duckdb"):
        finished = command("replay", "-", "--store", tmp_path / "day.duckdb", given=FLAWLESS)

    assert finished.returncode == 2
    assert "another process holds it" in sentence(finished)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interruption_tells_how_far_it_came(local: LocalApplicationInsights, tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(FLAWLESS)
    local.faults.switch_on(Fault("hang", every=2))
    line = [sys.executable, "-m", "chargeback", "replay", str(file)]

    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(settings(local))
    ) as process:
        deadline = time.monotonic() + 60
        while count(local.store, USAGE) != (1000, 1000):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)  # the second batch hangs now
        process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=60)

    assert process.returncode == 130
    assert summary(output)["total"] == [1000, 0, 0, 0]
    assert sentence(subprocess.CompletedProcess(line, 130, output, complaints)) == f"stopped after line 1000; {AGAIN}"


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
def test_at_a_terminal_a_bar_shows_how_far_it_is(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    file = tmp_path / "day.jsonl"
    file.write_bytes(FLAWLESS)
    line = [sys.executable, "-m", "chargeback", "replay", str(file), "--store", str(tmp_path / "day.duckdb")]
    terminal = environment({"TERM": "xterm"})
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=theirs, env=terminal) as process:
        os.close(theirs)
        shown = b""
        # Reading a terminal whose program has ended is an error on Linux.
        with contextlib.suppress(OSError):
            while block := os.read(ours, 4096):
                shown += block
        os.close(ours)
        output, _ = process.communicate(timeout=60)

    assert b"replay" in shown
    assert b"147.5 kB" in shown  # 2,500 lines of 59 bytes
    assert summary(output)["total"] == [2500, 0, 0, 0]
