"""docs/callers.md: its examples fit the API that is deployed."""

from __future__ import annotations

import ast
import json
import re

import pytest

from tests.infra.deployed import ROOT
from tests.infra.gateways import gateway, named_values, only

CALLERS = (ROOT / "docs/callers.md").read_text(encoding="utf-8")


def test_the_page_for_callers_names_the_deployed_path_and_audience() -> None:
    path = only(gateway(), "apis").properties["path"]
    urls = re.findall(r"\$(?:env:)?GATEWAY(/\w+)[^\"]*", CALLERS)
    assert len(urls) >= 4
    assert set(urls) == {f"/{path}"}
    audiences = set(re.findall(r"api://[\w-]+", CALLERS))
    assert audiences == {named_values(gateway())["chargeback-entra-audience"]}


def _examples(language: str) -> list[str]:
    blocks = re.findall(rf"```{language}\n(.*?)```", CALLERS, re.DOTALL)
    return blocks or re.findall(r"^    curl .*(?:\n {8}.*)*", CALLERS, re.MULTILINE)


@pytest.mark.parametrize(("language", "count"), [("curl", 3), ("powershell", 2), ("python", 3), ("csharp", 2)])
def test_every_example_sends_the_key_that_the_api_asks_for(language: str, count: int) -> None:
    """A token does not stand in for it: the API requires a subscription."""
    examples = _examples(language)
    assert len(examples) == count
    for example in examples:
        assert re.search(r"\bapi-key\b|\bapi_key=os|AzureKeyCredential\(", example), example


def test_the_examples_in_python_are_python() -> None:
    for example in _examples("python"):
        ast.parse(example)


def test_the_bodies_that_curl_sends_are_json_and_a_stream_asks_for_its_usage() -> None:
    bodies = [json.loads(body) for body in re.findall(r"-d '([^']*)'", CALLERS)]
    assert [one.get("stream_options") for one in bodies if one.get("stream")] == [{"include_usage": True}]
