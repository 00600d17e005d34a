"""Composing a query: the library files it names, in an order that works, and its period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from chargeback.errors import QueryError
from chargeback.reports import compose as room
from chargeback.reports.compose import Period, compose, kql_folder, question
from tests.kql.rows import OCTOBER

REPORTS = sorted((kql_folder() / "reports").glob("*.kql"))
EXAMPLES = sorted((kql_folder() / "examples").glob("*.kql"))


def lets(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("let ")]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of our own, at the place where an installed package has it."""
    package = tmp_path / "chargeback"
    folder = package / "kql" / "lib"
    folder.mkdir(parents=True)
    monkeypatch.setattr(room, "__file__", str(package / "reports" / "compose.py"))
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "customEvents | count",
        "customEvents // all of usage",
        "customEvents | where name == 'usage'",
        'customEvents | where name == "say \\"usage"',
        'customEvents | where name == @"c:\\usage\\" or name == "usage"',
        "customEvents | where name == ```usage\nusage```",
        "customEvents | extend x = customDimensions.usage",
        "customEvents | extend usageX = 1, Usage = 2, x_usage = 3",
    ],
)
def test_a_query_that_names_no_library_is_left_as_it_is(text: str) -> None:
    assert compose(text) == text
    assert compose(text, period=OCTOBER) == text


@pytest.mark.parametrize(
    "text", ["usage", "union(usage)", "range x from 1 .. usage", '"a" | usage // b', "a.usage + usage"]
)
def test_a_name_brings_its_file_and_what_that_file_needs_before_it(text: str) -> None:
    composed = compose(text)
    assert composed.endswith(f"\n{text}")
    names = lets(composed)
    assert names[:2] == ["periodStart", "periodEnd"]
    assert names[-1] == "usage"
    assert "classifiedCalls" not in names


def test_files_come_once_and_after_what_they_use() -> None:
    names = lets(compose("classifiedCalls | union outcomeRows, usage | where eventTime > periodStart"))
    assert len(names) == len(set(names))
    assert names.index("periodEnd") < names.index("usage") < names.index("classifiedCalls")
    assert names.index("periodEnd") < names.index("outcomeRows")


def test_a_period_takes_the_place_of_the_two_lines() -> None:
    composed = compose("usage", period=OCTOBER)
    assert "\nlet periodStart = datetime(2026-10-01T00:00:00.000000Z);\n" in composed
    assert "\nlet periodEnd = datetime(2026-11-01T00:00:00.000000Z);\n" in composed
    assert "startofmonth(now())" not in composed


def test_a_period_is_written_in_utc_to_the_microsecond() -> None:
    zone = timezone(timedelta(hours=2))
    period = (datetime(2026, 10, 1, 1, 30, 0, 5, tzinfo=zone), datetime(2026, 10, 1, 2, 0, tzinfo=zone))
    assert "let periodStart = datetime(2026-09-30T23:30:00.000005Z);" in compose("periodStart", period=period)


@pytest.mark.parametrize(
    "period",
    [
        OCTOBER[::-1],
        (OCTOBER[0], OCTOBER[0]),
        (datetime(2026, 10, 1), OCTOBER[1]),  # noqa: DTZ001  (a time without a zone is what is tested)
    ],
    ids=["backwards", "empty", "without a zone"],
)
def test_what_is_no_period_is_refused(period: Period) -> None:
    with pytest.raises(QueryError, match="is no period: give two times"):
        compose("usage", period=period)


def test_a_query_may_not_define_what_its_library_defines() -> None:
    with pytest.raises(QueryError, match=r"defines periodStart, which kql/lib/period\.kql defines too"):
        compose("let periodStart = datetime(2026-10-01); usage")


def test_a_query_with_names_of_its_own_gets_no_library_for_them() -> None:
    text = "let usage = customEvents; usage | count"
    assert compose(text) == text


def test_a_circle_in_the_library_is_refused(library: Path) -> None:
    (library / "hen.kql").write_text("let hen = egg;")
    (library / "egg.kql").write_text("let egg = hen;")
    with pytest.raises(QueryError, match="needs itself, by way of"):
        compose("hen")


def test_the_library_is_taken_from_the_installed_package_if_it_is_there(library: Path) -> None:
    (library / "spring.kql").write_text("let spring = 1;")
    assert kql_folder() == library.parent
    assert compose("print spring") == "let spring = 1;\nprint spring"


def test_the_repositorys_folder_is_used_otherwise() -> None:
    assert kql_folder() == Path(room.__file__).parents[2] / "kql"
    assert REPORTS
    assert EXAMPLES


@pytest.mark.parametrize("file", REPORTS + EXAMPLES, ids=lambda file: str(file.stem))
def test_every_query_begins_with_its_question(file: Path) -> None:
    assert question(file).endswith("?")
    assert "declare query_parameters" not in file.read_text(encoding="utf-8")


def test_a_query_without_a_question_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nothing.kql"
    for text in ("usage\n// late?", "//\nusage", ""):
        file.write_text(text)
        with pytest.raises(QueryError, match="does not begin with its question"):
            question(file)


@pytest.mark.parametrize("file", sorted((kql_folder() / "lib").glob("*.kql")), ids=lambda file: str(file.stem))
def test_every_library_file_is_used_by_a_report(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert any(source in compose(report.read_text(encoding="utf-8")) for report in REPORTS)


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: str(file.stem))
def test_a_composed_report_fits_into_an_alert_rule(file: Path) -> None:
    """Azure Monitor takes at most 64 KB."""
    assert len(compose(file.read_text(encoding="utf-8"), period=(OCTOBER[0], datetime.now(UTC)))) < 60_000
