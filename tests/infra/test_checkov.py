"""A second opinion: checkov's rules for Azure, from an environment of its own, because its pins clash with ours."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CHECKOV
from tests.infra.deployed import ROOT

CONFIGURATION = ROOT / "infra/checkov.yaml"
PROGRAM = ROOT / CHECKOV
NOT_PARSED = {
    "modules/alerts.bicep": "its parser knows no lambdas; it makes alerts and their action group",
    "modules/consumers.bicep": "nor quotes within interpolations; it makes products and subscriptions",
    "modules/reports.bicep": "its parser knows no functions of one's own, and no lambdas",
    "modules/workbook.bicep": "the same; it makes a workbook and nothing else",
}
"""What checkov cannot read, and so passes unread."""

PARSES = """
import sys
import lark, pycep
for name in sys.argv[1:]:
    try:
        pycep.BicepParser().parse(text=open(name).read())
    except lark.exceptions.LarkError:
        print(name)
"""

pytestmark = [pytest.mark.once, pytest.mark.needs_checkov]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    ran = subprocess.run(
        [PROGRAM, "--directory", ROOT / "infra", "--config-file", CONFIGURATION, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_nothing_is_found_but_what_is_reasoned(report: dict[str, Any]) -> None:
    failed = report["results"]["failed_checks"]
    assert [f"{one['check_id']} {one['check_name']}: {one['file_path']}" for one in failed] == []
    assert report["summary"]["passed"] > 20


def test_what_it_cannot_read_is_known(report: dict[str, Any]) -> None:
    """Its parser, asked about each file; what it refuses is passed over with a line in a log."""
    ran = subprocess.run(
        [PROGRAM.with_name("python"), "-c", PARSES, *sorted((ROOT / "infra").rglob("*.bicep"))],
        capture_output=True,
        text=True,
        check=True,
    )
    refused = {str(Path(line).relative_to(ROOT / "infra")) for line in ran.stdout.splitlines()}
    assert refused == NOT_PARSED.keys()
    assert report["summary"]["parsing_errors"] == len(NOT_PARSED)


def test_every_rule_that_is_passed_over_fails_here_and_has_its_reason(tmp_path: Path) -> None:
    written = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    skipped = written.pop("skip-check")
    (tmp_path / "checkov.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    ran = subprocess.run(
        [PROGRAM, "--directory", ROOT / "infra", "--config-file", tmp_path / "checkov.yaml", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {one["check_id"] for one in json.loads(ran.stdout)["results"]["failed_checks"]}
    assert failed == set(skipped), "a rule that passes needs no exception"
    blocks = re.findall(r"((?:  # .*\n)+)((?:  - CKV_\w+\n)+)", CONFIGURATION.read_text(encoding="utf-8"))
    assert sum(len(rules.split("- ")) - 1 for _, rules in blocks) == len(skipped)
    assert all(len(reason) > 40 for reason, _ in blocks)
