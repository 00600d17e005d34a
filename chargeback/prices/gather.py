"""Candidates for prices.kql from every source, for the models that are wanted; and what became none, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from chargeback.prices.assemble import Places, Problem, assemble
from chargeback.prices.items import RetailPrice
from chargeback.prices.meters import Cause, Meter, Unmapped, read_meter
from chargeback.prices.publisher import claude_rows
from chargeback.prices.rows import ModelName, PriceRow, same_version
from chargeback.prices.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """A meter that is no row of prices.kql, for somebody to look at."""

    product: str
    meter: str
    unit: str
    why: str
    cheapest: Decimal
    """Among its prices, by its own unit."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the sources say of the models that are wanted, and what nobody could use."""

    rows: tuple[PriceRow, ...]
    problems: tuple[Problem, ...]
    unknown: tuple[Listed, ...]
    """Meters that the vocabulary cannot read: listed, never dropped."""
    no_column: tuple[Listed, ...]
    others: Mapping[str, int]
    """Why meters are no token prices of ours -> how many there are."""
    without: tuple[ModelName, ...]
    """Models that are wanted and that no source prices."""


def gather(
    prices: Sequence[RetailPrice],
    wanted: Collection[ModelName] | None,
    places: Places,
    read_on: date,
    vocabulary: Vocabulary,
) -> Gathered:
    """Make rows of the meters and of publishers' lists, for the models that are wanted; for all with `None`."""
    mapped: list[tuple[Meter, RetailPrice]] = []
    reads: dict[tuple[str, str, str], Meter | Unmapped] = {}
    listed: dict[Cause, dict[tuple[str, str, str], Listed]] = {Cause.UNKNOWN: {}, Cause.NO_COLUMN: {}}
    others: Counter[str] = Counter()
    for price in prices:
        if why := _not_ours(price, vocabulary):
            others[why] += 1
            continue
        # The same meter comes once a region: it is read once.
        name = (price.meter_name, price.product_name, price.unit_of_measure)
        if name not in reads:
            reads[name] = read_meter(*name, vocabulary)
        read = reads[name]
        if isinstance(read, Meter):
            mapped.append((read, price))
        elif read.cause in listed:
            _list(listed[read.cause], price, read)
        else:
            others[f"{read.cause}: {read.why}"] += 1
    chosen = [(meter, price) for read, price in mapped if (meter := _only(read, wanted)).models]
    assembled = assemble(chosen, places, vocabulary.thresholds, read_on)
    rows = (*assembled.rows, *(row for row in claude_rows() if _is_wanted(row.key.name, wanted)))
    priced = {row.key.model for row in rows}
    return Gathered(
        rows=rows,
        problems=assembled.problems,
        unknown=tuple(sorted(listed[Cause.UNKNOWN].values())),
        no_column=tuple(sorted(listed[Cause.NO_COLUMN].values())),
        others=dict(sorted(others.items())),
        without=tuple(sorted(name for name in wanted or () if name.model not in priced)),
    )


def _not_ours(price: RetailPrice, vocabulary: Vocabulary) -> str:
    if price.type != "Consumption":
        return f"of the type {price.type}"
    if price.tier_minimum_units > 0:
        return "for volumes above a minimum"
    if (price.arm_region_name or "").lower().startswith(vocabulary.other_clouds):
        return "of another cloud"
    return ""


def _list(found: dict[tuple[str, str, str], Listed], price: RetailPrice, read: Unmapped) -> None:
    key = (price.product_name, price.meter_name, price.unit_of_measure)
    before = found.get(key)
    cheapest = min(price.retail_price, before.cheapest) if before else price.retail_price
    found[key] = Listed(*key, read.why, cheapest)


def _only(meter: Meter, wanted: Collection[ModelName] | None) -> Meter:
    return replace(meter, models=tuple(name for name in meter.models if _is_wanted(name, wanted)))


def _is_wanted(name: ModelName, wanted: Collection[ModelName] | None) -> bool:
    """Tell whether a name is wanted; a version that one of the two does not say rules nothing out."""
    return wanted is None or any(
        name.model == other.model
        and (not name.version or not other.version or same_version(name.version, other.version))
        for other in wanted
    )
