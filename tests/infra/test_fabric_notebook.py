"""The notebook for Fabric: it is a notebook, every cell is Python, and its functions count as the view does.

Spark does not run here: the functions are run over DuckDB's own form of Spark's data frames, and the cells that use a
Spark session or show a table are only parsed.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from types import ModuleType
from typing import Any

import duckdb.experimental.spark.sql as data_frames
import pytest
from duckdb.experimental.spark.sql.types import LongType, StringType, StructField, StructType

from tests.infra.test_alternatives import FOLDER, NUMBERS, RECORDS, TEXTS, contract_fields

NOTEBOOK = json.loads((FOLDER / "fabric/usage.ipynb").read_text(encoding="utf-8"))


def cells() -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_one_and_every_cell_is_python() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["metadata"]["language_info"]["name"]) == (4, "python")
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        assert not cell.get("outputs"), "what came out of a run may hold usage"
    for text in cells():
        ast.parse(text)
    assert set(re.findall(r'"(\w+Tokens|\w+Id|schema|timestamp)"', "".join(cells()))) <= contract_fields()


def functions_of(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the cells that define functions, with DuckDB's data frames in the place of PySpark's."""
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", data_frames)
    names: dict[str, Any] = {}
    for text in cells():
        if any(isinstance(step, ast.FunctionDef) for step in ast.parse(text).body):
            exec(text, names)  # noqa: S102  (the notebook's own cells)
    return names


def test_the_notebooks_functions_count_calls_once_and_know_what_they_do_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = functions_of(monkeypatch)
    fields = [StructField(name, StringType()) for name in TEXTS] + [StructField(name, LongType()) for name in NUMBERS]
    rows = [tuple(one[name] for name in (*TEXTS, *NUMBERS)) for one in RECORDS]
    calls = made["calls_of"](data_frames.SparkSession.builder.getOrCreate().createDataFrame(rows, StructType(fields)))
    assert {row["requestId"]: row["records"] for row in calls.collect()} == {"a": 2, "b": 1, "c": 1, "d": 1, "f": 2}
    assert [tuple(row) for row in made["by_application"](calls, "2026-10").collect()] == [
        ("planner", 3, 1, 101, 40, 20, 121),
        ("retail", 1, 0, 7, None, None, 7),
        ("zephyr", 1, 0, None, None, 4, None),
    ]
    assert made["by_application"](calls, "2026-09").collect() == []
