"""`chargeback rejected`: what it prints of a folder, and how it fails."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights
from chargeback.reports.compose import kql_folder
from tests.faults.azurite import Azurite
from tests.rejected.letters import DAY, at, keep, letter, usage
from tests.test_cli_main import called, command, environment, sentence

FOLDER = "CHARGEBACK_DEAD_LETTER_FOLDER"
HUB = {"EventHubConnection__fullyQualifiedNamespace": "contoso.servicebus.windows.net", "EVENT_HUB_NAME": "usage"}
WHOLE = "promptTokens is not a whole number from 0 to 10^12"
NEXT_DAY = DAY.replace(day=21)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three days' worth: two files of one batch, cut differently; a line that is nothing any more."""
    same = [letter(f"call-{number}", usage(f"call-{number}"), at(number)) for number in (1, 2)]
    keep(tmp_path, *same)
    keep(tmp_path, same[1], letter("call-3", b'{"promptTokens":-1}', at(3), WHOLE))
    keep(tmp_path, letter("call-4", b"no json", at(4, taken=NEXT_DAY), "not JSON"))
    return tmp_path


def settings(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {FOLDER: str(folder), **(more or {})}


def listed(folder: Path, *words: str) -> list[dict[str, object]]:
    finished = called("rejected", "list", "--format", "json", *words, settings=settings(folder))
    assert finished.returncode == 0, finished.stderr
    found: list[dict[str, object]] = json.loads(finished.stdout)
    return found


def row(day: str | None, reason: str, records: int, **states: int) -> dict[str, object]:
    kinds = {"open": 0, "replayed": 0, "notReplayable": 0} | states
    return {"day": day, "reason": reason, "recordShape": "unknown", "records": records, **kinds}


def test_the_list_counts_each_record_once_by_day_reason_and_shape(folder: Path) -> None:
    assert listed(folder) == [
        row("2026-11-20", "no known token counts in it", 2, open=2),
        row("2026-11-20", WHOLE, 1, open=1),
        row("2026-11-21", "not JSON", 1, notReplayable=1),
    ]


def test_the_list_takes_reasons_and_times(folder: Path) -> None:
    assert listed(folder, "--reason", "Whole Number") == [row("2026-11-20", WHOLE, 1, open=1)]
    assert listed(folder, "--since", "2026-11-21") == [row("2026-11-21", "not JSON", 1, notReplayable=1)]
    assert listed(folder, "--since", "2026-11-20T11:00:03+01:00", "--reason", "whole") == [
        row("2026-11-20", WHOLE, 1, open=1)
    ]


def test_the_table_says_what_can_be_done(folder: Path) -> None:
    finished = called("rejected", "list", settings=settings(folder))

    lines = finished.stdout.decode().splitlines()
    assert lines[0].split() == ["day", "reason", "recordShape", "records", "open", "replayed", "notReplayable"]
    assert lines[2].split() == [
        *("2026-11-20", "no", "known", "token", "counts", "in", "it", "unknown", "2", "2", "0", "0")
    ]
    assert sentence(finished) == (
        "3 may be sent again: once the cause is mended, chargeback rejected replay --dry-run tells which"
    )


def test_an_empty_list_says_where_it_looked(tmp_path: Path) -> None:
    finished = called("rejected", "list", settings=settings(tmp_path / "gone"))

    assert finished.returncode == 0
    assert sentence(finished) == f"there are no such rejected records in the folder {tmp_path / 'gone'}"


def test_a_record_that_was_replayed_and_rejected_again_is_open_again(folder: Path) -> None:
    (file,) = folder.rglob("2-4.jsonl")
    file.unlink()
    marks = {found["id"]: found for found in map(json.loads, shown(folder, "call-1"))}
    assert marks["call-1"]["state"] == "open"
    mark_all(folder)
    keep(folder, letter("call-1", usage("call-1"), at(900)))

    assert listed(folder) == [
        row("2026-11-20", "no known token counts in it", 2, open=1, replayed=2),
        row("2026-11-20", WHOLE, 1, replayed=1),
    ]


def test_the_list_and_the_dry_run_count_two_records_of_one_id_alike(tmp_path: Path) -> None:
    """Two calls that differ; and one that two events tell, each of which is sent."""
    keep(tmp_path, *[letter("call-1", usage("call-1", prompt), at(prompt)) for prompt in (1, 2)])
    for number in (11, 12):
        keep(tmp_path, letter("call-2", usage("call-2"), at(number)))

    assert listed(tmp_path) == [row("2026-11-20", "no known token counts in it", 3, open=4)]
    finished = called("rejected", "replay", "--dry-run", settings=settings(tmp_path))
    assert finished.stdout.split()[-3:] == [b"would", b"be", b"sent", b"4"][-3:]


def mark_all(folder: Path) -> None:
    """Mark every letter as the replay does."""
    from chargeback.deadletter.stored import letters_of
    from chargeback.deadletter.stored_folder import StoredFolder

    place = StoredFolder(folder)
    for file in place.files():
        content = place.read(file.path)
        assert content is not None
        place.mark(file.path, [found.mark for found in letters_of(content.text)[0]])


def shown(folder: Path, identity: str) -> list[str]:
    """What `show` prints, a text for each object."""
    finished = called("rejected", "show", identity, settings=settings(folder))
    assert (finished.returncode, finished.stderr) == (0, b"")
    return [f"{text}}}" for text in finished.stdout.decode().split("\n}\n") if text]


def test_show_prints_every_line_of_a_record_with_its_place_and_its_body(folder: Path) -> None:
    first, second = map(json.loads, shown(folder, "call-2"))

    assert [first["file"], second["file"]] == [
        f"rejected/2026/11/20/contoso.servicebus.windows.net/usage/2-{number}.jsonl" for number in (1, 2)
    ]
    assert (first["state"], first["partitionId"], first["sequenceNumber"]) == ("open", "2", 2)
    assert first["enqueuedTime"] == "2026-11-20T10:00:02.000Z"
    assert first["body"] == json.loads(usage("call-2"))
    assert first["reason"] == "no known token counts in it"


def test_show_says_when_there_is_no_such_record(folder: Path) -> None:
    finished = called("rejected", "show", "call-9", settings=settings(folder))

    assert finished.returncode == 2
    assert sentence(finished) == (
        f"there is no rejected record of this id in the folder {folder}: take recordId of the event "
        "`Chargeback record rejected`, or see what there is with rejected list"
    )


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ex\x7f"
ACTING = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E]


@pytest.mark.parametrize("words", [("list",), ("show", EVIL), ("replay", "--dry-run")])
def test_no_character_of_a_record_acts_on_the_terminal(tmp_path: Path, words: tuple[str, ...]) -> None:
    body = json.dumps({"model": EVIL, "promptTokens": -1}).encode()
    keep(tmp_path, letter(EVIL, body, at(1), f"refused by Application Insights: {EVIL}"))

    finished = called("rejected", *words, settings=settings(tmp_path))

    text = (finished.stdout + finished.stderr).decode().replace("\n", "")
    assert "owned" in text
    assert not [char for char in text if ord(char) in ACTING]


def test_a_key_that_was_sent_is_shown_as_its_fingerprint(tmp_path: Path) -> None:
    key = "0123456789abcdef0123456789abcdef"
    keep(tmp_path, letter("call-1", json.dumps({"appSubscriptionKey": key, "promptTokens": -1}).encode(), at(1)))

    for words in (("list",), ("show", "call-1"), ("replay", "--dry-run")):
        finished = called("rejected", *words, settings=settings(tmp_path))
        assert key not in (finished.stdout + finished.stderr).decode()
    fingerprint = f"key-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    assert json.loads(shown(tmp_path, "call-1")[0])["body"]["appSubscriptionKey"] == fingerprint


def test_a_dry_run_says_what_would_be_sent_and_what_not_and_needs_no_hub(folder: Path) -> None:
    finished = called("rejected", "replay", "--dry-run", settings=settings(folder))

    rows = [line.split("  ") for line in finished.stdout.decode().splitlines()]
    told = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert told[0] == ["outcome", "reason", "records"]
    assert told[2:5] == [["not replayable", "not JSON", "1"], ["still rejected", WHOLE, "1"], ["would be sent", "2"]]
    assert (
        'call-3: still rejected: promptTokens is not a whole number from 0 to 10^12; left of it: {"promptTokens":-1}'
        in (finished.stdout.decode())
    )
    assert "call-4: not replayable: not JSON; left of it: no json" in finished.stdout.decode()
    assert finished.returncode == 1


def test_a_choice_of_nothing_is_said(folder: Path) -> None:
    finished = called("rejected", "replay", "--dry-run", "--id", "call-9", settings=settings(folder))

    assert (finished.returncode, finished.stdout) == (0, b"")
    assert sentence(finished) == f"there are no such rejected records in the folder {folder}"


def test_a_time_that_is_none_is_said(folder: Path) -> None:
    finished = called("rejected", "list", "--since", "yesterday", settings=settings(folder))

    assert finished.returncode == 2
    assert sentence(finished) == "--since is no time: write it like 2026-11-20, or 2026-11-20T06:00 (UTC)"


def test_a_time_without_a_zone_is_utc_wherever_it_is_typed(folder: Path) -> None:
    """On an island that is 14 hours ahead it would be a moment of the day before."""
    far = settings(folder, {"TZ": "Pacific/Kiritimati"})
    words = ("rejected", "list", "--since", "2026-11-20T10:00:03", "--format", "json")
    assert [found["reason"] for found in json.loads(command(*words, settings=far).stdout)] == [WHOLE, "not JSON"]


@pytest.mark.parametrize("words", [("list",), ("replay", "--dry-run")])
@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--reason", "", "--reason is empty, which every reason fits: name a part of one, or leave it out"),
        ("--reason", " ", "--reason is empty, which every reason fits: name a part of one, or leave it out"),
        ("--since", "", "--since is no time: write it like 2026-11-20, or 2026-11-20T06:00 (UTC)"),
    ],
)
def test_a_choice_that_is_empty_does_not_mean_everything(
    folder: Path, words: tuple[str, ...], option: str, value: str, said: str
) -> None:
    finished = called("rejected", *words, option, value, settings=settings(folder))

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == said


@pytest.mark.parametrize("words", [("list",), ("show", "x"), ("replay",), ("replay", "--dry-run")])
def test_without_settings_one_sentence_names_the_variable_and_where_it_belongs(words: tuple[str, ...]) -> None:
    finished = command("rejected", *words, settings=HUB)

    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished) == (
        "set AzureWebJobsStorage in this shell as it stands in the function app's settings (or "
        "AzureWebJobsStorage__accountName and sign in; or CHARGEBACK_DEAD_LETTER_FOLDER for a folder): it says where "
        "rejected records are"
    )


def test_progress_is_shown_on_a_terminal_and_on_stderr_alone(folder: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "chargeback", "rejected", "list"],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment(settings(folder, {"TERM": "xterm"})),
            timeout=60,
            check=False,
        )
        os.close(theirs)
        told = os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)

    assert "rejected records" in told
    assert "rejected records" not in finished.stdout.decode()
    assert finished.returncode == 0


def test_the_counts_are_sent_for_an_alert(tmp_path: Path) -> None:
    """Two are open, one of them for longer than a week. What no record is left of is neither."""
    now = datetime.now(UTC).replace(microsecond=0)
    old, young = now - timedelta(days=9), now - timedelta(days=6)
    keep(tmp_path, letter("call-1", usage("call-1"), at(1, taken=old)))
    keep(tmp_path, letter("call-2", usage("call-2"), at(2, taken=young)))
    keep(tmp_path, letter("call-3", b"no json", at(3, taken=old), "not JSON"))
    with LocalApplicationInsights() as insights:
        more = {"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string}
        finished = called("rejected", "list", "--emit", settings=settings(tmp_path, more))
        assert finished.returncode == 0, finished.stderr
        assert b"sent the counts: 2 open, 1 of them for longer than 7 days" in finished.stderr
        alert = (kql_folder() / "alerts/old-dead-letters.kql").read_text(encoding="utf-8")
        assert insights.store.query(alert).rows == ((1,),)


def test_the_counts_are_of_all_letters_or_not_sent(tmp_path: Path) -> None:
    finished = called("rejected", "list", "--emit", "--reason", "JSON", settings=settings(tmp_path))
    assert finished.returncode == 2
    assert sentence(finished).startswith("--emit counts every letter")


def test_the_counts_of_a_folder_that_is_not_there_are_not_sent(tmp_path: Path) -> None:
    """A slip in the setting would tell the alert, every day, that nothing is open."""
    with LocalApplicationInsights() as insights:
        more = {"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string}
        gone = called("rejected", "list", "--emit", settings=settings(tmp_path / "gone", more))
        assert insights.requests == []
        assert (gone.returncode, gone.stdout) == (2, b"")
        assert sentence(gone) == f"the folder {tmp_path / 'gone'} is not there: check {FOLDER}"
        (tmp_path / "empty").mkdir()
        assert called("rejected", "list", "--emit", settings=settings(tmp_path / "empty", more)).returncode == 0
        assert len(insights.requests) == 1


@pytest.mark.needs_node("azurite")
def test_the_counts_of_a_container_that_is_not_there_are_not_sent() -> None:
    with Azurite() as azurite, LocalApplicationInsights() as insights, azurite.container() as container:
        told = {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "CHARGEBACK_DEAD_LETTER_CONTAINER": container.container_name,
        }
        gone = called("rejected", "list", "--emit", settings=told)
        assert (gone.returncode, gone.stdout, insights.requests) == (2, b"", [])
        assert sentence(gone) == (
            f"the container {container.container_name} is not there: check AzureWebJobsStorage and "
            "CHARGEBACK_DEAD_LETTER_CONTAINER"
        )
        listed_only = called("rejected", "list", settings=told)
        assert listed_only.returncode == 0
        assert sentence(listed_only).startswith("there are no such rejected records in the container")
        container.create_container()
        assert called("rejected", "list", "--emit", settings=told).returncode == 0


@pytest.mark.parametrize("words", [("list",), ("list", "--emit"), ("show", "x"), ("replay", "--dry-run")])
def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()
    finished = called("rejected", *words, settings=settings(file))
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith(f"the folder {file} is not there: check {FOLDER}")
