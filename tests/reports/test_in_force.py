"""Which reference rows a month was made with, and what has become of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from chargeback.reports.compose import kql_folder
from chargeback.reports.in_force import changes, reference_in_force

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
HEAD = "let budgets = datatable(businessUnit:string, usdPerMonth:real, validFrom:datetime)["


def test_every_table_of_the_library_is_kept_and_nothing_else_of_it() -> None:
    kept = reference_in_force(kql_folder() / "lib", None, OCTOBER)
    assert {"prices.kql", "consumers.kql", "provisioned.kql", "overheads.kql", "currencies.kql"} <= kept.keys()
    assert not {"usage.kql", "cost.kql", "period.kql"} & kept.keys()
    assert kept["provisioned.kql"] == ('let idleCapacity = "own-line";',)


def test_a_folder_of_ones_own_takes_the_place_of_the_librarys_files(tmp_path: Path) -> None:
    (tmp_path / "budgets.kql").write_text(f'{HEAD}"a", 1.0, datetime(2026-10-31), "b", 2.0, datetime(2026-11-01)];')
    (tmp_path / "usage.kql").write_text("let usage = customEvents;")
    kept = reference_in_force(kql_folder() / "lib", tmp_path, OCTOBER)
    assert kept["budgets.kql"] == ('"a", 1.0, datetime(2026-10-31)',)
    assert kept["usage.kql"] == ("let usage = customEvents;",), "what is no table counts as a whole"
    assert "prices.kql" in kept


def test_what_differs_is_counted_file_by_file() -> None:
    before = {"a.kql": ("1", "2", "2"), "b.kql": ("x,  y",), "gone.kql": ("z",)}
    after = {"a.kql": ("1", "2", "3", "4"), "b.kql": ("x, y",), "new.kql": ("z",)}
    assert changes(before, after) == ("a.kql: 2 rows more, 1 gone", "gone.kql: 1 gone", "new.kql: 1 row more")
    assert changes(before, before) == ()
