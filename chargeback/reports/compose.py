"""Make a query ready to run: put before it the pieces of `kql/lib/` that it names, and set its period.

The same text runs in the portal, in a workbook and in the local store: a library file is plain `let` statements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from chargeback.errors import QueryError

Period: TypeAlias = tuple[datetime, datetime]
"""From the first moment up to, not including, the second; both aware."""

_NO_CODE = re.compile(
    r"""//[^\n]*                    # a comment
    | ```.*?``` | ~~~.*?~~~         # texts of several lines
    | @"(?:[^"]|"")*" | @'(?:[^']|'')*'
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE | re.DOTALL,
)
_KEPT_OR_EMPTY = re.compile(rf"(?P<kept>{_NO_CODE.pattern}) | \n(?:[ \t\r]*\n)+", _NO_CODE.flags)
_BLANKS = re.compile(rf"(?P<kept>{_NO_CODE.pattern}) | (?P<kept_sign>,)[ \t]+ | [ \t]*\n\s*", _NO_CODE.flags)
_DEFINED = re.compile(r"\blet\s+(\w+)\s*=")
# A name after a single dot is a key in a bag, not a name; `1 .. end` is a range.
_NAME = re.compile(r"(?<!\w)(?<![^.]\.)[A-Za-z_]\w*")
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
    """Return `text` with the library files before it whose names it uses, each after those that it uses itself.

    A query that names none is returned as it is. `period` takes the place of the period in `kql/lib/period.kql`; a file
    of the folder `reference` (prices, consumers, ...) takes the place of the library's file of that name.

    Raises:
        QueryError: the query defines a name again that a library file before it defines, or the period is no period.
    """
    library = _library(kql_folder() / "lib", reference)
    ordered: dict[str, None] = {}
    _add_needed(text, library, ordered, ())
    defined = {name: file for file in ordered for name in _defined(library[file])}
    for name in _defined(text):
        if name in defined:
            raise QueryError(f"the query defines {name}, which kql/lib/{defined[name]} defines too: rename it")
    composed = "\n".join((*(_compact(library[file]) for file in ordered), text))
    return composed if period is None else _set_period(composed, period)


def _compact(kql: str) -> str:
    """Return a library file without comments and needless blanks: queries of alerts may have 64 KB, prices grow."""
    code = _NO_CODE.sub(lambda found: "" if found[0].startswith("//") else found[0], kql)
    shorter = _BLANKS.sub(lambda found: found["kept"] or found["kept_sign"] or "\n", code)
    return shorter.strip("\n")


def for_pasting(kql: str) -> str:
    """Return a query without its empty lines: the portal's editor takes a query to end at one.

    Those in a text of several lines belong to the text, and stay.
    """
    return _KEPT_OR_EMPTY.sub(lambda found: found["kept"] or "\n", kql).strip("\n") + "\n"


def _library(folder: Path, reference: Path | None) -> Mapping[str, str]:
    files = {file.name: file for file in sorted(folder.glob("*.kql"))}
    own = {file.name: file for file in sorted(reference.glob("*.kql"))} if reference else {}
    return MappingProxyType({name: file.read_text(encoding="utf-8") for name, file in (files | own).items()})


def _add_needed(text: str, library: Mapping[str, str], ordered: dict[str, None], path: tuple[str, ...]) -> None:
    """Add the files that `text` needs to `ordered`, a file's own needs before it; `path` is how we came here."""
    names = _names(text)
    own = _defined(text)
    for file, source in library.items():
        if file in ordered or names.isdisjoint(_defined(source) - own):
            continue
        if file in path:
            raise QueryError(f"kql/lib/{file} needs itself, by way of {' -> '.join(path)}: break the circle")
        _add_needed(source, library, ordered, (*path, file))
        ordered[file] = None


def _defined(text: str) -> frozenset[str]:
    return frozenset(_DEFINED.findall(_code(text)))


def _names(text: str) -> frozenset[str]:
    return frozenset(_NAME.findall(_code(text)))


def _code(text: str) -> str:
    """Return the text without comments and string literals."""
    return _NO_CODE.sub(" ", text)


def _set_period(composed: str, period: Period) -> str:
    start, end = period
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise QueryError(f"{start} to {end} is no period: give two times with their zone, the earlier first")
    for name, moment in (("periodStart", start), ("periodEnd", end)):
        written = moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6]
        composed = re.sub(_BOUND.format(name), f"let {name} = datetime({written}Z);", composed)
    return composed
