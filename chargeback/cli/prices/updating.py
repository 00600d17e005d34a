"""`chargeback prices update`: new rows from Azure's price list and from publishers', shown before they are written."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chargeback.cli.prices.reference import Reference
from chargeback.cli.prices.told import tell_contradictions, tell_gathered, tell_opinion
from chargeback.cli.prices.wanted import uses_of
from chargeback.cli.program import say, shown
from chargeback.errors import ChargebackError, PriceError
from chargeback.prices.assemble import Places
from chargeback.prices.choice import UNKNOWN, Groups, clashes
from chargeback.prices.file import FILE, read_prices
from chargeback.prices.gather import gather
from chargeback.prices.plan import Plan, plan
from chargeback.prices.retail import fetch
from chargeback.prices.rows import PriceRow, region_name
from chargeback.prices.vocabulary import vocabulary
from chargeback.reports.appending import replace

_LONGEST = 100_000
"""Characters that a file of the library may have: Bicep loads no more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for; the command's options say what each is."""

    store: str
    models: str
    every: bool
    regions: tuple[str, ...]
    write: bool
    url: str


def update_prices(choice: Choice, tables: Reference) -> None:
    """Show what is new, and write it if that is wanted.

    Raises:
        ChargebackError: the options do not go together, or the store cannot be asked.
        PriceError: the price list cannot be had, or two rows would say different things of the same calls.
        ReferenceDataError: the file cannot be read, or has changed meanwhile.
    """
    if choice.every and (choice.store or choice.models):
        raise ChargebackError("--all is for every model: leave out --store and --models")
    file, groups, now = tables.prices(), tables.groups(), datetime.now(UTC)
    uses = {} if choice.every else uses_of(choice.store, choice.models, tables)
    places = _places([*choice.regions, *sorted({use.region for use in uses} - {"", UNKNOWN})], groups)
    regions = sorted({name for group in places.values() for name in group})
    prices = fetch(regions, url=choice.url, progress=_tell_pages)
    wanted = None if choice.every else {use.name for use in uses}
    gathered = gather(prices, wanted, places, now.date(), vocabulary())
    planned = plan(gathered.rows, file, groups, now.date())
    _show(file.text, planned, tables.target())
    tell_gathered(gathered)
    tell_contradictions(planned)
    after = _checked(planned, groups)
    tell_opinion(after, None if choice.every else uses, groups, now)
    _finish(file.text, planned, tables.target(), choice.write)


def _show(before: str, planned: Plan, target: Path) -> None:
    """Print the change as a diff; a line that is taken away would be a mistake of ours."""
    lines = difflib.unified_diff(
        before.splitlines(), planned.text.splitlines(), shown(target), f"{shown(target)}, updated", n=1, lineterm=""
    )
    for line in lines:
        print(line)


def _checked(planned: Plan, groups: Groups) -> tuple[PriceRow, ...]:
    """Return the rows as they would be.

    Raises:
        PriceError: the file would be too long, or hold two rows between which nobody can choose.
    """
    if len(planned.text) > _LONGEST:
        raise PriceError(
            f"{FILE} would have {len(planned.text):,} characters, and queries and Bicep take {_LONGEST:,} at most: "
            "name fewer models or regions"
        )
    rows = read_prices(planned.text).rows
    doubtful = next((clash for clash in clashes(rows, groups) if clash.second in planned.added), None)
    if doubtful is not None:
        raise PriceError(
            f"two rows of {doubtful.second.key.name} would be equally specific ({doubtful.why}): name one group"
        )
    return rows


def _finish(before: str, planned: Plan, target: Path, write: bool) -> None:
    rows = f"{len(planned.added)} new rows" if len(planned.added) != 1 else "1 new row"
    kept = f"{len(planned.confirmed)} models as they were"
    if planned.text == before:
        print(f"\nNothing to write: {kept}.")
    elif write:
        replace(target, before if target.exists() else "", planned.text)
        print(f"\nWrote {rows} to {shown(target)}; {kept}.")
    else:
        print(f"\nNothing is written: {rows}, {kept}. Add --write to write {shown(target)}.")


def _places(named: list[str], groups: Groups) -> Places:
    return {name: groups[name] for name in named if name in groups} | {
        region_name(name): frozenset({region_name(name)}) for name in named if name not in groups
    }


def _tell_pages(pages: int, meters: int) -> None:
    say(f"page {pages}, {meters:,} prices so far")
