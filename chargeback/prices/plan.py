"""What an update of prices.kql would add: candidates, held against what the file says already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeAlias

from chargeback.prices.choice import Groups, in_force, takes_from
from chargeback.prices.file import PriceFile, confirmation
from chargeback.prices.rows import AZURE, Key, ModelName, PriceKind, PriceRow, midnight

_CONFIRMED_FOR = timedelta(days=30)
"""A source that says the same again is written down no more often than this."""


_Taken: TypeAlias = Mapping[Key, Sequence[tuple[int, PriceRow]]]
"""Key that the file does not have -> the file's rows, by line, whose calls of today it would price."""


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


def plan(candidates: Sequence[PriceRow], file: PriceFile, groups: Groups, read_on: date) -> Plan:
    """Return the rows that say something new, and the file with them.

    Closed months keep their prices. A key's history starts where the file starts it; that of a key which is not in the
    file, and takes calls from rows that are, starts today. A region that a group's row prices already gets a row of its
    own only where it differs.
    """
    known: dict[Key, list[PriceRow]] = defaultdict(list)
    for row in file.rows:
        known[row.key].append(row)
    added: list[PriceRow] = []
    contradictions: list[Contradiction] = []
    agreed: dict[ModelName, set[str]] = {}
    taken = _taken(candidates, file, groups, midnight(read_on))
    begun = _begun(candidates, known, taken, midnight(read_on))
    # Groups first: a region with its group's price needs no row.
    for row in sorted(begun, key=lambda row: (row.valid_from, row.key.region_group not in groups)):
        ours = in_force(known[row.key], row.valid_from).get(row.key)
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
    text = _text(file, added, confirmed, agreed, _notes(added, taken), read_on)
    return Plan(tuple(added), tuple(contradictions), tuple(confirmed), text)


def _taken(candidates: Iterable[PriceRow], file: PriceFile, groups: Groups, today: datetime) -> _Taken:
    new = {row.key for row in candidates} - {row.key for row in file.rows}
    taken = {
        key: [
            (line, row)
            for line, row in zip(file.lines, file.rows, strict=True)
            if row.valid_from <= today and takes_from(key, row.key, groups)
        ]
        for key in new
    }
    return {key: rows for key, rows in taken.items() if rows}


def _begun(
    candidates: Iterable[PriceRow], known: Mapping[Key, Sequence[PriceRow]], taken: _Taken, today: datetime
) -> list[PriceRow]:
    """Return the candidates from where their history may start; the price of that moment starts with it."""
    begun: list[PriceRow] = []
    by_key: dict[Key, list[PriceRow]] = defaultdict(list)
    for row in candidates:
        by_key[row.key].append(row)
    for key, rows in by_key.items():
        first = min(known.get(key, ()), key=lambda row: row.valid_from, default=None)
        if first is None and key not in taken:
            begun += rows
            continue
        start = first.valid_from if first else today
        begun += [row for row in rows if row.valid_from > start]
        before = in_force(rows, start).get(key)
        # What was another price before the file's first row is left alone: it may be long over.
        if before and (first is None or before.valid_from == start or _same(first, before)):
            begun.append(replace(before, valid_from=start))
    return begun


def _notes(added: Iterable[PriceRow], taken: _Taken) -> list[str]:
    """Say of which rows, by line, those that are added take calls."""
    earliest: dict[Key, PriceRow] = {}
    for row in sorted(added, key=lambda row: row.valid_from):
        earliest.setdefault(row.key, row)
    notes = []
    for key, row in earliest.items():
        about = (str(key.name), key.deployment_type, key.region_group, key.service_tier, key.context_band)
        said = " ".join(filter(None, (*about, "batch" * key.batch)))
        for kind, what in ((PriceKind.LIST, "overrules"), (PriceKind.CONTRACT, "stands beside the contract of")):
            if lines := [str(line) for line, old in taken.get(key, ()) if old.key.kind is kind]:
                named = f"line{'s' * (len(lines) > 1)} {', '.join(lines)}"
                notes.append(f"{said} {what} {named} from {row.valid_from:%Y-%m-%d} on")
    return sorted(notes)


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
    notes: Sequence[str],
    read_on: date,
) -> str:
    now_due = [name for name in confirmed if AZURE in agreed[name] and _due(name, file, read_on)]
    comment = confirmation(read_on, AZURE, [str(name) for name in now_due])
    sources = sorted({row.source for row in added})
    heads = [f"added on {read_on.isoformat()} from: {', '.join(sources)}"] if added else []
    heads += [*notes, *filter(None, [comment])]
    return file.with_rows(added, "\n".join(heads)) if heads else file.text


def _due(name: ModelName, file: PriceFile, read_on: date) -> bool:
    days = [last_read(row, file) for row in file.rows if row.key.name == name and row.key.kind is PriceKind.LIST]
    return bool(days) and read_on - min(days) >= _CONFIRMED_FOR
