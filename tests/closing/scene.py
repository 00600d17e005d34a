"""Three months of a small company, in a store, with reference rows of its own; worked out by hand.

Prices of gpt-4o, per million: prompt 2.50, cached 1.25, completion 10. They are long over, by any clock.

    March   Retail    retail-web     1,000,000 prompt x 2.50 + 333,333 completion x 10 = 2.50 + 3.33333  5.83
            Finance   finance-audit      2,000 prompt x 2.50                           = 0.005           0.00
            nobody    stranger           6,000 prompt x 2.50                           = 0.015           0.02
    April   Retail    retail-web         4,000 prompt x 2.50                           = 0.01            0.01

Rounded half-even, each unit once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chargeback.local.store import Store
from chargeback.reports.compose import kql_folder
from tests.kql.rows import Envelope, counted
from tests.test_cli_main import called

MARCH, APRIL, MAY = "2025-03", "2025-04", "2025-05"
HOST = "east.openai.azure.com"
ROWS = {
    "prices.kql": [
        '"OpenAI", "gpt-4o", "", "global", "", "", long(null), "", false, datetime(2025-01-01), 2.5, 1.25, real(null),'
        ' real(null), 10, real(null), real(null), real(null), "list", "prompt=m-in cached=m-cached completion=m-out",'
        ' "made up",'
    ],
    "deployments.kql": ['"", "chat", "gpt-4o", "2024-11-20", "GlobalStandard", "swedencentral", datetime(2025-01-01),'],
    "consumers.kql": [
        '"retail-web", "Retail", "CC-1", "", "Retail web shop", datetime(2025-01-01), datetime(null),',
        '"finance-audit", "Finance", "CC-2", "", "Audit assistant", datetime(2025-01-01), datetime(null),',
    ],
    "budgets.kql": ['"Retail", 5, datetime(2025-01-01),', '"Finance", 100, datetime(2025-01-01),'],
}


def chat(record_id: str, consumer: str, prompt: int, completion: int = 0, at: str = "2025-03-05T09:00:00Z") -> Envelope:
    """Return a call of the deployment `chat`."""
    told = {"servedDeployment": "chat", "backendHost": HOST, "model": "gpt-4o-2024-11-20"}
    return counted(record_id, prompt, completion, at, consumerId=consumer, **told)


USAGE = (
    chat("m1", "retail-web", 1_000_000, 333_333),
    chat("m2", "finance-audit", 2_000, at="2025-03-06T09:00:00Z"),
    chat("m3", "stranger", 6_000, at="2025-03-31T23:59:59Z"),
    chat("a1", "retail-web", 4_000, at="2025-04-02T09:00:00Z"),
)
LATE = (
    # Retail 400,000 x 2.50 = 1.00; Finance 5,200 x 2.50 = 0.013.
    chat("m4", "retail-web", 400_000, at="2025-03-31T10:00:00Z"),
    chat("m5", "finance-audit", 5_200, at="2025-03-31T11:00:00Z"),
)


def store_of(folder: Path, envelopes: Sequence[Envelope] = USAGE) -> Path:
    """Make a store; return its file."""
    file = folder / "calls.duckdb"
    add(file, envelopes)
    return file


def add(file: Path, envelopes: Sequence[Envelope]) -> None:
    with Store(file) as store:
        store.add(envelopes)


def reference_of(folder: Path) -> Path:
    """Make a folder of reference rows: the library's files, with ROWS in the place of theirs."""
    made = folder / "ours"
    made.mkdir()
    for name, rows in ROWS.items():
        head = (kql_folder() / "lib" / name).read_text().partition("[\n")[0]
        (made / name).write_text(head + "[\n" + "\n".join(rows) + "\n];\n")
    return made


def append(reference: Path, name: str, row: str) -> None:
    """Append a row as a person would."""
    file = reference / name
    file.write_text(file.read_text().replace("\n];", f"\n{row}\n];"))


@dataclass(frozen=True, slots=True)
class Scene:
    """A store, reference rows, and a place for closed months."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "calls.duckdb"

    @property
    def reference(self) -> Path:
        return self.folder / "ours"

    @property
    def kept(self) -> Path:
        return self.folder / "closed"

    @property
    def march(self) -> Path:
        """March, once it is closed."""
        return self.kept / f"{MARCH}.json.gz"

    def close(self, month: str, *more: str) -> tuple[int, str, str]:
        return run("close", "--month", month, *self.source(), "--statements", self.kept, *more)

    def owed(self, month: str) -> dict[str, str]:
        """Return what a month's report says is charged."""
        words = ("--month", month, *self.source(), "--statements", self.kept, "--format", "json")
        code, output, _ = run("report", *words)
        assert code == 0
        return owed(output)

    def source(self) -> tuple[str | Path, ...]:
        return "--store", self.store, "--reference", self.reference


def run(*words: str | Path, settings: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run the command line; return its exit code, and what it says on its two outputs."""
    finished = called(*words, settings=settings)
    return finished.returncode, finished.stdout.decode(), finished.stderr.decode()


def owed(output: str) -> dict[str, str]:
    """Return what each row of `report --format json` is charged, the total under its own name."""
    told = json.loads(output)
    return {row["business_unit"]: row["charged_cost"] for row in told["rows"]} | {
        "Total": told["total"]["charged_cost"]
    }


def lines(output: str, beginning: str) -> list[list[str]]:
    """Return the words of each line that begins so, blanks squeezed: cells of a table, near enough."""
    return [line.split() for line in output.splitlines() if line.startswith(beginning)]
