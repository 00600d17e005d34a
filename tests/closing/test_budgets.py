"""`chargeback budgets`: what is used of them, and the events that an alert reads.

March: Retail has spent 5.83 of 5 dollars, Finance 0.00 of 100, and nobody 0.02.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder
from tests.closing.scene import APRIL, MARCH, Scene, append, lines, run
from tests.cloud.azure import Azure, Told
from tests.kql.rows import Row, rows_of

RESOURCE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers/microsoft.insights/components/x"
)
ALERT = """
customEvents
| where name == "Chargeback budget" and timestamp > ago(2d)
| extend businessUnit = tostring(customDimensions["businessUnit"]), month = tostring(customDimensions["month"]),
    spent = todouble(customDimensions["spent"]), budget = todouble(customDimensions["budget"]),
    forecast = todouble(customDimensions["forecast"]), usedPercent = todouble(customDimensions["usedPercent"]),
    currency = tostring(customDimensions["currency"])
| summarize arg_max(timestamp, spent, budget, forecast, usedPercent, currency) by businessUnit, month
| project-away timestamp
| order by businessUnit asc
"""
"""As the alert asks: the latest of each business unit and month."""
RETAIL = {"spent": 5.83, "budget": 5.0, "forecast": 5.83, "usedPercent": 116.6, "currency": "USD"}
FINANCE = {"spent": 0.0, "budget": 100.0, "forecast": 0.0, "usedPercent": 0.0, "currency": "USD"}
TOLD = [
    {"businessUnit": "Finance", "month": MARCH, **FINANCE},
    {"businessUnit": "Retail", "month": MARCH, **RETAIL},
]


def budgets(scene: Scene, *more: str, month: str = MARCH) -> tuple[int, str, str]:
    return run("budgets", "--month", month, *scene.source(), *more)


def alerted(store: Path) -> list[Row]:
    with Store(store) as opened:
        return rows_of(opened.query(ALERT))


def test_the_table_says_what_is_used_and_who_is_over(closed: Scene) -> None:
    code, output, told = budgets(closed)
    assert (code, told) == (1, "chargeback: over budget in 2025-03: Retail\n")
    assert lines(output, "Finance") == [["Finance", "0.00", "100.00", "0.0", "0.00"]]
    assert lines(output, "Retail") == [["Retail", "5.83", "5.00", "116.6", "5.83"]]
    assert "the forecast is linear in the time that is over" in output
    assert "In no budget: Unassigned, 0.02 USD." in output


def test_events_go_to_the_store_and_come_back_in_the_alerts_query(closed: Scene) -> None:
    code, _, told = budgets(closed, "--emit")
    assert (code, told.splitlines()[0]) == (1, "chargeback: sent 2 events")
    assert alerted(closed.store) == TOLD
    # Told again a day later it is no second budget.
    budgets(closed, "--emit")
    assert alerted(closed.store) == TOLD


def test_no_report_counts_these_events(closed: Scene) -> None:
    now = datetime.now(UTC)
    this_month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    reports = [file for file in sorted((kql_folder() / "reports").glob("*.kql")) if "statement" not in file.name]
    asked = {file.name: compose(file.read_text(), period=(this_month, now)) for file in reports}

    def answers() -> dict[str, list[Row]]:
        with Store(closed.store) as opened:
            return {name: rows_of(opened.query(kql)) for name, kql in asked.items()}

    before = answers()
    assert budgets(closed, "--emit")[0] == 1
    assert answers() == before
    # What was closed is still all there is: the statement does not count them either.
    assert closed.close(MARCH)[:2] == (0, "")


def test_a_unit_without_a_budget_has_an_event_without_one_and_is_not_over(closed: Scene) -> None:
    append(closed.reference, "budgets.kql", '"Retail", real(null), datetime(2025-03-02),')
    assert budgets(closed, "--emit")[0] == 0
    retail = next(row for row in alerted(closed.store) if row["businessUnit"] == "Retail")
    assert (retail["budget"], retail["usedPercent"], retail["spent"]) == (None, None, 5.83)


def test_where_azure_is_asked_events_go_to_the_resource_of_the_environment(closed: Scene, azure: Azure) -> None:
    columns = [{"name": "rowKind", "type": "string"}, {"name": "day", "type": "datetime"}]
    azure.tells(Told({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": []}]}))
    words = ("--resource", RESOURCE, "--endpoint", azure.endpoint, "--reference", closed.reference, "--emit")
    with Store(closed.store) as opened, LocalApplicationInsights(opened) as local:
        settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": local.connection_string}
        assert run("budgets", "--month", MARCH, *words, settings=settings)[0] == 0
    assert [(row["businessUnit"], row["spent"]) for row in alerted(closed.store)] == [("Finance", 0.0), ("Retail", 0.0)]
    code, _, told = run("budgets", "--month", MARCH, *words)
    assert (code, "set APPLICATIONINSIGHTS_CONNECTION_STRING" in told) == (2, True)


def test_a_store_behind_a_local_server_gets_the_events_over_the_network(closed: Scene) -> None:
    with Store(closed.store) as opened, LocalApplicationInsights(opened) as local:
        words = ("--month", MARCH, "--store", local.endpoint, "--reference", closed.reference, "--emit")
        assert run("budgets", *words)[0] == 1
    assert alerted(closed.store) == TOLD


def test_where_the_service_refuses_it_is_said_and_the_exit_code_is_a_failure(closed: Scene) -> None:
    append(
        closed.reference,
        "consumers.kql",
        f'"retail-web", "{"R" * 9000}", "", "", "", datetime(2025-02-01), datetime(null),',
    )
    code, _, told = budgets(closed, "--emit")
    assert code == 2
    assert "1 of 3 budgets refused (property businessUnit longer than 8192 characters)" in told


def test_a_month_without_anything_shows_the_budgets(closed: Scene) -> None:
    code, output, told = budgets(closed, month="2025-06")
    assert (code, told) == (0, "")
    assert lines(output, "Retail") == [["Retail", "0.00", "5.00", "0.0", "0.00"]]


@pytest.mark.parametrize("month", ["2025-13", "2025-3", "9999-12", "soon"])
def test_a_month_that_is_none_is_said(closed: Scene, month: str) -> None:
    code, output, told = budgets(closed, month=month)
    assert (code, output, told.count("\n"), "is no month" in told) == (2, "", 1, True)


def test_a_month_whose_budget_is_kept_ends_well(closed: Scene) -> None:
    code, output, told = budgets(closed, month=APRIL)
    assert (code, told, lines(output, "Retail")) == (0, "", [["Retail", "0.01", "5.00", "0.2", "0.01"]])
