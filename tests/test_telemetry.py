"""The app's own telemetry, from a process that ran batches to the rows that arrive; and what must not depend on it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from chargeback.local.faults import Fault
from chargeback.local.server import LocalApplicationInsights
from tests.runtime.host import Batch, numbered
from tests.runtime.process import ROOT, WorkerProcess

USAGE = "ChargebackEventHubTrigger"
SECRET = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Run:
    """Two batches that went through a worker, and what is left of them."""

    insights: LocalApplicationInsights
    log: str
    """What the worker wrote to standard error."""

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return list(self.insights.store.query(query).rows)


def usage(call: str, **counts: int) -> bytes:
    return json.dumps({"schema": "chargeback.usage/1", "requestId": call, "note": SECRET, **counts}).encode()


def settings(connection_string: str, folder: Path) -> Mapping[str, str]:
    return {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string,
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(folder),
        "CHARGEBACK_DELIVERY_SECONDS": "1",
    }


FIRST = [
    usage("a", promptTokens=100, completionTokens=20, cachedTokens=64, reasoningTokens=8),
    usage("b", promptTokens=7, completionTokens=3, cacheWriteTokens=5),
    usage("c"),
    b"",
    f'{{"prompt": "{SECRET}"}}'.encode(),
    f'{{"requestId": "d", "promptTokens": "{SECRET}"}}'.encode(),
    SECRET.encode(),
]
SECOND = [f'{{"appSubscriptionKey": "k", "promptTokens": 1, "totalTokens": 1, "x": "{SECRET}"}}'.encode()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A worker that took seven events in one batch and one in the next, failed once between, and ended."""
    folder = tmp_path_factory.mktemp("telemetry")
    with LocalApplicationInsights() as insights:
        log = folder / "log"
        with WorkerProcess("sdk", settings(insights.connection_string, folder / "letters"), log=log) as worker:
            assert worker.invoke(USAGE, Batch(numbered(FIRST))).ok
            insights.faults.switch_on(Fault("status", status=403, times=1))
            assert not worker.invoke(USAGE, Batch(numbered(SECOND))).ok
            insights.faults.switch_off()
            assert worker.invoke(USAGE, Batch(numbered(SECOND), retries=1)).ok
        yield Run(insights, log.read_text(encoding="utf-8"))


def test_records_are_counted_by_outcome_and_shape(run: Run) -> None:
    found = run.rows(
        "customMetrics | where name == 'chargeback.records'"
        " | summarize toint(sum(valueSum)) by tostring(customDimensions.outcome), tostring(customDimensions.shape)"
    )
    counts = {(row[0], row[1]): row[2] for row in found}
    assert counts == {
        ("usage", "usage/1"): 3,
        ("usage", "seed"): 1,
        ("ignored", "unknown"): 2,
        ("rejected", "flat"): 1,
        ("rejected", "unknown"): 1,
    }


def test_a_batch_that_raises_is_counted(run: Run) -> None:
    found = run.rows(
        "customMetrics | where name == 'chargeback.failures'"
        " | summarize toint(sum(valueSum)) by tostring(customDimensions.error)"
    )
    assert found == [("DeliveryError", 1)]


def test_tokens_are_counted_by_kind(run: Run) -> None:
    found = run.rows(
        "customMetrics | where name == 'chargeback.tokens'"
        " | summarize toint(sum(valueSum)) by tostring(customDimensions['kind'])"
    )
    assert {row[0]: row[1] for row in found} == {
        "prompt": 108,
        "completion": 23,
        "cached": 64,
        "cache_write": 5,
        "reasoning": 8,
    }


@pytest.mark.parametrize(
    ("histogram", "measurements", "total"),
    [("chargeback.batch.size", 3, 9), ("chargeback.lag", 2, None), ("chargeback.delivery", 2, None)],
)
def test_sizes_and_times_are_measured_per_batch(run: Run, histogram: str, measurements: int, total: int | None) -> None:
    """A batch that failed has a size, and neither a lag nor a delivery."""
    [(count, value)] = run.rows(
        f"customMetrics | where name == '{histogram}' | summarize toint(sum(valueCount)), toint(sum(valueSum))"
    )
    assert count == measurements
    assert total is None or value == total


def test_the_lag_is_from_the_hub_to_the_acceptance(run: Run) -> None:
    """The batches were enqueued on one day; whenever this runs, the lag is the time since, the same for both."""
    [(longest, shortest)] = run.rows(
        "customMetrics | where name == 'chargeback.lag' | summarize max(valueMax), min(valueMin)"
    )
    assert isinstance(longest, float)
    assert isinstance(shortest, float)
    assert 0 <= longest - shortest < 60


def test_every_delivery_of_a_batch_is_a_span_and_the_failed_one_says_so(run: Run) -> None:
    found = run.rows("dependencies | where name == 'chargeback.batch' | sort by timestamp asc | project success")
    assert found == [("True",), ("False",), ("True",)]


def test_nothing_but_the_batches_is_traced(run: Run) -> None:
    """No span for each HTTP call of the delivery or of the telemetry itself: each export would beget another."""
    assert run.rows("dependencies | where name != 'chargeback.batch' | count") == [(0,)]
    assert run.rows("requests | count") == [(0,)]


def test_custom_events_do_not_pass_through_the_exporter(run: Run) -> None:
    assert run.rows("customEvents | summarize count() by sdk = tostring(split(sdkVersion, ':')[0])") == [
        ("py_chargeback", 8)
    ]


def test_nothing_of_a_record_is_in_logs_or_telemetry(run: Run) -> None:
    assert SECRET not in run.log
    for table in ("traces", "exceptions", "dependencies", "customMetrics"):
        rows = run.rows(table)
        assert SECRET not in str(rows), table


def test_a_failed_batch_tells_why(run: Run) -> None:
    [(kind, message)] = run.rows("exceptions | project type, outerMessage")
    assert "DeliveryError" in str(kind)
    assert "403" in str(message)


def test_without_a_connection_string_the_app_says_so_once_and_batches_stay_in_the_hub(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with WorkerProcess("sdk", {}, log=log) as worker:
        results = [worker.invoke(USAGE, Batch(numbered([usage("a")]))) for _ in range(3)]
    assert {result.error.split(":")[0] for result in results} == {"DeliveryError"}
    assert log.read_text(encoding="utf-8").count("APPLICATIONINSIGHTS_CONNECTION_STRING is not set") == 1


# Batches under telemetry that goes nowhere, with a delivery that is a list; says how long the slowest took.
BATCHES = """
import os, sys, time
from datetime import UTC, datetime
from chargeback import pipeline, telemetry
from chargeback.settings import Settings

telemetry.configure(Settings.from_environment())
body = b'{"schema": "chargeback.usage/1", "requestId": "a", "promptTokens": 1}'
delivered, slowest = [], 0.0
for _ in range(20):
    started = time.monotonic()
    with telemetry.batch("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1):
        outcome = pipeline.run(
            [pipeline.Message(body, pipeline.Position())],
            lambda events: delivered.extend(events) or [],
            lambda first, letters: "",
            lambda: datetime.now(UTC),
        )
        telemetry.count(outcome.records, outcome.tokens, None, 0.1)
    slowest = max(slowest, time.monotonic() - started)
    time.sleep(0.1)
print(len(delivered), slowest)
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(params=["silent", "closed"])
def dead_endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """An endpoint that takes connections and never answers; and one that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if request.param == "closed":
            listener.close()
        yield f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:{port}/"


def test_a_dead_endpoint_for_telemetry_neither_fails_nor_delays_a_batch(dead_endpoint: str) -> None:
    """Over two seconds, in which the exporters try in vain, in the background, five times a second each."""
    environment = {
        "PYTHONPATH": str(ROOT),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": dead_endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
    }
    answer = subprocess.run(
        [sys.executable, "-c", BATCHES], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    delivered, slowest = answer.stdout.split()
    assert int(delivered) == 20
    assert float(slowest) < 1.0
