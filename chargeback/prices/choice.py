"""Which rows count: those in force at a time, those that fit a use, and those that nobody could choose between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import TypeAlias

from chargeback.prices.datatable import read_table
from chargeback.prices.rows import Key, ModelName, PriceRow

Groups: TypeAlias = Mapping[str, frozenset[str]]
"""Group of regions -> its regions."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A model as it was used, as far as anybody knows."""

    name: ModelName
    deployment_type: str = ""
    """Empty where nobody told."""
    region: str = ""
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rows that are equally specific for some call: nobody can say which price is meant."""

    first: PriceRow
    second: PriceRow
    why: str


def read_groups(text: str, file: str = "regionGroups.kql") -> Groups:
    """Read regionGroups.kql.

    Raises:
        PriceError: it is not of that form.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for row in read_table(text, file).dicts():
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
    """Tell whether a row may price a use; what is not known of the use rules nothing out."""
    key = row.key
    where = key.region_group in ("", use.region) or use.region in groups.get(key.region_group, frozenset())
    return (
        key.model == use.name.model
        and key.model_version in ("", use.name.version)
        and (not use.deployment_type or key.deployment_type in ("", use.deployment_type))
        and (where or not use.region)
        and key.batch is use.batch
    )


def clashes(rows: Sequence[PriceRow], groups: Groups) -> list[Clash]:
    """Return every two rows of which neither is more specific, and neither follows the other."""
    found = []
    by_subject: dict[Key, list[PriceRow]] = defaultdict(list)
    for row in rows:
        by_subject[replace(row.key, region_group="")].append(row)
    for subject in by_subject.values():
        for first, second in combinations(subject, 2):
            if why := _equally_specific(first, second, groups):
                found.append(Clash(first, second, why))
    return found


def _equally_specific(first: PriceRow, second: PriceRow, groups: Groups) -> str:
    one, other = first.key.region_group, second.key.region_group
    if one == other:
        return "they say the same of the same day" if first.valid_from == second.valid_from else ""
    # A region is more specific than a group with it in; of two groups with a region in common neither is.
    shared = groups.get(one, frozenset()) & groups.get(other, frozenset())
    return f"both groups hold {min(shared)}" if shared else ""
