"""Composing a query: the library files it names, in an order that works, and its period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from chargeback.errors import QueryError
from chargeback.local.store import Store
from chargeback.reports import compose as room
from chargeback.reports.compose import Period, compose, kql_folder, question
from chargeback.reports.definitions import library
from tests.kql.rows import OCTOBER

REPORTS = sorted((kql_folder() / "reports").glob("*.kql"))
EXAMPLES = sorted((kql_folder() / "examples").glob("*.kql"))


def lets(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("let ")]


@pytest.fixture
def lib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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
    assert composed.startswith("let periodStart = datetime(2026-10-01T00:00:00.000000Z);\n")
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


def test_a_circle_in_the_library_is_refused(lib: Path) -> None:
    (lib / "hen.kql").write_text("let hen = egg;")
    (lib / "egg.kql").write_text("let egg = hen;")
    with pytest.raises(QueryError, match="needs itself, by way of"):
        compose("hen")


def test_the_library_is_taken_from_the_installed_package_if_it_is_there(lib: Path) -> None:
    (lib / "spring.kql").write_text("let spring = 1;")
    assert kql_folder() == lib.parent
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


def test_everything_in_the_library_is_used_by_a_report() -> None:
    used = {name for report in REPORTS for name in lets(compose(report.read_text(encoding="utf-8")))}
    assert sorted(library(kql_folder() / "lib", None).keys() - used) == []


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: str(file.stem))
def test_a_composed_report_fits_into_an_alert_rule(file: Path) -> None:
    """Azure Monitor takes at most 64 KB."""
    composed = compose(file.read_text(encoding="utf-8"), period=(OCTOBER[0], datetime.now(UTC)))
    assert len(composed.encode()) < 60_000


def test_only_what_is_needed_comes_with_a_query(lib: Path) -> None:
    (lib / "farm.kql").write_text("let hen = 1;\nlet egg = hen + 1;\nlet cow = 2;\n")
    assert compose("print egg") == "let hen = 1;\nlet egg = hen+1;\nprint egg"


def test_a_semicolon_within_a_function_or_a_text_ends_no_statement(lib: Path) -> None:
    (lib / "farm.kql").write_text('let twice = (n:long) { let m = n; m * 2 };\nlet word = "a;b"; // let cow = 1;')
    assert compose("print twice(1)") == "let twice = (n:long) { let m = n; m*2 };\nprint twice(1)"
    assert compose("print word") == 'let word = "a;b";\nprint word'


def test_a_name_that_two_files_define_is_refused(lib: Path) -> None:
    (lib / "cow.kql").write_text("let cow = 1;")
    (lib / "hen.kql").write_text("let cow = 2;")
    with pytest.raises(QueryError, match=r"hen\.kql defines cow, which cow\.kql defines too: rename it"):
        compose("print 1")


def test_texts_keep_their_blanks_and_code_loses_those_that_it_does_not_need(lib: Path) -> None:
    (lib / "farm.kql").write_text('let hens = customEvents // all\n    | where name  ==  "a  = b" and 1 <  2\n;')
    assert compose("hens") == 'let hens = customEvents\n|where name=="a  = b" and 1<2\n;\nhens'


TABLE = """let prices = datatable(model:string, usd:real, label:string, at:datetime, batch:bool, note:string)
[
    {rows}
];
"""
ROW = '"a", 2, "list", datetime(null), false, "say \\"so\\"",'


def test_what_every_row_of_a_table_says_is_said_once(lib: Path) -> None:
    rows = [ROW.replace('"a"', f'"model-{number}"') for number in range(9)]
    (lib / "prices.kql").write_text(TABLE.format(rows="\n".join(rows)))
    composed = compose("prices")

    assert len(composed) < len(TABLE.format(rows="".join(rows)))
    assert composed.count('"list"') == 1
    with Store() as store:
        (answer, plain) = (store.query(text) for text in (composed, TABLE.format(rows="".join(rows)) + "prices"))
    assert answer == plain


@pytest.mark.parametrize("rows", ["", ROW, ROW * 2, ROW.replace('"a"', 'strcat("a", "b")') * 9])
def test_a_table_that_would_not_be_shorter_or_is_none_of_constants_stays(lib: Path, rows: str) -> None:
    (lib / "prices.kql").write_text(TABLE.format(rows=rows))
    assert "extend" not in compose("prices")
