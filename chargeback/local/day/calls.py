"""Calls through the project's own policy: what each puts on the hubs, and what it must be billed as."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import TypeAlias
from uuid import UUID

from chargeback.local.day.company import ASSISTANT, CHAT_EAST, CHAT_WEST, SEARCH, WRITER, Caller, Deployment
from chargeback.local.day.truth import Fate, Tokens

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One call, before anything is known of its answer."""

    rng: Random = field(repr=False)
    at: datetime
    caller: Caller
    request_id: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What a call leaves behind."""

    body: Json
    """The record on the usage hub."""
    billed: Tokens
    caller: Caller
    served: Deployment
    log_row: Json | None = None
    """The row in the gateway's own log export."""
    fate: Fate = Fate.CHARGED


def new_call(rng: Random, at: datetime, caller: Caller) -> Call:
    """Return a call with an id of its own."""
    return Call(rng, at, caller, str(UUID(int=rng.getrandbits(128), version=4)))


def _record(call: Call, deployment: Deployment, billed: Tokens | None, **fields: object) -> Json:
    """Write the project's own record, docs/contract.md section 1."""
    counts = billed or Tokens()
    return {
        "schema": "chargeback.usage/1",
        "requestId": call.request_id,
        "timestamp": iso(call.at),
        "subscriptionId": call.caller.subscription,
        "productId": "azure-openai",
        "apiId": "azure-openai",
        "operationId": "ChatCompletions_Create",
        "userId": None,
        "appId": call.caller.application,
        "costCenter": None,
        "deploymentId": deployment.name,
        "servedDeployment": deployment.name,
        "spilloverFrom": None,
        "modelRegion": deployment.region,
        "backendId": "openai-pool",
        "backendHost": deployment.host,
        "model": deployment.model,
        "serviceTier": "default",
        "region": "Sweden Central",
        "statusCode": 200,
        "forwarded": True,
        "streamed": False,
        "durationMs": call.rng.randint(180, 9000),
        "usageSource": "body" if billed else "none",
        "note": None,
        "traceId": f"{call.rng.getrandbits(128):032x}",
        "promptTokens": counts.prompt,
        "completionTokens": counts.completion,
        "totalTokens": counts.total,
        **fields,
    }


def iso(at: datetime) -> str:
    """Write a time as the project's policy does."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def chat_counts(call: Call) -> Tokens:
    """Draw what a chat uses."""
    prompt, completion = call.rng.randint(40, 6000), call.rng.randint(1, 1500)
    return Tokens(prompt, completion, prompt + completion)


def chat(call: Call) -> Traces:
    """Make a plain chat completion, part of its prompt from the cache."""
    billed = chat_counts(call)
    cached = (billed.prompt or 0) // 128 * 128 if call.rng.random() < 0.3 else 0
    deployment = call.rng.choice((CHAT_EAST, CHAT_WEST))
    record = _record(call, deployment, billed, cachedTokens=cached, reasoningTokens=0)
    return Traces(record, replace(billed, cached=cached), call.caller, deployment)


def read_stream(call: Call) -> Traces:
    """Make a stream whose usage the policy read."""
    billed = chat_counts(call)
    record = _record(call, CHAT_EAST, billed, streamed=True, usageSource="stream")
    return Traces(record, billed, call.caller, CHAT_EAST)


def live_stream(call: Call) -> Traces:
    """Make a stream that was left alone; the gateway's own log completes it."""
    billed = chat_counts(call)
    record = _record(call, CHAT_WEST, None, streamed=True, usageSource="pending", model=None)
    row = _log_row(call, CHAT_WEST, billed.prompt, billed.completion)
    return Traces(record, billed, call.caller, CHAT_WEST, row)


def live_claude_stream(call: Call) -> Traces:
    """Make a Claude stream that was left alone; the log counts the cache beside the prompt."""
    plain, cached, completion = call.rng.randint(20, 900), call.rng.randint(1000, 8000), call.rng.randint(5, 900)
    billed = Tokens(plain + cached, completion, plain + cached + completion, cached)
    record = _record(call, WRITER, None, streamed=True, usageSource="pending", model=None)
    row = _log_row(call, WRITER, plain, completion, promptCachedTokens=cached, totalTokens=plain + completion)
    return Traces(record, billed, call.caller, WRITER, row)


def _log_row(call: Call, deployment: Deployment, prompt: int | None, completion: int | None, **fields: object) -> Json:
    properties = {
        "isStreamCompletion": True,
        "requestId": f"chatcmpl-{call.rng.getrandbits(60):x}",
        "modelName": deployment.model,
        "deploymentName": deployment.name,
        "promptTokens": prompt,
        "completionTokens": completion,
        "totalTokens": (prompt or 0) + (completion or 0),
        **fields,
    }
    row = {"time": iso(call.at), "category": "GatewayLlmLogs", "correlationId": call.request_id}
    return row | {"operationName": "Microsoft.ApiManagement/GatewayLogs", "properties": properties}


def lost_stream(call: Call) -> Traces:
    """Make a stream that was left alone and whose log row never came."""
    record = _record(call, CHAT_WEST, None, streamed=True, usageSource="pending")
    return Traces(record, Tokens(), call.caller, CHAT_WEST, fate=Fate.UNKNOWN)


def unread_stream(call: Call) -> Traces:
    """Make a stream whose caller refused to ask for usage."""
    record = _record(call, CHAT_EAST, None, streamed=True, note="usage-not-requested")
    return Traces(record, Tokens(), call.caller, CHAT_EAST, fate=Fate.UNKNOWN)


def embeddings(call: Call) -> Traces:
    """Make a call of embeddings: a prompt and no completion."""
    prompt = call.rng.randint(3, 8000)
    billed = Tokens(prompt, None, prompt)
    return Traces(_record(call, SEARCH, billed, operationId="embeddings_create"), billed, call.caller, SEARCH)


def response(call: Call) -> Traces:
    """Make a call of the Responses API, with reasoning inside its completion."""
    prompt, reasoning, text = call.rng.randint(30, 9000), call.rng.randint(0, 4000), call.rng.randint(1, 900)
    billed = Tokens(prompt, reasoning + text, prompt + reasoning + text)
    record = _record(call, ASSISTANT, billed, operationId="createResponse", reasoningTokens=reasoning)
    return Traces(record, billed, call.caller, ASSISTANT)


def claude(call: Call) -> Traces:
    """Make a Claude message whose cache reads and writes are part of the prompt."""
    plain, cached, written = call.rng.randint(20, 900), call.rng.randint(0, 6000), call.rng.choice((0, 0, 1024))
    completion = call.rng.randint(5, 1200)
    prompt = plain + cached + written
    billed = Tokens(prompt, completion, prompt + completion, cached, written)
    record = _record(call, WRITER, billed, apiId="anthropic", cachedTokens=cached, cacheWriteTokens=written)
    return Traces(record, billed, call.caller, WRITER)


def throttled(call: Call) -> Traces:
    """Make a 429: the model did nothing, nobody is billed."""
    record = _record(call, CHAT_EAST, None, statusCode=429, model=None, note="error:429")
    return Traces(record, Tokens(), call.caller, CHAT_EAST, fate=Fate.FREE)


def filtered(call: Call) -> Traces:
    """Make a 400 of the content filter: Azure may bill the prompt, the response does not say how much."""
    record = _record(call, CHAT_WEST, None, statusCode=400, model=None, note="error:content_filter")
    return Traces(record, Tokens(), call.caller, CHAT_WEST, fate=Fate.MAYBE_BILLED)
