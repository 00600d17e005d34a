"""Months that nobody thought of: rows and calls by chance, from few names, so that they meet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.money.case import Case, Row, Tables, events_of

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
SKUS = (
    *("GlobalStandard", "DataZoneStandard", "Standard", "GlobalBatch", "DataZoneBatch"),
    *("GlobalProvisionedManaged", "ProvisionedManaged"),
)
MODELS = ("gpt-4o", "gpt-35-turbo", "claude")
PLAIN_MODELS = ("gpt-4o", "gpt-3.5-turbo", "claude")
VERSIONS = ("", "", "-2024-11-20", "-0125")
HOSTS, REGIONS = ("east.example", "west.example"), ("swedencentral", "eastus2")
DEPLOYMENTS, CONSUMERS = ("chat", "mail", "ptu", "spare"), ("web", "app", "desk", "stranger")
UNITS = ("Shop", "Support", "")
PARTS = (
    "prompt",
    "cached",
    "cacheWrite",
    "cacheWrite1h",
    "completion",
    "audioPrompt",
    "audioCompletion",
    "imagePrompt",
)
_OWNERS: tuple[Row, ...] = (
    {"consumerId": "web", "businessUnit": "Shop"},
    {"consumerId": "desk", "businessUnit": "Support"},
)
_GROUPS: tuple[Row, ...] = (
    {"regionGroup": "europe", "region": "swedencentral"},
    {"regionGroup": "all", "region": "eastus2"},
)
_INSIDE_PROMPT = ("cachedTokens", "cacheWriteTokens", "audioPromptTokens", "imagePromptTokens")
_INSIDE_COMPLETION = ("reasoningTokens", "audioCompletionTokens")


class Chance:
    """Draws; no two times are the same, so of two rows one is always the later."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  (chance for a test, no secret)
        self._moments: set[datetime] = set()

    def one_of(self, *values: Any) -> Any:
        return self.random.choice(values)

    def often(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def usd(self) -> Decimal | None:
        return Decimal(self.random.randrange(1, 400_000)).scaleb(-4) if self.often(75) else None

    def moment(self, days_before: int = 40) -> str:
        """Return a time of the month or up to so many days before it: midnight, a full hour, or any millisecond."""
        while True:
            after = timedelta(milliseconds=self.random.randrange((31 + days_before) * 86_400_000))
            step = timedelta(milliseconds=self.one_of(1, 1, 3_600_000, 86_400_000))
            moment = START - timedelta(days=days_before) + after // step * step
            if moment not in self._moments:
                self._moments.add(moment)
                return moment.isoformat().replace("+00:00", "Z")

    def some(self, count: int, row: Any) -> list[Row]:
        return [row() for _ in range(count)]


def month(seed: int, calls: int = 300) -> Case:
    """Make a month of that many calls."""
    chance = Chance(seed)
    reference = _reference(chance)
    events = [event for number in range(calls) for event in _records(chance, f"call-{number}")]
    settings = {"idleCapacity": chance.one_of("own-line", "spread"), "statementCurrency": chance.one_of("USD", "EUR")}
    nothing: dict[str, Any] = {"lines": (), "classes": {}, "causes": {}, "statement": {}}
    return Case("made-up", "by chance", START, END, settings, reference, tuple(events), **nothing)


def _reference(chance: Chance) -> Tables:
    return {
        "prices": [*_prices_for_any(chance), *chance.some(25, lambda: _price(chance))],
        "regionGroups": [*_GROUPS],
        "deployments": chance.some(8, lambda: _deployment(chance)),
        "consumers": [*_OWNERS, *chance.some(5, lambda: _consumer(chance))],
        "discounts": chance.some(6, lambda: _discount(chance)),
        "provisioned": chance.some(4, lambda: _purchase(chance)),
        "provisionedWeights": chance.some(3, lambda: _weights(chance)),
        "currencies": [
            {"currency": "EUR", "unitsPerUsd": Decimal("0.9"), "validFrom": "2026-10-03T00:00:00Z"},
            {"currency": "EUR", "unitsPerUsd": Decimal("0.8725"), "validFrom": chance.moment(0)},
        ],
    }


def _prices_for_any(chance: Chance) -> list[Row]:
    """Return prices that fit whatever no other fits, so that most calls have one."""
    whole = {"promptUsdPerMillion": Decimal("1.25"), "completionUsdPerMillion": 5}
    rows: list[Row] = [{"model": model, "batch": batch, **whole} for model in PLAIN_MODELS for batch in (False, True)]
    return [row for row in rows if chance.often(90)]


def _price(chance: Chance) -> Row:
    band = chance.one_of("", "", "short", "long")
    return {
        "publisher": chance.one_of("OpenAI", "Anthropic"),
        "model": chance.one_of(*PLAIN_MODELS),
        "modelVersion": chance.one_of("", "", "", "2024-11-20", "0125"),
        "deploymentType": chance.one_of("", "global", "datazone", "regional"),
        "regionGroup": chance.one_of("", "", "", "europe", "eastus2"),
        "contextBand": band,
        "contextThreshold": chance.one_of(1000, 2500) if band else None,
        "serviceTier": chance.one_of("", "", "standard", "priority"),
        "batch": chance.often(15),
        "priceKind": chance.one_of("list", "list", "list", "contract"),
        "validFrom": chance.moment(60),
        **{f"{part}UsdPerMillion": chance.usd() for part in PARTS},
    }


def _deployment(chance: Chance) -> Row:
    return {
        "backendHost": chance.one_of("", "", *HOSTS),
        "deployment": chance.one_of(*DEPLOYMENTS, ""),
        "model": chance.one_of("", *MODELS),
        "modelVersion": chance.one_of("", "", "2024-11-20", "0125"),
        "sku": chance.one_of(*SKUS),
        "modelRegion": chance.one_of("", *REGIONS),
        "validFrom": chance.moment(60),
    }


def _consumer(chance: Chance) -> Row:
    return {
        "consumerId": chance.one_of(*CONSUMERS[:3]),
        "businessUnit": chance.one_of(*UNITS),
        "validFrom": chance.moment(),
        "validTo": chance.moment(0) if chance.often(40) else None,
    }


def _discount(chance: Chance) -> Row:
    fixed = chance.often(30)
    return {
        "businessUnit": chance.one_of(*UNITS),
        "publisher": chance.one_of("", "", "OpenAI"),
        "model": chance.one_of("", "gpt-4o", "claude"),
        "deploymentType": chance.one_of("", "", "global"),
        "part": chance.one_of("", "prompt", "cached", "completion"),
        "percent": None if fixed else chance.one_of(None, Decimal("12.5"), -3, 40),
        "usdPerMillion": Decimal("1.37") if fixed else None,
        "validFrom": chance.moment(),
    }


def _purchase(chance: Chance) -> Row:
    hourly = chance.often(50)
    return {
        "backendHost": chance.one_of("", "", *HOSTS),
        "deployment": chance.one_of("ptu", "chat"),
        "units": chance.random.randrange(1, 9),
        "usdPerUnitHour": Decimal("1.10") if hourly else None,
        "usdPerMonth": None if hourly else 265,
        "validFrom": chance.moment(),
        "validTo": chance.moment(0) if chance.often(60) else None,
    }


def _weights(chance: Chance) -> Row:
    return {
        "model": chance.one_of(*PLAIN_MODELS),
        "outputRatio": chance.one_of(4, 8),
        "cachedWeight": chance.one_of(0, Decimal("0.1")),
        "cacheWriteWeight": 1,
        "validFrom": chance.moment(),
    }


def _records(chance: Chance, name: str) -> Sequence[Row]:
    """Return the events of one call: often one, at times delivered again, or told by the gateway's log."""
    after = timedelta(milliseconds=chance.random.randrange(-3_600_000, 31 * 86_400_000 + 3_600_000))
    time = (START + after).isoformat()
    about = _call(chance) | {"recordId": name, "eventTime": time}
    if chance.often(10):
        late = {"sent": (datetime.fromisoformat(time) + timedelta(days=chance.random.randrange(12))).isoformat()}
        return [*events_of(about | _counts(chance) | late)]
    if chance.often(10):
        return [*events_of(about | _counts(chance))] * 2
    if chance.often(15):
        log = {"recordId": name, "recordShape": "llm-log", "eventTime": time, "consumerType": None, "statusCode": None}
        waiting = {"usageSource": "pending", "note": "stream-not-read", "streamed": True}
        return [*events_of(about | waiting), *events_of(log | _counts(chance))]
    if chance.often(15):
        notes = (None, "error:content_filter", "error:odd")
        failed = {"statusCode": chance.one_of(200, 400, 401, 429, 499, 500), "note": chance.one_of(*notes)}
        return [*events_of(about | failed)]
    return [*events_of(about | _counts(chance))]


def _call(chance: Chance) -> Row:
    asked = chance.one_of(*DEPLOYMENTS)
    answered = chance.one_of(None, None, asked, "spare")
    return {
        "consumerId": chance.one_of(*CONSUMERS, None),
        "deploymentId": asked,
        "servedDeployment": answered,
        "spilloverFrom": asked if chance.often(8) else None,
        "backendHost": chance.one_of(None, *HOSTS),
        "model": chance.one_of(None, *(f"{model}{chance.one_of(*VERSIONS)}" for model in MODELS)),
        "modelRegion": chance.one_of(None, "Sweden Central", "East US 2"),
        "serviceTier": chance.one_of(None, None, "default", "priority", "batch"),
    }


def _counts(chance: Chance) -> Row:
    """Return counts that fit together as a rule, and do not at times."""
    prompt, completion = chance.random.randrange(4000), chance.random.randrange(900)
    parts: Row = {name: _part(chance, prompt // 4) for name in _INSIDE_PROMPT}
    parts |= {name: _part(chance, completion) for name in _INSIDE_COMPLETION}
    if parts["cacheWriteTokens"] is not None:
        parts["cacheWrite1hTokens"] = _part(chance, parts["cacheWriteTokens"])
    if chance.often(4):
        parts[chance.one_of(*_INSIDE_PROMPT, *_INSIDE_COMPLETION)] = 5000
    if chance.often(4):
        return parts | {"promptTokens": None, "completionTokens": completion, "totalTokens": prompt + completion}
    return parts | {"promptTokens": prompt, "completionTokens": completion if chance.often(92) else None}


def _part(chance: Chance, most: int) -> int | None:
    return chance.random.randrange(most + 1) if chance.often(40) else None
