"""Make a query ready to run: put before it the pieces of `kql/lib/` that it names, and set its period.

The same text runs in the portal, in a workbook and in the local store: a library file is plain `let` statements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from chargeback.errors import QueryError
from chargeback.reports.definitions import Definition, defined, for_pasting, library, names

__all__ = ["Period", "compose", "for_pasting", "kql_folder", "question"]

Period: TypeAlias = tuple[datetime, datetime]
"""From the first moment up to, not including, the second; both aware."""

_BOUND = r"(?m)^let {}\s*=.*$"


def kql_folder() -> Path:
    """Return where the queries are: in the installed package, else in the repository."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "kql"
    return installed if installed.is_dir() else package.parent / "kql"


def question(path: Path) -> str:
    """Return the question that a report answers: its first line, a comment.

    Raises:
        QueryError: the file does not begin with one.
    """
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    if not (first.startswith("//") and first[2:].strip()):
        raise QueryError(f"{path.name} does not begin with its question: write it into the first line, after //")
    return first[2:].strip()


def compose(text: str, *, period: Period | None = None, reference: Path | None = None) -> str:
    """Return `text` with what it names of the library before it, each definition after those that it uses itself.

    A query that names none is returned as it is. `period` takes the place of the period in `kql/lib/period.kql`; a file
    of the folder `reference` (prices, consumers, ...) takes the place of the library's file of that name.

    Raises:
        QueryError: the query defines a name again that the library before it defines, or the period is no period.
    """
    known = library(kql_folder() / "lib", reference)
    own = defined(text)
    needed: dict[str, None] = {}
    _add_needed(names(text) - own, known, needed, ())
    for name in own:
        if name in needed:
            raise QueryError(f"the query defines {name}, which kql/lib/{known[name].file} defines too: rename it")
    composed = "\n".join((*(known[name].text for name in needed), text))
    return composed if period is None else _set_period(composed, period)


def _add_needed(
    wanted: AbstractSet[str], known: Mapping[str, Definition], needed: dict[str, None], path: tuple[str, ...]
) -> None:
    """Add the definitions that are wanted to `needed`, each one's own needs before it; `path` is how we came here."""
    for name, definition in known.items():
        if name not in wanted or name in needed:
            continue
        if name in path:
            raise QueryError(f"kql/lib/{definition.file}: {name} needs itself, by way of {' -> '.join(path)}")
        _add_needed(definition.names, known, needed, (*path, name))
        needed[name] = None


def _set_period(composed: str, period: Period) -> str:
    start, end = period
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise QueryError(f"{start} to {end} is no period: give two times with their zone, the earlier first")
    for name, moment in (("periodStart", start), ("periodEnd", end)):
        written = moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6]
        composed = re.sub(_BOUND.format(name), f"let {name} = datetime({written}Z);", composed)
    return composed
