"""What is wrong with the prices of the models in use: missing, old, or two where one should be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chargeback.prices.choice import STANDARD, UNKNOWN, Clash, Groups, Use, clashes, fits, in_force, winning
from chargeback.prices.file import PriceFile
from chargeback.prices.plan import last_read
from chargeback.prices.rows import PriceKind, PriceRow

OLD = timedelta(days=90)
"""How long a list price is believed after its source was read."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to do."""

    use: Use
    what: str


def review(file: PriceFile, wanted: Iterable[Use], groups: Groups, at: datetime) -> list[Finding]:
    """Return which uses have no price at a time, and whose prices were read too long ago.

    A contract's price is as old as the contract: it has no source to read again.
    """
    current = tuple(in_force(file.rows, at).values())
    found = []
    for use in sorted(wanted):
        rows = winning(current, use, groups)
        if not rows:
            found.append(Finding(use, _missing(use, current, groups)))
        elif old := [row for row in rows if _is_old(row, file, at)]:
            read = min(last_read(row, file) for row in old)
            found.append(Finding(use, f"read {(at.date() - read).days} days ago, on {read}, from {old[0].source}"))
    return found


def _missing(use: Use, rows: Sequence[PriceRow], groups: Groups) -> str:
    """Say what there is instead, if it is the same model."""
    standard = replace(use, tier=STANDARD)
    if use != standard and any(fits(row, standard, groups) for row in rows):
        return f"no price for the tier {use.tier}"
    anywhere = Use(use.name, batch=use.batch, tier=use.tier)
    if use != anywhere and any(fits(row, anywhere, groups) for row in rows):
        unknown = use.deployment_type == UNKNOWN
        return (
            "no price until deployments.kql says how it is deployed" if unknown else "no price for this type and region"
        )
    others = sorted({row.key.model_version for row in rows if row.key.model == use.name.model})
    return f"no price; there is one for {', '.join(others)}" if any(others) else "no price"


def _is_old(row: PriceRow, file: PriceFile, at: datetime) -> bool:
    return row.key.kind is PriceKind.LIST and at.date() - last_read(row, file) > OLD


def unclear(file: PriceFile, groups: Groups) -> list[Clash]:
    """Return the rows between which nobody can choose."""
    return clashes(file.rows, groups)
