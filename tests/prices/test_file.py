"""prices.kql read and added to: the rows mean what KQL takes them to mean, and a line that is there stays as it is."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, date, datetime

import pytest

from chargeback.errors import PriceError, ReferenceDataError
from chargeback.local.store import Store
from chargeback.prices.file import COLUMNS, confirmation, line_of, read_prices
from chargeback.prices.rows import Part, PriceKind
from tests.prices.rows import HEAD, file_of, price, written


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
        (", false,", ", bool(null),", "batch is null; write true or false"),
        (" 2, ", " -2, ", "none below 0"),
    ],
)
def test_a_row_that_no_price_can_be_is_refused_with_its_line(right: str, wrong: str, why: str) -> None:
    text = written(price("gpt-4.1"))
    assert right in text
    with pytest.raises(PriceError, match=f"^prices.kql, line 4: .*{why}"):
        read_prices(text.replace(right, wrong))


@pytest.mark.parametrize(
    ("right", "wrong"), [("promptUsdPerMillion", "promptUsdPerThousand"), ("let prices", "let costs")]
)
def test_a_file_with_other_columns_is_refused(right: str, wrong: str) -> None:
    with pytest.raises(ReferenceDataError, match=r"has not the columns of prices\.kql: compare it"):
        read_prices(written(price("gpt-4.1")).replace(right, wrong))


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
    indent = "    " if before.rows else ""
    assert f"\n{indent}// why\n{indent}// and when\n{indent}" in after.replace("\r\n", "\n")


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
