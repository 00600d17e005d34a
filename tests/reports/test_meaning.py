"""What a row may say: the same words as the queries compare with."""

from __future__ import annotations

import re

from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from chargeback.reports.meaning import PARTS, WORDS


def written(file: str, pattern: str) -> set[str]:
    """Return the quoted words of what a pattern finds in a query."""
    found = re.search(pattern, (kql_folder() / file).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return set(re.findall(r'"([^"]*)"', found[1]))


def test_the_parts_are_those_that_are_priced() -> None:
    text = (kql_folder() / "lib" / "cost.kql").read_text(encoding="utf-8")
    table = re.search(r"let partsPricedAs = .*?\];", text, re.DOTALL)
    assert table
    with Store() as store:
        answer = store.query(f"{table[0]}\npartsPricedAs | distinct part")
    assert {row[0] for row in answer.rows} == PARTS


def test_the_words_are_those_that_the_reports_know() -> None:
    conflicts = "reports/reference-conflicts.kql"
    assert written(conflicts, r"not\(sku in~ \((.*?)\)\)") == WORDS["deployments", "sku"]
    assert written(conflicts, r"not\(priceKind in \((.*?)\)\)") == WORDS["prices", "priceKind"]
    assert written(conflicts, r"not\(contextBand in \((.*?)\)\)") == WORDS["prices", "contextBand"] - {""}
    assert written(conflicts, r"not\(splitBy in \((.*?)\)\)") == WORDS["overheads", "splitBy"]
