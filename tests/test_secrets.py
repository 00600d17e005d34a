"""No key, prompt or completion leaves the function: all that left the process is searched for what was put in."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import orjson
import pytest

from chargeback.events import USAGE_EVENT
from chargeback.keys import fingerprint
from tests.faults.azurite import ROOT, Azurite, blobs, connection_string
from tests.faults.instance import Batch
from tests.faults.scripted import Reply, Scripted, Seen, partly

pytestmark = pytest.mark.needs_node("azurite")

TOO_LONG = "100: Field 'x' on type 'EventData' is too long."
CALLERS = (
    *("subscriptionId", "subscription_id", "apim-subscription-id", "appSubscriptionKey", "AppSubscriptionKey"),
    *("subscriptionKey", "apiKey", "Ocp-Apim-Subscription-Key", "appId", "appid", "azp", "clientAppId", "userId"),
    *("endUserId", "user", "subject", "productId", "productName", "costCenter", "x-cost-center"),
)


@dataclass(slots=True)
class Planted:
    """Secrets of each kind, every one different, so that one that is found tells where it was put."""

    places: dict[str, str] = field(default_factory=dict)
    """Secret -> where it was put."""

    def hex_key(self, place: str) -> str:
        return self._note(hashlib.sha256(f"hex {place}".encode()).hexdigest()[:32], place)

    def long_key(self, place: str) -> str:
        return self._note(base64.b64encode(hashlib.sha512(place.encode()).digest()).decode(), place)

    def words(self, place: str) -> str:
        letters = (
            hashlib.sha256(f"words {place}".encode()).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))
        )
        return self._note(f"Quartz{letters[:12]} said so", place)

    def _note(self, secret: str, place: str) -> str:
        self.places[secret] = place
        return secret


def call(number: int, **fields: object) -> dict[str, object]:
    return {"schema": "chargeback.usage/1", "requestId": f"call-{number}", "promptTokens": 5} | fields


def answer(planted: Planted, place: str, **more: object) -> dict[str, object]:
    """A model's answer with texts in every place."""
    message = {
        "role": "assistant",
        "content": planted.words(f"{place} content"),
        "refusal": planted.words(f"{place} no"),
    }
    tool = {"function": {"name": "f", "arguments": json.dumps({"q": planted.words(f"{place} arguments")})}}
    return {
        "id": "chatcmpl-1",
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": message | {"tool_calls": [tool]}, "text": planted.words(f"{place} text")}],
        "output": [{"content": [{"type": "output_text", "text": planted.words(f"{place} output")}]}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    } | more


def question(planted: Planted, place: str) -> dict[str, object]:
    """A request with texts and a key in every place."""
    parts = [{"type": "text", "text": planted.words(f"{place} part")}, {"image_url": planted.words(f"{place} image")}]
    return {
        "model": "gpt-4o",
        "user": planted.hex_key(f"{place} user"),
        "messages": [
            {"role": "user", "content": parts},
            {"role": "system", "content": planted.words(f"{place} system")},
        ],
        "prompt": [planted.words(f"{place} prompt")],
        "input": planted.words(f"{place} input"),
        "instructions": planted.words(f"{place} instructions"),
        "tools": [{"function": {"description": planted.words(f"{place} tool")}}],
    }


def stream(planted: Planted, place: str) -> str:
    chunks = [
        {"model": "m", "choices": [{"delta": {"content": planted.words(f"{place} chunk {n}")}}]} for n in range(2)
    ]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, answer(planted, f"{place} end")])


def good_bodies(planted: Planted) -> list[bytes]:
    """Bodies that are billed."""
    own = [call(n, **{name: planted.hex_key(f"usage/1 {name}")}) for n, name in enumerate(CALLERS)]
    flat = [
        {name: make(f"flat {name}"), "promptTokens": 1, "prompt": planted.words(f"flat prompt beside {name}")}
        for name in CALLERS
        for make in (planted.hex_key, planted.long_key)
    ]
    url = f"https://x.openai.azure.com/openai/deployments/d/chat?subscription-key={planted.hex_key('url')}"
    bodies = [
        {
            "EventTime": "2026-11-20T10:00:00Z",
            "appSubscriptionKey": planted.long_key(f"bodies {place}"),
            "backendUrl": url,
            "authorization": f"Bearer {planted.words(f'header {place}')}",
            "Request": wrap(question(planted, f"request {place}")),
            "Response": wrap(answer(planted, f"response {place}")),
        }
        for place, wrap in (("object", lambda value: value), ("text", json.dumps))
    ]
    error = {"error": {"code": "content_filter", "message": planted.words("error message")}}
    streams = [{"responseBody": stream(planted, "stream"), "requestBody": None}, {"responseBody": json.dumps(error)}]
    row = {
        "time": "2026-11-20T10:00:00Z",
        "category": "GatewayLlmLogs",
        "correlationId": "log-1",
        "properties": {
            "modelName": "gpt-4o",
            "promptTokens": 3,
            "requestMessages": [question(planted, "log")],
            "responseMessages": json.dumps(answer(planted, "log")),
        },
    }
    return [json.dumps(body).encode() for body in [*own, *flat, *bodies, *streams, {"records": [row]}]]


def bad_bodies(planted: Planted) -> list[bytes]:
    """Bodies that are rejected, each for another reason."""
    every_caller = {name: planted.hex_key(f"rejected {name}") for name in CALLERS}
    texts = {"request": question(planted, "rejected"), "response": answer(planted, "rejected")}
    events = {"response": stream(planted, "rejected stream"), "promptTokens": -1}
    broken = json.dumps(every_caller | {"promptTokens": 1} | texts)
    key, words = planted.long_key("torn"), planted.words("torn")
    inner = {"promptTokens": "many", "appId": planted.hex_key("base64"), "prompt": planted.words("base64")}
    cloud = {"specversion": "1.0", "data_base64": base64.b64encode(json.dumps(inner).encode()).decode()}
    deep: dict[str, object] = {"messages": [planted.words("deep")], "promptTokens": 1.5}
    for _ in range(300):
        deep = {"a": deep}
    tokens = {"promptTokens": -1, "note": f"Bearer {planted.words('bearer')}", "user": f"?sig={planted.words('sig')}"}
    objects: list[object] = [
        every_caller | texts | {"promptTokens": -1},
        every_caller | {name: planted.long_key(f"long {name}") for name in CALLERS} | {"promptTokens": 1.5},
        events,
        cloud,
        deep,
        [deep, {"promptTokens": 1.5, "content": planted.words("second of two")}],
        tokens,
        {planted.words("name"): 1, "promptTokens": -1},
        call(900, promptTokens="lots", model=[planted.words("list")], costCenter={"x": planted.words("object")}),
        {"promptTokens": -1, "answer": {"time": planted.words("answer")}},
        {"promptTokens": -1}
        | {name: planted.words(f"code {name}") for name in ("user", "note", "type", "model", "id")},
        {"promptTokens": -1, "usage": json.dumps({"note": planted.words("usage"), planted.words("usage name"): 1})},
        {"promptTokens": -1, "response": [answer(planted, "list"), planted.words("list")]},
        {"promptTokens": -1, "response": json.dumps(json.dumps(answer(planted, "quoted")))},
        {"promptTokens": -1, "response": f"{json.dumps(answer(planted, 'line'))}\n{planted.words('line')}\n{{}}"},
    ]
    return [
        *(json.dumps(value).encode() for value in objects),
        broken.replace('"response"', '"response" ,').encode(),
        f'{{"appSubscriptionKey":"{key}","completion":"{words}'.encode(),
        f'{{"user":"caf\u00e9","appSubscriptionKey":"{planted.long_key("latin-1")}","prompt":"{words}"}}'.encode(
            "latin-1"
        ),
        json.dumps({"user": planted.hex_key("utf-16"), "prompt": planted.words("utf-16")}).encode("utf-16"),
        b"\n".join(json.dumps(value).encode() for value in (events, tokens)) + f'\n{{"prompt":"{words}'.encode(),
    ]


def marked(mark: str, bodies: list[bytes]) -> Batch:
    """Make a batch that tells the endpoint, in its first record, how to treat it."""
    first = json.dumps({"schema": "chargeback.usage/1", "requestId": mark, "promptTokens": 1}).encode()
    return Batch([base64.b64encode(body).decode() for body in (first, *bodies)])


def treat(seen: Seen) -> Reply:
    """Answer as the mark in the batch says; the function's own telemetry is always taken."""
    refused = {"for-good": (400, TOO_LONG), "unheard-of": (400, "never heard of")}
    text = seen.body.decode()
    if '"recordId":"forbidden"' in text:
        return Reply(403, b"")
    if '"recordId":"html"' in text:
        return Reply(200, b"<html>")
    for mark, why in refused.items():
        if f'"recordId":"{mark}"' in text and USAGE_EVENT in text:
            return partly(seen.size, dict.fromkeys(range(1, seen.size), why))
    return Reply()


@dataclass(frozen=True, slots=True)
class Left:
    """Everything that left the process."""

    outcomes: list[str]
    parts: dict[str, str]
    """Where it was found -> its text."""


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


def run(batches: list[Batch], storage: str) -> tuple[list[str], dict[str, str]]:
    """Run the function in a process of its own; return what came of the batches and what it sent and said."""
    with Scripted() as endpoint:
        endpoint.always(treat)
        environment = os.environ | {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": endpoint.connection_string,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
            "AzureWebJobsStorage": storage,
            "CHARGEBACK_DELIVERY_SECONDS": "5",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.instance"],
            input=orjson.dumps([asdict(batch) for batch in batches]),
            capture_output=True,
            env=environment,
            cwd=ROOT,
            timeout=300,
            check=True,
        )
        sent = {
            f"request {number}": f"{seen.path} {seen.headers} {seen.body.decode()}"
            for number, seen in enumerate(endpoint.seen)
        }
    said = {"standard output": done.stdout.decode(), "standard error": done.stderr.decode()}
    outcomes = re.findall(r"^outcome (\w+)$", said["standard output"], re.MULTILINE)
    return outcomes, sent | said


def leaks(planted: Planted, parts: dict[str, str]) -> list[str]:
    """Name every planted secret that is found, in the clear or in base64."""
    found = []
    for where, text in parts.items():
        plain = text.replace("\\", "").replace("\0", "").replace("\\u0000", "")
        decoded = [_decoded(token) for token in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", plain)]
        found += [
            f"{place} in {where}"
            for secret, place in planted.places.items()
            if any(secret in form for form in (text, plain, *decoded))
        ]
    return found


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode("latin-1")
    except ValueError:
        return ""


def test_no_secret_leaves_the_function_whatever_happens(azurite: Azurite) -> None:
    planted = Planted()
    bodies = good_bodies(planted) + bad_bodies(planted)
    assert len(planted.places) > 150
    again = Batch(marked("unheard-of", bodies).bodies, retries=5)
    marks = ("fine", "for-good", "unheard-of", "forbidden", "html")
    outcomes, parts = run([*(marked(mark, bodies) for mark in marks), again], azurite.connection_string)
    assert outcomes == [
        "acknowledged",
        "acknowledged",
        "DeliveryError",
        "DeliveryError",
        "DeliveryError",
        "acknowledged",
    ]
    with azurite.container() as container:
        stored = {name: content.decode() for name, content in blobs(container).items()}
    # That it is quiet must not be why it is silent.
    assert sum('"traces"' in text or "MessageData" in text for text in parts.values()) > 0
    assert "DEBUG:" in parts["standard error"]
    assert "Traceback" in parts["standard error"]
    assert sum(len(text.splitlines()) for text in stored.values()) > 100
    fingerprints = [fingerprint(secret) for secret, place in planted.places.items() if place.startswith("rejected ap")]
    assert fingerprints
    assert all(mark in "".join(stored.values()) for mark in fingerprints), "keys are named by their fingerprints"
    assert leaks(planted, parts | stored) == []


def test_no_secret_leaves_when_the_dead_letter_cannot_be_written() -> None:
    planted = Planted()
    outcomes, parts = run([marked("fine", bad_bodies(planted))], connection_string(1))
    assert outcomes == ["DeadLetterError"]
    assert "DeadLetterError: " in parts["standard error"]
    assert leaks(planted, parts) == []


def test_the_search_finds_what_leaks() -> None:
    planted = Planted()
    key, words = planted.hex_key("a key"), planted.words("some words")
    hidden = base64.b64encode(f'{{"x":"{words}","y":"and more of it"}}'.encode()).decode()
    parts = {"log": f"DEBUG {key}", "blob": f'{{"data_base64":"{hidden}"}}', "other": "nothing"}
    assert leaks(planted, parts) == ["a key in log", "some words in blob"]
