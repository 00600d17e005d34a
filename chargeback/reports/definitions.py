"""The library of `kql/lib/`, statement by statement: what each defines, what it names, its text in few letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from chargeback.errors import QueryError
from chargeback.reports.narrowing import narrowed

_NO_CODE = re.compile(
    r"""//[^\n]*                    # a comment
    | ```.*?``` | ~~~.*?~~~         # texts of several lines
    | @"(?:[^"]|"")*" | @'(?:[^']|'')*'
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE | re.DOTALL,
)
_KEPT_OR_EMPTY = re.compile(rf"(?P<kept>{_NO_CODE.pattern}) | \n(?:[ \t\r]*\n)+", _NO_CODE.flags)
# Blanks around parentheses, hyphens and strokes stay: `in (`, `a -b` and `a / b` read better, or otherwise, without.
_BLANKS = re.compile(
    rf"""(?P<kept>{_NO_CODE.pattern}) | (?P<let>\blet[ ]\w+[ ]=[ ])
    | [ \t]*(?P<sign>[=!<>]=|=~|[=<>+*,|])[ \t]* | [ \t]*\n\s*""",
    _NO_CODE.flags,
)
_BRACE_OR_END = re.compile(rf"{_NO_CODE.pattern} | [{{}};]", _NO_CODE.flags)
_DEFINED = re.compile(r"\blet\s+(\w+)\s*=")
# A name after a single dot is a key in a bag, not a name; `1 .. end` is a range.
_NAME = re.compile(r"(?<!\w)(?<![^.]\.)[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Definition:
    """One `let` of the library."""

    file: str
    text: str
    """Without comments and needless blanks: queries of alerts may have 64 KB, and prices grow."""
    names: frozenset[str]
    """All names that stand in it but its own."""


def library(folder: Path, reference: Path | None) -> Mapping[str, Definition]:
    """Return the library's definitions by name, in the order of the files; files of `reference` take others' places.

    Raises:
        QueryError: two statements define one name.
    """
    files = {file.name: file for file in sorted(folder.glob("*.kql"))}
    own = {file.name: file for file in sorted(reference.glob("*.kql"))} if reference else {}
    found: dict[str, Definition] = {}
    for file, path in (files | own).items():
        for text in _statements(_compact(path.read_text(encoding="utf-8"))):
            for name in _DEFINED.findall(code(text))[:1]:
                if name in found:
                    raise QueryError(f"{file} defines {name}, which {found[name].file} defines too: rename it")
                found[name] = Definition(file, narrowed(text, file), names(text) - {name})
    return MappingProxyType(found)


def defined(text: str) -> frozenset[str]:
    """Return the names that a query defines."""
    return frozenset(_DEFINED.findall(code(text)))


def names(text: str) -> frozenset[str]:
    """Return all names that stand in a query, keys of bags left out."""
    return frozenset(_NAME.findall(code(text)))


def code(text: str) -> str:
    """Return the text without comments and string literals."""
    return _NO_CODE.sub(" ", text)


def for_pasting(kql: str) -> str:
    """Return a query without its empty lines: the portal's editor takes a query to end at one.

    Those in a text of several lines belong to the text, and stay.
    """
    return _KEPT_OR_EMPTY.sub(lambda found: found["kept"] or "\n", kql).strip("\n") + "\n"


def _compact(kql: str) -> str:
    bare = _NO_CODE.sub(lambda found: "" if found[0].startswith("//") else found[0], kql)
    return _BLANKS.sub(lambda found: found["kept"] or found["let"] or found["sign"] or "\n", bare)


def _statements(kql: str) -> Iterator[str]:
    """Yield the statements of a text, each with its semicolon; one within a function's braces ends none."""
    start, depth = 0, 0
    for found in _BRACE_OR_END.finditer(kql):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if found[0] == ";" and depth == 0:
            yield kql[start : found.end()].strip()
            start = found.end()
    if rest := kql[start:].strip():
        yield f"{rest};"
