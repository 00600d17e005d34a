"""Reading many keys of a bag in one pass gives what reading them one by one gives."""

from __future__ import annotations

import json

import duckdb_kql
import pytest

from chargeback.local.extraction import in_one_pass
from chargeback.local.schema import TABLES
from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder
from tests.kql.rows import NOW, OCTOBER, call, counted, ignored, log_row, pending, rejected

COLUMNS = {table: list(columns) for table, columns in TABLES.items()}
EVENTS = [
    *[counted("a", 100, 20, cachedTokens=64, note="it's, FROM _s0 WHERE x")] * 2,
    *(pending("b", model=""), log_row("b", promptTokens=900, completionTokens=80, totalTokens=980)),
    call("c", consumerId="a 'quoted' name", model="json_extract(\"customDimensions\", '$.model')"),
    *(ignored("d"), rejected("e")),
]
QUERIES = {
    **{file.stem: file.read_text(encoding="utf-8") for file in sorted((kql_folder() / "reports").glob("*.kql"))},
    "five keys": """customEvents
        | project a = tostring(customDimensions["recordId"]), b = customDimensions["consumerId"],
        c = tolong(customDimensions["promptTokens"]), d = tostring(customDimensions.note),
        e = customDimensions["nobody's"]""",
    "keys in a condition": """customEvents
        | where isnotempty(customDimensions["model"]) and customDimensions["consumerId"] == "retail"
            and toint(customDimensions["promptTokens"]) > 1
        | project itemType, customDimensions""",
    "the bag and its keys": """customEvents
        | extend a = tostring(customDimensions["recordId"]), b = tostring(customDimensions["model"]),
            c = tostring(customDimensions["consumerId"])
        | project a, b, c, customDimensions, said = "json_extract(\\"customDimensions\\", '$.model') FROM _s0 "
        | order by a asc, b asc""",
    "in a join": """let one = customEvents | project k = tostring(customDimensions["recordId"]),
            m = tostring(customDimensions["model"]), n = tostring(customDimensions["note"]);
        one | join kind=leftouter (customEvents | project k = tostring(customDimensions["recordId"]),
            p = tolong(customDimensions["promptTokens"]), c = tolong(customDimensions["completionTokens"])) on k
        | order by k asc, p asc""",
}


def translated(kql: str) -> str:
    return str(duckdb_kql.to_sql(kql, schema=COLUMNS))


def answers(store: Store, sql: str) -> list[str]:
    return sorted(map(repr, store._database.execute(sql).fetchall()))


@pytest.mark.parametrize("name", QUERIES)
def test_the_answer_is_the_same(name: str) -> None:
    sql = translated(compose(QUERIES[name], period=OCTOBER))
    with Store() as store:
        store.add(EVENTS)
        assert answers(store, in_one_pass(sql)) == answers(store, sql)


def test_a_step_that_reads_three_keys_parses_its_bag_once() -> None:
    kql = 'customEvents | project a = customDimensions["a"], b = customDimensions["b"], c = customDimensions["c"]'
    assert translated(kql).count("json_extract") == 3
    assert in_one_pass(translated(kql)).count("json_extract") == 1


@pytest.mark.parametrize(
    "kql",
    [
        'customEvents | project a = customDimensions["a"], b = customDimensions["b"]',
        "customEvents | count",
        """customEvents | where customDimensions.a == 1 and customDimensions.b == 2 and customDimensions.c == 3""",
    ],
    ids=["two keys", "none", "all columns are handed on"],
)
def test_any_other_step_stays_as_it_is(kql: str) -> None:
    assert in_one_pass(translated(kql)) == translated(kql)


def test_the_store_answers_with_what_its_rows_say() -> None:
    """The text of a value may look like the translation's own SQL."""
    with Store() as store:
        store.add(EVENTS)
        (row,) = [row for row in store.query(QUERIES["the bag and its keys"], now=NOW).rows if row[0] == "c"]
    assert row[1] == "json_extract(\"customDimensions\", '$.model')"
    assert json.loads(str(row[3]))["consumerId"] == "a 'quoted' name"
