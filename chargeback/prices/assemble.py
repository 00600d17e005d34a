"""Rows of meters: the parts of one model's price, which the API lists one by one, put together and dated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from chargeback.prices.items import RetailPrice
from chargeback.prices.meters import Meter
from chargeback.prices.rows import AZURE, Key, ModelName, Part, PriceKind, PriceRow

Places: TypeAlias = Mapping[str, frozenset[str]]
"""Region or group of regions for which rows are wanted -> the regions in it."""
_OF_A_PLACE = frozenset({"datazone", "regional"})
_PROMPTS = frozenset({Part.PROMPT, Part.AUDIO_PROMPT, Part.IMAGE_PROMPT})
_COMPLETIONS = frozenset({Part.COMPLETION, Part.AUDIO_COMPLETION})


@dataclass(frozen=True, slots=True)
class Problem:
    """Meters that make no row, and why."""

    key: Key
    valid_from: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the meters came to."""

    rows: tuple[PriceRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Quote:
    """A part's price in one region from a day on."""

    region: str
    since: datetime
    price: Decimal
    meter_id: str


_Parts: TypeAlias = dict[Part, list[_Quote]]


def assemble(
    priced: Sequence[tuple[Meter, RetailPrice]], places: Places, thresholds: Mapping[str, int], read_on: date
) -> Assembled:
    """Return dated rows: global ones for all regions, the others for each of `places`.

    `thresholds` is the publisher's prompt tokens above which its long-context prices apply; the meters do not say.
    """
    banded = {(meter.publisher, name.model) for meter, _ in priced if meter.context_band for name in meter.models}
    subjects: dict[Key, _Parts] = defaultdict(lambda: defaultdict(list))
    prompt_only: dict[Key, bool] = {}
    for meter, price in priced:
        for name in meter.models:
            for place in _places(meter, price, places):
                key = _key(meter, name, place, (meter.publisher, name.model) in banded)
                subjects[key][meter.part].append(_quote(meter, price))
                prompt_only[key] = meter.prompt_only
    rows: list[PriceRow] = []
    problems: list[Problem] = []
    for key, parts in subjects.items():
        if key.context_band and key.publisher not in thresholds:
            since = min(quote.since for quotes in parts.values() for quote in quotes)
            problems.append(Problem(key, since, f"nobody told where long context begins with {key.publisher}"))
            continue
        made, left = _timeline(key, parts, prompt_only[key], read_on)
        threshold = thresholds[key.publisher] if key.context_band else None
        rows.extend(replace(row, context_threshold=threshold) for row in made)
        problems.extend(left)
    order = sorted(rows, key=lambda row: (row.key, row.valid_from))
    return Assembled(tuple(order), tuple(problems))


def _places(meter: Meter, price: RetailPrice, places: Places) -> Iterable[str]:
    if meter.deployment_type not in _OF_A_PLACE:
        return [""]
    return [place for place, regions in places.items() if price.arm_region_name in regions]


def _key(meter: Meter, name: ModelName, place: str, banded: bool) -> Key:
    return Key(
        publisher=meter.publisher,
        model=name.model,
        model_version=name.version,
        deployment_type=meter.deployment_type,
        region_group=place,
        # A meter that names no band, of a model that has them, is the one for short prompts.
        context_band=meter.context_band or ("short" if banded else ""),
        service_tier=meter.service_tier,
        batch=meter.batch,
        kind=PriceKind.LIST,
    )


def _quote(meter: Meter, price: RetailPrice) -> _Quote:
    amount = price.retail_price * meter.per_million
    return _Quote(price.arm_region_name or "", price.effective_start_date, amount, price.meter_id)


def _timeline(key: Key, parts: _Parts, prompt_only: bool, read_on: date) -> tuple[list[PriceRow], list[Problem]]:
    """Return a row for each day on which a price changes; none for days on which regions disagree."""
    rows: list[PriceRow] = []
    problems: list[Problem] = []
    for since in sorted({quote.since for quotes in parts.values() for quote in quotes}):
        counting = {part: _counting(quotes, since) for part, quotes in parts.items()}
        if disagreeing := [part for part, quotes in counting.items() if len({quote.price for quote in quotes}) > 1]:
            problems.append(Problem(key, since, _disagreement(disagreeing[0], counting[disagreeing[0]])))
            continue
        known = {part: quotes[0] for part, quotes in counting.items() if quotes}
        prices = {part: known[part].price for part in Part if part in known}
        if _whole(prices, prompt_only) and (not rows or rows[-1].prices != prices):
            rows.append(_row(key, since, prices, known, read_on))
    if problems and problems[-1].valid_from == since:
        # They disagree to this day: an earlier row would go on counting where it is wrong.
        return [], problems
    if not rows and not problems:
        has = ", ".join(part for part in Part if part in parts)
        problems.append(Problem(key, min(quote.since for quotes in parts.values() for quote in quotes), f"only {has}"))
    return rows, problems


def _counting(quotes: Sequence[_Quote], at: datetime) -> list[_Quote]:
    """Return what counts at a time: of each region the latest; several where two meters say so for one day."""
    latest: dict[str, list[_Quote]] = {}
    for quote in quotes:
        if quote.since > at:
            continue
        others = latest.get(quote.region, [])
        if not others or others[0].since < quote.since:
            latest[quote.region] = [quote]
        elif others[0].since == quote.since:
            others.append(quote)
    return sorted((quote for found in latest.values() for quote in found), key=lambda quote: quote.meter_id)


def _disagreement(part: Part, quotes: Sequence[_Quote]) -> str:
    said: dict[Decimal, set[str]] = defaultdict(set)
    for quote in quotes:
        said[quote.price].add(quote.region or "no region")
    told = [f"{price.normalize():f} in {_some(sorted(regions))}" for price, regions in sorted(said.items())]
    return f"{part} is {', '.join(told)}"


def _some(regions: Sequence[str]) -> str:
    more = len(regions) - 2
    return " and ".join(regions[:2]) if more < 1 else f"{regions[0]}, {regions[1]} and {more} more"


def _whole(prices: Mapping[Part, Decimal], prompt_only: bool) -> bool:
    return not _PROMPTS.isdisjoint(prices) and (prompt_only or not _COMPLETIONS.isdisjoint(prices))


def _row(
    key: Key, since: datetime, prices: Mapping[Part, Decimal], known: Mapping[Part, _Quote], read_on: date
) -> PriceRow:
    ids = [f"{part}={known[part].meter_id}" for part in prices if known[part].meter_id]
    return PriceRow(key, None, since, prices, " ".join(ids), f"{AZURE} {read_on.isoformat()}")
