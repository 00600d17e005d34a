"""Which consumers belonged to nobody when they called, and what each deployment served by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

import chargeback.reports.compose as room
from chargeback.local.store import Store
from chargeback.reports.compose import compose, kql_folder
from tests.kql.rows import OCTOBER, Envelope, Row, counted, part, pending, report, rows_of

EMPTY = "[\n];"


def unowned(envelopes: Sequence[Envelope], rows: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """Answer the report with these rows in kql/lib/consumers.kql."""
    (folder / "kql" / "lib").mkdir(parents=True)
    for file in (kql_folder() / "lib").glob("*.kql"):
        (folder / "kql" / "lib" / file.name).write_text(file.read_text())
    consumers = folder / "kql" / "lib" / "consumers.kql"
    assert consumers.read_text().count(EMPTY) == 1
    consumers.write_text(consumers.read_text().replace(EMPTY, f"[\n{rows}\n];"))
    query = (kql_folder() / "reports" / "unknown-consumers.kql").read_text()
    monkeypatch.setattr(room, "__file__", str(folder / "reports" / "compose.py"))
    with Store() as store:
        store.add(envelopes)
        return rows_of(store.query(compose(query, period=OCTOBER)))


def test_without_any_rows_every_consumer_is_listed_the_busiest_first() -> None:
    calls = [
        counted("a", 1, 1, consumerId="small"),
        counted("b", 10, 5, "2026-10-02T00:00:00Z", consumerId="big"),
        counted("c", 20, 5, "2026-10-03T00:00:00Z", consumerId="big"),
        counted("d", 1, 1, consumerId=""),
        counted("e", 1, 1, "2026-11-01T00:00:00Z", consumerId="later"),
    ]
    big, nobody, small = report("unknown-consumers", calls)
    assert part(big, "consumerId", "consumerType", "displayName", "calls", "totalTokens") == (
        *("big", "subscription", "", 2, 40),
    )
    assert part(big, "firstCall", "lastCall") == (
        datetime(2026, 10, 2, tzinfo=UTC),
        datetime(2026, 10, 3, tzinfo=UTC),
    )
    assert part(nobody, "consumerId", "consumerType", "calls") == ("", "unknown", 1)
    assert part(small, "consumerId", "calls") == ("small", 1)


@pytest.mark.parametrize(
    ("rows", "calls"),
    [
        ('"retail", "Retail", "", "", "", datetime(2026-01-01), datetime(null),', 0),
        ('"retail", "Retail", "", "", "", datetime(2026-10-15T12:00:00Z), datetime(null),', 1),
        ('"retail", "Retail", "", "", "", datetime(2026-01-01), datetime(2026-10-15T12:00:00Z),', 1),
        ('"retail", "Retail", "", "", "", datetime(2026-01-01), datetime(2026-10-15T12:00:01Z),', 0),
        ('"retail", "", "", "", "Shop", datetime(2026-01-01), datetime(null),', 2),
        (
            '"retail", "Retail", "", "", "", datetime(2026-01-01), datetime(null),\n'
            '"retail", "", "", "", "", datetime(2026-10-15), datetime(null),',
            1,
        ),
        ('"other", "Retail", "", "", "", datetime(2026-01-01), datetime(null),', 2),
    ],
)
def test_a_call_belongs_to_whom_the_latest_row_in_force_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, calls: int
) -> None:
    envelopes = [counted("a", 1, 1, "2026-10-14T00:00:00Z"), counted("b", 1, 1, "2026-10-15T12:00:00Z")]
    found = unowned(envelopes, rows, tmp_path, monkeypatch)
    assert sum(int(str(row["calls"])) for row in found) == calls


def test_a_name_that_is_known_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        '"retail", "", "", "", "Web shop", datetime(2026-02-01), datetime(null),\n'
        '"retail", "", "", "", "Shop", datetime(2026-01-01), datetime(null),'
    )
    (row,) = unowned([counted("a", 1, 1)], rows, tmp_path, monkeypatch)
    assert row["displayName"] == "Web shop"


def test_each_deployment_has_a_row_per_day_and_host() -> None:
    calls = [
        counted("a", 10, 1, "2026-10-01T23:59:59Z", servedDeployment="chat", backendHost="east", cachedTokens=4),
        counted("b", 20, 2, "2026-10-01T00:00:00Z", deploymentId="chat", backendHost="east"),
        counted("c", 30, 3, "2026-10-02T00:00:00Z", servedDeployment="chat", deploymentId="asked", backendHost="east"),
        counted("d", 40, 4, "2026-10-02T00:00:00Z", servedDeployment="chat", backendHost="west"),
        pending("e", "2026-10-02T00:00:00Z", servedDeployment="slow", backendHost="west"),
    ]
    found = report("tokens-by-deployment-and-day", calls)
    names = (
        "backendHost",
        "deployment",
        "calls",
        "promptTokens",
        "completionTokens",
        "cachedTokens",
        "cacheWriteTokens",
    )
    assert [(row["day"].day, *part(row, *names)) for row in found] == [  # type: ignore[attr-defined]  # a time
        (1, "east", "chat", 2, 30, 3, 4, 0),
        (2, "east", "chat", 1, 30, 3, 0, 0),
        (2, "west", "chat", 1, 40, 4, 0, 0),
        (2, "west", "slow", 1, 0, 0, 0, 0),
    ]
