"""The app's own traces, logs and metrics.

The usage events do not pass here: they have a delivery that cannot lose them. This telemetry is exported in the
background and may lose its last seconds when an instance is taken away; it never delays or fails a batch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chargeback.settings import CONNECTION_STRING, Settings
from chargeback.settings.process import quiet_telemetry

LOGGER = "chargeback"
log = logging.getLogger(__name__)

# Each instruments the process's own HTTP calls, which here are the deliveries and this telemetry's own export.
_INSTRUMENTATIONS = ("azure_sdk", "django", "fastapi", "flask", "psycopg2", "requests", "urllib", "urllib3")

_meter = metrics.get_meter("chargeback")
_tracer = trace.get_tracer("chargeback")
_records = _meter.create_counter("chargeback.records", "{record}", "Records by outcome and shape")
_tokens = _meter.create_counter("chargeback.tokens", "{token}", "Tokens by kind, redeliveries included")
_failures = _meter.create_counter("chargeback.failures", "{batch}", "Batches that raised and will be delivered again")
_batch_size = _meter.create_histogram("chargeback.batch.size", "{event}", "Events in a batch")
_lag = _meter.create_histogram("chargeback.lag", "s", "From the hub taking a batch's oldest event to its acceptance")
_delivery = _meter.create_histogram("chargeback.delivery", "s", "From reading a batch to its acceptance")


@cache
def configure(settings: Settings) -> bool:
    """Send the app's own telemetry to the settings' resource; say once when there is none. Returns whether it is on."""
    if settings.connection_string is None:
        log.warning("%s is not set: the app keeps its own telemetry to itself", CONNECTION_STRING)
        return False
    quiet_telemetry(settings)
    configure_azure_monitor(
        connection_string=settings.connection_string,
        logger_name=LOGGER,
        enable_live_metrics=False,
        enable_performance_counters=False,
        # One span a batch: the default, a few a second and none of the first, would leave the host's traces without it.
        sampling_ratio=1.0,
        # What cannot be sent is dropped: on an instance's disk it would only pile up.
        disable_offline_storage=True,
        instrumentation_options={name: {"enabled": False} for name in _INSTRUMENTATIONS},
    )
    return True


@contextmanager
def batch(trace_parent: str | None, events: int) -> Iterator[None]:
    """Trace one batch as a child of the host's own trace (the Python worker does not do it for sync functions)."""
    parent = TraceContextTextMapPropagator().extract({"traceparent": trace_parent or ""})
    _batch_size.record(events)
    with _tracer.start_as_current_span("chargeback.batch", parent, attributes={"chargeback.batch.size": events}):
        try:
            yield
        except BaseException as error:
            _failures.add(1, {"error": type(error).__name__})
            raise


def count(
    records: Mapping[tuple[str, str], int],
    tokens: Mapping[str, int],
    lag_seconds: float | None,
    delivery_seconds: float,
) -> None:
    """Count what became of a batch: (outcome, shape) -> records, kind -> tokens, and how long it took."""
    for (outcome, shape), number in records.items():
        _records.add(number, {"outcome": outcome, "shape": shape})
    for kind, number in tokens.items():
        _tokens.add(number, {"kind": kind})
    if lag_seconds is not None:
        _lag.record(lag_seconds)
    _delivery.record(delivery_seconds)
