"""The cases notice mistakes: each is planted into the queries' text, and a case that is asked alone comes out wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargeback.reports.compose import kql_folder
from tests.money.amounts import differences
from tests.money.case import every_case
from tests.money.mutants import MUTANTS, Mutant
from tests.money.running import answers

pytestmark = pytest.mark.once

CASES = {case.name: case for case in every_case()}


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.mistake for mutant in MUTANTS])
def test_the_mistake_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    right = (kql_folder() / "lib" / mutant.file).read_text(encoding="utf-8")
    assert right.count(mutant.right) == 1, "the query has changed: plant the mistake anew"
    case = CASES[mutant.noticed_by]
    answer = answers([case], tmp_path, {mutant.file: right.replace(mutant.right, mutant.wrong)})
    assert differences(answer[case.name].month, case.expected) != []
