"""What else stands on a hub: rubbish that must become dead letters, and messages that are no usage."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final, TypeAlias

from chargeback.local.day.company import LEGACY_KEY

Maker: TypeAlias = Callable[[Random, datetime], bytes]


def _csv(_: Random, at: datetime) -> bytes:
    return f"{at:%m/%d/%Y %H:%M:%S},apim.contoso.example,{LEGACY_KEY},Creates a message: the demo's secret".encode()


def _cut_off(rng: Random, at: datetime) -> bytes:
    body = json.dumps({"eventTime": at.isoformat(), "request": "the demo's secret question " * 20, "response": "{}"})
    return body[: rng.randint(60, 300)].encode()


def _latin(_: Random, at: datetime) -> bytes:
    return f'{{"timestamp": "{at.isoformat()}", "appId": "Z\xfcrich", "promptTokens": 5}}'.encode("latin-1")


def _negative(rng: Random, at: datetime) -> bytes:
    return json.dumps({"timestamp": at.isoformat(), "promptTokens": -rng.randint(1, 99)}).encode()


def _bad_time(rng: Random, _: datetime) -> bytes:
    return json.dumps({"timestamp": "31/12/2026", "promptTokens": rng.randint(1, 99)}).encode()


def _something(rng: Random, _: datetime) -> bytes:
    return json.dumps({"heartbeat": rng.randint(1, 99)}).encode()


def _empty(_: Random, __: datetime) -> bytes:
    return b""


def _audit(_: Random, at: datetime) -> bytes:
    return json.dumps({"event-time": at.isoformat(), "prompt": "the demo's secret question"}).encode()


def _search(rng: Random, at: datetime) -> bytes:
    record = {"id": f"search-{rng.getrandbits(60):x}", "timestamp": at.isoformat(), "targetService": "AI-Search"}
    return json.dumps(record | {"promptTokens": 1, "responseTokens": 0, "totalTokens": 1}).encode()


RUBBISH: Final[tuple[Maker, ...]] = (_csv, _cut_off, _latin, _negative, _bad_time, _something)
IGNORED: Final[tuple[Maker, ...]] = (_empty, _audit, _search)
SECRETS: Final = (LEGACY_KEY, "the demo's secret")
"""What the day's bodies hold and nobody must ever see again."""
