"""What the real indexer makes of function_app.py: the triggers that the host is told of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.runtime.answers import IndexingError
from tests.runtime.process import ROOT, WorkerProcess

USAGE = "ChargebackEventHubTrigger"
GATEWAY_LOG = "ChargebackGatewayLogTrigger"


def binding(hub: str, connection: str) -> Mapping[str, object]:
    """Return the trigger as issue and design chose it; docs/design.md says why."""
    return {
        "name": "events",
        "type": "eventHubTrigger",
        "direction": "IN",
        "eventHubName": hub,
        "connection": connection,
        "consumerGroup": "%EVENT_HUB_CONSUMER_GROUP%",
        "cardinality": "MANY",
        "dataType": "BINARY",
    }


def test_both_hubs_have_a_trigger_that_takes_batches_of_bytes(worker: WorkerProcess) -> None:
    assert set(worker.functions) == {USAGE, GATEWAY_LOG}
    assert worker.functions[USAGE].bindings == [binding("%EVENT_HUB_NAME%", "EventHubConnection")]
    assert worker.functions[GATEWAY_LOG].bindings == [binding("%GATEWAY_LOG_HUB_NAME%", "GatewayLogConnection")]


def test_both_functions_are_retried_without_end(worker: WorkerProcess) -> None:
    """-1 is for ever: the host moves on past a batch whose retries are used up."""
    for function in worker.functions.values():
        assert function.retry == {
            "strategy": "exponential_backoff",
            "max_retry_count": -1,
            "minimum_seconds": 5.0,
            "maximum_seconds": 300.0,
        }


def test_without_a_gateway_log_there_is_one_trigger(engine: str) -> None:
    """The setting stands empty in the example, and so it may in Azure."""
    with WorkerProcess(engine, {"GATEWAY_LOG_HUB_NAME": " "}) as alone:
        assert set(alone.functions) == {USAGE}


def test_the_app_is_indexed_without_any_setting(engine: str) -> None:
    """A missing setting fails batches, which stay in the hub, and not the app."""
    with WorkerProcess(engine, {}) as bare:
        assert set(bare.functions) == {USAGE}


def test_a_malformed_setting_stops_the_app_and_is_named(engine: str) -> None:
    with pytest.raises(IndexingError, match="SettingsError: CHARGEBACK_DELIVERY_SECONDS must be"):
        WorkerProcess(engine, {"CHARGEBACK_DELIVERY_SECONDS": "soon"}).__enter__()


def test_the_worker_refuses_events_annotated_with_the_builtin_list(tmp_path: Path, engine: str) -> None:
    """Why function_app.py keeps `typing.List` against the linter's advice."""
    source = (ROOT / "function_app.py").read_text(encoding="utf-8")
    (tmp_path / "function_app.py").write_text(source.replace("List[", "list["), encoding="utf-8")
    with pytest.raises(IndexingError, match=f"cannot load the {USAGE} function"):
        WorkerProcess(engine, {}, folder=tmp_path).__enter__()
