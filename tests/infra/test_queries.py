"""The query pack: every report of kql/reports as it stands there, ready to run in Application Insights."""

from __future__ import annotations

import pytest

from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder, question
from tests.infra.deployed import ROOT, pack, reports
from tests.kql.language import judged
from tests.kql.rows import counted, pending, rejected, rows_of

pytestmark = pytest.mark.once

REPORTS = {file.stem: file for file in sorted((kql_folder() / "reports").glob("*.kql"))}
MEGABYTE = 1_000_000


def test_every_report_is_in_the_pack_and_nothing_else() -> None:
    """Who adds a report adds a line to infra/modules/queries.bicep."""
    assert pack().keys() == REPORTS.keys()


def test_a_query_is_described_by_its_question() -> None:
    assert {name: query["description"] for name, query in pack().items()} == {
        name: question(file) for name, file in REPORTS.items()
    }


@pytest.mark.needs_node("@kusto/language-service-next")
def test_every_query_is_valid_and_gives_the_columns_of_its_report() -> None:
    composed = {f"composed {name}": compose(file.read_text(encoding="utf-8")) for name, file in REPORTS.items()}
    verdicts = judged({name: str(query["body"]) for name, query in pack().items()} | composed)
    for name in REPORTS:
        assert verdicts[name].findings == [], name
        assert verdicts[name].columns == verdicts[f"composed {name}"].columns


@pytest.mark.parametrize("name", ["tokens-by-consumer", "coverage", "unpriced", "call-classes", "rejected"])
def test_the_deployed_text_gives_the_rows_of_the_report(name: str) -> None:
    """Today's month: the pack asks about the current one until somebody edits its two lines."""
    with Store() as store:
        now = "2026-10-15T12:00:00.000Z"
        store.add([counted("a", 10, 5, now, model="gpt-4o"), pending("b", now), rejected("c", now)])
        period = "let periodStart = datetime(2026-10-01);\nlet periodEnd = datetime(2026-11-01);\n"
        answers = [
            rows_of(
                store.query(period + "\n".join(line for line in text.split("\n") if not line.startswith("let period")))
            )
            for text in (str(pack()[name]["body"]), compose(REPORTS[name].read_text(encoding="utf-8")))
        ]
    assert answers[0] == answers[1] != []


def test_the_library_is_there_whole() -> None:
    """A report may need any file of it, today or after the next change."""
    text = (ROOT / "infra/modules/reports.bicep").read_text(encoding="utf-8")
    missing = [file.stem for file in (kql_folder() / "lib").glob("*.kql") if f"kql/lib/{file.name}'" not in text]
    assert missing == []


def test_no_text_of_the_library_looks_like_a_comment_or_has_several_lines() -> None:
    """Bicep leaves out lines that begin with // and blanks at a line's ends, in texts too."""
    for file in (kql_folder() / "lib").glob("*.kql"):
        text = file.read_text(encoding="utf-8")
        assert "```" not in text
        assert "~~~" not in text
        assert "\r" not in text


def test_the_pack_fits_into_one_deployment() -> None:
    """A template, expanded, may have 4 MB, and a resource 1 MB."""
    bodies = [len(str(query["body"]).encode()) for query in pack().values()]
    assert max(bodies) < 100_000
    assert sum(bodies) < 3 * MEGABYTE


def test_queries_are_about_application_insights_and_not_about_the_workspace() -> None:
    """There the table is AppEvents, and its columns have other names."""
    for query in pack().values():
        assert query["related"] == {"resourceTypes": ["microsoft.insights/components"]}
        assert "AppEvents" not in str(query["body"])
    assert len(reports().of("Microsoft.OperationalInsights/queryPacks")) == 1
