"""Closed months are written once, into a real Azurite and into a folder."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from chargeback.cloud.statements import CONTAINER, BlobStatements, FolderStatements, Statements, connect
from chargeback.errors import StatementError
from tests.faults.azurite import Azurite, connection_string, container_of
from tests.test_delivery_entra import Credential

needs_azurite = pytest.mark.needs_node("azurite")


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture(params=[pytest.param("blobs", marks=needs_azurite), "folder"])
def statements(request: pytest.FixtureRequest, tmp_path: Path) -> Statements:
    """A place for closed months, empty, which does not exist yet."""
    if request.param == "folder":
        return FolderStatements(tmp_path / "new" / "statements")
    running: Azurite = request.getfixturevalue("azurite")
    with running.container(CONTAINER) as container:
        if container.exists():
            container.delete_container()
    return connect(connection_string=running.connection_string)


def test_a_month_is_read_as_it_was_written(statements: Statements) -> None:
    assert statements.read("2026-10") is None
    assert statements.months() == ()
    where = statements.write("2026-10", b"\x1f\x8bOctober")
    assert where.endswith("2026-10.json.gz")
    assert statements.read("2026-10") == b"\x1f\x8bOctober"
    assert statements.read("2026-11") is None


def test_the_months_come_in_order(statements: Statements) -> None:
    for month in ("2026-10", "2025-12", "2026-01"):
        statements.write(month, b"x")
    assert statements.months() == ("2025-12", "2026-01", "2026-10")


def test_a_closed_month_is_never_written_again(statements: Statements) -> None:
    statements.write("2026-10", b"first")
    with pytest.raises(StatementError, match=r"2026-10 is closed already .*corrections"):
        statements.write("2026-10", b"second")
    assert statements.read("2026-10") == b"first"


def test_of_writers_that_race_one_wins_whole(statements: Statements) -> None:
    statements.write("2026-09", b"makes what is missing")
    together = Barrier(8)

    def write(number: int) -> int | None:
        together.wait(30)
        try:
            statements.write("2026-10", b"%d" % number * 100_000)
        except StatementError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number is not None]
    (winner,) = winners
    assert statements.read("2026-10") == b"%d" % winner * 100_000


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "../../2026-10", "2026-10/x", "", "2026-00"])
def test_only_a_month_is_closed(statements: Statements, month: str) -> None:
    for use in (lambda: statements.write(month, b"x"), lambda: statements.read(month)):
        with pytest.raises(StatementError, match="no month"):
            use()
    assert statements.months() == ()


def test_a_folder_holds_nothing_but_months_and_they_are_readable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    folder = FolderStatements(tmp_path)
    folder.write("2026-10", b"x")
    with pytest.raises(StatementError):
        folder.write("2026-10", b"y")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2026-10.json.gz", "notes.txt"]
    assert folder.months() == ("2026-10",)
    (tmp_path / "plain").touch()
    usual = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "2026-10.json.gz").stat().st_mode) == usual


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "statements", tmp_path / "file"):
        with pytest.raises(StatementError, match="name another folder"):
            FolderStatements(folder).write("2026-10", b"x")


@needs_azurite
def test_an_account_without_the_container_gets_it_with_the_first_month(azurite: Azurite) -> None:
    with azurite.container("made-when-needed") as container:
        BlobStatements(container).write("2026-10", b"x")
        assert list(container.list_blob_names()) == ["2026-10.json.gz"]


def test_an_account_that_does_not_answer_is_said() -> None:
    with container_of(connection_string(1), CONTAINER) as container:
        statements = BlobStatements(container)
        for use in (lambda: statements.write("2026-10", b"x"), lambda: statements.read("2026-10"), statements.months):
            with pytest.raises(StatementError, match="Storage Blob Data Contributor"):
                use()


def test_an_account_is_named_by_its_connection_string_or_by_its_address_and_an_identity() -> None:
    assert isinstance(connect(account_url="https://account.example", credential=Credential()), BlobStatements)
    for text, url in ((None, None), (None, "https://account.example"), ("Nothing=here", None)):
        with pytest.raises(StatementError, match="storage account"):
            connect(connection_string=text, account_url=url)
