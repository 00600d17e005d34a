"""prices.kql read and added to: the rows mean what KQL takes them to mean, and a line that is there stays as it is."""

from __future__ import annotations

import stat
from dataclasses import replace as changed
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.errors import PriceError
from chargeback.local.store import Store
from chargeback.prices.datatable import read_table, with_lines
from chargeback.prices.file import COLUMNS, confirmation, line_of, read_prices, replace
from chargeback.prices.rows import Part, PriceKind
from tests.prices.rows import HEAD, file_of, price, written

LITERALS = """// What it is.
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
    table = read_table(LITERALS, "things.kql")
    with Store() as store:
        answer = store.query(f"{LITERALS}things")
    assert [name for name, _ in table.columns] == list(answer.columns)
    ours = [[float(value) if isinstance(value, Decimal) else value for value in row] for row in table.rows]
    assert ours == [list(row) for row in answer.rows]


def test_a_number_is_exactly_what_is_written() -> None:
    assert [row["cost"] for row in read_table(LITERALS, "x").dicts()] == [
        Decimal("0.0000275"),
        None,
        Decimal("0.00001"),
        Decimal(5),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: let is missing before the end"),
        ("let a = 1;", "datatable is missing before 1"),
        ("let a = datatable(x:string)[", "is no string for the column x"),
        ("let a = datatable(x:string)['a'", "a comma is missing"),
        ("let a = datatable(x:string)['a']", "; is missing before the end"),
        ("let a = datatable(x:string)['a'];\nlet b = 1;", "line 2: there is something after the table"),
        ("let a = datatable(x:guid)[];", "no column here is of the type guid"),
        ("let a = datatable(x:string, y:long)[\n'a', 1,\n'b'];", "the row that begins on line 3 has not 2 values"),
        ("let a = datatable(x:long)[1.5];", "1.5 is no long for the column x"),
        ("let a = datatable(x:long)['1'];", "is no long"),
        ("let a = datatable(x:real)[real(nan)];", "is no real"),
        ("let a = datatable(x:real)['1'];", "is no real"),
        ("let a = datatable(x:bool)[1];", "is no bool"),
        ("let a = datatable(x:datetime)['2026-01-01'];", "is no datetime"),
        ("let a = datatable(x:datetime)[datetime(yesterday)];", "is no datetime"),
        ("let a = datatable(x:datetime)[ago(1d)];", "is no datetime"),
        ("let a = datatable(x:long)[1 + 1];", "cannot read '+ 1];'"),
        ("let a = datatable(x:string)[@'c:\\'];", "cannot read"),
        ("let a = datatable(x:string)[strcat('a')];", "strcat is no string"),
        ("let a = datatable(x:long)[1,, 2];", ", is no long"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(PriceError) as refused:
        read_table(text, "things.kql")
    assert why in str(refused.value)
    assert str(refused.value).startswith("things.kql, line ")


def test_a_row_is_read_as_it_was_written() -> None:
    row = price("gpt-4.1", "2.0000275", version="2025-04-14", band="long", batch=True, cached="0.5", imagePrompt="3")
    odd = changed(row, meter_id='a "b" \\ c', valid_from=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert file_of(row, odd).rows == (row, odd)


def test_the_engine_reads_what_is_written() -> None:
    row = changed(price("gpt-4.1", "0.0000275", band="short", cached="0.5"), meter_id='x "]; y \\')
    with Store() as store:
        (values,) = store.query(f"{written(row)}prices").rows
    named = dict(zip((name for name, _ in COLUMNS), values, strict=True))
    assert (named["model"], named["contextBand"], named["contextThreshold"]) == ("gpt-4.1", "short", 272000)
    assert (named["promptUsdPerMillion"], named["cachedUsdPerMillion"]) == (0.0000275, 0.5)
    assert (named["cacheWriteUsdPerMillion"], named["meterId"]) == (None, 'x "]; y \\')


def test_a_text_of_the_api_cannot_end_the_line_or_the_table() -> None:
    line = line_of(changed(price("gpt-4.1"), meter_id='1"];\nlet prices = 1; //\r\u2028'))
    assert len(line.splitlines()) == 1
    assert read_prices(f"{HEAD}    {line},\n];\n").rows[0].meter_id == '1"]; let prices = 1; //  '


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('"global"', '"Global"', "deploymentType is 'Global'; write one of datazone, global, regional"),
        ('"standard"', '"default"', "serviceTier is 'default'"),
        ('"list"', '"List"', "priceKind is 'List'; write one of contract, list"),
        ("long(null)", "272000", "contextBand and contextThreshold go together"),
        ("datetime(2026-01-01)", "datetime(null)", "validFrom is null"),
        (" 2, ", " -2, ", "none below 0"),
        ("promptUsdPerMillion", "promptUsdPerThousand", "has not the columns of prices.kql"),
        ("let prices", "let costs", "has not the columns of prices.kql"),
    ],
)
def test_a_row_that_no_price_can_be_is_refused(right: str, wrong: str, why: str) -> None:
    text = written(price("gpt-4.1"))
    assert right in text
    with pytest.raises(PriceError, match=why.replace("(", r"\(")):
        read_prices(text.replace(right, wrong))


@pytest.mark.parametrize(
    "text",
    [
        written(price("a"), price("b")),
        written(price("a")).replace("\n", "\r\n"),
        written(price("a")).replace(",\n];", "\n];"),
        written(price("a")).replace(",\n];", " // no comma\n  ] ;"),
        written().replace("[\n]", "[]"),
        "\ufeff" + written(price("a")),
        written(price("a")) + "\n\n// the end, without a new line",
    ],
    ids=["as written", "CR LF", "no comma", "comment at the end", "empty", "byte order mark", "text after it"],
)
def test_lines_are_added_and_none_is_changed(text: str) -> None:
    before = read_prices(text)
    after = before.with_rows([price("new"), price("newer")], "why\nand when")
    assert [row.key.model for row in read_prices(after).rows] == [row.key.model for row in before.rows] + [
        "new",
        "newer",
    ]
    kept = iter(after.splitlines(keepends=True))
    # An empty table on one line is the one line that has to be opened.
    assert all(line in kept for line in text.splitlines(keepends=True)) or "[]" in text
    assert ("\r\n" in text) is ("\r\n" in after)
    assert "    // why\n    // and when\n" in after.replace("\r\n", "\n")


def test_a_row_after_one_without_a_comma_begins_with_it() -> None:
    text = "let a = datatable(x:long)\n[\n    1\n];\n"
    added = with_lines(text, read_table(text, "a"), ["2", "3"], "more")
    assert added == "let a = datatable(x:long)\n[\n    1\n    // more\n    , 2,\n    3,\n];\n"
    assert read_table(added, "a").rows == ((1,), (2,), (3,))


def test_a_confirmation_is_read_again() -> None:
    models = [f"model-{number} 2026-01-{number:02}" for number in range(1, 30)]
    comment = confirmation(date(2026, 10, 6), "Azure Retail Prices API", models)
    assert max(map(len, comment.splitlines())) <= 120
    told = read_prices(file_of(price("a")).with_rows([], comment)).confirmations
    assert {each.day for each in told} == {date(2026, 10, 6)}
    assert {each.source for each in told} == {"Azure Retail Prices API"}
    assert set().union(*(each.models for each in told)) == set(models)


def test_the_day_of_a_source_is_the_last_date_in_it() -> None:
    assert price("a", source="contract of 2025-01-01, read 2026-10-06").read_on == date(2026, 10, 6)
    assert price("a", source="our contract", kind=PriceKind.CONTRACT).read_on == date(2026, 1, 1)
    assert price("a", source="list of 2026-13-45").read_on == date(2026, 1, 1)


def test_a_part_without_a_price_is_null_and_not_nothing() -> None:
    (row,) = file_of(price("a", cached="0")).rows
    assert row.prices[Part.CACHED] == 0
    assert Part.CACHE_WRITE not in row.prices


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "prices.kql", tmp_path / "link.kql"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace(link, "old", "new")
    assert file.read_text() == "new"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.kql", "prices.kql"]


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "prices.kql"
    file.write_text("theirs")
    with pytest.raises(PriceError, match="has changed meanwhile: run the update again"):
        replace(file, "old", "new")
    assert file.read_text() == "theirs"
