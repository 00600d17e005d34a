"""The workbook: readable JSON whose queries are those of kql/, about one month and one business unit at a time.

What a workbook may hold is described by the gallery of Microsoft's own (microsoft/Application-Insights-Workbooks).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from tests.infra.deployed import INSIGHTS, ROOT, workbook
from tests.kql.language import judged
from tests.kql.rows import counted, rows_of

pytestmark = pytest.mark.once

TEXT, QUERY, PICKERS = 1, 3, 9
WRITTEN = json.loads((ROOT / "infra/workbooks/chargeback.json").read_text(encoding="utf-8"))
SHOWN = {
    *("statement", "cost-by-unit-and-model", "cost-by-consumer", "provisioned-allocation", "provisioned-utilisation"),
    *("cached-savings", "coverage", "coverage-causes", "unpriced", "rejected"),
}
VISUALIZATIONS = {"table", "barchart", "piechart", "timechart", "linechart", "tiles"}
RETAIL = hashlib.sha256(b"Retail").hexdigest()


def queries(kind: int = QUERY) -> Iterator[dict[str, Any]]:
    for item in workbook()[1]["items"]:
        if item["type"] == kind == QUERY:
            yield item["content"]
        if item["type"] == kind == PICKERS:
            yield from item["content"]["parameters"]


def picked(query: str, month: str = "2026-10-01", unit: str = "*") -> str:
    """Return a query as the workbook asks it once month and unit are picked."""
    return query.replace("{Month}", month).replace("{BusinessUnit}", unit)


def item(name: str) -> str:
    (only,) = [one for one in workbook()[1]["items"] if one["name"] == name]
    return str(only["content"]["query"])


ROW_BY_ROW = frozenset({"extend", "order", "project", "summarize", "top", "where"})


def test_it_is_a_workbook() -> None:
    shown = workbook()[1]
    assert shown["version"] == "Notebook/1.0"
    assert shown["$schema"].endswith("/schema/workbook.json")
    names = [one["name"] for one in shown["items"]]
    assert len(names) == len(set(names)) == len(WRITTEN["items"])
    assert len(json.dumps(shown).encode()) < 900_000, "a resource may have 1 MB in all"
    for one in shown["items"]:
        assert one["type"] in (TEXT, QUERY, PICKERS)
        assert one.keys() <= {"type", "name", "content", "customWidth"}
    for content in queries():
        assert content["version"] == "KqlItem/1.0"
        assert content["visualization"] in VISUALIZATIONS
        assert content["queryType"] == 0
        assert content["timeContext"]["durationMs"] >= 400 * 86_400_000, "13 months, and what arrives late"


def test_it_shows_what_it_is_for_and_each_query_is_one_of_the_reports() -> None:
    reports = [one["report"] for one in WRITTEN["items"] if one["type"] == QUERY]
    assert set(reports) == SHOWN
    for one in WRITTEN["items"]:
        if one["type"] == QUERY:
            assert "query" not in one["content"], "the text comes from kql/reports"
            report = (kql_folder() / "reports" / f"{one['report']}.kql").read_text(encoding="utf-8")
            assert item(one["name"]).endswith(f"{report}\n{one['then']}")
            steps = [line.split()[:2] for line in one["then"].splitlines()]
            assert all(pipe == "|" and step in ROW_BY_ROW for pipe, step in steps), "rows of the report, and no others"


@pytest.mark.needs_node("@kusto/language-service-next")
def test_every_query_is_valid() -> None:
    asked = {f"item {number}": picked(content["query"]) for number, content in enumerate(queries())}
    asked |= {f"picker {content['name']}": content["query"] for content in queries(PICKERS)}
    assert len(asked) == 11 + 2
    for name, verdict in judged(asked).items():
        assert verdict.findings == [], name


def test_the_month_is_the_one_that_is_picked() -> None:
    for content in queries():
        assert content["query"].startswith("let periodStart = datetime({Month});")
        assert content["query"].count("let periodStart") == 1


def test_it_asks_the_application_insights_component_and_never_the_workspace() -> None:
    properties, shown = workbook()
    assert properties["sourceId"] == INSIGHTS.lower()
    assert shown["fallbackResourceIds"] == [INSIGHTS]
    for content in (*queries(), *queries(PICKERS)):
        assert content["resourceType"] == "microsoft.insights/components"
        assert content["crossComponentResources"] == [INSIGHTS]
    assert "workspaces" not in json.dumps(shown)
    assert "AppEvents" not in json.dumps(shown)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Two units' calls of gpt-4o on a global deployment, in October, and one of September."""
    with Store() as opened:
        opened.add(
            [
                counted("a", 1_000_000, 0, "2026-10-05T10:00:00.000Z", consumerId="web", model="m"),
                counted("b", 2_000_000, 0, "2026-10-06T10:00:00.000Z", consumerId="app", model="m"),
                counted("c", 4_000_000, 0, "2026-09-30T10:00:00.000Z", consumerId="web", model="m"),
            ]
        )
        yield opened


def asked(store: Store, name: str, **choice: str) -> list[dict[str, object]]:
    """Answer an item of the workbook, with prices and owners of a test in place of those that are deployed."""
    costs = ("promptUsdPerMillion", "cachedUsdPerMillion", "cacheWriteUsdPerMillion", "cacheWrite1hUsdPerMillion")
    others = ("completionUsdPerMillion", "audioPromptUsdPerMillion", "audioCompletionUsdPerMillion")
    any_call = 'datatable(model:string, validFrom:datetime)["m", datetime(2026-01-01)]'
    empty = ("modelVersion", "deploymentType", "regionGroup", "contextBand", "serviceTier", "meterId")
    prices = (
        f'let prices = {any_call} | extend publisher = "OpenAI", contextThreshold = long(null), batch = false, '
        f'priceKind = "list", source = "test", imagePromptUsdPerMillion = real(null), '
        + ", ".join([*(f'{name} = ""' for name in empty), *(f"{name} = real(2.5)" for name in (*costs, *others))])
    )
    owners = 'datatable(consumerId:string, businessUnit:string)["web", "Retail", "app", "O\'Neill"]'
    consumers = (
        f'let consumers = {owners} | extend costCenter = "", owner = "", displayName = "", '
        "validFrom = datetime(2026-01-01), validTo = datetime(null)"
    )
    ours = {"prices": f"{prices};", "consumers": f"{consumers};"}
    text = picked(item(name), **choice)
    for table, rows in ours.items():
        if f"let {table} = " not in text:
            continue
        start = text.index(f"let {table} = ")
        text = text[:start] + rows + text[text.index("];", start) + 2 :]
    return rows_of(store.query(text))


def test_the_statement_is_that_of_the_month_and_of_the_unit(store: Store) -> None:
    """1,000,000 and 2,000,000 prompt tokens at 2.50 a million."""
    whole = asked(store, "cost-by-business-unit")
    assert [(row["businessUnit"], row["chargedCost"]) for row in whole] == [
        *(("O'Neill", 5.0), ("Retail", 2.5), ("total", 7.5)),
    ]
    retail = asked(store, "cost-by-business-unit", unit=RETAIL)
    assert [(row["businessUnit"], row["chargedCost"]) for row in retail] == [("Retail", 2.5)]
    september = asked(store, "cost-by-model", month="2026-09-01")
    assert [row["chargedCost"] for row in september] == [10.0]


def test_models_and_days_are_those_of_the_unit(store: Store) -> None:
    assert [row["chargedCost"] for row in asked(store, "cost-by-model", unit=RETAIL)] == [2.5]
    assert [row["chargedCost"] for row in asked(store, "cost-over-time")] == [2.5, 5.0]


def test_top_consumers_are_those_of_the_unit_and_not_those_of_it_among_the_dearest_of_all(store: Store) -> None:
    """The report top-consumers takes ten of all units: a small unit would see none of its own."""
    assert [(row["consumer"], row["chargedCost"]) for row in asked(store, "top-consumers")] == [
        ("app", 5.0),
        ("web", 2.5),
    ]
    with Store() as crowded:
        dear = [
            counted(f"d{one}", 1_000_000, 0, "2026-10-05T10:00:00.000Z", consumerId=f"c{one}", model="m")
            for one in range(12)
        ]
        crowded.add([*dear, counted("w", 400_000, 0, "2026-10-05T10:00:00.000Z", consumerId="web", model="m")])
        assert len(asked(crowded, "top-consumers")) == 10
        assert [(row["consumer"], row["chargedCost"]) for row in asked(crowded, "top-consumers", unit=RETAIL)] == [
            ("web", 1.0)
        ]


REST = ("provisioned-share", "provisioned-utilisation", "cached-savings", "coverage", "unpriced")


@pytest.mark.parametrize("one", [*REST, "coverage-causes", "rejected"])
def test_the_others_answer_too(store: Store, one: str) -> None:
    asked(store, one, unit=RETAIL)


def test_the_pickers_offer_thirteen_months_and_every_unit(store: Store) -> None:
    month, unit = queries(PICKERS)
    assert (month["name"], unit["name"]) == ("Month", "BusinessUnit")
    assert month["type"] == unit["type"] == 2, "a drop down list"
    months = rows_of(store.query(month["query"]))
    assert len(months) == 13
    assert [row["selected"] for row in months] == [True] + [False] * 12
    assert all(str(row["value"]).endswith("-01") for row in months)
    assert [row["label"] for row in rows_of(store.query(unit["query"]))] == ["All"]
