"""Many cases in one query: composing and planning it takes seconds, however few its rows are.

Cases that run together share a store and reference tables, but no name: ids, deployments, hosts, models, business
units and groups of regions carry their case's number, which is taken off the answer again. So no row of one case fits a
call of another. A case whose rows are about everything (a discount for all, a deployment of any name and host) cannot
be told apart that way and runs alone; each setting, each table of rates and each period is a query of its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from chargeback.events import USAGE_EVENT
from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder
from chargeback.reports.literals import Value, written
from chargeback.reports.reference import read
from tests.kql.rows import Envelope, event, rows_of
from tests.money.amounts import EXACT, NOTHING, Costs, Key, Month, added
from tests.money.case import LONG_AGO, Case, Row

MADE_LATER = datetime(2027, 6, 1, tzinfo=UTC)
"""When the query is asked: long after every case."""
TABLES = (
    *("prices", "regionGroups", "deployments", "consumers", "discounts", "provisioned", "provisionedWeights"),
    "currencies",
)
_SETTING_OF = {"provisioned": "idleCapacity", "currencies": "statementCurrency"}
_DEFAULTS: Mapping[str, object] = {"validFrom": LONG_AGO, "priceKind": "list", "batch": False}
_NAMES = frozenset(
    {
        *("recordId", "consumerId", "deploymentId", "servedDeployment", "spilloverFrom", "backendHost"),
        *("deployment", "businessUnit"),
    }
)
_FAMILY = re.compile(r"\s*(?:gpt-)?[A-Za-z0-9.]+", re.IGNORECASE)

QUERY = """
let asLines = statementLines | summarize calls = sum(calls), listCost = sum(listCost), contractCost = sum(contractCost),
    chargedCost = sum(chargedCost), costs = countif(isnotnull(chargedCost)), groups = count()
    by className, cause, businessUnit, consumerId, deployment, model, lineKind, pricingNote;
let whose = statementLines
| project groupKey, className, businessUnit, consumerId, deployment, model, lineKind, unitsPerUsd;
let asParts = partCosts
| join kind=inner whose on groupKey
| summarize tokens = sum(tokens) by className, businessUnit, consumerId, deployment, model, lineKind,
    part, contractUsd, discountPercent, fixedUsd, billedAs, unitsPerUsd;
union (asLines | extend part = ""), asParts
"""
_KEY = ("businessUnit", "consumerId", "deployment", "model", "lineKind")
_COSTS = ("listCost", "contractCost", "chargedCost")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the queries say of a case."""

    month: Month
    causes: frozenset[tuple[str, str]]
    """(class, cause)"""
    exact: Sequence[tuple[Key, Decimal]]
    """Charged amounts without floating point: whole tokens times prices as they are written; shares as they are."""


def together(cases: Iterable[Case]) -> list[list[Case]]:
    """Put cases in groups that can be asked about in one query."""
    groups: defaultdict[object, list[Case]] = defaultdict(list)
    for case in cases:
        alone = case.name if _is_about_everything(case) else ""
        in_dollars = case.settings["statementCurrency"] == "USD"
        rates = "" if in_dollars else json.dumps(case.reference["currencies"], default=str)
        groups[alone, case.start, case.end, tuple(sorted(case.settings.items())), rates].append(case)
    return list(groups.values())


def _is_about_everything(case: Case) -> bool:
    scopes = {"deployments": ("backendHost", "deployment"), "discounts": ("businessUnit", "model")}
    tables = case.reference
    return any(
        not any(row.get(name) for name in names) for table, names in scopes.items() for row in tables.get(table, [])
    )


def answers(cases: Sequence[Case], folder: Path, changed: Mapping[str, str] | None = None) -> dict[str, Answer]:
    """Answer cases that go together: `folder` is for reference files, `changed` has other texts of library files."""
    tagged = {case.name: f"-case{number:03}" for number, case in enumerate(cases)}
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for case in cases:
        for table, own in case.reference.items():
            if table == "currencies" and rows[table] == own:
                continue  # the very rates that another case has brought
            rows[table].extend(_tagged(row, tagged[case.name], case) for row in own)
    for table, own in rows.items():
        (folder / f"{table}.kql").write_text(_file(table, own, cases[0].settings), encoding="utf-8")
    for name, text in (changed or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    envelopes = [_envelope(told, tagged[case.name], case) for case in cases for told in case.events]
    with Store() as store:
        store.add(envelopes)
        query = compose(QUERY, period=(cases[0].start, cases[0].end), reference=folder)
        found = rows_of(store.query(query, now=MADE_LATER))
    return _by_case(found, tagged)


def _envelope(told: Row, tag: str, case: Case) -> Envelope:
    properties = _tagged(told, tag, case)
    return event(USAGE_EVENT, str(properties.pop("timestamp")), properties)


def _tagged(row: Row, tag: str, case: Case) -> Row:
    groups = {member["regionGroup"] for member in case.reference.get("regionGroups", [])}
    return {name: _with_tag(name, value, tag, groups) if value else value for name, value in row.items()}


def _with_tag(name: str, value: Any, tag: str, groups: set[str]) -> Any:
    if name in _NAMES or (name == "regionGroup" and value in groups):
        return f"{value}{tag}"
    if name == "model":
        # After its first word: what a name begins and ends with decides how it is read.
        family = _FAMILY.match(value)
        end = family.end() if family else 0
        return f"{value[:end]}{tag}{value[end:]}"
    return value


def _file(table: str, rows: Sequence[Row], settings: Mapping[str, str]) -> str:
    columns = read(kql_folder() / "lib" / f"{table}.kql").columns
    unknown = {name for row in rows for name in row} - columns.keys()
    assert not unknown, f"{table} has no columns {unknown}"
    lines = [", ".join(_constant(row, column, kind) for column, kind in columns.items()) + "," for row in rows]
    declared = ", ".join(f"{column}:{kind}" for column, kind in columns.items())
    setting = _SETTING_OF.get(table)
    before = f'let {setting} = "{settings[setting]}";\n' if setting else ""
    if table == "regionGroups":
        lines = list(dict.fromkeys(lines))
    return before + f"let {table} = datatable({declared})\n[\n" + "\n".join(lines) + "\n];\n"


def _constant(row: Row, column: str, kind: str) -> str:
    value: Value = row.get(column, _DEFAULTS.get(column))
    if value is not None and kind == "datetime":
        value = datetime.fromisoformat(str(value))
    if value is not None and kind == "real":
        value = Decimal(str(value))
    return written("" if value is None and kind == "string" else value, kind, column)


def _by_case(table: Iterable[Mapping[str, Any]], tagged: Mapping[str, str]) -> dict[str, Answer]:
    by_tag: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in table:
        found = re.search(r"-case\d{3}", f"{row['consumerId']} {row['deployment']} {row['model']}")
        by_tag[found[0] if found else ""].append(row)
    if "" in by_tag and len(tagged) == 1:
        by_tag[next(iter(tagged.values()))].extend(by_tag.pop(""))
    assert "" not in by_tag, f"whose are these? {by_tag['']}"
    return {name: _answer(by_tag[tag], tag) for name, tag in tagged.items()}


def _answer(rows: Sequence[Mapping[str, Any]], tag: str) -> Answer:
    lines: dict[Key, Costs] = {}
    notes: defaultdict[Key, set[tuple[str, str]]] = defaultdict(set)
    exact: list[tuple[Key, Decimal]] = []
    for row in rows:
        key = Key(*((row[name] or "").replace(tag, "") for name in _KEY))
        charged = row["className"] in ("line", "unknown-consumer", "")
        if row["part"] and charged:
            notes[key] |= {(row["part"], row["billedAs"])} if row["billedAs"] else set()
            exact.append((key, _exact(row)))
        if row["part"]:
            continue
        assert row["costs"] == (row["groups"] if charged else 0), f"a cost that is not known, or one too many: {row}"
        if charged:
            costs = Costs(row["calls"], *(Decimal(row[name]) for name in _COSTS))
            lines[key] = added(lines.get(key, NOTHING), costs)
            notes[key] |= {("weights", "missing")} if row["pricingNote"] else set()
            exact.append((key, Decimal(repr(row["chargedCost"])) if key.kind != "tokens" else Decimal(0)))
    month = Month(lines, _classes(rows), {key: frozenset(found) for key, found in notes.items() if found})
    return Answer(month, frozenset((row["className"], row["cause"]) for row in rows if not row["part"]), exact)


def _classes(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    calls: Counter[str] = Counter()
    for row in rows:
        calls[row["className"]] += 0 if row["part"] else row["calls"]
    return {name: number for name, number in calls.items() if number}


def _exact(row: Mapping[str, Any]) -> Decimal:
    """Return a part's amount as a statement makes it: of whole tokens, and of prices as they are written."""
    contract, percent, rate = (Decimal(repr(row[name])) for name in ("contractUsd", "discountPercent", "unitsPerUsd"))
    fixed = row["fixedUsd"]
    usd = contract * (100 - percent) / 100 if fixed is None else Decimal(repr(fixed))
    return EXACT.multiply(row["tokens"] * usd / 1_000_000, rate)
