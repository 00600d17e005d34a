"""retry, and what it is around: forward-request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.policy.result import Result
from tests.policy.scenes import document, log, run

pytestmark = pytest.mark.needs_mono

RETRY = '<retry condition="@(context.Response.StatusCode == 429)" count="3" interval="{0}" {1}>{2}</retry>'
BUFFERED = '<forward-request buffer-request-body="true" />'


def retried(folder: Path, statuses: list[Any], waits: str = "10", more: str = "", forward: str = BUFFERED) -> Result:
    responses = [{"status": status, "body": str(status)} if isinstance(status, int) else status for status in statuses]
    text = document(backend=RETRY.format(waits, more, forward), outbound=log("@(context.Response.StatusCode)"))
    return run(folder, text, {"request": {"body": "question"}, "responses": responses})


def test_retry_goes_on_while_its_condition_holds(tmp_path: Path) -> None:
    result = retried(tmp_path, [429, 429, 200])
    assert (result.records, result.backend_calls, result.retry_waits) == (["200"], 3, [10, 10])
    assert (result.client_body, result.client_body_intact) == (b"200", True)


def test_retry_ends_with_its_count(tmp_path: Path) -> None:
    result = retried(tmp_path, [429])
    assert (result.records, result.backend_calls, result.client_status) == (["429"], 4, 429)


@pytest.mark.parametrize(
    ("more", "waits"),
    [
        ('first-fast-retry="true"', [0, 10, 10]),
        ('delta="5"', [10, 15, 20]),
        ('delta="10" max-interval="35"', [10, 20, 35]),
    ],
)
def test_retry_notes_how_long_it_would_wait(tmp_path: Path, more: str, waits: list[float]) -> None:
    assert retried(tmp_path, [429], more=more).retry_waits == waits


def test_a_request_that_is_not_buffered_cannot_be_sent_again(tmp_path: Path) -> None:
    (thrown,) = retried(tmp_path, [429, 200], forward="<forward-request />").thrown
    assert "the request body was sent already; buffer-request-body keeps it for a retry" in thrown


def test_no_answer_ends_a_retry(tmp_path: Path) -> None:
    result = retried(tmp_path, [429, "timeout", 200])
    assert (result.backend_calls, result.client_status, result.thrown) == (2, 500, [])
