"""What a million tokens cost a call: the price row that fits it best, and what is taken off; in Decimal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from tests.money.merging import Call

Row: TypeAlias = Mapping[str, Any]
Tables: TypeAlias = Mapping[str, Iterable[Row]]

FALLBACKS = {
    "cached": "prompt",
    "cacheWrite": "prompt",
    "cacheWrite1h": "cacheWrite",
    "audioPrompt": "prompt",
    "imagePrompt": "prompt",
    "audioCompletion": "completion",
}
"""A part without a price of its own -> the part that it is then billed as."""


@dataclass(frozen=True, slots=True)
class Served:
    """What served a call."""

    model: str
    version: str
    kind: str
    """`global`, `datazone`, `regional`; empty: nobody knows."""
    provisioned: bool
    batch: bool
    tier: str
    region: str


def valid(rows: Iterable[Row], time: datetime) -> Iterator[Row]:
    """Yield the rows in force at a time; validTo is the first moment after a row's."""
    for row in rows:
        ends = row.get("validTo")
        if since(row) <= time and (ends is None or datetime.fromisoformat(ends) > time):
            yield row


def since(row: Row) -> datetime:
    return datetime.fromisoformat(row.get("validFrom", "2026-01-01T00:00:00Z"))


def served(call: Call, tables: Tables) -> Served:
    """Find what served: the deployment that answered, else the one asked for, else what the response says."""
    row = _deployment(call, tables)
    own = row.get("model") or call.text("model")
    name, version = named(own)
    if row.get("modelVersion"):
        version = _digits(row["modelVersion"])
    elif named(call.text("model"))[0] == name:
        version = named(call.text("model"))[1]
    sku, tier = row.get("sku", ""), call.text("serviceTier").lower()
    return Served(
        model=name,
        version=version,
        kind=_kind(sku),
        provisioned=sku.endswith("ProvisionedManaged"),
        batch=sku.endswith("Batch") or tier == "batch",
        tier="standard" if tier in ("", "default", "auto", "batch") else tier,
        region=_plain(row.get("modelRegion") or call.text("modelRegion")),
    )


def _deployment(call: Call, tables: Tables) -> Row:
    answered = call.text("servedDeployment").lower()
    # Where another deployment stood in, the one that was asked for says nothing of what served.
    asked = "" if call.text("spilloverFrom") else call.text("deploymentId").lower()
    points = {asked: 2, answered: 4} | {"": 0}
    host = call.text("backendHost").lower()
    fits = [
        (points[row.get("deployment", "").lower()] + bool(row.get("backendHost")), since(row), row)
        for row in valid(tables.get("deployments", ()), call.time)
        if row.get("deployment", "").lower() in points and row.get("backendHost", "").lower() in ("", host)
    ]
    return max(fits, key=lambda fit: fit[:2])[2] if fits else {}


def _kind(sku: str) -> str:
    for start, kind in (("Global", "global"), ("DataZone", "datazone"), ("Standard", "regional")):
        if sku.startswith(start):
            return kind
    return "regional" if sku == "ProvisionedManaged" else ""


def named(text: str) -> tuple[str, str]:
    """Split a model's name into its plain name and its version's digits."""
    name, version = text.strip().lower(), ""
    found = re.fullmatch(r"(.+)[-@](\d{4}-\d\d-\d\d|\d{8}|\d{4})", name)
    if found and _is_day(_digits(found[2])):
        name, version = found[1], _digits(found[2])
    return ("gpt-3.5" + name[6:] if name.startswith("gpt-35") else name), version


def _is_day(digits: str) -> bool:
    try:
        date.fromisoformat(digits if len(digits) == 8 else f"2024{digits}")
    except ValueError:
        return False
    return True


def _digits(version: str) -> str:
    return re.sub(r"[^0-9]", "", version) if re.search(r"\d{4}|-\d\d-", version) else version.lower()


def _plain(region: str) -> str:
    return re.sub(r"[^a-z0-9]", "", region.lower())


def price_rows(call: Call, what: Served, tables: Tables) -> dict[str, Row | None]:
    """Return the row of each kind, `contract` and `list`; None where two rows are equally good."""
    found: dict[str, Row | None] = {}
    for kind in ("contract", "list"):
        fits = [
            (points, since(row), row)
            for row in valid(tables.get("prices", ()), call.time)
            if row.get("priceKind", "list") == kind and (points := _points(row, call, what, tables)) is not None
        ]
        if fits:
            found[kind] = _best(fits)
    return found


def _best(fits: list[tuple[int, datetime, Row]]) -> Row | None:
    """Take the row that names most; of rows that name the same the latest."""
    most = max(points for points, _, _ in fits)
    latest: dict[tuple[str, ...], tuple[datetime, list[Row]]] = {}
    for points, since_, row in fits:
        if points == most:
            pattern = (*(str(row.get(name, "")) for name in _NAMING), named(row["model"])[1])
            newest, rows = latest.get(pattern, (since_, []))
            if since_ >= newest:
                latest[pattern] = (since_, [*(rows if since_ == newest else []), row])
    rivals = [row for _, rows in latest.values() for row in rows]
    different = [row for number, row in enumerate(rivals) if row not in rivals[:number]]
    return different[0] if len(different) == 1 else None


_NAMING = ("modelVersion", "deploymentType", "regionGroup", "serviceTier", "contextBand")


def _points(row: Row, call: Call, what: Served, tables: Tables) -> int | None:
    """Count what a price row names of a call; None where it is about other calls."""
    name, version = named(row["model"])
    version = _digits(row.get("modelVersion", "")) or version
    region = _region_points(row.get("regionGroup", ""), what.region, tables)
    threshold = row.get("contextThreshold")
    # Without a threshold nobody knows where the band is.
    band = "" if threshold is None else "long" if call.count("promptTokens") > threshold else "short"
    checks = (
        name == what.model,
        not version
        or version == what.version
        or (len(version) == 4 and what.version.endswith(version))
        or (len(what.version) == 4 and version.endswith(what.version)),
        row.get("deploymentType", "") in ("", what.kind),
        row.get("serviceTier", "") in ("", what.tier),
        row.get("contextBand", "") in ("", band),
        row.get("batch", False) is what.batch,
        region is not None,
    )  # fmt: skip  (a check a line)
    if region is None or not all(checks):
        return None
    return region + sum(bool(row.get(name)) for name in _NAMING[1:] if name != "regionGroup") + bool(version)


def _region_points(group: str, region: str, tables: Tables) -> int | None:
    if not group:
        return 0
    if _plain(group) == region:
        return 2
    members = {_plain(row["region"]) for row in tables.get("regionGroups", ()) if row["regionGroup"] == group}
    return 1 if region in members else None


def price_of(part: str, rows: Sequence[Row]) -> tuple[Decimal | None, str]:
    """Return a part's price, and the part that it is billed as where no row has one of its own for it.

    The closest price counts, whichever row names it; of two as close the earlier row's.
    """
    billed = part
    while True:
        for row in rows:
            if (usd := row.get(f"{billed}UsdPerMillion")) is not None:
                return Decimal(usd), "" if billed == part else billed
        if billed not in FALLBACKS:
            return None, ""
        billed = FALLBACKS[billed]


def charged(usd: Decimal, part: str, keys: Mapping[str, str], time: datetime, tables: Tables) -> Decimal:
    """Take off what the unit's best discount for the part takes off; `keys` is what a discount may name."""
    scope = {**keys, "part": part}
    fits = [
        (sum(bool(row.get(name)) for name in scope), since(row), row)
        for row in valid(tables.get("discounts", ()), time)
        if all(row.get(name, "") in ("", value) for name, value in scope.items())
    ]
    if not fits:
        return usd
    row = max(fits, key=lambda fit: fit[:2])[2]
    if row.get("usdPerMillion") is not None:
        return Decimal(row["usdPerMillion"])
    return usd * (100 - Decimal(row.get("percent") or 0)) / 100
