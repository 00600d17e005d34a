"""The other readers of the hub: they read the contract's record, each call once, and guess nothing.

Neither Stream Analytics nor Fabric runs here. The view is run in DuckDB; the notebook's logic in plain Python; of the
Stream Analytics query both steps are run in DuckDB, with its window (five minutes, named by their end) put in by hand.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.infra.deployed import ROOT

FOLDER = ROOT / "infra/alternatives"
SAQL = (FOLDER / "stream-analytics.saql").read_text(encoding="utf-8")
VIEW = (FOLDER / "fabric/calls.sql").read_text(encoding="utf-8")
NOTEBOOK = json.loads((FOLDER / "fabric/usage.ipynb").read_text(encoding="utf-8"))
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
COUNTS = ("promptTokens", "cachedTokens", "completionTokens", "totalTokens")


def record(request: str, minute: int, **told: object) -> dict[str, Any]:
    """Return a record as the policy writes it: what is not known is null."""
    known = {"schema": "chargeback.usage/1", "requestId": request, "timestamp": f"2026-10-05T10:{minute:02}:00.000Z"}
    return dict.fromkeys((*TEXTS, *COUNTS, "statusCode")) | known | {"statusCode": 200} | told


WHOLE = {"promptTokens": 100, "cachedTokens": 40, "completionTokens": 20, "totalTokens": 120}
RECORDS = [
    record("a", 1, appId="planner", servedDeployment="chat", **WHOLE),
    record("a", 2, appId="planner", servedDeployment="chat", **WHOLE),
    record("b", 3, appId="planner", deploymentId="chat"),
    record("c", 4, subscriptionId="retail", deploymentId="embed", promptTokens=7, totalTokens=7),
    record("d", 9, appId="planner", servedDeployment="chat", promptTokens=1, completionTokens=0, totalTokens=1),
    record("e", 4, schema="another/1", appId="planner", promptTokens=999, totalTokens=999),
]
"""`a` is delivered twice; nobody knows the tokens of `b`; `c` has no completion; `e` is not the contract's."""


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        columns = [f'"{name}" VARCHAR' for name in TEXTS] + [f'"{name}" BIGINT' for name in (*COUNTS, "statusCode")]
        for table in ("usage_records", "usage"):
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  (names of this file)
                [[one[name] for name in (*TEXTS, *COUNTS, "statusCode")] for one in RECORDS],
            )
        yield connection


def names(query: str) -> set[str]:
    """Return the record's fields that a query reads: names in camelCase that it does not make itself."""
    words = set(re.findall(r"\b[a-z]+(?:[A-Z]\w*)\b", re.sub(r"--.*|'[^']*'", "", query)))
    return words - set(re.findall(r"\bAS (\w+)", query)) | (words & {*TEXTS, *COUNTS})


@pytest.mark.parametrize("query", [SAQL, VIEW], ids=["stream-analytics", "fabric"])
def test_every_field_is_the_contracts(query: str) -> None:
    fields = set(re.findall(r"`(\w+)`", CONTRACT))
    assert names(query) - fields == set()


def test_the_view_has_one_row_a_call(database: duckdb.DuckDBPyConnection) -> None:
    # T-SQL's words for what DuckDB calls otherwise.
    database.execute(
        VIEW.replace("CREATE OR ALTER VIEW", "CREATE OR REPLACE VIEW").replace("datetime2(3)", "TIMESTAMP")
    )
    rows = database.execute(
        "SELECT requestId, consumerId, deployment, promptTokens, totalTokens, usageKnown, deliveries "
        "FROM calls ORDER BY requestId"
    ).fetchall()
    assert rows == [
        ("a", "planner", "chat", 100, 120, 1, 2),
        ("b", "planner", "chat", None, None, 0, 1),
        ("c", "retail", "embed", 7, 7, 1, 1),
        ("d", "planner", "chat", 1, 1, 1, 1),
    ]


def in_duckdb(query: str) -> str:
    """Translate Stream Analytics' window, its end, its output and its brackets; refuse what that leaves over."""
    minute = "(date_trunc('minute', CAST(timestamp AS TIMESTAMP)))"
    end = f"({minute} - INTERVAL (extract('minute' FROM {minute}) % 5) MINUTE + INTERVAL 5 MINUTE)"
    query = query.replace("System.Timestamp()", end).replace("FROM usage TIMESTAMP BY timestamp", "FROM usage")
    query = query.replace("TumblingWindow(minute, 5)", end, 1).replace(
        "deployment, TumblingWindow(minute, 5)", "deployment"
    )
    query = query.replace("INTO powerbi\n", "").replace("[schema]", '"schema"')
    assert not re.search(r"TumblingWindow|TIMESTAMP BY|\bINTO\b|System\.|\[", query)
    return query


def test_the_stream_is_summed_by_application_and_five_minutes(database: duckdb.DuckDBPyConnection) -> None:
    """10:00 to 10:05: a once, b not known, c; 10:05 to 10:10: d."""
    rows = database.execute(f"SELECT * FROM ({in_duckdb(SAQL)}) ORDER BY 1, 2").fetchall()  # noqa: S608  (our query)
    assert [(f"{row[0]:%H:%M}", *row[1:]) for row in rows] == [
        ("10:05", "planner", "chat", 2, 1, 100, 40, 20, 120),
        ("10:05", "retail", "embed", 1, 0, 7, None, None, 7),
        ("10:10", "planner", "chat", 1, 0, 1, None, 0, 1),
    ]


def test_the_query_windows_by_the_records_own_time() -> None:
    assert "TIMESTAMP BY timestamp" in SAQL
    assert SAQL.count("TumblingWindow(minute, 5)") == 2


def cells() -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_one_and_every_cell_is_python() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["metadata"]["language_info"]["name"]) == (4, "python")
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        assert not cell.get("outputs"), "what came out of a run may hold usage"
    for text in cells():
        ast.parse(text)


def test_the_notebooks_logic_counts_calls_once_and_knows_what_it_does_not_know() -> None:
    names: dict[str, Any] = {}
    for text in cells():
        if "spark" not in text:
            exec(text, names)  # noqa: S102  (the notebook's own cells)
    calls = names["calls_of"](RECORDS)
    assert len(calls) == 4
    october = names["by_application"](calls, "2026-10")
    assert {name: tuple(row.values()) for name, row in october.items()} == {
        "planner": (3, 1, 101, 40, 20, 121),
        "retail": (1, 0, 7, 0, 0, 7),
    }
    assert names["by_application"](calls, "2026-09") == {}


def test_each_reader_has_a_consumer_group_of_its_own_that_is_deployed() -> None:
    hub = (ROOT / "infra/modules/eventhub.bicep").read_text(encoding="utf-8")
    job = (FOLDER / "stream-analytics.bicep").read_text(encoding="utf-8")
    assert "['chargeback', 'stream-analytics', 'fabric']" in hub
    assert "param consumerGroup string = 'stream-analytics'" in job
    assert "consumer\n   group `fabric`" in (FOLDER / "fabric/README.md").read_text(encoding="utf-8")
