"""Which rows count: those in force at a time, those that fit a use, and those that nobody could choose between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import TypeAlias

from chargeback.prices.rows import Key, ModelName, PriceKind, PriceRow, model_name, region_name, same_version
from chargeback.reports.reference import parse

Groups: TypeAlias = Mapping[str, frozenset[str]]
"""Group of regions -> its regions."""


UNKNOWN = "unknown"
"""What calls do not say and no table of deployments either: only a price for any fits."""
STANDARD = "standard"
"""The tier of calls that name none."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A model as it was used, as far as anybody knows."""

    name: ModelName
    deployment_type: str = ""
    """Empty where it is not asked about, UNKNOWN where nobody told."""
    region: str = ""
    """Likewise."""
    batch: bool = False
    tier: str = STANDARD


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rows that are equally specific for some call: nobody can say which price is meant."""

    first: PriceRow
    second: PriceRow
    why: str


def read_groups(text: str, file: str = "regionGroups.kql") -> Groups:
    """Read regionGroups.kql.

    Raises:
        ReferenceDataError: it is no table of constants.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for row in parse(text, file).rows:
        found[str(row.get("regionGroup", ""))].add(str(row.get("region", "")))
    return {group: frozenset(regions) for group, regions in found.items()}


def in_force(rows: Iterable[PriceRow], at: datetime) -> dict[Key, PriceRow]:
    """Return the rows that count at a time: of each key the latest that is valid by then."""
    latest: dict[Key, PriceRow] = {}
    for row in rows:
        other = latest.get(row.key)
        if row.valid_from <= at and (other is None or other.valid_from < row.valid_from):
            latest[row.key] = row
    return latest


def fits(row: PriceRow, use: Use, groups: Groups) -> bool:
    """Tell whether a row prices a use; a type or region that nobody asked about rules nothing out."""
    key = row.key
    return (
        key.model == use.name.model
        and (not key.model_version or same_version(key.model_version, use.name.version))
        and (not use.deployment_type or key.deployment_type in ("", use.deployment_type))
        and (not use.region or not key.region_group or use.region in _regions(key, groups))
        and key.service_tier in ("", use.tier)
        and key.batch is use.batch
    )


def winning(rows: Iterable[PriceRow], use: Use, groups: Groups) -> list[PriceRow]:
    """Return the rows in force that price a use: those that fit, without those that others overrule for all of it."""
    fitting = [row for row in rows if fits(row, use, groups)]
    return [row for row in fitting if not _is_overruled(row, fitting, use, groups)]


def _is_overruled(row: PriceRow, others: Iterable[PriceRow], use: Use, groups: Groups) -> bool:
    stronger = [
        other.key
        for other in others
        if other.key.kind is row.key.kind
        and _weight(other.key, groups) > _weight(row.key, groups)
        and (use.deployment_type or other.key.deployment_type in ("", row.key.deployment_type))
        and (use.region or _holds(other.key, row.key, groups))
    ]
    bands = (row.key.context_band,) if row.key.context_band else ("short", "long")
    return all(any(key.context_band in ("", band) for key in stronger) for band in bands)


def _holds(wider: Key, key: Key, groups: Groups) -> bool:
    """Tell whether one row is for all regions that the other is for."""
    return not wider.region_group or (bool(key.region_group) and _regions(wider, groups) >= _regions(key, groups))


def takes_from(new: Key, old: Key, groups: Groups) -> bool:
    """Tell whether a new row would price calls that another prices, or change what stands beside a contract's price.

    Models and regions are compared as the queries compare them, however they are written.
    """
    one, other = _plain(new, groups), _plain(old, groups)
    return (
        (one.model, one.batch) == (other.model, other.batch)
        and _meet(one, other, groups)
        and (one.kind is not other.kind or _weight(one, groups) >= _weight(other, groups))
    )


def _plain(key: Key, groups: Groups) -> Key:
    name, region = model_name(key.model), key.region_group
    return replace(
        key,
        model=name.model,
        model_version=key.model_version or name.version,
        region_group=region if region in groups else region_name(region),
    )


def _regions(key: Key, groups: Groups) -> frozenset[str]:
    return groups.get(key.region_group, frozenset({key.region_group}))


def clashes(rows: Sequence[PriceRow], groups: Groups) -> list[Clash]:
    """Return every two rows that some call fits, of which neither says more, and neither follows the other.

    What a row says is counted as `kql/lib/cost.kql` counts it.
    """
    found = []
    by_subject: dict[tuple[str, bool, PriceKind], list[PriceRow]] = defaultdict(list)
    for row in rows:
        by_subject[row.key.model, row.key.batch, row.key.kind].append(row)
    for subject in by_subject.values():
        for first, second in combinations(subject, 2):
            if why := _equally_specific(first, second, groups):
                found.append(Clash(first, second, why))
    return found


def _equally_specific(first: PriceRow, second: PriceRow, groups: Groups) -> str:
    one, other = first.key, second.key
    if _said(one) == _said(other):
        return "they say the same of the same day" if first.valid_from == second.valid_from else ""
    if _weight(one, groups) != _weight(other, groups) or not _meet(one, other, groups):
        return ""
    shared = _regions(one, groups) & _regions(other, groups)
    if one.region_group != other.region_group and one.region_group and other.region_group:
        return f"both groups hold {min(shared)}"
    return "each names something that the other leaves open"


def _said(key: Key) -> tuple[str, ...]:
    """Return what a row says of the calls that it is about, besides their model."""
    return key.model_version, key.deployment_type, key.region_group, key.service_tier, key.context_band


def _weight(key: Key, groups: Groups) -> int:
    """Count what a row says; a region says more than a group with it in."""
    region = 0 if not key.region_group else 1 if key.region_group in groups else 2
    said = (key.model_version, key.deployment_type, key.service_tier, key.context_band)
    return region + sum(map(bool, said))


def _meet(one: Key, other: Key, groups: Groups) -> bool:
    """Tell whether some call fits both."""
    open_or_same = all(
        not mine or not theirs or mine == theirs
        for mine, theirs in (
            (one.deployment_type, other.deployment_type),
            (one.service_tier, other.service_tier),
            (one.context_band, other.context_band),
        )
    )
    versions = not one.model_version or not other.model_version or same_version(one.model_version, other.model_version)
    places = (not one.region_group or not other.region_group) or bool(_regions(one, groups) & _regions(other, groups))
    return open_or_same and versions and places
