"""The store behind the local Application Insights: DuckDB tables in Application Insights' shapes, read with KQL."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import duckdb
import duckdb_kql
from duckdb_kql.errors import KqlError

from chargeback.errors import QueryError, StoreError
from chargeback.local.extraction import in_one_pass
from chargeback.local.items import Row
from chargeback.local.rows import rows_of
from chargeback.local.schema import TABLES

_DUCKDB_TYPES = {"string": "VARCHAR", "datetime": "TIMESTAMP", "dynamic": "JSON", "int": "INTEGER", "real": "DOUBLE"}
_KUSTO_TYPES = {name: kind for kind, name in _DUCKDB_TYPES.items()} | {
    "BIGINT": "long",
    "HUGEINT": "long",
    "BOOLEAN": "bool",
    "INTERVAL": "timespan",
    "UUID": "guid",
}
_COLUMNS = {table: list(columns) for table, columns in TABLES.items()}
_NO_ID = "00000000-0000-0000-0000-000000000000"
# What the service fills in itself, as SQL. Addresses are masked, as they are by default.
_FILLED_IN = {
    "itemId": "CAST(uuid() AS VARCHAR)",
    "appId": f"'{_NO_ID}'",
    "appName": "'local'",
    "client_IP": "'0.0.0.0'",
    "_ResourceId": f"'/subscriptions/{_NO_ID}/resourcegroups/local/providers/microsoft.insights/components/local'",
}
# Rows per INSERT: bounds what is held twice, in Python and in DuckDB, while a large batch goes in.
_STEP = 2000
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Table:
    """A query's answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    """Values as Python has them: times are aware and UTC, `dynamic` is JSON text."""
    types: tuple[str, ...]
    """Kusto's name for the type of each column."""


class StoreHeld(StoreError):
    """Another process holds the store."""


class Store:
    """The tables of one Application Insights resource; safe to share between threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the store in `path`, made if it is missing; in memory without one.

        Raises:
            StoreError: the file is no store, or another process holds it.
        """
        self._lock = threading.Lock()
        self._closed = False
        try:
            self._database = duckdb_kql.connect(":memory:" if path is None else str(path))
            for table, columns in TABLES.items():
                declared = ", ".join(f'"{name}" {_DUCKDB_TYPES[kind]}' for name, kind in columns.items())
                self._database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
            self._database.execute("SET TimeZone = 'UTC'")
            # It would be drawn between the lines of an answer.
            self._database.execute("SET enable_progress_bar = false")
            # A query names tables; to DuckDB the name of a file or an address would do as well.
            self._database.execute("SET enable_external_access = false")
        except duckdb.Error as error:
            raise _unopened(path, error) from error

    def add(self, envelopes: Sequence[Mapping[str, object]]) -> None:
        """Store Application Insights envelopes, all or none; they are durable when this returns.

        Raises:
            StoreError: one of them has no table or no readable time, or the store cannot be written.
        """
        rows: dict[str, list[Row]] = {}
        for envelope in envelopes:
            table, added = rows_of(envelope)
            rows.setdefault(table, []).extend(added)
        with self._lock:
            self._check_open()
            try:
                self._insert(rows)
            except duckdb.Error as error:
                raise StoreError(f"cannot store {len(envelopes)} items: {_first_line(error)}") from error

    def _insert(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self._database.begin()
        try:
            for table, added in rows.items():
                for start in range(0, len(added), _STEP):
                    statement, parameters = _insertion(table, added[start : start + _STEP])
                    self._database.execute(statement, parameters)
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise

    def query(self, kql: str, *, now: datetime | None = None) -> Table:
        """Answer a KQL query; `now` is what `now()` and `ago()` mean, an aware time, else the clock.

        Raises:
            QueryError: the query is wrong, or uses what the local store cannot run; in duckdb-kql's words.
        """
        with self._lock:
            self._check_open()
            try:
                sql = duckdb_kql.to_sql(kql, schema=_COLUMNS, allow_write=False, query_now=now)
                answer = self._database.execute(in_one_pass(str(sql)), sql.parameters or None)
                columns = [(str(name), _kusto_type(str(kind))) for name, kind, *_ in answer.description or ()]
                rows = tuple(tuple(map(_value, row)) for row in answer.fetchall())
                return Table(tuple(name for name, _ in columns), rows, tuple(kind for _, kind in columns))
            except (KqlError, duckdb.Error, RecursionError) as error:
                raise QueryError(f"the query cannot be run here: {_first_line(error)}") from error

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        with self._lock:
            self._closed = True
            self._database.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed: open it again to use it")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _insertion(table: str, rows: Sequence[Row]) -> tuple[str, list[list[object]]]:
    """Return one INSERT for many rows: a list per column that has values, constants for the rest.

    One statement with lists, because DuckDB runs `executemany` row by row, about a hundred times slower.
    """
    present = {column for row in rows for column in row}
    expressions: list[str] = []
    parameters: list[list[object]] = []
    for column, kind in TABLES[table].items():
        # A string is never null in Kusto, it is empty.
        empty = "" if kind == "string" else None
        if column in present:
            expressions.append(f"unnest(CAST(? AS {_DUCKDB_TYPES[kind]}[]))")
            parameters.append([row.get(column, empty) for row in rows])
        else:
            expressions.append(_FILLED_IN.get(column, "NULL" if empty is None else "''"))
    return f"INSERT INTO {table} SELECT {', '.join(expressions)}", parameters


def _value(value: object) -> object:
    """Say of a time that it is UTC; DuckDB keeps Kusto's times without a zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _kusto_type(kind: str) -> str:
    return _KUSTO_TYPES.get(kind, "decimal" if kind.startswith("DECIMAL") else "dynamic")


def _unopened(path: Path | None, error: duckdb.Error) -> StoreError:
    if "set lock" in str(error) or "already open" in str(error):
        return StoreHeld(f"cannot open the store {path}: another process holds it; stop that one, or use another file")
    return StoreError(f"cannot open the store {path}: {_first_line(error)}; use another file")


def _first_line(error: Exception) -> str:
    """Cut an error to what helps; a syntax error lists every word that might have come next."""
    line = str(error).partition("\n")[0]
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."
