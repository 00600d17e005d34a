"""The page of a statement, as text: what it says, what it must not say, and what it holds."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from chargeback.errors import ReportError
from chargeback.reports.groups import By
from chargeback.reports.page import render_page
from chargeback.reports.page.chart import daily_chart
from chargeback.reports.rounding import exact_sum
from chargeback.reports.statement import CLASSES, Excluded, Kind, Line, Statement
from chargeback.reports.tables import tabulate
from tests.reports.made_up import HOSTILE, idle, line, overhead, part, provisioned, statement, whole_month
from tests.reports.small import small

_VOID = frozenset({"meta", "rect", "line"})
MARKUP = (
    '"><img src=//evil.example/x onerror=alert(1)></style></title><script>alert(2)</script><a href="//evil.example">'
)


class Reading(HTMLParser):
    """The page's elements and texts; it complains of an element that is not closed where it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "tr":
            self.cells.append([])
        if tag in ("th", "td"):
            self.cells[-1].append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)
            if {"th", "td"} & set(self.open):
                self.cells[-1][-1] += data

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def rows(self) -> list[list[str]]:
        return [[" ".join(cell.split()) for cell in row] for row in self.cells]


def test_the_page_shows_what_every_unit_owes() -> None:
    read = Reading(render_page(small()))
    assert ["Retail", "4.47", "99.5 %", "4.67", "5.84", "5", "1,012,345", "0", "333,333"] in read.rows
    assert ["Unassigned", "0.02", "0.4 %", "0.02", "0.02", "4", "6,000", "0", "0"] in read.rows
    assert ["Total", "4.49", "", "4.69", "5.86", "10", "1,020,345", "0", "333,333"] in read.rows
    assert ["gpt-4o", "4.49", "100.0 %", "4.69", "5.85", "8", "1,008,000", "0", "333,333"] in read.rows
    assert [
        "Retail web shop retail-web",
        "4.47",
        "100.0 %",
        "4.67",
        "5.83",
        "3",
        "1,000,000",
        "0",
        "333,333",
    ] in read.rows
    assert "AI usage, October 2026" in read.words
    assert "For all business units . Amounts in USD" in read.words.replace("units.", "units .")


def test_the_page_says_what_is_not_included_and_prints_the_sum() -> None:
    read = Reading(render_page(small()))
    assert "6 charged + 4 unknown consumer + 2 unpriced + 0 inconsistent" in read.words
    assert [row for row in read.rows if row[0].startswith("No price known")] == [
        [
            "No price known What was used is known, what it costs is not: nobody has entered a price for the model,"
            " or a total was reported that nobody has divided into input and output. 2: grok-4 has no price",
            "+ 2",
        ]
    ]
    assert ["All calls", "= 13"] in read.rows
    assert "76.9 % of all 13 calls" in read.words


def test_the_page_says_how_it_was_made_and_with_which_prices() -> None:
    read = Reading(render_page(small()))
    assert "Made at 2026-11-03T06:00:00Z" in read.words
    assert "0123456789abcdef" * 4 in read.words
    assert [
        row for row in read.rows if row[0].startswith("gpt-4o 2024-11-20 global, standard") and row[1] == "prompt"
    ] == [
        ["gpt-4o 2024-11-20 global, standard", "prompt", "2.50", "2.00", "1.80", "2026-09-01", "price list 2026-09-01"],
        ["gpt-4o 2024-11-20 global, standard", "prompt", "2.50", "2.50", "2.50", "2026-09-01", "price list 2026-09-01"],
    ]


def test_a_pricing_note_is_told_with_what_it_is_about() -> None:
    corrected = line(costs="1", kind=Kind.CORRECTION, day=date(2026, 9, 1), pricing_note="corrects 2026-09")
    month = statement(line(costs="3", calls=2, pricing_note="cached at the prompt's price"), line(costs="4"), corrected)
    assert "corrects 2026-09" not in render_page(month)
    assert "cached at the prompt's price (2 calls, 3.00 USD in all)" in Reading(render_page(month)).words
    assert "Everything was billed at its own price." in Reading(render_page(small())).words


def test_the_kinds_add_up_to_the_total() -> None:
    month = statement(
        line(costs="1"),
        provisioned("2", "2"),
        idle("1", "4"),
        overhead("8"),
        line(costs="-0.5", kind=Kind.CORRECTION, day=date(2026, 9, 30)),
    )
    rows = {row[0].split(" ")[0]: row[1] for row in Reading(render_page(month)).rows if len(row) == 2}
    assert [rows[name] for name in ("Tokens", "Provisioned", "Idle", "Overheads", "Corrections", "Total")] == [
        *("1.00", "2.00", "4.00", "8.00"),
        *("\N{MINUS SIGN}0.50", "14.50"),
    ]


def test_what_is_given_back_and_what_is_above_all_has_no_share() -> None:
    """30 and 2 charged, 28 given back: 4 in all, of which 30 is no part and -28 none either."""
    given_back = line(costs="-28", kind=Kind.CORRECTION, day=date(2026, 9, 1), business_unit="Finance")
    month = statement(line(costs="30"), line(costs="2", business_unit="People", model="o3"), given_back)
    shares = {row[0]: row[1:3] for row in Reading(render_page(month)).rows if row[0] in ("Retail", "Finance", "People")}
    assert shares == {"Retail": ["30.00", ""], "People": ["2.00", "50.0 %"], "Finance": ["\u221228.00", ""]}


def test_a_discount_above_the_list_has_no_share() -> None:
    """A unit that gets more back than it is charged: 1 by list, -2 charged."""
    given_back = line(costs="-2", kind=Kind.CORRECTION, day=date(2026, 9, 1))
    month = statement(
        replace(given_back, list_cost=Decimal(0)), line(costs="0"), replace(line(costs="0"), list_cost=Decimal(1))
    )
    assert "charged 3.00 less" in Reading(render_page(month)).words
    assert "charged 3.00 less," not in Reading(render_page(month)).words


def test_a_statement_that_contradicts_itself_says_so_first() -> None:
    read = Reading(render_page(replace(small(), calls=15)))
    warning = read.words.index("This statement contradicts itself: do not bill from it")
    assert warning < read.words.index("Charged")
    assert ["All calls", "≠ 15"] in read.rows
    assert "contradicts" not in Reading(render_page(small())).words


def test_one_units_page_tells_of_no_other() -> None:
    month = whole_month()
    page = render_page(month, business_unit="Finance")
    whole = tabulate(month, By.BUSINESS_UNIT)
    others = ["Retail", "Research", "Operations", "lab-7", "key-b2f2", "grok-4", f"{month.calls:,}"]
    others += [f"{row.amounts.charged_cost:,}" for row in (*whole.rows, whole.total) if row.names != ("Finance",)]
    assert [text for text in others if text in page] == []
    finance = next(row for row in whole.rows if row.names == ("Finance",))
    assert f"{finance.amounts.charged_cost:,}" in page


def test_one_units_page_shows_the_excluded_calls_that_are_its_own() -> None:
    excluded = (
        Excluded("unpriced", "no price for a", 7, "Retail"),
        Excluded("unpriced", "no price for b", 9, "Finance"),
    )
    page = render_page(statement(*small().lines, excluded=excluded), business_unit="Retail")
    assert "7: <bdi>no price for a</bdi>" in page
    # What is not known to be its own is not said to be none.
    assert "Nobody reported the tokens" not in page
    assert "0 unknown usage" not in page
    assert "no price for b" not in page


def test_a_unit_that_owes_nothing_has_no_page() -> None:
    with pytest.raises(ReportError, match="'Legal' owes nothing in 2026-10"):
        render_page(small(), business_unit="Legal")


def hostile(text: str) -> Statement:
    """A statement in which every text that comes from outside is the same."""
    texts = ("business_unit", "cost_center", "consumer_id", "consumer_name", "deployment", "backend_host", "publisher")
    more = ("model", "model_version", "deployment_type", "region", "service_tier", "context_band", "pricing_note")
    changes = dict.fromkeys((*texts, *more, "price_source", "meter_id", "commitment_id"), text)
    lines: list[Line] = [
        line(part(text, 1_000_000, "2"), day=date(2026, 10, 5), **changes),
        overhead("1", **(changes | {"commitment_id": ""})),
        idle("1", "1", **changes),
    ]
    excluded = tuple(Excluded(name, text, 1, text) for name in CLASSES if name != "line")
    return statement(*lines, excluded=excluded, query_hashes={text: text})


@pytest.mark.parametrize("text", [MARKUP, HOSTILE, "{{ 7 * 7 }}{% raw %}", "&lt;b&gt; &amp;", "\ud83d\x00\u2066"])
@pytest.mark.parametrize("alone", [False, True])
def test_no_text_from_outside_becomes_part_of_the_page(text: str, alone: bool) -> None:
    plain = Reading(render_page(hostile("plain"), business_unit="plain" if alone else ""))
    read = Reading(render_page(hostile(text), business_unit=text if alone else ""))
    assert read.tags == plain.tags
    assert "script" not in read.tags
    assert {name for name, _ in read.attributes} == {name for name, _ in plain.attributes}
    assert len(read.attributes) == len(plain.attributes)
    shown = re.sub(r"[\x00\u202e\u2066\ud83d]", lambda found: f"\\u{ord(found.group()):04x}", text)
    assert read.words.count(" ".join(shown.split())) > 10
    assert not re.search(r"[\x00\u202e\u2066\ud800-\udfff]", render_page(hostile(text)))


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = render_page(whole_month())
    read = Reading(page)
    assert not read.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
    assert not re.search(r"https?:|url\(|@import|javascript:", page)
    assert {name for name, _ in read.attributes} & {"src", "srcset", "style", "action", "xlink:href"} == set()
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    page = render_page(small())
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in page.replace("&#39;", "'")


def test_ids_are_unique_and_every_label_refers_to_one() -> None:
    read = Reading(render_page(whole_month()))
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    referred = {
        part
        for name, value in read.attributes
        if name in ("aria-labelledby", "aria-describedby")
        for part in value.split()
    }
    assert referred <= set(ids)
    assert {value[1:] for name, value in read.attributes if name == "href"} <= set(ids)


def test_the_chart_adds_up_to_the_total() -> None:
    month = whole_month()
    chart = daily_chart(month)
    total = tabulate(month, By.BUSINESS_UNIT).total.amounts.charged_cost
    assert exact_sum((chart.total, chart.elsewhere)) == total
    assert exact_sum(one.total for one in chart.series) == exact_sum(chart.totals) == chart.total
    models = {row.names[0]: row.amounts.charged_cost for row in tabulate(month, By.MODEL).rows}
    assert {one.name: one.total for one in chart.series if one.css.startswith("s0")} == {
        "gpt-4o": chart.series[0].total
    }
    assert chart.series[1].total == models["claude-sonnet-4-5"]


def test_the_dearest_six_models_have_colours_and_the_others_share_one() -> None:
    """Eight models of 8, 7, ... 1, and 0.50 that idled: the two cheapest are 2 + 1."""
    models = [line(costs=str(8 - number), model=f"m{number}") for number in range(8)]
    chart = daily_chart(statement(*models, idle("1", "0.5", day=date(2026, 10, 31))))
    assert [(one.name, one.css, str(one.total)) for one in chart.series] == [
        *((f"m{number}", f"s{number}", f"{8 - number}.00") for number in range(6)),
        ("Other models", "s-others", "3.00"),
        ("Idle capacity", "s-idle", "0.50"),
    ]


def test_a_bar_is_as_high_as_its_day() -> None:
    """100 of 100 on an axis of 220 pixels, 25 is a quarter: 55 pixels, which stand on the base line at 230."""
    chart = daily_chart(statement(line(costs="100"), line(costs="25", day=date(2026, 10, 31))))
    assert [(one.x, one.y, one.height, one.text) for one in chart.bars] == [
        ("0.29%", "10.0", "220.0", "1 Oct, gpt-4o: 100.00 USD"),
        ("97.06%", "175.0", "55.0", "31 Oct, gpt-4o: 25.00 USD"),
    ]
    assert chart.baseline == "230.0"
    assert [label for _, label in chart.ticks] == ["0", "25", "50", "75", "100"]


def test_what_is_below_nothing_hangs_below_the_base_line() -> None:
    chart = daily_chart(statement(line(costs="30"), line(costs="-10", model="refund")))
    [up, down] = chart.bars
    assert Decimal(up.y) + Decimal(up.height) == Decimal(chart.baseline) == Decimal(down.y)
    assert Decimal(up.height) == 3 * Decimal(down.height)


def test_a_small_axis_names_its_digits() -> None:
    chart = daily_chart(statement(line(costs="0.05")))
    assert [label for _, label in chart.ticks] == ["0.00", "0.02", "0.04", "0.06"]


def test_days_of_another_month_are_in_no_bar() -> None:
    late = line(costs="5", kind=Kind.CORRECTION, day=date(2026, 9, 30))
    strayed = line(costs="2", day=date(2026, 11, 1))
    chart = daily_chart(statement(line(costs="1"), late, strayed, overhead("7")))
    assert (str(chart.total), str(chart.elsewhere)) == ("1.00", "14.00")


def test_a_month_of_one_day_has_no_dearest_and_no_cheapest_day() -> None:
    charged = daily_chart(statement(line(costs="1.5", day=date(2026, 10, 5)), line(costs="2", day=date(2026, 10, 5))))
    assert charged.summary == "One day alone was charged anything: 5 Oct with 3.50 USD."
    returned = daily_chart(statement(line(costs="-2", day=date(2026, 10, 31))))
    assert returned.summary == "One day alone was charged anything: 31 Oct with \N{MINUS SIGN}2.00 USD."


def test_a_month_in_which_nothing_happened_has_a_page() -> None:
    read = Reading(render_page(statement(query_hashes={})))
    assert "No day of the month was charged anything." in read.words
    assert "no call in this month" in read.words
    assert "No query is named" in read.words


def test_a_thousand_consumers_are_a_hundred_rows_and_one_with_the_rest() -> None:
    made = [line(costs="1", consumer_id=f"c{number:03}", consumer_name="") for number in range(130)]
    rows = Reading(render_page(statement(*made))).rows
    assert [row[:2] for row in rows if row[0] == "30 others"] == [["30 others", "30.00"]]
    assert [row[0] for row in rows].count("c099") == 1
    assert [row[0] for row in rows].count("c100") == 0


def test_yen_and_february() -> None:
    month = statement(line(costs="1234567", day=date(2027, 2, 28)), month="2027-02", currency="JPY")
    read = Reading(render_page(month))
    assert "AI usage, February 2027" in read.words
    assert "JPY 1,234,567" in read.words
    assert "28 Feb with 1,234,567 JPY" in read.words
