"""The books of one month (tests/kql/month.py), opened once for all tests about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chargeback.local.store import Store
from tests.kql.books import Books, write_reference
from tests.kql.month import CALLS, REFERENCE


@pytest.fixture(scope="session")
def month_store() -> Iterator[Store]:
    with Store() as opened:
        opened.add(CALLS)
        yield opened


@pytest.fixture(scope="session")
def month(month_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Books:
    return Books(month_store, write_reference(tmp_path_factory.mktemp("month"), REFERENCE))
