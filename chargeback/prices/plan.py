"""What an update of prices.kql would add: candidates, held against what the file says already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chargeback.prices.choice import Groups, in_force
from chargeback.prices.file import PriceFile, confirmation
from chargeback.prices.rows import AZURE, Key, ModelName, PriceKind, PriceRow

_CONFIRMED_FOR = timedelta(days=30)
"""A source that says the same again is written down no more often than this."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A source that differs from a row about the very same day; rows are not edited."""

    ours: PriceRow
    theirs: PriceRow


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    added: tuple[PriceRow, ...]
    contradictions: tuple[Contradiction, ...]
    confirmed: tuple[ModelName, ...]
    """Models of which the sources say what the file says."""
    text: str
    """The file as it would be."""


def plan(candidates: Iterable[PriceRow], file: PriceFile, groups: Groups, read_on: date) -> Plan:
    """Return the rows that say something new, and the file with them.

    A key's history starts where the file starts it: what was before its first row there is not added behind its back.
    A region that a group's row prices already gets a row of its own only where it differs.
    """
    known: dict[Key, list[PriceRow]] = defaultdict(list)
    for row in file.rows:
        known[row.key].append(row)
    added: list[PriceRow] = []
    contradictions: list[Contradiction] = []
    agreed: dict[ModelName, set[str]] = {}
    # Groups first: a region with its group's price needs no row.
    for row in sorted(candidates, key=lambda row: (row.valid_from, row.key.region_group not in groups)):
        ours = in_force(known[row.key], row.valid_from).get(row.key)
        if ours is None and known[row.key]:
            continue
        if ours is None and (wider := _of_a_group(row, known, groups)) is not None and _same(wider, row):
            ours = wider
        if ours is None or (not _same(ours, row) and ours.valid_from != row.valid_from):
            added.append(row)
            known[row.key].append(row)
        elif _same(ours, row):
            agreed.setdefault(row.key.name, set()).add(_source(row))
        else:
            contradictions.append(Contradiction(ours, row))
    changed = {row.key.name for row in (*added, *(each.theirs for each in contradictions))}
    confirmed = sorted(name for name in agreed if name not in changed)
    added.sort(key=lambda row: (row.key, row.valid_from))
    return Plan(tuple(added), tuple(contradictions), tuple(confirmed), _text(file, added, confirmed, agreed, read_on))


def _of_a_group(row: PriceRow, known: Mapping[Key, Sequence[PriceRow]], groups: Groups) -> PriceRow | None:
    """Return the row of a group of regions that counts in the row's region."""
    wider = [replace(row.key, region_group=name) for name, regions in groups.items() if row.key.region_group in regions]
    found = (in_force(known.get(key, ()), row.valid_from).get(key) for key in wider)
    return next((each for each in found if each is not None), None)


def _same(ours: PriceRow, theirs: PriceRow) -> bool:
    return dict(ours.prices) == dict(theirs.prices) and ours.context_threshold == theirs.context_threshold


def _source(row: PriceRow) -> str:
    return row.source.removesuffix(row.read_on.isoformat()).strip()


def last_read(row: PriceRow, file: PriceFile) -> date:
    """Return the last day on which a source was read that says what the row says: its own, or one that confirms it."""
    days = [told.day for told in file.confirmations if str(row.key.name) in told.models]
    return max([row.read_on, *days])


def _text(
    file: PriceFile,
    added: Sequence[PriceRow],
    confirmed: Sequence[ModelName],
    agreed: Mapping[ModelName, set[str]],
    read_on: date,
) -> str:  # fmt: skip  (what is written, in two lines)
    now_due = [name for name in confirmed if AZURE in agreed[name] and _due(name, file, read_on)]
    comment = confirmation(read_on, AZURE, [str(name) for name in now_due])
    sources = sorted({row.source for row in added})
    heads = [f"added on {read_on.isoformat()} from: {', '.join(sources)}"] if added else []
    heads += [comment] if comment else []
    return file.with_rows(added, "\n".join(heads)) if heads else file.text


def _due(name: ModelName, file: PriceFile, read_on: date) -> bool:
    days = [last_read(row, file) for row in file.rows if row.key.name == name and row.key.kind is PriceKind.LIST]
    return bool(days) and read_on - min(days) >= _CONFIRMED_FOR
