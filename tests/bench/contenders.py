"""The ways to get usage into Application Insights, each in a process of its own: `... NAME EVENTS ENDPOINT`.

Prints the CPU seconds of this process for that many events. The first batch is not counted: it pays for imports,
connections and caches, which a function pays for once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import orjson

from tests.bench.programs import connection_string
from tests.bench.records import BATCH, EVENT_NAME, bodies

NAME_ATTRIBUTE = "microsoft.custom_event.name"

Send = Callable[[Sequence[bytes]], None]


def ours(endpoint: str) -> Send:
    """Read, map and deliver, through the project's own pipeline."""
    from chargeback import delivery, pipeline
    from chargeback.settings import Settings

    settings = Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string(endpoint)})
    sender = delivery.connect(settings)
    enqueued = datetime.now(UTC)

    def keep(_: pipeline.Position, letters: Sequence[object]) -> str:
        raise RuntimeError(f"{len(letters)} records were rejected")

    def send(batch: Sequence[bytes]) -> None:
        messages = [
            pipeline.Message(body, pipeline.Position("contoso", "usage", "0", number, enqueued, str(number)))
            for number, body in enumerate(batch)
        ]
        pipeline.run(messages, sender.send, keep, lambda: datetime.now(UTC))

    return send


def exporter(endpoint: str) -> Send:
    """Log each record as a custom event through the distribution, and flush after each batch.

    Given every advantage: no metrics of its own, and a flush before its queue of 2,048 events overflows.
    """
    from azure.monitor.opentelemetry import configure_azure_monitor
    from opentelemetry._logs import get_logger_provider

    configure_azure_monitor(
        connection_string=connection_string(endpoint),
        logger_name="usage",
        enable_live_metrics=False,
        enable_performance_counters=False,
    )
    logger = logging.getLogger("usage")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    provider = get_logger_provider()

    def send(batch: Sequence[bytes]) -> None:
        for body in batch:
            logger.info(EVENT_NAME, extra=_attributes(body))
        flush = getattr(provider, "force_flush", None)
        if flush is None or not flush():
            raise RuntimeError("the exporter did not flush")

    return send


def naive(endpoint: str) -> Send:
    """Make a new client for every message, send one event with it, flush, and shut it down."""
    from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    logger = logging.getLogger("usage")
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def send(batch: Sequence[bytes]) -> None:
        for body in batch:
            client = AzureMonitorLogExporter(connection_string=connection_string(endpoint))
            provider = LoggerProvider()
            provider.add_log_record_processor(BatchLogRecordProcessor(client))
            handler = LoggingHandler(logger_provider=provider)
            logger.addHandler(handler)
            logger.info(EVENT_NAME, extra=_attributes(body))
            provider.force_flush()
            logger.removeHandler(handler)
            provider.shutdown()

    return send


def floor(endpoint: str) -> Send:
    """Do the least; see its own module."""
    from tests.bench.floor import Floor

    return Floor(endpoint).send


CONTENDERS: Mapping[str, Callable[[str], Send]] = {"ours": ours, "exporter": exporter, "naive": naive, "floor": floor}


def _attributes(body: bytes) -> dict[str, str]:
    fields = {name: str(value) for name, value in orjson.loads(body).items() if value is not None}
    return fields | {NAME_ATTRIBUTE: EVENT_NAME}


def main(name: str, events: int, endpoint: str) -> None:
    send = CONTENDERS[name](endpoint)
    size = min(BATCH, events)
    records = bodies(size + events)
    send(records[:size])
    started = time.process_time()
    for start in range(size, len(records), size):
        send(records[start : start + size])
    print(json.dumps({"cpu": time.process_time() - started}))


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
