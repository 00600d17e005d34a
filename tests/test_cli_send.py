"""`chargeback send`: to a real hub's protocol, over the real library, each record an event of its own."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from chargeback.cli.sending import _Pace
from tests.peers.faults import SERVER_BUSY, At, Do
from tests.peers.hub import HubPeer
from tests.peers.reading import read_all
from tests.test_cli_main import ROOT, called, environment, sentence

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
OWN = b'{"requestId":"call-1","subscriptionId":"retail-web","promptTokens":5,"completionTokens":2}'
NAMELESS = b'{"subscriptionId":"bank","promptTokens":7,"completionTokens":1}'
SEVERAL = b'[{"requestId":"call-2","promptTokens":1},{"requestId":"call-3","promptTokens":2}]'
UNREADABLE = b"no record"


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer(partitions=4) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


def settings(peer: HubPeer) -> dict[str, str]:
    return {"EventHubConnection": peer.connection_string, "EVENT_HUB_NAME": peer.name}


def written(tmp_path: Path, *lines: bytes) -> Path:
    file = tmp_path / "records.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return file


def test_each_record_is_an_event_of_its_own_under_its_consumers_key(peer: HubPeer, tmp_path: Path) -> None:
    file = written(tmp_path, OWN, NAMELESS, b"", SEVERAL, UNREADABLE)
    finished = called("send", file, settings=settings(peer))
    assert (finished.returncode, finished.stdout) == (0, b"the hub has acknowledged 4 records\n")
    assert sentence(finished) == "1 of them this version cannot read, and they become dead letters: line 5"
    identity = f"file/{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    events = {read.body: (read.properties, read.key) for read in read_all(peer)}
    assert events == {
        OWN: ({}, "retail-web"),
        NAMELESS: ({"recordId": f"{identity}/2"}, "bank"),
        SEVERAL: ({}, None),
        UNREADABLE: ({"recordId": f"{identity}/5"}, None),
    }


def test_of_a_body_in_which_some_have_no_id_each_record_goes_alone(peer: HubPeer, tmp_path: Path) -> None:
    """An identity of the whole event would take the first one's from it; none at all would bill the second twice."""
    mixed = b'[{"requestId":"call-4","promptTokens":1},{"subscriptionId":"bank","promptTokens":2},{"promptTokens":3}]'
    file = written(tmp_path, OWN, mixed)
    finished = called("send", file, settings=settings(peer))
    assert (finished.returncode, finished.stdout) == (0, b"the hub has acknowledged 4 records\n")
    identity = f"file/{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    events = {json.loads(read.body)["promptTokens"]: (read.properties, read.key) for read in read_all(peer)}
    assert events == {
        5: ({}, "retail-web"),
        1: ({}, None),
        2: ({"recordId": f"{identity}/2/1"}, "bank"),
        3: ({"recordId": f"{identity}/2/2"}, None),
    }


def test_records_of_one_consumer_stay_in_order(peer: HubPeer, tmp_path: Path) -> None:
    lines = [
        json.dumps({"requestId": f"r{number}", "subscriptionId": "retail", "promptTokens": 1}).encode()
        for number in range(50)
    ]
    called("send", written(tmp_path, *lines), settings=settings(peer))
    assert [read.body for read in read_all(peer)] == lines


def test_without_a_key_partitions_take_turns(peer: HubPeer, tmp_path: Path) -> None:
    called("send", written(tmp_path, OWN), "--partition-key", "none", settings=settings(peer))
    assert [read.key for read in read_all(peer)] == [None]


def test_a_dry_run_needs_no_settings_and_sends_nothing(tmp_path: Path) -> None:
    finished = called("send", written(tmp_path, OWN, NAMELESS), "--dry-run")
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert finished.stdout == (
        b"would send 2 records, 1 of them named by their place in the file, under 2 partition keys; nothing is sent\n"
    )


def test_a_dry_run_counts_what_no_version_reads(tmp_path: Path) -> None:
    finished = called("send", written(tmp_path, OWN, UNREADABLE, b'{"promptTokens":-1}'), "--dry-run")
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert finished.stdout == (
        b"would send 3 records, 2 of them named by their place in the file, under 1 partition keys; 2 of them this "
        b"version cannot read: they would become dead letters; nothing is sent\n"
    )


PRETTY = json.dumps([json.loads(OWN)] * 3, indent=2).encode()
SEVERAL_PRETTY = b"\n".join(json.dumps(json.loads(line), indent=2).encode() for line in (OWN, NAMELESS))


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PRETTY, "is one JSON value over several lines: put each record on a line of its own (jq -c"),
        (json.dumps(json.loads(OWN), indent=2).encode(), "is one JSON value over several lines: put each"),
        (SEVERAL_PRETTY, "has no record in its first lines, and nothing is sent: "),
        (gzip.compress(OWN * 50), "has no record in its first lines, and nothing is sent: is it gzip (unpack it), or "),
        ((OWN + b"\n").decode().encode("utf-16"), "has no record in its first lines, and nothing is sent: "),
        (bytes(range(128, 256)) * 20, "has no record in its first lines, and nothing is sent: "),
        (b"5/24/2024,7\n5/25/2024,8\n", "has no record in its first lines, and nothing is sent: "),
    ],
)
def test_a_file_whose_lines_are_no_records_is_refused_before_anything_is_sent(
    peer: HubPeer, tmp_path: Path, given: bytes, said: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(given)
    finished = called("send", file, *words, settings=settings(peer))
    assert (finished.returncode, finished.stdout, peer.events) == (2, b"", [])
    assert sentence(finished).startswith(f"{file} {said}")
    assert b"--body" not in finished.stderr


def test_a_first_line_that_begins_a_value_is_hinted_at_without_an_option_that_there_is_not(tmp_path: Path) -> None:
    finished = called("send", written(tmp_path, b"{", OWN), "--dry-run")
    assert finished.returncode == 0
    assert sentence(finished).endswith("put each record on a line of its own (jq -c . does)")


@pytest.mark.parametrize("rate", ["inf", "nan", "1e-12", "1e-320", "-1", "0.0009"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: str) -> None:
    finished = called("send", written(tmp_path, OWN), "--dry-run", f"--rate={rate}")
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == "--rate is a finite number of records a second, 0.001 or more; 0 is no limit"


@pytest.mark.parametrize("rate", ["0", "0.001", "1e308"])
def test_every_other_rate_is_kept(peer: HubPeer, tmp_path: Path, rate: str) -> None:
    finished = called("send", written(tmp_path, OWN), "--rate", rate, settings=settings(peer))
    assert (finished.returncode, len(peer.events)) == (0, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set EventHubConnection in this shell"),
        (
            {"EventHubConnection": "Endpoint=sb://hub.example/;SharedAccessKeyName=a;SharedAccessKey=b"},
            "set EVENT_HUB_NAME",
        ),
        (
            {"EventHubConnection": "Endpoint=sb://;SharedAccessKeyName=a;SharedAccessKey=c2VjcmV0;EntityPath=h"},
            "EventHubConnection is no connection string",
        ),
        ({"EventHubConnection": "AccountKey=c2VjcmV0LXNlY3JldA=="}, "EventHubConnection is no connection string"),
    ],
)
def test_a_setting_that_is_missing_is_named_in_one_sentence(given: dict[str, str], said: str, tmp_path: Path) -> None:
    finished = called("send", written(tmp_path, OWN), settings=given)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith(said)
    assert b"c2VjcmV0" not in finished.stderr


@pytest.mark.parametrize("words", [(), ("a.jsonl", "--sample", "3")])
def test_one_source_is_named(words: tuple[str, ...]) -> None:
    finished = called("send", *words)
    assert finished.returncode == 2
    assert sentence(finished).startswith("name a file of records, - for standard input, or --sample N")


def test_samples_are_the_policys_own_records_with_ids_that_no_other_has(peer: HubPeer) -> None:
    finished = called("send", "--sample", "20", settings=settings(peer))
    assert (finished.returncode, finished.stdout) == (0, b"the hub has acknowledged 20 records\n")
    records = [json.loads(read.body) for read in read_all(peer)]
    assert {record["schema"] for record in records} == {"chargeback.usage/1"}
    assert len({record["requestId"] for record in records}) == 20
    assert all(record["requestId"].startswith("sample-") for record in records)


def test_one_of_two_hubs_is_not_chosen(peer: HubPeer, tmp_path: Path) -> None:
    assert f"EntityPath={peer.name};" in peer.connection_string
    told = settings(peer) | {"EVENT_HUB_NAME": "another"}
    finished = called("send", written(tmp_path, OWN), settings=told)
    assert (finished.returncode, finished.stdout, peer.events) == (2, b"", [])
    assert sentence(finished).startswith(
        "EVENT_HUB_NAME names one hub and the EntityPath in EventHubConnection another"
    )


def test_a_name_in_the_connection_string_is_enough(peer: HubPeer, tmp_path: Path) -> None:
    told = {"EventHubConnection": peer.connection_string}
    finished = called("send", written(tmp_path, OWN), settings=told)
    assert (finished.returncode, len(peer.events)) == (0, 1)


def test_what_is_larger_than_the_hub_takes_is_named_and_the_others_go(peer: HubPeer, tmp_path: Path) -> None:
    large = json.dumps({"requestId": "big", "promptTokens": 1, "padding": "x" * 1_200_000}).encode()
    finished = called("send", written(tmp_path, OWN, large, NAMELESS), settings=settings(peer))
    assert (finished.returncode, finished.stdout) == (1, b"the hub has acknowledged 2 records\n")
    assert sentence(finished).startswith("1 are larger than the hub takes, and not sent: line 2;")
    assert len(peer.events) == 2


def test_a_busy_hub_is_waited_for(peer: HubPeer, tmp_path: Path) -> None:
    """The library tries twice, at once: three refusals are more than it survives."""
    peer.fail(At.SEND, Do.REJECT, SERVER_BUSY, times=3)
    finished = called("send", written(tmp_path, OWN), settings=settings(peer))
    assert (finished.returncode, finished.stdout) == (0, b"the hub has acknowledged 1 record\n")
    assert len(peer.events) == 1


@contextmanager
def sending(peer: HubPeer, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Send 400 records, in groups of five; begin when some are there."""
    lines = [json.dumps({"requestId": f"r{number}", "promptTokens": 1}).encode() for number in range(400)]
    line = [sys.executable, "-m", "chargeback", "send", str(written(tmp_path, *lines)), "--rate", "20"]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(settings(peer))
    ) as started:
        # The second group goes out when the first is acknowledged: there is something to count whenever it is hit.
        try:
            wait_until(lambda: len(peer.events) >= 10)
            yield started
        finally:
            started.kill()


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    assert done()


def test_ctrl_c_leaves_a_clean_count(peer: HubPeer, tmp_path: Path) -> None:
    with sending(peer, tmp_path) as started:
        started.send_signal(signal.SIGINT)
        out, told = started.communicate(timeout=30)
    assert (started.returncode, out) == (130, b"")
    said = told.decode()
    assert said.startswith("chargeback: stopped: the hub has acknowledged ")
    acknowledged = int(said.split("acknowledged ")[1].split(" ")[0])
    assert 5 <= acknowledged <= len(peer.events) <= acknowledged + 5
    assert "Traceback" not in said
    assert said.endswith("; send the same file again, unchanged\n")


def test_what_is_not_acknowledged_is_not_counted(peer: HubPeer, tmp_path: Path) -> None:
    with sending(peer, tmp_path) as started:
        peer.fail(At.STORED, Do.IGNORE)
        wait_until(lambda: (At.STORED, Do.IGNORE) in peer.seen)
        kept = len(peer.events)
        started.send_signal(signal.SIGINT)
        _, told = started.communicate(timeout=30)
    assert kept % 5 == 0
    assert told.decode().startswith(f"chargeback: stopped: the hub has acknowledged {kept - 5} records; ")


def test_a_rate_is_kept(peer: HubPeer, tmp_path: Path) -> None:
    """Of 30 at 20 a second the last five go a second after the second, and the first wait for the connection."""
    lines = [json.dumps({"requestId": f"r{number}", "promptTokens": 1}).encode() for number in range(30)]
    called("send", written(tmp_path, *lines), "--rate", "20", settings=settings(peer))
    times = [event.milliseconds for event in peer.events]
    assert len(times) == 30
    assert max(times) - min(times) >= 950


def test_a_rate_is_kept_by_groups_of_a_quarter_of_a_second_and_nothing_is_caught_up_on() -> None:
    """40 a second are 10 a quarter. The second group is early; the third is late, and the fourth waits for it."""
    slept: list[float] = []
    times = iter([100.0, 100.125, 109.0, 109.125])
    pace = _Pace(40, clock=lambda: next(times), sleep=slept.append)
    for _ in range(4):
        pace.wait()
    assert (pace.size, slept) == (10, [0.0, 0.125, 0.0, 0.125])
    assert _Pace(0).size == 1000
    assert _Pace(0.5).size == 1
