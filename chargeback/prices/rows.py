"""A row of prices.kql: what it is about, its prices, and where they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from chargeback.reports.models import taken_apart

_MONTH_AND_DAY = 4
AZURE = "Azure Retail Prices API"
"""How the source of rows from the API begins."""


class Part(StrEnum):
    """Tokens of one kind; the name is the beginning of the column, `promptUsdPerMillion`."""

    PROMPT = "prompt"
    CACHED = "cached"
    CACHE_WRITE = "cacheWrite"
    CACHE_WRITE_1H = "cacheWrite1h"
    COMPLETION = "completion"
    AUDIO_PROMPT = "audioPrompt"
    AUDIO_COMPLETION = "audioCompletion"
    IMAGE_PROMPT = "imagePrompt"


class PriceKind(StrEnum):
    """Whose price it is."""

    LIST = "list"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """A model as prices.kql names it."""

    model: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.model} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which calls a row is about; an empty text means any."""

    publisher: str
    model: str
    """Lower case, without a version at its end."""
    model_version: str
    deployment_type: str
    """`global`, `datazone`, `regional`."""
    region_group: str
    """A region of Azure, or a group that `regionGroups.kql` names."""
    context_band: str
    """`short` or `long`."""
    service_tier: str
    """`standard`, `priority`, `flex`."""
    batch: bool
    kind: PriceKind

    @property
    def name(self) -> ModelName:
        """The model."""
        return ModelName(self.model, self.model_version)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One row, as it stands in the file."""

    key: Key
    context_threshold: int | None
    """Prompt tokens up to which `short` applies and above which `long` does."""
    valid_from: datetime
    """UTC."""
    prices: Mapping[Part, Decimal]
    """USD per million tokens; a part that is not here has no price of its own."""
    meter_id: str
    """The retail meters' ids, `prompt=... completion=...`."""
    source: str
    """Where the prices are from, and when they were read there."""

    @property
    def read_on(self) -> date:
        """The day that the source was read: the last date in it, else the first day of the price."""
        found = re.findall(r"\d{4}-\d{2}-\d{2}", self.source)
        try:
            return date.fromisoformat(found[-1]) if found else self.valid_from.date()
        except ValueError:
            return self.valid_from.date()


def model_name(text: str) -> ModelName:
    """Read a model's name as a response or a person writes it: case, a date at its end, `gpt-35`."""
    return ModelName(*taken_apart(text))


def same_version(one: str, other: str) -> bool:
    """Tell whether two versions are one: hyphens do not matter, and four digits are a day of any year."""
    first, second = (re.sub(r"^turbo|[^0-9a-z.]", "", text.lower()) for text in (one, other))
    shorter, longer = sorted((first, second), key=len)
    return first == second or (len(shorter) == _MONTH_AND_DAY and longer.endswith(shorter))


def region_name(text: str) -> str:
    """Return a region's short name: `East US 2` is eastus2."""
    return re.sub(r"[\s-]", "", text).lower()


def midnight(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
