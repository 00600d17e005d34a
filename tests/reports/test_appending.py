"""Rows appended to files of reference rows: what is there stays to the byte, and what is written is read again."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.errors import ReferenceDataError
from chargeback.reports.appending import append, appended, replace
from chargeback.reports.compose import kql_folder
from chargeback.reports.literals import Value
from chargeback.reports.reference import parse, read
from tests.reports.test_reference import OCTOBER, PRICES, rows_of

NEW: Mapping[str, Value] = {"model": "gpt-6", "batch": False, "validFrom": OCTOBER, "price": Decimal("1E-7")}
NEW_LINE = '"gpt-6", false, long(null), datetime(2026-10-01), 0.0000001, datetime(null)'


def grown(text: str) -> str:
    return appended(text, [NEW], "prices.kql")


@pytest.mark.parametrize("comma", ["", ",", " ,  // why"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_existing_lines_stay_byte_for_byte_and_in_place(comma: str, newline: str) -> None:
    text = PRICES.replace("2027-01-01)\n", f"2027-01-01){comma}\n").replace("\n", newline)
    first = "" if comma else ", "
    before, after = text.split("];")
    assert grown(text) == f"{before}    {first}{NEW_LINE},{newline}];{after}"
    assert rows_of(grown(text))[:2] == rows_of(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("let t = datatable(a:string)[];", 'let t = datatable(a:string)[\n"x",\n];'),
        ("let t = datatable(a:string)\n[];", 'let t = datatable(a:string)\n[\n"x",\n];'),
        ("let t = datatable(a:string)\n[\n];", 'let t = datatable(a:string)\n[\n"x",\n];'),
        ("let t = datatable(a:string)\n[\n  // none\n  ];", 'let t = datatable(a:string)\n[\n  // none\n"x",\n  ];'),
        ('let t = datatable(a:string)["]"];', 'let t = datatable(a:string)["]"\n, "x",\n];'),
        ('let t = datatable(a:string)[\n"a", // ]\n];', 'let t = datatable(a:string)[\n"a", // ]\n"x",\n];'),
        ('let t = datatable(a:string)[\n"a" // why\n];', 'let t = datatable(a:string)[\n"a" // why\n, "x",\n];'),
    ],
)
def test_rows_go_before_the_bracket_wherever_it_stands(text: str, result: str) -> None:
    assert appended(text, [{"a": "x"}], "t.kql") == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[\n    'a',\n];", '[\n    \'a\',\n    // why\n    // and when\n    "x",\n    "y",\n];'),
        ("[\n\t'a'\n];", '[\n\t\'a\'\n\t// why\n\t// and when\n\t, "x",\n\t"y",\n];'),
        ("[\r\n  'a',\r\n];", '[\r\n  \'a\',\r\n  // why\r\n  // and when\r\n  "x",\r\n  "y",\r\n];'),
        ("['a'];", '[\'a\'\n// why\n// and when\n, "x",\n"y",\n];'),
        ("[];", '[\n// why\n// and when\n"x",\n"y",\n];'),
    ],
    ids=["as written", "no comma", "CR LF", "one line", "empty"],
)
def test_a_comment_stands_above_what_is_appended_and_all_is_indented_as_the_last_row(text: str, result: str) -> None:
    head = "\ufefflet t = datatable(a:string)"
    assert appended(head + text, [{"a": "x"}, {"a": "y"}], "t.kql", "why\nand when") == head + result


def test_a_comment_alone_can_be_appended() -> None:
    text = "let t = datatable(a:string)\n[\n    'a'\n];\n"
    after = appended(text, [], "t.kql", "2026-10-06 read again")
    assert after == "let t = datatable(a:string)\n[\n    'a'\n    // 2026-10-06 read again\n];\n"
    assert parse(after, "t.kql").comments == ("// 2026-10-06 read again",)


def test_settings_beside_the_table_stay_where_they_are() -> None:
    text = 'let currency = "US;D"; // why\nlet t = datatable(a:string)[\n];\nlet spread = true;\n'
    assert appended(text, [{"a": "x"}], "t.kql") == text.replace("[\n]", '[\n"x",\n]')


def test_appending_again_and_again_only_adds() -> None:
    text = kql_folder().joinpath("lib", "consumers.kql").read_text()
    once = appended(text, [{"consumerId": "a", "validFrom": OCTOBER}], "consumers.kql")
    twice = appended(once, [{"consumerId": "b", "validFrom": OCTOBER}], "consumers.kql")
    lines = twice.splitlines()
    assert [line for line in lines if line not in text.splitlines()] == [
        '"a", "", "", "", "", datetime(2026-10-01), datetime(null),',
        '"b", "", "", "", "", datetime(2026-10-01), datetime(null),',
    ]
    assert [line for line in lines if line in text.splitlines()] == text.splitlines()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"modle": "x"}, "no column modle"),
        ({"model": 7}, "cannot be written as string"),
        ({"model": "two\nlines"}, "in one line"),
        ({"batch": "yes"}, "cannot be written as bool"),
        ({"threshold": True}, "cannot be written as long"),
        ({"threshold": Decimal("1.5")}, "cannot be written as long"),
        ({"price": Decimal("NaN")}, "cannot be written as real"),
        ({"validFrom": datetime(2026, 1, 1)}, "as datetime"),  # noqa: DTZ001  (the mistake is that it has no zone)
    ],
)  # fmt: skip  (one case per line is a table)
def test_a_row_that_does_not_fit_is_refused_and_none_is_written(
    tmp_path: Path, row: Mapping[str, Value], words: str
) -> None:
    file = tmp_path / "prices.kql"
    file.write_text(PRICES)
    before = file.read_bytes()
    with pytest.raises(ReferenceDataError, match=words):
        append(file, [NEW, row])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_understood_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text("let t = customEvents;")
    with pytest.raises(ReferenceDataError):
        append(file, [])
    assert file.read_text() == "let t = customEvents;"


def test_a_file_keeps_its_mode_and_is_replaced_at_once(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text(PRICES)
    file.chmod(0o640)
    held = file.open()
    append(file, [NEW])
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert len(read(file).rows) == 3
    assert held.read() == PRICES, "whoever reads meanwhile sees the old file, whole"
    held.close()


def test_no_rows_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text(PRICES)
    inode = file.stat().st_ino
    append(file, [])
    assert file.stat().st_ino == inode


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
    st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**9), max_value=10**9),
    st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    st.one_of(st.none(), st.booleans()),
)
def test_whatever_is_written_is_read_again(text: str, number: Decimal, when: datetime, flag: bool | None) -> None:
    empty = "let t = datatable(a:string, b:real, c:datetime, d:bool, e:decimal)[];"
    row: Mapping[str, Value] = {"a": text, "b": number, "c": when, "d": flag, "e": number}
    assert rows_of(appended(empty, [row, row], "t.kql")) == [row, row]


def test_a_file_is_replaced_as_a_whole_where_a_link_to_it_is_named(tmp_path: Path) -> None:
    file, link = tmp_path / "prices.kql", tmp_path / "link.kql"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace(link, "old", "new")
    assert file.read_text() == "new"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.kql", "prices.kql"]


def test_a_file_that_is_new_can_be_read_by_others(tmp_path: Path) -> None:
    replace(tmp_path / "prices.kql", "", "new")
    assert stat.S_IMODE((tmp_path / "prices.kql").stat().st_mode) == 0o644


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text("theirs")
    with pytest.raises(ReferenceDataError, match="has changed meanwhile: run the command again"):
        replace(file, "old", "new")
    assert file.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [file]
