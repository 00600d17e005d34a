"""What the documentation promises is there, and the numbers in it are the program's own."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chargeback.events import PROPERTY_NAMES
from chargeback.local.day import make_day, total_of
from chargeback.local.day.bill import cents
from chargeback.settings import CONNECTION_STRING, STORAGE
from chargeback.shapes import read

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def rejection_reasons() -> set[str]:
    """Return what the code says of records that it rejects; of a reason with a name in it, the longest fixed part."""
    found = set()
    for file in (REPOSITORY / "chargeback").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("UnreadableRecord", "Unreadable", "Rejected"):
                parts = [
                    one.value
                    for argument in node.args[:2]
                    for one in ast.walk(argument)
                    if isinstance(one, ast.Constant)
                ]
                found |= {max((part for part in parts if isinstance(part, str)), key=len, default="")}
    return {reason.strip() for reason in found if " " in reason.strip()}


def rows_of(title: str) -> list[list[str]]:
    """Return the cells of a table of the runbook, without its head; a page's part has one."""
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    table = [block for block in part.split("\n\n") if block.startswith("|")][-1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.strip().splitlines()[2:]]


def test_every_reason_for_a_rejection_has_its_row_in_the_runbook() -> None:
    rows = [cells[0] for cells in rows_of("Rejected records")]
    reasons = rejection_reasons()
    assert len(reasons) >= 10
    for reason in reasons:
        begins = "more than" if reason.startswith("more than") else reason.partition(";")[0]
        assert any(begins in row for row in rows), reason


def test_every_row_of_the_runbook_is_a_reason_that_the_code_has() -> None:
    """Of a row with a gap in it (`<field>`, or three dots), the longest part has to be there."""
    code = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / "chargeback").rglob("*.py"))
    for cells in rows_of("Rejected records"):
        for reason in re.findall(r"`([^`]+)`", cells[0]):
            fixed = max(re.split(r"<\w+>|…", reason), key=len).strip()
            assert fixed in code, reason


def failures() -> list[str]:
    """Return what a batch fails with, in the rooms that deliver and keep; what is known only then is a star."""
    kept = [REPOSITORY / "chargeback/deadletter" / f"{name}.py" for name in ("__init__", "blobs", "folder")]
    found = []
    for file in [*(REPOSITORY / "chargeback/delivery").glob("*.py"), *kept]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in KINDS:
                said = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                found.append("".join(str(one.value) if isinstance(one, ast.Constant) else _named(one) for one in said))
    return found


KINDS = ("DeliveryError", "AllRefusedError", "DeadLetterError")


def _named(part: ast.expr) -> str:
    name = ast.unparse(part).strip("{}f'\"")
    return {"CONNECTION_STRING": CONNECTION_STRING, "STORAGE": STORAGE}.get(name, "*")


def test_every_error_of_a_batch_has_its_row_in_the_runbook() -> None:
    """A row quotes how an error begins, or a part of it between dots."""
    rows = [cells[0] for cells in rows_of("The function fails: what the error says")]
    quoted = [text.partition(":")[0] for row in rows for text in re.findall(r"`([^`]+)`", row)]
    parts = [part.strip() for text in quoted for part in text.split("…") if " " in part.strip()]
    errors = failures()
    assert len(errors) >= 14
    told = {
        error: [part for part in parts if part in error or error.startswith(part.rstrip("0123456789"))]
        for error in errors
    }
    assert [error for error, found in told.items() if not found] == []


@pytest.mark.parametrize(
    "title",
    ["What is wrong? The doctor", "Alerts", "The function fails: what the error says", "Rejected records"],
)
def test_the_runbook_says_of_everything_what_it_means_what_is_at_risk_what_to_do_and_when_it_is_over(
    title: str,
) -> None:
    rows = rows_of(title)
    assert len(rows) >= 8
    assert [cells for cells in rows if len(cells) != 5 or not all(cells)] == []


def example_settings() -> dict[str, str]:
    values: dict[str, str] = json.loads((REPOSITORY / "local.settings.json.example").read_text())["Values"]
    return values


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_every_named_file_exists(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", text)
    named = re.findall(r"`((?:kql|docs|tests|chargeback)/[\w./-]+)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (REPOSITORY / name).exists()]
    assert not missing


def test_the_settings_in_the_readme_are_those_of_the_example() -> None:
    section = README.partition("## Settings")[2].partition("## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert named == set(example_settings())


def test_the_readmes_numbers_are_those_of_the_day() -> None:
    whole = total_of(make_day(date(2026, 11, 20)))
    proof = README.partition("The proof\n")[2].partition("\n\n")[0]
    for number in (whole.calls, whole.unknown, whole.prompt, whole.completion, whole.total):
        assert proof.count(f"{number:,}") == 2


def test_the_readmes_money_is_that_of_the_day() -> None:
    owed = {unit: cents(bill.charged) for unit, bill in make_day(date(2026, 11, 20)).bills.items()}
    total = sum(owed.values())
    proof = README.partition("The proof, in US dollars\n")[2].partition("```")[0]
    shown = [line.split() for line in proof.splitlines() if line.endswith(" 0.00")]
    assert shown == [[name, str(usd), str(usd), "0.00"] for name, usd in (*sorted(owed.items()), ("all", total))]
    assert f"the sum is {total} USD in both." in proof


def test_the_event_in_the_readme_is_what_explain_prints(tmp_path: Path) -> None:
    shown = json.loads(README.partition("```json")[2].partition("```")[0])
    names = {name: value for name, value in shown["properties"].items() if name in PROPERTY_NAMES}
    assert names == shown["properties"]
    # An event that is told of later than 47 hours says so: the page's was told of at once.
    shown["properties"]["eventTime"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.123Z"
    derived = {"recordId", "recordShape", "eventTime", "consumerId", "consumerType", "appSubscriptionKey"}
    record: dict[str, object] = {"schema": "chargeback.usage/1", "timestamp": shown["properties"]["eventTime"]}
    for name, value in shown["properties"].items():
        if name not in derived:
            record[name] = json.loads(value) if re.fullmatch(r"\d+|true|false", value) else value
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(record) + "\n")
    command = [sys.executable, "-m", "chargeback", "explain", str(file)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    (explained,) = json.loads(result.stdout)["records"]
    assert explained["events"] == [shown]


def test_every_command_of_the_readme_is_a_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "chargeback", "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for command in re.findall(r"python -m chargeback (\w+)", README):
        assert re.search(rf"^  {command} ", result.stdout, re.MULTILINE)


def test_the_contract_names_every_property_and_every_reason() -> None:
    contract = (REPOSITORY / "docs" / "contract.md").read_text()
    assert not {name for name in PROPERTY_NAMES if f"`{name}`" not in contract}
    ignored = [
        b"",
        b"[]",
        b'{"prompt":"x"}',
        b'{"type":"PII","promptTokens":1}',
        b'{"targetService":"AI-Search","promptTokens":1}',
    ]
    for body in ignored:
        assert f"`{getattr(read(body)[0], 'reason', '')}`" in contract


def test_operations_explains_every_way_to_be_rejected() -> None:
    operations = (REPOSITORY / "docs" / "operations.md").read_text()
    for body in (b"{", b"\xff", b"7", b"{}", b'{"schema":"chargeback.usage/9"}', b'{"specversion":"1.0","data":1}'):
        assert getattr(read(body)[0], "reason", "?").partition(";")[0] in operations


def test_every_value_of_host_json_is_explained() -> None:
    design = (REPOSITORY / "docs" / "design.md").read_text()
    host = json.loads((REPOSITORY / "host.json").read_text())
    for name in (*host["extensions"]["eventHubs"], "functionTimeout", "telemetryMode"):
        assert f"| `{name}`" in design
