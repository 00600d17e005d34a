"""The Azure Monitor exporter, as Microsoft ships it, sends to the local Application Insights."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights

# An app of its own in a process of its own: the exporter keeps global state. It has nobody else to call.
APP = """
import logging, sys
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind

configure_azure_monitor(
    connection_string=sys.argv[1],
    logger_name="shop",
    enable_live_metrics=False,
    enable_performance_counters=False,
    disable_offline_storage=True,
    sampling_ratio=1.0,
)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
tracer = trace.get_tracer("shop")
with tracer.start_as_current_span("GET /orders", kind=SpanKind.SERVER):
    with tracer.start_as_current_span("ask the model", kind=SpanKind.CLIENT):
        log.warning("the model is slow", extra={"order": 7})
    try:
        {}["missing"]
    except KeyError:
        log.exception("no such order")
log.info("sold", extra={"microsoft.custom_event.name": "order sold", "item": "tea"})
metrics.get_meter("shop").create_counter("orders").add(3, {"kind": "tea"})
for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
    provider.force_flush()
"""
QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
    "OTEL_SERVICE_NAME": "shop",
}


@pytest.fixture(scope="module")
def local() -> Iterator[LocalApplicationInsights]:
    """A server that one app has sent to."""
    with LocalApplicationInsights() as running:
        subprocess.run(
            [sys.executable, "-c", APP, running.connection_string],
            check=True,
            timeout=120,
            cwd=Path(__file__).parents[1],
            env={**os.environ, **QUIET},
        )
        yield running


def test_every_post_of_the_exporter_is_accepted(local: LocalApplicationInsights) -> None:
    assert local.requests
    assert {(request.path, request.status) for request in local.requests} == {("//v2.1/track", 200)}


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("requests | project name, success, cloud_RoleName", ("GET /orders", "True", "shop")),
        ("dependencies | project name, success, cloud_RoleName", ("ask the model", "True", "shop")),
        (
            "traces | project message, severityLevel, tostring(customDimensions['order'])",
            ("the model is slow", 2, "7"),
        ),
        ("exceptions | project type, outerMessage, severityLevel", ("KeyError", "no such order", 3)),
        (
            "customEvents | project name, tostring(customDimensions.item), itemType",
            ("order sold", "tea", "customEvent"),
        ),
        (
            "customMetrics | where name == 'orders' | project value, tostring(customDimensions['kind'])",
            (3.0, "tea"),
        ),
    ],
    ids=["request", "dependency", "trace", "exception", "event", "metric"],
)
def test_each_kind_of_telemetry_is_a_row_of_its_table(
    local: LocalApplicationInsights, query: str, row: tuple[object, ...]
) -> None:
    assert local.store.query(query).rows == (row,)


def test_rows_of_one_operation_share_its_id(local: LocalApplicationInsights) -> None:
    query = "requests | join kind=inner (traces) on operation_Id | join kind=inner (dependencies) on operation_Id"
    assert local.store.query(f"{query} | count").rows == ((1,),)
