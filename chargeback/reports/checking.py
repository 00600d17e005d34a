"""Reference rows looked at before anything is billed from them: files that can be read, rows that do not contradict."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Value
from chargeback.reports.meaning import problems
from chargeback.reports.reference import Reference, read

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "budgets": ("businessUnit",),
        "consumers": ("consumerId",),
        "currencies": ("currency",),
        "deployments": ("backendHost", "deployment"),
        "discounts": ("businessUnit", "publisher", "model", "deploymentType", "part"),
        "overheads": (),
        "prices": (
            *("publisher", "model", "modelVersion", "deploymentType", "regionGroup", "contextBand"),
            *("contextThreshold", "serviceTier", "batch", "priceKind"),
        ),
        "provisioned": (),
        "provisionedWeights": ("model",),
        "regionGroups": (),
    }
)
"""Table -> what names a row beside its date; of a table without a key several rows may be valid at one time."""
_MOST = MappingProxyType({"percent": Decimal(100), "share": Decimal(1)})
_MAY_BE_NEGATIVE = "percent"
"""A surcharge is a discount below zero."""


def check(library: Path, folder: Path | None) -> None:
    """Make sure that the reference tables of a folder, and the library's where it has none, can be billed from.

    Raises:
        ReferenceDataError: a file cannot be read or lacks a column, two rows of one key begin at one time, an amount is
            none, or a row says nothing that a query would understand; the sentence names file and line.
    """
    tables: dict[str, Reference] = {}
    for table, key in KEYS.items():
        own = library / f"{table}.kql"
        file = folder / own.name if folder and (folder / own.name).is_file() else own
        found = read(file)
        if file != own and (missing := read(own).columns.keys() - found.columns.keys()):
            raise ReferenceDataError(f"{file.name} has no column {min(missing)}: add it, as kql/lib/{own.name} has it")
        _check_rows(found, file.name, key)
        for row, line in zip(found.rows, found.lines, strict=True):
            for problem in problems(table, row):
                raise ReferenceDataError(f"{file.name}, line {line}: {problem}")
        tables[table] = found
    _check_names(tables)


def _check_rows(found: Reference, name: str, key: tuple[str, ...]) -> None:
    first: dict[tuple[Value, ...], int] = {}
    for row, line in zip(found.rows, found.lines, strict=True):
        for column, value in row.items():
            _check_amount(name, line, column, value)
        named = tuple(_folded(row[column]) for column in (*key, "validFrom")) if key else (line,)
        if named in first:
            raise ReferenceDataError(
                f"{name}, lines {first[named]} and {line}: two rows about the same begin at the same time; "
                "keep one, or give one of them another validFrom"
            )
        first[named] = line
    if name == "discounts.kql":
        _check_rivals(found, name)


def _check_rivals(found: Reference, name: str) -> None:
    """Refuse discounts between which nothing decides: as specific, from the same time, for some of the same tokens."""
    scope = KEYS["discounts"]
    rows = [
        (tuple(_folded(row[column]) for column in scope), row["validFrom"], line)
        for row, line in zip(found.rows, found.lines, strict=True)
    ]
    for (one, since, line), (other, since_other, line_other) in combinations(rows, 2):
        meet = all(left == right or not left or not right for left, right in zip(one, other, strict=True))
        if meet and since == since_other and sum(map(bool, one)) == sum(map(bool, other)):
            raise ReferenceDataError(
                f"{name}, lines {line} and {line_other}: two discounts are for some of the same tokens, as "
                "specific and from the same time; name more in one of them, or give one of them another validFrom"
            )


def _check_names(tables: Mapping[str, Reference]) -> None:
    """Refuse a discount for a name that no other table has: it would be taken off nothing, unseen."""
    for column, table, what in (
        ("businessUnit", "consumers", "no consumer is of that unit"),
        ("publisher", "prices", "no price is of that publisher"),
    ):
        known = {str(row[column]) for row in tables[table].rows}
        found = tables["discounts"]
        for row, line in zip(found.rows, found.lines, strict=True):
            name = str(row[column])
            if name and name not in known:
                near = [f" (there is {one!r})" for one in sorted(known) if one.lower() == name.lower()]
                raise ReferenceDataError(
                    f"discounts.kql, line {line}: {column} is {name!r}, and {what}{''.join(near[:1])}: write it as "
                    f"{table}.kql has it"
                )


def _check_amount(name: str, line: int, column: str, value: Value) -> None:
    if not isinstance(value, Decimal):
        return
    if value < 0 and column != _MAY_BE_NEGATIVE:
        raise ReferenceDataError(f"{name}, line {line}: {column} is {value}, below zero: correct it")
    if value > _MOST.get(column, value):
        raise ReferenceDataError(f"{name}, line {line}: {column} is {value}, more than the whole: correct it")


def _folded(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value
