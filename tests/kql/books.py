"""Books for reports about money: calls, reference tables of a few rows, and questions put to both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from chargeback.local.store import Store, Table
from chargeback.reports.compose import Period, compose, kql_folder
from tests.kql.rows import NOW, OCTOBER, Row, rows_of

TABLES = (
    *("prices", "regionGroups", "deployments", "consumers", "discounts", "provisioned", "provisionedWeights"),
    *("overheads", "currencies", "budgets"),
)
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def write_reference(
    folder: Path, tables: Mapping[str, Sequence[str]], settings: Mapping[str, str] = NO_SETTINGS
) -> Path:
    """Write every reference table with these rows and no others; `settings` are the constants beside them.

    Small tables make small queries, and what is shipped may change without changing an expectation.
    """
    assert tables.keys() <= set(TABLES)
    folder.mkdir(exist_ok=True)
    for name in TABLES:
        shipped = (kql_folder() / "lib" / f"{name}.kql").read_text(encoding="utf-8")
        found = re.search(r"(?s)^let \w+ = datatable\([^)]*\)\n", shipped, re.MULTILINE)
        assert found
        rows = "".join(f"    {row},\n" for row in tables.get(name, ()))
        text = f"{found[0]}[\n{rows}];\n"
        for setting, value in re.findall(r"(?m)^let (\w+) = ([^d].*);$", shipped):
            text += f"let {setting} = {settings.get(setting, value)};\n"
        (folder / f"{name}.kql").write_text(text, encoding="utf-8")
    return folder


class Books:
    """A store and its reference tables; a report is asked for once."""

    def __init__(self, store: Store, reference: Path) -> None:
        self._store, self._reference = store, reference
        self._answers: dict[tuple[str, Period, datetime], Table] = {}

    def report(self, name: str, period: Period = OCTOBER, now: datetime = NOW) -> list[Row]:
        """Answer one of `kql/reports/`."""
        return rows_of(self._answer(name, period, now))

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of one of `kql/reports/`, or of another folder of the pack."""
        return self._answer(name, OCTOBER, NOW).columns

    def ask(self, query: str, period: Period = OCTOBER, now: datetime = NOW) -> list[Row]:
        return rows_of(self._query(query, period, now))

    def _answer(self, name: str, period: Period, now: datetime) -> Table:
        key = (name, period, now)
        if key not in self._answers:
            file = kql_folder() / f"{name if '/' in name else f'reports/{name}'}.kql"
            self._answers[key] = self._query(file.read_text(encoding="utf-8"), period, now)
        return self._answers[key]

    def _query(self, query: str, period: Period, now: datetime) -> Table:
        return self._store.query(compose(query, period=period, reference=self._reference), now=now)
