"""docs/policies.md says what the policies do: its tables are of a run, its lists are those of the files."""

from __future__ import annotations

import json
import re

import pytest

from tests.policy.table import PAGE, POLICIES, with_tables

FRAGMENTS = sorted(file.stem for file in POLICIES.glob("*.xml") if not file.stem.startswith("api"))


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.needs_mono
def test_the_tables_are_of_this_run() -> None:
    assert page() == with_tables(page()), "run `python -m tests.policy.table`"


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_fragment_is_explained(fragment: str) -> None:
    assert f"### `{fragment}`" in page()


def test_no_fragment_is_explained_that_is_not_there() -> None:
    assert sorted(re.findall(r"^### `([^`]+)`", page(), re.MULTILINE)) == FRAGMENTS


def test_the_named_values_are_those_of_the_file() -> None:
    standard = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| `(chargeback-[a-z-]+)` \| `([^`]+)` \|", page(), re.MULTILINE)
    assert dict(rows) == standard


def test_the_order_is_the_order_of_the_policy() -> None:
    composed = re.findall(r'fragment-id="([^"]+)"', (POLICIES / "api.xml").read_text(encoding="utf-8"))
    section = page().partition("## The order")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == composed
