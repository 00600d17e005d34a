"""The other readers of the hub: they read the contract's record, each call once, and guess nothing.

Neither Stream Analytics nor Fabric runs here. The view is run in DuckDB; of the Stream Analytics query both steps are,
with its window (five minutes, without their beginning, named by their end) put in by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.infra.deployed import ROOT

FOLDER = ROOT / "infra/alternatives"
SAQL = (FOLDER / "stream-analytics.saql").read_text(encoding="utf-8")
VIEW = (FOLDER / "fabric/calls.sql").read_text(encoding="utf-8")
CONTRACT = (ROOT / "docs/contract.md").read_text(encoding="utf-8").partition("## 2.")[0]
TEXTS = (
    "schema",
    "requestId",
    "timestamp",
    "subscriptionId",
    "appId",
    "userId",
    "servedDeployment",
    "deploymentId",
    "model",
)
COUNTS = ("promptTokens", "cachedTokens", "cacheWriteTokens", "completionTokens", "reasoningTokens", "totalTokens")
NUMBERS = (*COUNTS, "statusCode")


def record(request: str, minute: int, **told: object) -> dict[str, Any]:
    """Return a record as the policy writes it: what is not known is null."""
    known = {"schema": "chargeback.usage/1", "requestId": request, "timestamp": f"2026-10-05T10:{minute:02}:00.000Z"}
    return dict.fromkeys((*TEXTS, *NUMBERS)) | known | {"statusCode": 200} | told


WHOLE = {"promptTokens": 100, "cachedTokens": 40, "completionTokens": 20, "totalTokens": 120}
RECORDS = [
    record("a", 1, appId="planner", servedDeployment="chat", **WHOLE),
    record("a", 2, appId="planner", servedDeployment="chat", **WHOLE),
    record("b", 3, appId="planner", deploymentId="chat"),
    record("c", 4, subscriptionId="retail", deploymentId="embed", promptTokens=7, totalTokens=7),
    record("d", 9, appId="planner", servedDeployment="chat", promptTokens=1, completionTokens=0, totalTokens=1),
    record("e", 4, schema="another/1", appId="planner", promptTokens=999, totalTokens=999),
    record("f", 5, appId="zephyr", deploymentId="chat", completionTokens=3),
    record("f", 5, subscriptionId="retail", deploymentId="chat", completionTokens=4),
]
"""`a` is delivered twice; nobody knows the tokens of `b`; `c` has no completion; `e` is not the contract's; two calls
have the id `f`, and end when a window does."""


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        columns = [f'"{name}" VARCHAR' for name in TEXTS] + [f'"{name}" BIGINT' for name in NUMBERS]
        for table in ("usage_records", "usage"):
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  (names of this file)
                [[one[name] for name in (*TEXTS, *NUMBERS)] for one in RECORDS],
            )
        yield connection


def contract_fields() -> set[str]:
    """Return the fields of the record: what the table of the contract's first section has in its first column."""
    rows = re.findall(r"(?m)^\| (`[^|]+) \|", CONTRACT)
    return {field for row in rows for field in re.findall(r"`(\w+)`", row)}


def names(query: str) -> set[str]:
    """Return the record's fields that a query reads: names in camelCase that it does not make itself."""
    words = set(re.findall(r"\b[a-z]+(?:[A-Z]\w*)\b", re.sub(r"--.*|'[^']*'", "", query)))
    return words - set(re.findall(r"\bAS (\w+)", query)) | (words & {*TEXTS, *COUNTS})


@pytest.mark.parametrize("query", [SAQL, VIEW], ids=["stream-analytics", "fabric"])
def test_every_field_is_the_contracts(query: str) -> None:
    assert names(query) - contract_fields() == set()


def view_in_duckdb() -> str:
    """Put DuckDB's words for two of T-SQL's."""
    return VIEW.replace("CREATE OR ALTER VIEW", "CREATE OR REPLACE VIEW").replace("datetime2(3)", "TIMESTAMP")


def test_the_view_has_one_row_a_call(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(view_in_duckdb())
    rows = database.execute(
        "SELECT requestId, consumerId, deployment, promptTokens, totalTokens, usageKnown, records, conflicting "
        "FROM calls ORDER BY requestId"
    ).fetchall()
    assert rows == [
        ("a", "planner", "chat", 100, 120, 1, 2, 0),
        ("b", "planner", "chat", None, None, 0, 1, 0),
        ("c", "retail", "embed", 7, 7, 1, 1, 0),
        ("d", "planner", "chat", 1, 1, 1, 1, 0),
        ("f", "retail", "chat", None, None, 1, 2, 1),
    ]


def window(time: str) -> str:
    """Return, in DuckDB, the end of the five minutes that a time is in: a window has its end and not its beginning."""
    return f"(time_bucket(INTERVAL 5 MINUTE, {time} - INTERVAL 1 MICROSECOND) + INTERVAL 5 MINUTE)"


def in_duckdb(query: str) -> str:
    """Translate Stream Analytics' windows, their end, its output and its brackets; refuse what that leaves over."""
    first, second = window("CAST(timestamp AS TIMESTAMP)"), window("windowEnd")
    query = query.replace("System.Timestamp()", first).replace("FROM usage TIMESTAMP BY timestamp", "FROM usage")
    query = query.replace("TumblingWindow(minute, 5)", first, 1).replace("TumblingWindow(minute, 5)", second, 1)
    query = query.replace("INTO powerbi\n", "").replace("[schema]", '"schema"')
    assert not re.search(r"TumblingWindow|TIMESTAMP BY|\bINTO\b|System\.|\[", query)
    return query


def test_the_stream_is_summed_by_application_and_five_minutes(database: duckdb.DuckDBPyConnection) -> None:
    """After 10:00 and up to 10:05: a once, b not known, c, and both of f; after that and up to 10:10: d."""
    rows = database.execute(f"SELECT * FROM ({in_duckdb(SAQL)}) ORDER BY 1, 2, 3").fetchall()  # noqa: S608  (our query)
    assert [(f"{row[0]:%H:%M}", *row[1:]) for row in rows] == [
        ("10:05", "planner", "chat", 2, 1, 100, 40, 20, 120),
        ("10:05", "retail", "chat", 1, 0, None, None, 4, None),
        ("10:05", "retail", "embed", 1, 0, 7, None, None, 7),
        ("10:05", "zephyr", "chat", 1, 0, None, None, 3, None),
        ("10:10", "planner", "chat", 1, 0, 1, None, 0, 1),
    ]


def test_text_that_is_no_number_is_not_known_and_stops_nothing(database: duckdb.DuckDBPyConnection) -> None:
    for table in ("usage", "usage_records"):
        database.execute(f"ALTER TABLE {table} ALTER totalTokens TYPE VARCHAR")
        database.execute(f"UPDATE {table} SET totalTokens = 'many' WHERE requestId = 'd'")  # noqa: S608  (names above)
    streamed = f"SELECT totalTokens FROM ({in_duckdb(SAQL)}) WHERE promptTokens = 1"  # noqa: S608  (our query)
    assert database.execute(streamed).fetchall() == [(None,)]
    database.execute(view_in_duckdb())
    assert database.execute("SELECT totalTokens FROM calls WHERE requestId = 'd'").fetchall() == [(None,)]


def test_the_query_windows_by_the_records_own_time() -> None:
    assert "TIMESTAMP BY timestamp" in SAQL
    assert SAQL.count("TumblingWindow(minute, 5)") == 2


def test_each_reader_has_a_consumer_group_of_its_own_that_is_deployed() -> None:
    hub = (ROOT / "infra/modules/eventhub.bicep").read_text(encoding="utf-8")
    job = (FOLDER / "stream-analytics.bicep").read_text(encoding="utf-8")
    assert "['chargeback', 'stream-analytics', 'fabric']" in hub
    assert "param consumerGroup string = 'stream-analytics'" in job
    assert "consumer\n   group `fabric`" in (FOLDER / "fabric/README.md").read_text(encoding="utf-8")
