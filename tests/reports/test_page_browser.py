"""The page in a real browser: narrow and wide, light and dark, by keyboard and on paper."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from chargeback.reports.page import render_page
from tests.reports.browser import Page, browsing
from tests.reports.made_up import line, statement, whole_month
from tests.reports.test_page import MARKUP, hostile

pytestmark = pytest.mark.needs_chromium

SCHEMES = ("light", "dark")
WIDTHS = (320, 360, 768, 1280, 1600)
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

LOW_CONTRAST = """
(() => {
  const parsed = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parsed(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    throw new Error("nothing is behind " + element.outerHTML);
  };
  const found = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, desc, style")) continue;
    if (!element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ink = parsed(element instanceof SVGElement ? style.fill : style.color);
    const contrast = ratio(ink, behind(element));
    looked += 1;
    if (contrast < (large ? 3 : 4.5)) found.push([walker.currentNode.data, contrast]);
  }
  for (const rect of document.querySelectorAll(".bars rect, .swatch rect, .share .fill")) {
    looked += 1;
    const contrast = ratio(parsed(getComputedStyle(rect).fill), behind(rect.closest("figure, td")));
    if (contrast < 3) found.push([rect.getAttribute("class"), contrast]);
  }
  return {found, looked};
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = shutil.which("chromium")
    assert program
    with browsing(program, tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("whole"), render_page(whole_month()))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("single"), render_page(whole_month(), business_unit="Operations"))


@pytest.fixture(scope="module")
def alarming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("alarming"), render_page(replace(whole_month(), calls=1)))


def saved(folder: Path, page: str) -> Path:
    file = folder / "statement.html"
    file.write_text(page, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["whole", "single", "alarming"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_asks_the_network_for_nothing_and_the_console_is_silent(
    request: pytest.FixtureRequest, browser: Page, name: str, width: int, scheme: str
) -> None:
    file = request.getfixturevalue(name)
    browser.open(file, width, scheme)
    assert browser.run(OVERFLOW) == 0
    browser.run(OPEN_ALL)
    assert browser.run(OVERFLOW) == 0
    assert browser.requests == [file.as_uri()]
    assert browser.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_of_it_is_as_wide_as_the_window(
    browser: Page, whole: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    browser.open(whole, width, scheme)
    picture = tmp_path / f"{width}-{scheme}.png"
    browser.screenshot(picture)
    assert struct.unpack(">I", picture.read_bytes()[16:20]) == (width,)


def test_light_and_dark_are_what_they_are_called(browser: Page, whole: Path) -> None:
    found = []
    for scheme in SCHEMES:
        browser.open(whole, 1280, scheme)
        found.append(browser.run("getComputedStyle(document.querySelector('section')).backgroundColor"))
    assert found == ["rgb(255, 255, 255)", "rgb(24, 28, 34)"]


@pytest.mark.parametrize("name", ["whole", "single", "alarming"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_every_text_and_every_colour_of_the_chart_stands_out(
    request: pytest.FixtureRequest, browser: Page, name: str, scheme: str, width: int
) -> None:
    browser.open(request.getfixturevalue(name), width, scheme)
    browser.run(OPEN_ALL)
    measured = browser.run(LOW_CONTRAST)
    assert measured["found"] == []
    assert measured["looked"] > 500


def test_the_measure_of_contrast_finds_grey_on_white(browser: Page, whole: Path) -> None:
    browser.open(whole, 1280, "light")
    browser.run("document.querySelector('h1').style.color = 'rgb(200, 200, 200)'")
    browser.run("document.querySelector('.bars rect').style.fill = 'rgb(220, 220, 220)'")
    assert [text for text, _ in browser.run(LOW_CONTRAST)["found"]] == ["AI usage, October 2026", "s0"]


def test_tables_scroll_by_themselves_where_the_window_is_narrow(browser: Page, whole: Path) -> None:
    browser.open(whole, 360, "light")
    regions = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth)"
    assert browser.run(f"{regions}.length") >= 2
    assert browser.run(f"{regions}.every(one => one.tabIndex === 0)") is True


def names_by_role(browser: Page) -> dict[str, list[str]]:
    """What assistive technology is told: role -> names, empty ones included."""
    browser.call("Accessibility.enable")
    found: dict[str, list[str]] = {}
    for node in browser.call("Accessibility.getFullAXTree")["nodes"]:
        if not node.get("ignored"):
            found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    return found


@pytest.mark.parametrize("name", ["whole", "single"])
def test_everything_has_a_name(request: pytest.FixtureRequest, browser: Page, name: str) -> None:
    browser.open(request.getfixturevalue(name), 1280, "light")
    browser.run(OPEN_ALL)
    told = names_by_role(browser)
    assert len(told["main"]) == 1
    for role in ("RootWebArea", "navigation", "region", "table", "image", "heading", "link", "DisclosureTriangle"):
        assert told[role], role
        assert all(name.strip() for name in told[role]), role
    assert told["image"] == ["Cost by day in October 2026, stacked by model, in USD"]
    assert len(told["table"]) == len(set(told["table"]))
    assert browser.run("document.documentElement.lang") == "en"
    assert browser.run("document.querySelector('svg[role=img] desc').textContent").startswith("A bar for each day")
    headings = browser.run("[...document.querySelectorAll('h1, h2, h3')].map(one => +one.tagName[1])")
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    heads = "[...document.querySelectorAll('th')].every(one => ['row', 'col'].includes(one.scope))"
    assert browser.run(heads) is True


def test_a_keyboard_reaches_everything_that_can_be_used(browser: Page, whole: Path) -> None:
    browser.open(whole, 1280, "light")
    wanted = browser.run("document.querySelectorAll('a, summary, details[open] .scroll, section > .scroll').length")
    seen = []
    for _ in range(wanted):
        browser.press("Tab", 9)
        seen.append(
            browser.run(
                "(() => { const one = document.activeElement, style = getComputedStyle(one);"
                " return [one.tagName, one.textContent.trim().slice(0, 30),"
                " style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; })()"
            )
        )
    assert seen[0][:2] == ["A", "Skip to the statement"]
    assert all(is_outlined for _, _, is_outlined in seen)
    assert [tag for tag, _, _ in seen].count("SUMMARY") == browser.run("document.querySelectorAll('summary').length")
    assert len({(tag, text) for tag, text, _ in seen}) == wanted


def test_a_key_opens_what_is_folded(browser: Page, whole: Path) -> None:
    browser.open(whole, 1280, "light")
    browser.run("document.querySelector('details.unit summary').focus()")
    browser.call(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
    )
    browser.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)
    assert browser.run("document.querySelector('details.unit').open") is True


def test_paper_is_white_and_shows_what_is_folded(browser: Page, whole: Path) -> None:
    folded = "[...document.querySelectorAll('details .scroll')].filter(one => !one.checkVisibility()).length"
    browser.open(whole, 794, "dark")
    assert browser.run(folded) > 10
    browser.open(whole, 794, "dark", "print")
    assert browser.run(folded) == 0
    assert browser.run("getComputedStyle(document.body).color") == "rgb(22, 25, 29)"
    wide = "Math.max(...[...document.querySelectorAll('table')].map(one => one.getBoundingClientRect().right))"
    assert browser.run(wide) <= 794


def test_texts_from_outside_do_nothing(browser: Page, tmp_path: Path) -> None:
    file = saved(tmp_path, render_page(hostile(MARKUP)))
    for width in (320, 1280):
        browser.open(file, width, "light")
        browser.run(OPEN_ALL)
        assert browser.requests == [file.as_uri()]
        assert browser.complaints == []
        assert browser.run("document.querySelectorAll('script, img, a:not([href^=\"#\"])').length") == 0
        assert browser.run(OVERFLOW) == 0


def test_the_policy_stops_what_escaping_would_miss(browser: Page, tmp_path: Path) -> None:
    """The page with a script and a picture planted in it, as if a text had not been escaped: neither runs or loads."""
    planted = "<main id=\"main\"><script>document.title = 'owned'</script><img src='https://evil.example/x.png'>"
    file = saved(tmp_path, render_page(whole_month()).replace('<main id="main">', planted))
    browser.open(file, 1280, "light")
    assert browser.run("document.title") == "AI usage October 2026"
    assert len(browser.complaints) == 2
    assert all("Content Security Policy" in complaint for complaint in browser.complaints)


def test_long_names_and_large_numbers_fit_too(browser: Page, tmp_path: Path) -> None:
    name = "averylongnamewithoutanyplacetobreakit" * 4
    month = statement(
        line(costs="123456789012.34", business_unit=name, consumer_id=name, model=name, deployment=name),
        line(costs="-98765432109.87", day=date(2026, 10, 31), model=f"{name}2"),
    )
    file = saved(tmp_path, render_page(month, business_unit=name))
    (tmp_path / "all").mkdir()
    for one in (file, saved(tmp_path / "all", render_page(month))):
        for width in (320, 1280):
            browser.open(one, width, "light")
            browser.run(OPEN_ALL)
            assert browser.run(OVERFLOW) == 0
