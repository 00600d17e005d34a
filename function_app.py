"""The binding: Event Hub batches in, `pipeline.run`, nothing else.

The host moves its checkpoint even past a batch whose function failed; the retry policy is what keeps the batch. So what
raises here is delivered again, for ever, and a record that can never be read must not raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import List  # noqa: UP035  (the worker looks for typing.List and refuses list[...])

import azure.functions as func

from chargeback import deadletter, delivery, pipeline, telemetry
from chargeback.pipeline import Message, Position
from chargeback.settings import Settings

settings = Settings.from_environment()
telemetry.configure(settings)
app = func.FunctionApp()

# Made once and shared by all batches; made late, so that a missing setting fails a batch (which stays in the hub) and
# not the whole app.
_sender = cache(delivery.connect)
_dead_letter = cache(deadletter.connect)


def forward(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006  (see the import)
    """Take one batch through the pipeline; raise when it must be delivered again."""
    with telemetry.batch(context.trace_context.trace_parent, len(events)):
        outcome = pipeline.run(
            _messages(events),
            partial(_sender(settings).send, host_retries=context.retry_context.retry_count or 0),
            _dead_letter(settings.storage).keep,
            partial(datetime.now, UTC),
            settings.event_name,
        )
        lag = outcome.lag.total_seconds() if outcome.lag else None
        telemetry.count(outcome.records, outcome.tokens, lag, outcome.delivery.total_seconds())


def _messages(events: List[func.EventHubEvent]) -> list[Message]:  # noqa: UP006  (see the import)
    """Pair each body with its position. Metadata is the whole batch's and parsed anew by every event: read it once."""
    metadata: Mapping[str, object] = (events[0].metadata or {}) if events else {}
    where = metadata.get("PartitionContext") or metadata.get("TriggerPartitionContext")
    batch: Mapping[str, object] = where if isinstance(where, dict) else {}
    offsets = metadata.get("OffsetStringArray")
    aligned = (
        offsets if isinstance(offsets, list) and len(offsets) == len(events) else [event.offset for event in events]
    )
    namespace, hub = str(batch.get("FullyQualifiedNamespace") or "-"), str(batch.get("EventHubName") or "-")
    partition = None if (found := batch.get("PartitionId")) is None else str(found)
    messages = [
        Message(
            event.get_body(),
            Position(namespace, hub, partition, event.sequence_number, _utc(event.enqueued_time), _known(offset)),
        )
        for event, offset in zip(events, aligned, strict=True)
    ]
    told = metadata.get("PropertiesArray")
    if not isinstance(told, list) or len(told) != len(events) or not any(told):  # the gateway's events have none
        return messages
    return [
        pipeline.sent_again(message, properties) if isinstance(properties, dict) else message
        for message, properties in zip(messages, told, strict=True)
    ]


def _known(offset: object) -> str | None:
    """Return an offset as text, if it is one: of offsets that are no numbers an older host says -1, or nothing."""
    return None if offset is None or str(offset) == "-1" else str(offset)


def _utc(moment: datetime | None) -> datetime | None:
    """Return the host's time as UTC; it sends none with a zone, and newer versions might."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _listen(name: str, hub: str, connection: str) -> None:
    """Register `forward` on a hub; retried without end, because the host forgets a batch whose retries are used up."""
    trigger = app.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=hub,
        connection=connection,
        consumer_group="%EVENT_HUB_CONSUMER_GROUP%",
        cardinality="many",
        data_type="binary",
    )
    retry = app.retry(
        strategy="exponential_backoff",
        max_retry_count="-1",
        minimum_interval="00:00:05",
        maximum_interval="00:05:00",
    )
    app.function_name(name)(trigger(retry(forward)))


_listen("ChargebackEventHubTrigger", "%EVENT_HUB_NAME%", "EventHubConnection")
if settings.gateway_log:
    _listen("ChargebackGatewayLogTrigger", "%GATEWAY_LOG_HUB_NAME%", "GatewayLogConnection")
