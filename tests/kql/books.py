"""Books for reports about money: calls, reference tables of a few rows, and questions put to both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from chargeback.local.store import Store
from chargeback.reports.compose import Period, compose, kql_folder
from tests.kql.rows import NOW, OCTOBER, Envelope, Row, rows_of

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
        text = f"{found[0]}[\n{''.join(f'    {row},\n' for row in tables.get(name, ()))}];\n"
        for setting, value in re.findall(r"(?m)^let (\w+) = ([^d].*);$", shipped):
            text += f"let {setting} = {settings.get(setting, value)};\n"
        (folder / f"{name}.kql").write_text(text, encoding="utf-8")
    return folder


class Books:
    """A store and its reference tables; an answer is asked for once."""

    def __init__(self, store: Store, reference: Path) -> None:
        self._store, self._reference = store, reference
        self._answers: dict[tuple[str, Period, datetime], list[Row]] = {}

    def add(self, envelopes: Sequence[Envelope]) -> None:
        self._store.add(envelopes)

    def report(self, name: str, period: Period = OCTOBER, now: datetime = NOW) -> list[Row]:
        """Answer one of `kql/reports/`."""
        key = (name, period, now)
        if key not in self._answers:
            text = (kql_folder() / "reports" / f"{name}.kql").read_text(encoding="utf-8")
            self._answers[key] = self.ask(text, period, now)
        return self._answers[key]

    def ask(self, query: str, period: Period = OCTOBER, now: datetime = NOW) -> list[Row]:
        composed = compose(query, period=period, reference=self._reference)
        return rows_of(self._store.query(composed, now=now))
