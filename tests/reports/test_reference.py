"""Files of reference rows: read exactly, refused where not understood."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.errors import ReferenceDataError
from chargeback.local.store import Store
from chargeback.reports.literals import Value
from chargeback.reports.reference import parse, read

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
PRICES = """// What a model costs.
let prices = datatable(model:string, batch:bool, threshold:long, validFrom:datetime, price:real, until:datetime)
[
    // From the list; "quoted ]" and // more
    "gpt-4o", false, 128000, datetime(2026-10-01), 2.50, datetime(null),
    @'o''clock', true, long(null), datetime(2026-10-01T06:30:00Z), real(null), datetime(2027-01-01)
];
// The end.
"""


def rows_of(text: str) -> list[Mapping[str, Value]]:
    return list(parse(text, "prices.kql").rows)


def test_rows_are_read_exactly() -> None:
    assert rows_of(PRICES) == [
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


def test_a_row_keeps_its_text_and_its_line_for_later() -> None:
    found = parse(PRICES, "prices.kql")
    assert found.lines == (5, 6)
    assert found.texts[0] == '"gpt-4o", false, 128000, datetime(2026-10-01), 2.50, datetime(null)'
    assert (found.name, found.comma) == ("prices", False)
    assert list(found.columns.items())[:2] == [("model", "string"), ("batch", "bool")]


def test_comments_are_kept_as_they_are_and_what_only_looks_like_one_is_none() -> None:
    text = "\ufeff// one\r\nlet // two\nt = datatable(a:string)['// no', // three\n'x' // four\n];\n// five"
    assert [each.strip() for each in parse(text, "t.kql").comments] == [
        "// one",
        "// two",
        "// three",
        "// four",
        "// five",
    ]
    assert [row["a"] for row in parse(text, "t.kql").rows] == ["// no", "x"]


THINGS = """// What it is.
let things = datatable(name:string, size:long, cost:real, good:bool, since:datetime)
[
    // a comment with "quotes", commas and ]
    "a \\"b\\" \\\\ c", 1, 0.0000275, true, datetime(2026-01-31),
    'single', long(null), real(null), false, datetime(2026-01-31T12:30:00Z),
    "", long(-7), 1e-05, bool(true), datetime(2026-01-31 12:30:00.5),
    "x", 272000, 5, false, datetime(null),
];
"""


def test_a_table_is_read_as_the_engine_reads_it() -> None:
    table = parse(THINGS, "things.kql")
    with Store() as store:
        answer = store.query(f"{THINGS}things")
    assert list(table.columns) == list(answer.columns)
    ours = [[float(cell) if isinstance(cell, Decimal) else cell for cell in row.values()] for row in table.rows]
    assert ours == [list(row) for row in answer.rows]


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
        ("let t = datatable(a:guid)[];", "type guid is not known"),
        ("let t = datatable(a:datetime)['2026-01-01'];", "here should be a datetime (a of the row on line 3)"),
        ("let t = datatable(a:long)[1 + 1];", "here should be , or ]"),
        ("let t = datatable(a:long)[1 2];", "here should be , or ]"),
        ("let t = datatable(a:long)[1,, 2];", "here should be a long (a of the row on line 3)"),
        ("let t = datatable(a:string)[", "here should be a text in quotes (a of the row on line 3)"),
        ("let t = datatable(a:string)['a'", "here should be , or ]"),
        (
            'let t = datatable(a:string, b:long)["x"];',
            "here should be , (b of the row on line 3); write it as kql/lib does",
        ),
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


def test_a_row_that_is_too_short_is_named_by_its_own_line() -> None:
    with pytest.raises(ReferenceDataError, match=r"^t\.kql, line 4: here should be , \(y of the row on line 3\); "):
        parse("let t = datatable(x:string, y:long)[\n'a', 1,\n'b'\n];", "t.kql")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "prices.kql").write_bytes(content)
    with pytest.raises(ReferenceDataError, match=r"prices\.kql"):
        read(tmp_path / "prices.kql")
