"""The reference rows that a month's statement was made with, and what has become of them since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from chargeback.errors import ReferenceDataError
from chargeback.reports.closing import rows_in_force
from chargeback.reports.compose import Period
from chargeback.reports.reference import read


def reference_in_force(library: Path, own: Path | None, period: Period) -> dict[str, tuple[str, ...]]:
    """Return file -> its rows that were in force in a period; `own` is a folder whose files replace the library's.

    A file of `own` that is no table of rows counts as a whole: it is kept as its text.
    """
    files = {file.name: file for folder in (library, own) if folder for file in sorted(folder.glob("*.kql"))}
    kept: dict[str, tuple[str, ...]] = {}
    for name, file in sorted(files.items()):
        try:
            kept[name] = rows_in_force(read(file), period)
        except ReferenceDataError:
            # The library's own logic: the hash of the query stands for it.
            if file.parent == own:
                kept[name] = (file.read_text(encoding="utf-8"),)
    return kept


def changes(before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what differs, a few words for each file: `prices.kql: 2 rows more, 1 gone`."""
    found = []
    for name in sorted({*before, *after}):
        old, new = (Counter(" ".join(row.split()) for row in rows.get(name, ())) for rows in (before, after))
        more, gone = (new - old).total(), (old - new).total()
        if more or gone:
            told = [f"{more} {'row' if more == 1 else 'rows'} more"] * bool(more) + [f"{gone} gone"] * bool(gone)
            found.append(f"{name}: {', '.join(told)}")
    return tuple(found)
