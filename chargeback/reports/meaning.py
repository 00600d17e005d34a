"""What a reference row must say before anything is billed from it: what the queries would pass over without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from chargeback.reports.literals import Value

Row = Mapping[str, Value]

PARTS = frozenset(
    {"prompt", "cached", "cacheWrite", "cacheWrite1h", "audioPrompt", "imagePrompt", "completion", "audioCompletion"}
)
_KINDS = frozenset({"", "global", "datazone", "regional"})
WORDS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        ("deployments", "sku"): frozenset(
            {
                *("GlobalStandard", "DataZoneStandard", "Standard", "GlobalBatch", "DataZoneBatch"),
                *("GlobalProvisionedManaged", "DataZoneProvisionedManaged", "ProvisionedManaged"),
            }
        ),
        ("discounts", "deploymentType"): _KINDS,
        ("discounts", "part"): PARTS | {""},
        ("overheads", "splitBy"): frozenset({"calls", "tokens", "fixed"}),
        ("prices", "contextBand"): frozenset({"", "short", "long"}),
        ("prices", "deploymentType"): _KINDS,
        ("prices", "priceKind"): frozenset({"list", "contract"}),
    }
)
"""Table and column -> the words that may stand there."""
_ANY_CASE = frozenset({"deploymentType", "sku"})
"""Columns in which queries take capitals for small letters; in others they do not."""
BILLED_AS_STANDARD = frozenset({"default", "auto", "batch"})
"""What a response calls the tier `standard`, as `kql/lib/cost.kql` reads it; no price is of such a tier."""
NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "budgets": ("businessUnit",),
        "consumers": (),
        "currencies": ("currency", "unitsPerUsd"),
        "deployments": (),
        "discounts": (),
        "overheads": ("overhead", "usdPerMonth"),
        "prices": ("model",),
        "provisioned": ("deployment", "units"),
        "provisionedWeights": ("model",),
        "regionGroups": ("regionGroup", "region"),
    }
)
"""Table -> columns without which a row says nothing; `validFrom` is one of them wherever there is one."""


def problems(table: str, row: Row) -> Iterator[str]:
    """Yield what is wrong with a row, each a sentence that says what to write instead.

    `row` is one of `Reference.rows`, with all columns of kql/lib's table of that name.
    """
    for column in (*NEEDED[table], *(["validFrom"] if "validFrom" in row else [])):
        if row[column] in (None, ""):
            yield f"{column} is empty: a row without it counts nowhere, so write it"
    for (where, column), words in WORDS.items():
        if where == table and not _is_one_of(words, row[column], any_case=column in _ANY_CASE):
            known = ", ".join(word or '""' for word in sorted(words))
            yield f"{column} is {row[column]!r}, which nothing knows: write one of {known}"
    if table == "currencies" and row["unitsPerUsd"] == 0:
        yield "unitsPerUsd is 0: write what a US dollar is worth"
    if table == "discounts":
        yield from _of_a_discount(row)
    if table == "overheads" and row["splitBy"] == "fixed" and row["businessUnit"] and row["share"] is None:
        yield "share is empty: write the unit's share of it, 0.25 for a quarter"
    if table == "prices" and row["contextBand"] and row["contextThreshold"] is None:
        yield "contextThreshold is empty: a context band begins or ends at a number of tokens"
    if table == "prices" and str(row["serviceTier"]).lower() in BILLED_AS_STANDARD:
        yield f"serviceTier is {row['serviceTier']!r}, and such calls are priced as standard: write that"
    if table == "provisioned":
        yield from _of_a_purchase(row)
    begins, ends = row.get("validFrom"), row.get("validTo")
    if isinstance(begins, datetime) and isinstance(ends, datetime) and ends <= begins:
        yield "validTo is not after validFrom: a row is in force from the one until right before the other"


def _is_one_of(words: frozenset[str], said: Value, *, any_case: bool) -> bool:
    return said in words or (any_case and str(said).lower() in {word.lower() for word in words})


def _of_a_discount(row: Row) -> Iterator[str]:
    if row["percent"] is not None and row["usdPerMillion"] is not None:
        yield "percent and usdPerMillion are both given: write one of them (neither ends a discount)"
    if row["usdPerMillion"] is not None and not row["part"]:
        yield "usdPerMillion is for no part: one price for prompt and completion; write a row for each part"


def _of_a_purchase(row: Row) -> Iterator[str]:
    if (row["usdPerUnitHour"] is None) == (row["usdPerMonth"] is None):
        yield "usdPerUnitHour or usdPerMonth: write one of them, and real(null) for the other"
    if row["units"] == 0:
        yield "units is 0: write how many were bought"
