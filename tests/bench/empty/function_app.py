"""The empty function, on a trigger like ours."""

from __future__ import annotations

from typing import List  # noqa: UP035  (the worker looks for typing.List and refuses list[...])

import azure.functions as func

app = func.FunctionApp()


@app.function_name("ChargebackEventHubTrigger")
@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%EVENT_HUB_NAME%",
    connection="EventHubConnection",
    consumer_group="%EVENT_HUB_CONSUMER_GROUP%",
    cardinality="many",
    data_type="binary",
)
def forward(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006  (see the import)
    """Do nothing with a batch."""
