"""`chargeback query`: how answers are written, which period is asked about, and what is said of mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder
from tests.faults.scripted import Scripted
from tests.kql.rows import OCTOBER as PERIOD
from tests.test_cli_main import called, command, environment, sentence

CALLS = (
    ("2026-10-31T23:59:59.999Z", {"model": "gpt-4o", "totalTokens": "1000000000000"}),
    ("2026-11-01T00:00:00Z", {"model": 'a "quoted", text', "totalTokens": "7"}),
    ("2026-11-02T10:00:00.5Z", {"model": "two\nlines"}),
)
LIST = (
    "customEvents | order by timestamp asc"
    " | project timestamp, model=tostring(customDimensions.model), tokens=tolong(customDimensions.totalTokens)"
)


def event(time: str, properties: dict[str, str]) -> dict[str, object]:
    return {"time": time, "data": {"baseType": "EventData", "baseData": {"name": "call", "properties": properties}}}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with three calls."""
    with Store(tmp_path / "calls.duckdb") as opened:
        opened.add([event(time, properties) for time, properties in CALLS])
    return tmp_path / "calls.duckdb"


def answer(store: Path, query: str, *options: str) -> str:
    finished = called("query", "-", "--store", store, *options, given=query.encode())
    assert (finished.returncode, finished.stderr) == (0, b"")
    return finished.stdout.decode()


def complaint(store: Path, query: str, *options: str) -> str:
    finished = called("query", "-", "--store", store, *options, given=query.encode())
    assert (finished.returncode, finished.stdout) == (2, b"")
    return sentence(finished)


def test_a_table_has_numbers_to_the_right_and_nothing_where_nothing_is_known(store: Path) -> None:
    assert [line.rstrip() for line in answer(store, LIST).splitlines()] == [
        "timestamp                     model                     tokens",
        "──────────────────────────────────────────────────────────────",
        "2026-10-31T23:59:59.999000Z   gpt-4o             1000000000000",
        '2026-11-01T00:00:00Z          a "quoted", text               7',
        "2026-11-02T10:00:00.500000Z   two\\u000alines",
    ]


def test_csv_is_rfc_4180(store: Path) -> None:
    assert answer(store, LIST, "--format", "csv") == (
        "timestamp,model,tokens\r\n"
        "2026-10-31T23:59:59.999000Z,gpt-4o,1000000000000\r\n"
        '2026-11-01T00:00:00Z,"a ""quoted"", text",7\r\n'
        '2026-11-02T10:00:00.500000Z,"two\nlines",\r\n'
    )


def test_json_is_a_list_of_objects(store: Path) -> None:
    assert json.loads(answer(store, LIST, "--format", "json")) == [
        {"timestamp": "2026-10-31T23:59:59.999000Z", "model": "gpt-4o", "tokens": 1000000000000},
        {"timestamp": "2026-11-01T00:00:00Z", "model": 'a "quoted", text', "tokens": 7},
        {"timestamp": "2026-11-02T10:00:00.500000Z", "model": "two\nlines", "tokens": None},
    ]


@pytest.mark.parametrize(
    ("expression", "shown", "in_json"),
    [
        ("1d + 2h + 3m + 4s + 500ms", "1.02:03:04.5000000", "1.02:03:04.5000000"),
        ("1m - 1h", "-00:59:00", "-00:59:00"),
        ("1 == 1", "true", True),
        ("1.0 / 3", "0.3333333333333333", 0.3333333333333333),
        ("tolong(9007199254740993)", "9007199254740993", 9007199254740993),
        ("real(nan)", "", None),
        ("long(null)", "", None),
        ("'grüße'", "grüße", "grüße"),
        ("''", "", ""),
    ],
)
def test_every_kind_of_value_is_written_as_kusto_writes_it(
    store: Path, expression: str, shown: str, in_json: object
) -> None:
    query = f"print value = {expression}"

    assert list(csv.reader(io.StringIO(answer(store, query, "--format", "csv")))) == [["value"], [shown]]
    assert json.loads(answer(store, query, "--format", "json")) == [{"value": in_json}]


def test_an_answer_without_rows_still_has_its_columns(store: Path) -> None:
    query = f"{LIST} | where model == 'none'"

    assert answer(store, query, "--format", "csv") == "timestamp,model,tokens\r\n"
    assert answer(store, query, "--format", "json") == "[]\n"
    assert answer(store, query).splitlines()[0].split() == ["timestamp", "model", "tokens"]


def test_texts_that_callers_chose_cannot_act_on_the_terminal(store: Path) -> None:
    with Store(store) as opened:
        opened.add([event("2026-11-03T00:00:00Z", {"model": "\x1b[2J\x9b\u202e[red]:smile:"})])

    shown = answer(store, f"{LIST} | where timestamp > datetime(2026-11-03T00:00:00Z) - 1s")

    assert shown.splitlines()[2].split(maxsplit=1)[1].rstrip() == r"\u001b[2J\u009b\u202e[red]:smile:"


def test_columns_of_one_name_are_not_lost_in_json(store: Path) -> None:
    assert complaint(store, "print a=1, a=2", "--format", "json") == (
        "two columns are called a: give each a name of its own, or use --format csv"
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-01", "2026-11-01"),
        ("20261001", "2026-11-01T00:00"),
        ("2026-10-01T02:00+02:00", "2026-10-31T16:00:00-08:00"),
    ],
)
def test_dates_replace_the_period(store: Path, start: str, end: str) -> None:
    query = "print start = periodStart, end = periodEnd"

    assert answer(store, query, "--format", "csv", "--from", start, "--to", end) == (
        "start,end\r\n2026-10-01T00:00:00Z,2026-11-01T00:00:00Z\r\n"
    )


def test_a_report_is_asked_about_its_period_with_its_library_before_it(store: Path, tmp_path: Path) -> None:
    report = tmp_path / "calls.kql"
    report.write_text(
        f"// How many calls?\n{LIST} | where timestamp >= periodStart and timestamp < periodEnd | count\n"
    )

    october = called("query", report, "--store", store, "--format", "csv", "--from", "2026-10-01", "--to", "2026-11-01")

    assert october.stdout == b"Count\r\n1\r\n"


REPORTS = sorted(kql_folder().glob("reports/*.kql"))
# What names prices takes seconds: tests/kql/ runs all of these, one here stands for them.
QUICK = [file for file in REPORTS if "let prices" not in compose(file.read_text(encoding="utf-8"))]
OCTOBER = ("--from", "2026-10-01", "--to", "2026-11-01")
ELSEWHERE = (
    "; calls that came too late for their month, or are dated ahead of it, are listed by kql/reports/in-no-report.kql, "
    "asked about the month in which they came"
)


@pytest.mark.parametrize("report", [*QUICK, kql_folder() / "reports" / "statement.kql"], ids=lambda path: path.stem)
def test_a_report_runs_over_a_store(store: Path, report: Path) -> None:
    finished = called("query", report, "--store", store, "--format", "csv")

    assert finished.returncode == 0
    rows = finished.stdout.decode().splitlines()
    assert rows[0][0].isalpha()
    assert bool(finished.stderr) == (len(rows) == 1), "only where there is no row is there something to say"


@pytest.mark.parametrize(("form", "written"), [("csv", "recordId\r\n"), ("json", "[]\n")])
def test_a_report_without_rows_says_about_which_period_and_where_late_rows_are(
    store: Path, form: str, written: str
) -> None:
    asked = called("query", "-", "--store", store, "--format", form, *OCTOBER, given=b"usage | project recordId")

    assert (asked.returncode, asked.stdout.decode()) == (0, written)
    assert sentence(asked) == f"no rows in the period from 2026-10-01 to 2026-11-01 (UTC){ELSEWHERE}"


def test_a_report_without_rows_is_about_this_month_if_nothing_else_is_asked(store: Path) -> None:
    assert sentence(called("query", "-", "--store", store, given=b"usage")) == f"no rows in this month (UTC){ELSEWHERE}"


@pytest.mark.parametrize("name", ["in-no-report", "rejected"])
def test_a_report_on_something_else_says_nothing_of_late_calls(store: Path, name: str) -> None:
    asked = called("query", kql_folder() / "reports" / f"{name}.kql", "--store", store, *OCTOBER)

    assert sentence(asked) == "no rows in the period from 2026-10-01 to 2026-11-01 (UTC)"


def test_the_text_of_a_report_needs_no_store_and_no_other_file() -> None:
    printed = called("query", kql_folder() / "reports" / "coverage.kql", "--text", *OCTOBER)

    assert (printed.returncode, printed.stderr) == (0, b"")
    text = printed.stdout.decode()
    assert "\nlet periodStart = datetime(2026-10-01T00:00:00.000000Z);\n" in text
    assert "\nlet usage = " in text
    assert text.endswith("| project subject, countedAs, number, shareOfCalls\n")


@pytest.mark.parametrize("report", QUICK, ids=lambda path: path.stem)
def test_the_text_of_a_report_gives_the_reports_answer(store: Path, tmp_path: Path, report: Path) -> None:
    """It names nothing that would have to be put before it, and asks about the same period."""
    text = tmp_path / "text.kql"
    text.write_bytes(called("query", report, "--text", *OCTOBER).stdout)
    with Store(store) as opened:
        pasted = opened.query(text.read_text(encoding="utf-8"))
        asked = opened.query(compose(report.read_text(encoding="utf-8"), period=PERIOD))

    assert pasted == asked


def test_a_text_has_no_empty_line_because_there_the_portal_would_take_a_query_to_end() -> None:
    """Those in a text literal are the literal's own."""
    query = b"// How many?\n\nusage\n\n  \n| extend a = ```1\n\n2``` // b\n\n| count"
    printed = called("query", "-", "--text", given=query)

    assert printed.stdout.endswith(b";\n// How many?\nusage\n| extend a = ```1\n\n2``` // b\n| count\n")
    for report in REPORTS:
        assert b"\n\n" not in called("query", report, "--text").stdout


def test_without_a_store_there_is_only_the_text() -> None:
    asked = called("query", "-", given=b"print 1")

    assert (asked.returncode, asked.stdout) == (2, b"")
    assert sentence(asked) == "name a store with --store, or add --text to see the query as it would be asked"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "2026-10-01"), "a period has two ends: give both --from and --to, or neither"),
        (("--to", "2026-10-01"), "a period has two ends: give both --from and --to, or neither"),
        (
            ("--from", "2026-10-01", "--to", "2026-10-01"),
            "the period from 2026-10-01 to 2026-10-01 is empty: give the earlier date to --from",
        ),
        (
            ("--from", "1/10/2026", "--to", "2026-11-01"),
            "--from 1/10/2026 is no date: write it like 2026-01-31 or 2026-01-31T12:00Z",
        ),
    ],
)
def test_a_period_that_is_none_is_one_sentence(store: Path, options: tuple[str, ...], said: str) -> None:
    assert complaint(store, "print periodStart", *options) == said


def test_a_period_for_a_query_that_has_none_is_a_mistake(store: Path) -> None:
    """Else a bill for October would be shown under November's name."""
    said = complaint(store, LIST, "--from", "2026-10-01", "--to", "2026-11-01")

    assert said.startswith("the query does not use the period")


def test_a_mistake_is_placed_in_the_query_and_not_behind_its_library(store: Path) -> None:
    said = complaint(store, "// A question\nprint periodStart\n  | foo\n")

    assert said.startswith("the query cannot be run here: ")
    assert " at line 3, character 3: " in said


def test_a_column_that_is_not_there_is_one_sentence(store: Path) -> None:
    assert "tokns" in complaint(store, "customEvents | where tokns > 3")


def test_a_query_cannot_change_the_store(store: Path) -> None:
    complaint(store, ".drop table customEvents")

    assert answer(store, "customEvents | count", "--format", "csv") == "Count\r\n3\r\n"


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    said = complaint(tmp_path / "gone.duckdb", "print 1")

    assert said == (
        f"there is no store {tmp_path}/gone.duckdb: make one with chargeback replay FILE --store {tmp_path}/gone.duckdb"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def address(store: Path) -> Iterator[str]:
    """Return the address of a server that holds the store."""
    with Store(store) as opened, LocalApplicationInsights(opened) as local:
        yield local.endpoint.rstrip("/")


QUERIES = (
    LIST,
    "print span = 1d + 2h, yes = 1 == 1, share = 1.0 / 3, big = tolong(9007199254740993), nothing = real(nan)",
    "customEvents | summarize n = sum(tolong(customDimensions.totalTokens)), names = make_list(name)",
    "customEvents | where name == 'none'",
)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_server_that_holds_the_store_gives_the_same_answer(store: Path, form: str, query: str) -> None:
    from_file = answer(store, query, "--format", form)
    with Store(store) as opened, LocalApplicationInsights(opened) as local:
        asked = called("query", "-", "--store", local.endpoint, "--format", form, given=query.encode())

    assert (asked.returncode, asked.stderr) == (0, b"")
    assert asked.stdout.decode() == from_file


def test_a_server_places_a_mistake_in_the_query_too(address: str) -> None:
    finished = called("query", "-", "--store", address, given=b"print periodStart\n  | foo\n")

    assert finished.returncode == 2
    assert sentence(finished).startswith("the query cannot be run here: ")
    assert " at line 2, character 3: " in sentence(finished)


def test_a_server_is_not_looked_for_behind_a_proxy(address: str) -> None:
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": ""}

    assert called("query", "-", "--store", address, given=b"print 1", settings=proxies).returncode == 0


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    finished = called("query", "-", "--store", "http://127.0.0.1:9", given=b"print 1")

    assert finished.returncode == 2
    assert sentence(finished) == (
        "no answer from http://127.0.0.1:9 (ConnectionRefusedError): start chargeback local serve, or name its file"
    )


def test_a_server_of_another_kind_is_one_sentence() -> None:
    with Scripted() as other:
        finished = called("query", "-", "--store", other.endpoint, given=b"print 1")

    assert finished.returncode == 2
    assert sentence(finished) == (
        f"what answers at {other.endpoint} is no local Application Insights: name the address that local serve prints"
    )


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1:8125", "http://example.org", "http://127.0.0.1:port", "http://127.0.0.1:8125/v1", "http://"],
)
def test_an_address_that_is_no_local_servers_is_one_sentence(address: str) -> None:
    finished = called("query", "-", "--store", address, given=b"print 1")

    assert finished.returncode == 2
    assert sentence(finished) == f"{address} is no local server's address: write it like http://127.0.0.1:8125"


def test_a_store_that_a_server_holds_is_asked_for_by_its_address(store: Path) -> None:
    with Store(store):
        finished = command("query", "-", "--store", store, given=b"print 1")

    assert finished.returncode == 2
    assert f"cannot open the store {store}: another process holds it" in sentence(finished)
    assert sentence(finished).endswith("local serve, ask it: --store http://127.0.0.1:8125")


@pytest.mark.parametrize(("content", "said"), [(None, "No such file or directory"), (b"\xff\xfe\x00", "is no text")])
def test_a_query_that_cannot_be_read_is_one_sentence(
    store: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "query.kql"
    if content is not None:
        file.write_bytes(content)

    finished = called("query", file, "--store", store)

    assert finished.returncode == 2
    assert said in sentence(finished)


def test_a_wrong_format_is_named_with_those_there_are(store: Path) -> None:
    finished = called("query", "-", "--store", store, "--format", "xml", given=b"print 1")

    assert finished.returncode == 2
    assert all(name in finished.stderr for name in (b"xml", b"table", b"csv", b"json"))


def test_a_pipe_gets_a_table_as_wide_as_it_needs_to_be(store: Path) -> None:
    query = f'print text = "{"x" * 300}"'

    finished = command("query", "-", "--store", store, given=query.encode())

    assert finished.stdout.splitlines()[2] == b"x" * 300


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
def test_at_a_terminal_long_values_are_folded_and_not_cut(store: Path, tmp_path: Path) -> None:
    import pty

    query = tmp_path / "long.kql"
    query.write_text(f'print text = "{"x" * 300}"')
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "chargeback", "query", str(query), "--store", str(store)]
    finished = subprocess.run(
        line, stdout=theirs, env=environment({"TERM": "xterm", "COLUMNS": "80"}), timeout=60, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)

    assert finished.returncode == 0
    rows = [row.rstrip() for row in shown.splitlines()]
    assert [len(row) for row in rows if set(row) == {"x"}] == [80, 80, 80, 60]


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
@pytest.mark.parametrize("width", [40, 56])
def test_a_narrow_terminal_tears_neither_names_nor_numbers(store: Path, tmp_path: Path, width: int) -> None:
    import pty

    query = tmp_path / "wide.kql"
    query.write_text(
        "print recordShape = 'gateway-hub', deliveredTwiceOrMore = 1234567, neededTokens = 7654321, z = 1.0 / 3"
    )
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "chargeback", "query", str(query), "--store", str(store)]
    narrow = environment({"TERM": "xterm", "COLUMNS": str(width), "NO_COLOR": "1"})
    finished = subprocess.run(line, stdout=theirs, env=narrow, timeout=60, check=False)
    os.close(theirs)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", os.read(ours, 65536).decode())
    os.close(ours)

    assert finished.returncode == 0
    assert [row.split() for row in shown.splitlines() if row.strip("─")] == [
        ["recordShape", "deliveredTwiceOrMore", "neededTokens", "z"],
        ["gateway-hub", "1234567", "7654321", "0.3333333333333333"],
    ]


@pytest.mark.parametrize("text", ["", "\n", "// How many calls?\n"])
def test_a_file_without_a_query_is_one_sentence(store: Path, text: str) -> None:
    assert complaint(store, text) == "there is no query in standard input: write one, or name another file"


def test_letters_that_the_output_lacks_do_not_end_it(store: Path) -> None:
    finished = command(
        "query", "-", "--store", store, given="print text = 'grüße'".encode(), settings={"PYTHONIOENCODING": "ascii"}
    )

    assert finished.returncode == 0
    assert finished.stdout.splitlines()[-1].strip() == rb"gr\xfc\xdfe"
