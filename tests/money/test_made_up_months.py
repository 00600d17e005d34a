"""Whatever the rows and the calls are, the queries and the calculation come to the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.money.amounts import differences
from tests.money.calculation import calculate
from tests.money.made_up import month
from tests.money.running import answers

pytestmark = pytest.mark.once


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_queries_and_calculation_agree_on_months_by_chance(seed: int) -> None:
    """A few months of 300 calls: a query takes seconds, and each call of it is an example."""
    case = month(seed)
    with TemporaryDirectory() as folder:
        answer = answers([case], Path(folder))[case.name]
    calculated = calculate(case)
    assert differences(answer.month, calculated, Decimal("1e-9")) == []
    assert sum(calculated.classes.values()) > 250
