"""The alerts: each fires on what it is for, keeps still otherwise, and has its row in the runbook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chargeback.events import BUDGET_EVENT
from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder, question
from tests.infra.deployed import INSIGHTS, ROOT, alerts
from tests.kql.language import judged
from tests.kql.rows import Envelope, call, counted, event, ignored, pending, rejected

NOW = datetime(2026, 10, 15, 12, 5, tzinfo=UTC)
MINUTES = {
    written: timedelta(minutes=minutes)
    for written, minutes in {"PT5M": 5, "PT15M": 15, "PT1H": 60, "PT6H": 360, "P1D": 1440, "P2D": 2880}.items()
}
"""Of the durations that Azure takes those that are used."""
MONEY = re.compile(r"(?i)prices|perMillion|listCost|chargedCost|datatable")
RUNBOOK = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def metric(name: str, value: float) -> Envelope:
    """Return a metric as the app's own telemetry sends it."""
    data = {"baseType": "MetricData", "baseData": {"ver": 2, "metrics": [{"name": name, "value": value, "count": 1}]}}
    return {"name": "Microsoft.ApplicationInsights.Metric", "time": "2026-10-15T12:00:00.000Z", "data": data}


def budget(unit: str, spent: str, limit: str, time: str) -> Envelope:
    told = {"businessUnit": unit, "month": "2026-10", "currency": "USD", "spent": spent, "budget": limit}
    return event(BUDGET_EVENT, time, told)


def letters(old: int, time: str) -> Envelope:
    return event("Chargeback dead letters", time, {"olderThan7Days": old})


YESTERDAY, NOON = "2026-10-14T20:00:00.000Z", "2026-10-15T12:00:00.000Z"
KNOWN = [counted(f"k{number}", 10, 5, YESTERDAY) for number in range(19)]
REFUSED = [call(f"r{number}", YESTERDAY, statusCode=429, forwarded=True) for number in range(30)]

FIRES: dict[str, Sequence[Envelope]] = {
    "rejected-records": [rejected("a", NOON)],
    "low-coverage": [*KNOWN, pending("p", YESTERDAY), pending("q", YESTERDAY)],  # 2 of 21: 9.5 %
    "lag": [metric("chargeback.lag", 901.0)],
    "failing-batches": [metric("chargeback.failures", 1.0)],
    "no-usage": [ignored("i", NOON), rejected("a", NOON), budget("Retail", "1", "2", NOON)],
    "over-budget": [budget("Retail", "99.00", "100.00", YESTERDAY), budget("Retail", "100.01", "100.00", NOON)],
    "old-dead-letters": [letters(0, YESTERDAY), letters(3, NOON)],
}
STILL: dict[str, Sequence[Envelope]] = {
    "rejected-records": [ignored("i", NOON), counted("a", 10, 5, NOON)],
    "low-coverage": [*KNOWN, counted("k19", 10, 5, YESTERDAY), pending("p", YESTERDAY), *REFUSED],  # 1 of 21: 4.8 %
    "lag": [metric("chargeback.lag", 900.0), metric("chargeback.delivery", 5000.0)],
    "failing-batches": [metric("chargeback.lag", 10.0)],
    "no-usage": [counted("a", 10, 5, NOON)],
    "over-budget": [budget("Retail", "120.00", "100.00", YESTERDAY), budget("Retail", "120.00", "150.00", NOON)],
    "old-dead-letters": [letters(3, YESTERDAY), letters(0, NOON)],
}
"""In the last two what was said last counts: a budget was raised, dead letters were sent again."""


def fires(name: str, envelopes: Sequence[Envelope]) -> bool:
    """Tell whether an alert's condition holds, as Azure evaluates it: on the largest value of what it looks back on."""
    (condition,) = alerts()[name]["criteria"]["allOf"]
    assert condition["timeAggregation"] == "Maximum"
    since = NOW - MINUTES[str(alerts()[name]["overrideQueryTimeRange"])]
    with Store() as store:
        store.add([one for one in envelopes if datetime.fromisoformat(str(one["time"])) >= since])
        answer = store.query(str(condition["query"]), now=NOW)
    place = answer.columns.index(str(condition["metricMeasureColumn"]))
    values = [row[place] for row in answer.rows if row[place] is not None]
    if not values:
        return False
    largest = max(float(str(value)) for value in values)
    below = {"LessThan": True, "GreaterThan": False}[str(condition["operator"])]
    threshold = float(condition["threshold"])
    return largest < threshold if below else largest > threshold


@pytest.mark.parametrize("name", FIRES)
def test_it_fires_on_what_it_is_for(name: str) -> None:
    assert fires(name, FIRES[name])


@pytest.mark.parametrize("name", STILL)
def test_it_keeps_still_otherwise(name: str) -> None:
    assert not fires(name, STILL[name])


def test_a_day_of_few_calls_says_nothing_of_coverage() -> None:
    assert not fires("low-coverage", [pending(f"p{number}", YESTERDAY) for number in range(19)])


def test_every_alert_is_tried_but_the_one_that_the_local_engine_cannot_run() -> None:
    """`_BilledSize` is a column that Azure alone has."""
    assert alerts().keys() == FIRES.keys() | {"daily-cap-near"} == STILL.keys() | {"daily-cap-near"}
    queries = {file.stem for file in (kql_folder() / "alerts").glob("*.kql")}
    assert len(queries) == len(FIRES)


def test_the_cap_has_an_alert_at_four_fifths() -> None:
    """In megabytes: four fifths of a small cap, in whole gigabytes, would be none."""
    for cap, megabytes in ((10, 8000), (1, 800)):
        (condition,) = alerts(cap)["daily-cap-near"]["criteria"]["allOf"]
        assert (condition["operator"], condition["threshold"]) == ("GreaterThan", megabytes)
        assert condition["metricMeasureColumn"] == "megabytes"
        assert "= sum(_BilledSize) / 1e6" in condition["query"]
        assert "ago(24h)" in condition["query"]


def test_a_record_that_waited_in_the_hub_is_told_when_it_is_rejected() -> None:
    """The event's time is the hub's: after a backlog of a day it is a day old when it comes."""
    assert fires("rejected-records", [rejected("a", "2026-10-14T09:00:00.000Z")])


def test_each_unit_over_its_budget_is_an_alert_of_its_own() -> None:
    """An alert that goes on is not sent again: in one for all units the second would go unnoticed."""
    split = {name: rule["criteria"]["allOf"][0]["dimensions"] for name, rule in alerts().items()}
    each = [{"name": "businessUnit", "operator": "Include", "values": ["*"]}]
    assert split == {name: each if name == "over-budget" else [] for name in alerts()}


def test_nothing_happens_between_two_looks_and_each_alert_is_on() -> None:
    for name, rule in alerts().items():
        every, window, back = (
            MINUTES[str(rule[key])] for key in ("evaluationFrequency", "windowSize", "overrideQueryTimeRange")
        )
        assert every <= window <= back, name
        assert rule["enabled"] is True, name
        periods = rule["criteria"]["allOf"][0]["failingPeriods"]
        assert periods == {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}, name
        assert rule["autoMitigate"] is True, name
        assert len(rule["actions"]["actionGroups"]) == 1, name


@pytest.mark.needs_node("@kusto/language-service-next")
def test_every_query_is_valid() -> None:
    for name, verdict in judged({name: str(_query(name)) for name in alerts()}).items():
        assert verdict.findings == [], name


def _query(name: str) -> object:
    return alerts()[name]["criteria"]["allOf"][0]["query"]


def test_no_query_holds_prices_and_each_is_short_enough() -> None:
    """Prices change: an alert that held them would go on with old ones. Azure takes 64 KB."""
    for name in alerts():
        text = re.sub(r"(?s)let (consumers|currencies) = datatable.*?\];", "", str(_query(name)))
        assert not MONEY.search(re.sub(r"let (statementCurrency|minorUnits)[^;]*;", "", text)), name
        assert len(str(_query(name)).encode()) < 60_000


def test_alerts_are_about_the_application_insights_component() -> None:
    for name, rule in alerts().items():
        assert rule["scopes"] == [INSIGHTS], name
        assert "AppEvents" not in str(_query(name))


def test_each_says_what_to_do_and_where_to_read_on_and_has_a_row_there() -> None:
    section = RUNBOOK.partition("## Alerts")[2].partition("\n## ")[0]
    rows = set(re.findall(r"(?m)^\| `([a-z-]+)` \|", section))
    assert rows == alerts().keys()
    for name, rule in alerts().items():
        todo, _, place = str(rule["description"]).partition(" More: ")
        assert place == f"docs/operations.md#alerts, {name}."
        assert todo.split()[0] in {"Run", "Look", "Read", "Tell", "Raise"}, "what to do, first"
        assert todo.endswith(".")


def test_every_query_file_begins_with_its_question() -> None:
    assert all(question(file).endswith("?") for file in (kql_folder() / "alerts").glob("*.kql"))
