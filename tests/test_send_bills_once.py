"""A send that the library repeats after a lost acknowledgement, and a file that is sent again, are billed once.

From the command, over the real library and a socket, through the function, into a local Application Insights and the
report on tokens.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from chargeback.local.server import LocalApplicationInsights
from chargeback.reports.compose import compose, kql_folder
from tests.peers.faults import At, Do
from tests.peers.hub import HubPeer
from tests.peers.reading import Read, read_all
from tests.rejected.function import Taken
from tests.test_cli_main import ROOT, called, environment

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
RECORDS = [
    {
        "requestId": "call-1",
        "subscriptionId": "retail",
        "promptTokens": 100,
        "completionTokens": 20,
        "totalTokens": 120,
    },
    {"subscriptionId": "retail", "promptTokens": 7, "completionTokens": 1, "totalTokens": 8},
    {"subscriptionId": "retail", "promptTokens": 7, "completionTokens": 1, "totalTokens": 8},
    {"subscriptionId": "bank", "promptTokens": 1000, "completionTokens": 0, "totalTokens": 1000},
]
"""The second and the third are two calls that look alike, and have no id."""


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer(partitions=2) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


def through_the_function(reads: list[Read], insights: LocalApplicationInsights, letters: Path) -> None:
    """Call the deployed function, in a process of its own, with what lies in the hub."""
    settings = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(letters),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rejected.function"],
        cwd=ROOT,
        input=json.dumps([asdict(_taken(read)) for read in reads]).encode(),
        env=environment(settings),
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0


def _taken(read: Read) -> Taken:
    event = read.event
    assert event.enqueued_time is not None
    assert event.sequence_number is not None
    enqueued = event.enqueued_time.astimezone(UTC).replace(tzinfo=None).isoformat()
    return Taken(b64encode(read.body).decode(), read.properties, read.partition, event.sequence_number, enqueued)


def test_what_the_hub_has_three_times_is_billed_once(peer: HubPeer, tmp_path: Path) -> None:
    """Retail: 120 + 8 + 8 tokens of three calls; bank: 1,000 of one."""
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    settings = {"EventHubConnection": peer.connection_string, "EVENT_HUB_NAME": peer.name}

    peer.fail(At.STORED, Do.DROP, times=2)
    finished = called("send", file, settings=settings)
    assert (finished.returncode, finished.stdout) == (0, b"the hub has acknowledged 4 records\n")
    assert (At.STORED, Do.DROP) in peer.seen
    assert called("send", file, settings=settings).returncode == 0
    reads = read_all(peer)
    assert len(reads) > 2 * len(RECORDS), "the hub must hold more than was sent, or nothing is shown"

    with LocalApplicationInsights() as insights:
        through_the_function(reads, insights, tmp_path / "letters")
        period = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
        report = (kql_folder() / "reports/tokens-by-consumer.kql").read_text(encoding="utf-8")
        answer = insights.store.query(compose(report, period=period))
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert {row["consumerId"]: (row["calls"], row["totalTokens"]) for row in rows} == {
        "retail": (3, 136),
        "bank": (1, 1000),
    }
