"""Tables as text: the very bytes, worked out by hand."""

from __future__ import annotations

import csv
import io
import json

import pytest

from chargeback.reports.groups import By
from chargeback.reports.statement import Excluded
from chargeback.reports.tables import tabulate
from chargeback.reports.texts import encodable, for_spreadsheet, visible
from chargeback.reports.writing import as_csv, as_json, closing_lines, for_terminal
from tests.reports.made_up import HOSTILE, line, part, statement
from tests.reports.small import small

CSV = """\
month,kind,model,calls,prompt_tokens,cached_tokens,cache_write_tokens,cache_write_1h_tokens,audio_prompt_tokens,\
image_prompt_tokens,completion_tokens,audio_completion_tokens,list_cost,contract_cost,charged_cost,currency
2026-10,usage,gpt-4o,8,1008000,0,0,0,0,0,333333,0,5.85,4.69,4.49,USD
2026-10,usage,gpt-4.1-mini,2,12345,0,0,0,0,0,0,0,0.01,0.00,0.00,USD
2026-10,total,Total,10,1020345,0,0,0,0,0,333333,0,5.86,4.69,4.49,USD
"""

NO_TOKENS = dict.fromkeys(
    ["prompt", "cached", "cacheWrite", "cacheWrite1h", "audioPrompt", "imagePrompt", "completion", "audioCompletion"], 0
)
JSON = {
    "month": "2026-10",
    "currency": "USD",
    "by": "business-unit",
    "business_unit": None,
    "columns": ["business_unit"],
    "rows": [
        {
            "kind": "usage",
            "business_unit": "Retail",
            "calls": 5,
            "tokens": NO_TOKENS | {"prompt": 1_012_345, "completion": 333_333},
            "list_cost": "5.84",
            "contract_cost": "4.67",
            "charged_cost": "4.47",
        },
        {
            "kind": "usage",
            "business_unit": "Finance",
            "calls": 1,
            "tokens": NO_TOKENS | {"prompt": 2_000},
            "list_cost": "0.00",
            "contract_cost": "0.00",
            "charged_cost": "0.00",
        },
        {
            "kind": "unassigned",
            "business_unit": "Unassigned",
            "calls": 4,
            "tokens": NO_TOKENS | {"prompt": 6_000},
            "list_cost": "0.02",
            "contract_cost": "0.02",
            "charged_cost": "0.02",
        },
    ],
    "total": {
        "kind": "total",
        "calls": 10,
        "tokens": NO_TOKENS | {"prompt": 1_020_345, "completion": 333_333},
        "list_cost": "5.86",
        "contract_cost": "4.69",
        "charged_cost": "4.49",
    },
    "calls": 13,
    "classes": {
        "line": 6,
        "unknown-consumer": 4,
        "unpriced": 2,
        "inconsistent": 0,
        "unknown-usage": 0,
        "maybe-billed": 0,
        "not-billed": 1,
    },
    "identity": (
        "6 charged + 4 unknown consumer + 2 unpriced + 0 inconsistent + 0 unknown usage + 0 maybe billed"
        " + 1 not billed = 13 calls"
    ),
    "faults": [],
    "excluded": [
        {"class": "unpriced", "cause": "grok-4 has no price", "calls": 2, "business_unit": None},
        {"class": "not-billed", "cause": "status 429", "calls": 1, "business_unit": None},
    ],
    "made_at": "2026-11-03T06:00:00Z",
    "query_hashes": {"statement-lines.kql": "0123456789abcdef" * 4},
}


def test_csv() -> None:
    assert as_csv(tabulate(small(), By.MODEL)) == CSV.replace("\n", "\r\n")


def test_json() -> None:
    written = json.loads(as_json(tabulate(small(), By.BUSINESS_UNIT)))
    assert written == JSON
    assert list(written) == list(JSON)


def test_json_says_whose_table_it_is() -> None:
    written = json.loads(as_json(tabulate(small(), By.CONSUMER, business_unit="Finance")))
    assert written["business_unit"] == "Finance"
    assert [row["consumer_id"] for row in written["rows"]] == ["finance-audit"]
    assert "Retail" not in json.dumps(written)


def test_a_terminal_shows_the_parts_that_have_tokens() -> None:
    heads, cells = for_terminal(tabulate(small(), By.MODEL))
    assert heads == ["model", "calls", "prompt", "completion", "list USD", "contract USD", "charged USD"]
    assert [[str(cell) for cell in row] for row in cells] == [
        ["gpt-4o", "8", "1008000", "333333", "5.85", "4.69", "4.49"],
        ["gpt-4.1-mini", "2", "12345", "0", "0.01", "0.00", "0.00"],
        ["Total", "10", "1020345", "333333", "5.86", "4.69", "4.49"],
    ]


def test_below_a_terminals_table_stands_what_is_not_in_it() -> None:
    assert closing_lines(tabulate(small(), By.MODEL).coverage) == [
        "6 charged + 4 unknown consumer + 2 unpriced + 0 inconsistent + 0 unknown usage + 0 maybe billed"
        " + 1 not billed = 13 calls",
        "  2 unpriced: grok-4 has no price",
        "  1 not-billed: status 429",
    ]


def test_a_cause_is_named_once_whoever_called() -> None:
    turned_away = [Excluded("not-billed", "status 429", calls, unit) for calls, unit in ((2, "Retail"), (3, "Finance"))]
    other = [Excluded("unpriced", "status 429", 4), Excluded("not-billed", "status 404", 5)]
    assert closing_lines(tabulate(statement(excluded=(*turned_away, *other)), By.MODEL).coverage)[1:4] == [
        "  5 not-billed: status 404",
        "  5 not-billed: status 429",
        "  4 unpriced: status 429",
    ]


def test_below_a_terminals_table_stands_what_does_not_add_up() -> None:
    month = statement(*small().lines, excluded=small().excluded, calls=15)
    assert closing_lines(tabulate(month, By.MODEL).coverage)[-1] == (
        "this does not add up: the classes together: 13 calls; all calls: 15"
    )


def test_large_and_tiny_amounts_are_written_without_an_exponent() -> None:
    month = statement(line(costs="1E+12"), line(costs="1E-12", business_unit="Tiny"))
    rows = list(csv.DictReader(io.StringIO(as_csv(tabulate(month, By.BUSINESS_UNIT)))))
    assert [row["charged_cost"] for row in rows] == ["1000000000000.00", "0.00", "1000000000000.00"]


def test_yen_have_no_cents() -> None:
    month = statement(line(part("prompt", 1_000_000, "374.5")), currency="JPY")
    assert json.loads(as_json(tabulate(month, By.MODEL)))["total"]["charged_cost"] == "374"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|'!A0", "'=cmd|'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("  =1", "'  =1"),
        ("\t=1", "\\u0009=1"),
        ("Retail = web", "Retail = web"),
    ],
)
def test_no_name_is_a_formula_in_a_spreadsheet(name: str, cell: str) -> None:
    assert for_spreadsheet(name) == cell


def test_a_hostile_name_is_one_cell_of_one_line() -> None:
    month = statement(line(costs="1", consumer_name=f'a,"b"\r\n{HOSTILE}'))
    [header, row, _] = csv.reader(io.StringIO(as_csv(tabulate(month, By.CONSUMER))))
    assert row[header.index("consumer")] == f'a,"b"\\u000d\\u000a{visible(HOSTILE)}'


def test_what_turns_the_direction_of_writing_is_made_visible() -> None:
    assert visible("a\u202eb\u0007c\u200bd") == "a\\u202eb\\u0007c\\u200bd"
    assert visible("Zürich 東京 🙂") == "Zürich 東京 🙂"


def test_half_a_surrogate_pair_can_be_written() -> None:
    month = statement(line(costs="1", consumer_name="half \ud83d"))
    written = as_json(tabulate(month, By.CONSUMER))
    assert written.encode()
    assert json.loads(written)["rows"][0]["consumer"] == "half \ud83d"
    assert encodable("half \ud83d") == "half \\ud83d"
