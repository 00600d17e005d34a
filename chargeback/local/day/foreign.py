"""Calls through other policies that this company still runs: the same tokens in five wild shapes."""

from __future__ import annotations

import json
from datetime import datetime

from chargeback.local.day.calls import Call, Json, Traces, chat_counts, iso
from chargeback.local.day.company import CHAT_EAST, CHAT_WEST, LEGACY, LEGACY_KEY, Caller
from chargeback.local.day.truth import Fate, Tokens


def _named(call: Call) -> Caller:
    """Return the caller; the older policies know subscriptions alone."""
    return call.caller if call.caller.subscription else LEGACY


def seed(call: Call) -> Traces:
    """Write as the hack's policy does: the key itself, counts as text, a culture's time."""
    billed = chat_counts(call)
    record: Json = {
        "timestamp": call.at.strftime("%m/%d/%Y %H:%M:%S"),
        "appSubscriptionKey": LEGACY_KEY,
        "promptTokens": str(billed.prompt),
        "completionTokens": str(billed.completion),
        "totalTokens": str(billed.total),
        "deploymentId": CHAT_EAST.name,
    }
    return Traces(record, billed, LEGACY, CHAT_EAST)


def entra(call: Call) -> Traces:
    """Write as a policy that names the Entra application, and no deployment; only the global one is behind it."""
    billed = chat_counts(call)
    caller = call.caller if call.caller.application else LEGACY
    record: Json = {
        "event-time": _american(call.at),
        "message-id": call.request_id,
        "appid": caller.application or LEGACY_KEY,
        "operation": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "modeltime": "512.2",
        "completion_tokens": str(billed.completion),
        "prompt_tokens": str(billed.prompt),
        "total_tokens": str(billed.total),
    }
    return Traces(record, billed, caller, CHAT_EAST)


def _american(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {'PM' if at.hour >= 12 else 'AM'}"


def bodies(call: Call) -> Traces:
    """Write as a policy that logs request and response whole; the texts must not travel further.

    It names no deployment either, and has the same one behind it.
    """
    billed = chat_counts(call)
    usage = {"prompt_tokens": billed.prompt, "completion_tokens": billed.completion, "total_tokens": billed.total}
    answer = {"model": "gpt-4o-2024-11-20", "choices": [{"message": {"content": "the demo's secret answer"}}]}
    record: Json = {
        "eventTime": iso(call.at),
        "RequestId": call.request_id,
        "subscriptionId": _named(call).subscription or LEGACY_KEY,
        "request": json.dumps({"messages": [{"role": "user", "content": "the demo's secret question"}]}),
        "response": json.dumps(answer | {"usage": usage}),
    }
    return Traces(record, billed, _named(call), CHAT_EAST)


def gateway_hub(call: Call) -> Traces:
    """Write as a gateway whose records call completions responses and place holders NA."""
    billed = chat_counts(call)
    record: Json = {
        "id": f"chatcmpl-{call.rng.getrandbits(60):x}",
        "timestamp": _american(call.at),
        "appId": "NA",
        "subscriptionId": _named(call).subscription or LEGACY_KEY,
        "productName": "AI-Retail",
        "targetService": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "deploymentName": CHAT_WEST.name,
        "backendId": "openai-backend-2",
        "promptTokens": billed.prompt,
        "responseTokens": billed.completion,
        "totalTokens": billed.total,
    }
    return Traces(record, billed, _named(call), CHAT_WEST)


def toolkit(call: Call) -> Traces:
    """Write as a policy that logs the total alone."""
    total = call.rng.randint(50, 7000)
    record: Json = {
        "Type": "Message",
        "EventTime": _american(call.at),
        "RequestId": call.request_id,
        "SubscriptionId": _named(call).subscription or LEGACY_KEY,
        "TotalTokens": str(total),
    }
    return Traces(record, Tokens(None, None, total), _named(call), CHAT_EAST, fate=Fate.TOTAL_ONLY)
