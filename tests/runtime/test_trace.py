"""The app's trace hangs in the host's: the span of a batch is a child of the invocation that brought it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chargeback.local.server import LocalApplicationInsights
from tests.runtime.host import Batch, numbered
from tests.runtime.process import WorkerProcess

USAGE = "ChargebackEventHubTrigger"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
INVOCATION = "00f067aa0ba902b7"


@pytest.fixture
def insights() -> Iterator[LocalApplicationInsights]:
    """An Application Insights for one test's spans."""
    with LocalApplicationInsights() as running:
        yield running


@pytest.mark.parametrize("flags", ["01", "00"], ids=["sampled by the host", "not sampled by the host"])
def test_a_batch_is_one_span_of_the_hosts_trace(engine: str, insights: LocalApplicationInsights, flags: str) -> None:
    """One, not two: the app configures telemetry, so the runtime must not do it again. All, from the first on."""
    settings = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "CHARGEBACK_DEAD_LETTER_FOLDER": "never-written",
    }
    batch = Batch(
        numbered([b'{"requestId": "a", "totalTokens": 1}'] * 3), trace_parent=f"00-{TRACE}-{INVOCATION}-{flags}"
    )
    with WorkerProcess(engine, settings) as worker:
        assert worker.invoke(USAGE, batch).ok
        assert worker.invoke(USAGE, replace(batch, trace_parent="")).ok
    joined, own = insights.store.query(
        "dependencies | where name == 'chargeback.batch' | sort by timestamp asc"
        " | project operation_Id, operation_ParentId, size = tostring(customDimensions['chargeback.batch.size'])"
    ).rows
    assert joined == (TRACE, INVOCATION, "3")
    assert own[0] != TRACE
