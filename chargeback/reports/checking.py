"""Reference rows looked at before anything is billed from them: files that can be read, rows that do not contradict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

from chargeback.errors import ReferenceDataError
from chargeback.reports.literals import Value
from chargeback.reports.meaning import problems
from chargeback.reports.models import taken_apart
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
_EXACT = frozenset({"businessUnit", "consumerId", "currency", "part", "publisher"})
"""Columns that queries compare letter by letter; in others capitals and small letters are one."""
_SETTINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "currencies": ("statementCurrency", '"[A-Z]{3}"'),
        "overheads": ("includeOverheads", "true|false"),
        "provisioned": ("idleCapacity", '"own-line"|"spread"'),
    }
)
"""Table -> the setting beside it, and what it may be, in this one form: nobody reads it otherwise than the query."""


def check(library: Path, folder: Path | None) -> dict[str, Reference]:
    """Return the reference tables of a folder, and the library's where it has none, by name: all can be billed from.

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
        _check_setting(found, file.name)
        for row, line in zip(found.rows, found.lines, strict=True):
            for problem in problems(table, row):
                raise ReferenceDataError(f"{file.name}, line {line}: {problem}")
        tables[table] = found
    _check_overheads(tables["overheads"])
    _check_names(tables)
    return tables


def _check_rows(found: Reference, name: str, key: tuple[str, ...]) -> None:
    first: dict[tuple[Value, ...], int] = {}
    for row, line in zip(found.rows, found.lines, strict=True):
        for column, value in row.items():
            _check_amount(name, line, column, value)
        named = tuple(_folded(found.name, column, row[column]) for column in (*key, "validFrom")) if key else (line,)
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
        (tuple(_folded(found.name, column, row[column]) for column in scope), row["validFrom"], line)
        for row, line in zip(found.rows, found.lines, strict=True)
    ]
    for (one, since, line), (other, since_other, line_other) in combinations(rows, 2):
        meet = all(left == right or not left or not right for left, right in zip(one, other, strict=True))
        if meet and since == since_other and sum(map(bool, one)) == sum(map(bool, other)):
            raise ReferenceDataError(
                f"{name}, lines {line} and {line_other}: two discounts are for some of the same tokens, as "
                "specific and from the same time; name more in one of them, or give one of them another validFrom"
            )


def _check_setting(found: Reference, name: str) -> None:
    if found.name not in _SETTINGS:
        return
    setting, values = _SETTINGS[found.name]
    told = [text for text in found.settings if setting in text]
    if len(told) != 1 or not re.fullmatch(values, found.setting(setting)):
        either = values.replace("[A-Z]{3}", "USD").replace("|", " or ")
        raise ReferenceDataError(f"{name}: write its setting once, and just so: let {setting} = {either};")


def _check_overheads(found: Reference) -> None:
    """Refuse rows of one overhead and time that do not make up one amount, divided in one way."""
    editions: dict[tuple[Value, Value], list[tuple[Mapping[str, Value], int]]] = {}
    for row, line in zip(found.rows, found.lines, strict=True):
        editions.setdefault((row["overhead"], row["validFrom"]), []).append((row, line))
    for (overhead, _), rows in editions.items():
        where = f"overheads.kql, line {rows[-1][1]}: "
        fixed = [row for row, _ in rows if row["splitBy"] == "fixed"]
        alike = len({(row["usdPerMonth"], row["splitBy"]) for row, _ in rows}) == 1
        names = [row["businessUnit"] for row, _ in rows]
        if not alike or (not fixed and names != [""]) or len({*names}) != len(names):
            raise ReferenceDataError(
                f"{where}the rows of {overhead} of one time must be one row, or one for each unit with its fixed "
                "share, all with the same amount"
            )
        shares = sum((row["share"] for row in fixed if isinstance(row["share"], Decimal)), Decimal(0))
        if shares > 1:
            raise ReferenceDataError(f"{where}the fixed shares of {overhead} add up to {shares}, more than the whole")


def _check_names(tables: Mapping[str, Reference]) -> None:
    """Refuse a discount for a name that is written otherwise elsewhere: it would be taken off nothing, unseen."""
    for column, table in (("businessUnit", "consumers"), ("publisher", "prices"), ("model", "prices")):
        known = {_named(column, row[column]) for row in tables[table].rows}
        alike = {_bare(name): name for name in sorted(known)}
        found = tables["discounts"]
        for row, line in zip(found.rows, found.lines, strict=True):
            name = _named(column, row[column])
            if name and name not in known and _bare(name) in alike:
                raise ReferenceDataError(
                    f"discounts.kql, line {line}: {column} is {row[column]!r}, and {table}.kql has "
                    f"{alike[_bare(name)]!r}: write it alike, or it is taken off nothing"
                )


def _named(column: str, value: Value) -> str:
    return taken_apart(str(value))[0] if column == "model" else str(value)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _check_amount(name: str, line: int, column: str, value: Value) -> None:
    if not isinstance(value, Decimal | int):
        return
    if value < 0 and column != _MAY_BE_NEGATIVE:
        raise ReferenceDataError(f"{name}, line {line}: {column} is {value}, below zero: correct it")
    if value > _MOST.get(column, value):
        raise ReferenceDataError(f"{name}, line {line}: {column} is {value}, more than the whole: correct it")


def _folded(table: str, column: str, value: Value) -> Value:
    """Return a value as queries compare it: of models of discounts and weights the name alone."""
    if column == "model" and table in ("discounts", "provisionedWeights"):
        return taken_apart(str(value))[0]
    return value.lower() if isinstance(value, str) and column not in _EXACT else value
