"""Files of reference rows: read exactly, appended to without touching a line, refused where not understood."""

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
from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from chargeback.reports.literals import Value
from chargeback.reports.reference import append, appended, parse, read

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
PRICES = """// What a model costs.
let prices = datatable(model:string, batch:bool, threshold:long, validFrom:datetime, price:real, until:datetime)
[
    // From the list; "quoted ]" and // more
    "gpt-4o", false, 128000, datetime(2026-10-01), 2.50, datetime(null),
    'o''clock', true, long(null), datetime(2026-10-01T06:30:00Z), real(null), datetime(2027-01-01)
];
// The end.
"""


def rows_of(text: str) -> list[Mapping[str, Value]]:
    return list(parse(text, "prices.kql").rows)


def test_rows_are_read_exactly() -> None:
    text = PRICES.replace("'o''clock'", "@'o''clock'")
    assert rows_of(text) == [
        {
            "model": "gpt-4o",
            "batch": False,
            "threshold": 128000,
            "validFrom": OCTOBER,
            "price": Decimal("2.50"),
            "until": None,
        },
        {
            "model": "o'clock",
            "batch": True,
            "threshold": None,
            "validFrom": datetime(2026, 10, 1, 6, 30, tzinfo=UTC),
            "price": None,
            "until": datetime(2027, 1, 1, tzinfo=UTC),
        },
    ]


def test_a_row_keeps_its_text_for_later() -> None:
    found = parse(PRICES.replace("'o''clock'", "'x'"), "prices.kql")
    assert found.texts[0] == '"gpt-4o", false, 128000, datetime(2026-10-01), 2.50, datetime(null)'
    assert (found.name, found.comma) == ("prices", False)
    assert list(found.columns.items())[:2] == [("model", "string"), ("batch", "bool")]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"a\\\\b"', "a\\b"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("'it\\'s'", "it's"),
        ('@"C:\\new"', "C:\\new"),
        ('@"a""b"', 'a"b'),
        ('"a // b"', "a // b"),
        ('"];"', "];"),
        ('"\\t"', "\t"),
        ('"é漢"', "é漢"),
    ],
)  # fmt: skip  (one case per line is a table)
def test_texts_are_read_as_kusto_reads_them(literal: str, value: str) -> None:
    text = f"let t = datatable(a:string)[{literal}];"
    assert rows_of(text) == [{"a": value}]
    with Store() as store:
        assert store.query(f"{text} t").rows == ((value,),)


@pytest.mark.parametrize(
    ("kind", "literal", "value"),
    [
        ("real", "1", Decimal(1)),
        ("real", "-2.5e-3", Decimal("-0.0025")),
        ("real", "real(0.1)", Decimal("0.1")),
        ("double", "double(3)", Decimal(3)),
        ("decimal", "decimal(0.10)", Decimal("0.10")),
        ("long", "long(7)", 7),
        ("int", "-7", -7),
        ("bool", "true", True),
        ("bool", "bool(null)", None),
        ("datetime", "datetime(null)", None),
        ("datetime", "datetime(2026-10-01 06:00)", datetime(2026, 10, 1, 6, tzinfo=UTC)),
        ("datetime", "datetime(2026-10-01T02:00:00+02:00)", OCTOBER),
    ],
)  # fmt: skip  (one case per line is a table)
def test_other_constants_are_read_as_kusto_reads_them(kind: str, literal: str, value: Value) -> None:
    (row,) = rows_of(f"let t = datatable(a:{kind})[{literal}];")
    assert row == {"a": value}
    assert type(row["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('let t = datatable(a:string)["x"]; t | count', "something follows"),
        ('let t = datatable(a:string)["x"]', "here should be ;"),
        ('let t = datatable(a:string)["x", ];;', "something follows"),
        ('let t = datatable(a:string, b:long)["x"];', "here should be ,"),
        ('let t = datatable(a:string)[strcat("a", "b")];', "a text in quotes"),
        ("let t = datatable(a:datetime)[now()];", "is no datetime"),
        ("let t = datatable(a:datetime)[ago(1d)];", "is no datetime"),
        ("let t = datatable(a:datetime)[7];", "here should be a datetime"),
        ("let t = datatable(a:long)[1.5];", "here should be a long"),
        ("let t = datatable(a:long)[real(1)];", "here should be a long"),
        ("let t = datatable(a:long)[true];", "here should be a long"),
        ("let t = datatable(a:bool)[1];", "here should be a bool"),
        ("let t = datatable(a:real)[real(nan)];", "is no real"),
        ('let t = datatable(a:real)["1"];', "here should be a real"),
        ("let t = datatable(a:real)[x];", "x is no constant"),
        ('let t = datatable(a:string)["\\u00e9"];', "write the character itself"),
        ('let t = datatable(a:string)["x];', "a text in quotes"),
        ("let t = datatable(a:dynamic)[dynamic({})];", "type dynamic is not known"),
        ("let t = datatable(a:string, a:long)[];", "stands there twice"),
        ("let t = customEvents;", "customEvents is no constant"),
        ("let t = datatable(a:long)[1]; let u = datatable(a:long)[1];", "something follows"),
        ("let t = datatable(a:long)[1]; let u = now();", "is no real"),
        ("let u = 7;", "here should be let"),
        ("let u = ;", "here should be"),
        ("let t = datatable();", "here should be a column"),
        ("", "here should be let"),
    ],
)
def test_what_is_no_table_of_constants_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ReferenceDataError, match=r"^prices\.kql, line 3: ") as raised:
        parse(f"// one\n// two\n{text}", "prices.kql")
    assert words in str(raised.value)


def test_settings_beside_the_table_are_read_and_stay_where_they_are() -> None:
    text = 'let currency = "US;D"; // why\nlet t = datatable(a:string)[\n];\nlet spread = true;\nlet share = 0.25;\n'
    assert parse(text, "t.kql").settings == ('let currency = "US;D";', "let spread = true;", "let share = 0.25;")
    assert appended(text, [{"a": "x"}], "t.kql") == text.replace("[\n]", '[\n"x",\n]')


# Appending.

NEW: Mapping[str, Value] = {"model": "gpt-6", "batch": False, "validFrom": OCTOBER, "price": Decimal("1E-7")}
NEW_LINE = '"gpt-6", false, long(null), datetime(2026-10-01), 0.0000001, datetime(null)'


def grown(text: str) -> str:
    return appended(text, [NEW], "prices.kql")


@pytest.mark.parametrize("comma", ["", ",", " ,  // why"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_existing_lines_stay_byte_for_byte_and_in_place(comma: str, newline: str) -> None:
    text = PRICES.replace("'o''clock'", "'x'").replace("2027-01-01)\n", f"2027-01-01){comma}\n").replace("\n", newline)
    first = "" if comma else ", "
    before, after = text.split("];")
    assert grown(text) == f"{before}{first}{NEW_LINE},{newline}];{after}"
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
    file.write_text(PRICES.replace("'o''clock'", "'x'"))
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
    file.write_text(PRICES.replace("'o''clock'", "'x'"))
    file.chmod(0o640)
    held = file.open()
    append(file, [NEW])
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert len(read(file).rows) == 3
    assert held.read() == PRICES.replace("'o''clock'", "'x'"), "whoever reads meanwhile sees the old file, whole"
    held.close()


def test_no_rows_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text(PRICES.replace("'o''clock'", "'x'"))
    inode = file.stat().st_ino
    append(file, [])
    assert file.stat().st_ino == inode


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "prices.kql").write_bytes(content)
    with pytest.raises(ReferenceDataError, match=r"prices\.kql"):
        read(tmp_path / "prices.kql")


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
