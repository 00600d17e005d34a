"""`chargeback close`: a month is kept for good, and what comes to light later is charged once, in an open month."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.cli.closing import check_over
from chargeback.errors import StatementError
from chargeback.reports.answer import Answer
from chargeback.reports.closing import pack, unpack
from chargeback.reports.compose import kql_folder
from chargeback.reports.statement import Kind
from tests.closing.scene import APRIL, LATE, MARCH, MAY, USAGE, Scene, add, append, chat, lines, owed, run
from tests.cloud.azure import Asked, Azure, Told
from tests.faults.azurite import Azurite, blobs

pytestmark = pytest.mark.once

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai"


def test_what_comes_late_is_charged_in_the_open_month_and_never_again(scene: Scene) -> None:
    """Closed in March: Retail 5.83, Finance 0.005, nobody 0.015. Late: Retail 1.00, Finance 0.013.

    April: Retail 0.01 + 1.00 = 1.01; Finance 0.013 -> 0.01. Later still: Finance 0.25 more of March.
    """
    code, output, told = scene.close(MARCH, "--without-reconcile")
    assert (code, lines(output, "Total")) == (0, [["Total", "3", "1008000", "333333", "5.85", "5.85", "5.85"]])
    packed = scene.march.read_bytes()
    assert f"closed {MARCH}: {scene.march}, SHA-256 {hashlib.sha256(packed).hexdigest()}" in told

    assert scene.close(MARCH)[:2] == (0, "")

    add(scene.store, LATE)
    code, output, told = scene.close(MARCH)
    assert code == 1
    assert lines(output, MARCH) == [
        f"{MARCH} Correction Finance Audit assistant gpt-4o chat 1 5200 0.01 0.01 0.01".split(),
        f"{MARCH} Correction Retail Retail web shop gpt-4o chat 1 400000 1.00 1.00 1.00".split(),
    ]
    assert "stays as it is" in told
    assert scene.march.read_bytes() == packed

    assert scene.owed(APRIL) == {"Retail": "1.01", "Finance": "0.01", "Total": "1.02"}
    code, output, _ = scene.close(APRIL, "--without-reconcile")
    assert (code, len(lines(output, MARCH))) == (0, 2)
    april = unpack((scene.kept / f"{APRIL}.json.gz").read_bytes()).statement
    corrections = [line for line in april.lines if line.kind is Kind.CORRECTION]
    assert [(one.business_unit, one.charged_cost) for one in corrections] == [
        ("Finance", Decimal("0.013")),
        ("Retail", Decimal(1)),
    ]

    assert scene.close(MARCH)[:2] == (0, "")
    assert scene.owed(MAY) == {"Total": "0.00"}
    add(scene.store, [chat("m6", "finance-audit", 100_000, at="2025-03-30T10:00:00Z")])
    code, output, _ = scene.close(MARCH)
    assert (code, [row[-1] for row in lines(output, MARCH)]) == (1, ["0.25"])
    assert scene.owed(MAY) == {"Finance": "0.25", "Total": "0.25"}
    # A closed month is shown as it was charged, whatever came since.
    assert scene.owed(MARCH)["Total"] == "5.85"
    assert scene.owed(APRIL)["Total"] == "1.02"


def test_corrections_are_rows_of_their_own_in_focus(closed: Scene) -> None:
    add(closed.store, LATE)
    words = ("--month", APRIL, *closed.source(), "--statements", closed.kept, "--format", "focus")
    rows = list(csv.DictReader(io.StringIO(run("report", *words)[1])))
    corrected = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert sorted(Decimal(row["EffectiveCost"]) for row in corrected) == [Decimal("0.013"), Decimal(1)]
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("1.02")


def test_a_business_unit_sees_its_own_corrections_alone(closed: Scene) -> None:
    add(closed.store, LATE)
    words = ("--month", APRIL, *closed.source(), "--statements", closed.kept, "--business-unit", "Retail")
    code, output, _ = run("report", *words)
    assert (code, "Finance" in output, len(lines(output, MARCH))) == (0, False, 1)


def test_a_price_that_turns_out_wrong_is_given_back(closed: Scene) -> None:
    """A million and 6,000 and 2,000 prompt tokens at 2.50 should have been 2.00: 0.50 back, and less than a cent."""
    append(
        closed.reference,
        "prices.kql",
        '"OpenAI", "gpt-4o", "", "global", "", "", long(null), "", false, datetime(2025-02-01), 2, 1.25, real(null),'
        ' real(null), 10, real(null), real(null), real(null), "list", "", "made up, corrected",',
    )
    code, output, _ = closed.close(MARCH)
    assert code == 1
    assert [row[-1] for row in lines(output, MARCH)] == ["0.00", "0.00", "-0.50"]
    code, output, told = run("close", "--show", MARCH, "--statements", closed.kept, "--reference", closed.reference)
    assert (code, told) == (0, "")
    assert "the query of today is another one: prices.kql: 1 row more\n" in output
    assert lines(output, "Total")[0][-1] == "5.85"


def test_a_closed_month_is_printed_from_its_file_alone(closed: Scene) -> None:
    closed.store.unlink()
    code, output, told = run("close", "--show", MARCH, "--statements", closed.kept, "--reference", closed.reference)
    assert (code, told) == (0, "")
    assert lines(output, "Total") == [["Total", "3", "1008000", "333333", "5.85", "5.85", "5.85"]]
    assert "2 charged + 1 unknown consumer + 0 unpriced" in output
    assert "calculated again from its inputs of 3 days: the same lines, to the last digit" in output
    assert "the query of today is the same, reference rows included" in output
    asked = unpack(closed.march.read_bytes()).statement.query_hashes["statement-lines.kql"]
    assert f"query statement-lines.kql, SHA-256 {asked}" in output


def test_a_file_that_somebody_made_to_fit_its_own_digest_does_not_follow_from_its_inputs(closed: Scene) -> None:
    """The digest guards against hands; the inputs tell of the rest."""
    honest = unpack(closed.march.read_bytes())
    dearer = tuple(replace(line, charged_cost=line.charged_cost + 1) for line in honest.statement.lines)
    forged = replace(honest, statement=replace(honest.statement, lines=dearer))
    closed.march.write_bytes(pack(forged))
    code, _, told = run("close", "--show", MARCH, "--statements", closed.kept, "--reference", closed.reference)
    assert (code, told.count("\n"), "its inputs of 3 days give other lines" in told) == (1, 1, True)


def test_what_is_kept_is_everything_that_the_statement_was_made_of(closed: Scene) -> None:
    found = json.loads(gzip.decompress(closed.march.read_bytes()))
    assert sorted(found["inputs"]) == ["2025-03-05", "2025-03-06", "2025-03-31"]
    assert [row.partition(",")[0] for row in found["reference"]["consumers.kql"]] == ['"retail-web"', '"finance-audit"']
    assert len(found["reference"]["prices.kql"]) == 1
    assert "regionGroups.kql" in found["reference"], "the library's own rows too"
    assert "usage.kql" not in found["reference"], "the query's hash stands for its logic"
    assert found["reconciliation"] is None


def _cut(packed: bytes) -> bytes:
    return packed[:-20]


def _edited(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed).replace(b"1000000", b"1000001"))


def _emptied(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed).replace(b'"calls":', b'"calls":NaN,"x":'))


@pytest.mark.parametrize(
    ("spoil", "words"), [(_cut, "may be cut"), (_edited, "it was changed"), (_emptied, "it was changed")]
)
def test_a_closed_month_that_was_cut_or_edited_is_refused_with_one_sentence(
    closed: Scene, spoil: Callable[[bytes], bytes], words: str
) -> None:
    closed.march.write_bytes(spoil(closed.march.read_bytes()))
    for line in (
        ("close", "--month", MARCH, *closed.source()),
        ("close", "--month", APRIL, *closed.source(), "--without-reconcile"),
        ("close", "--show", MARCH),
        ("report", "--month", MARCH, *closed.source()),
        ("report", "--month", APRIL, *closed.source()),
    ):
        code, output, told = run(*line, "--statements", closed.kept)
        assert (code, output, told.count("\n")) == (2, "", 1)
        assert told.startswith(f"chargeback: {MARCH}: ")
        assert words in told


def test_a_file_of_another_month_is_no_statement_of_this_one(closed: Scene) -> None:
    closed.march.rename(closed.kept / "2025-02.json.gz")
    code, _, told = run("close", "--show", "2025-02", "--statements", closed.kept)
    assert (code, f"is the statement of {MARCH}" in told) == (2, True)


def test_calls_that_the_log_no_longer_has_are_not_given_back(closed: Scene) -> None:
    """A resource keeps its log for 90 days, unless somebody pays for more."""
    closed.store.unlink()
    add(closed.store, USAGE[2:])
    code, output, told = closed.close(MARCH)
    assert (code, output) == (2, "")
    assert "1 of the 3 calls that 2025-03 was closed with are left in the log" in told
    words = ("--month", APRIL, *closed.source(), "--statements", closed.kept, "--format", "json")
    code, output, told = run("report", *words)
    assert (code, owed(output)) == (0, {"Retail": "0.01", "Total": "0.01"})
    assert told.startswith("chargeback: 2025-03 is not corrected: 1 of the 3 calls")


def test_a_month_is_not_closed_without_a_comparison_unless_somebody_says_so(scene: Scene) -> None:
    code, output, told = scene.close(MARCH)
    assert (code, output, "--without-reconcile" in told) == (2, "", True)
    assert scene.close(MARCH, "--without-reconcile", "--apim", "x")[0] == 2
    assert not scene.kept.exists()


def test_a_month_of_which_nothing_is_charged_is_not_closed(scene: Scene) -> None:
    """The source holds calls of March and April alone."""
    code, output, told = scene.close("2026-02", "--without-reconcile")
    assert (code, output) == (2, "")
    assert "nothing of 2026-02 is charged (0 calls): nothing is closed" in told
    assert not (scene.kept / "2026-02.json.gz").exists()


def test_this_month_is_not_closed(scene: Scene) -> None:
    now = datetime.now(UTC)
    code, _, told = scene.close(f"{now:%Y-%m}", "--without-reconcile", "--early")
    assert (code, f"{now:%Y-%m} is not over" in told) == (2, True)
    assert not scene.kept.exists()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2025-03-31T23:59:59+00:00", "2025-03 is not over: close it from 2025-04-09 on"),
        ("2025-04-01T00:00:00+00:00", "late records of 2025-03 are looked for until 2025-04-09"),
        ("2025-04-08T23:59:59+00:00", "late records of 2025-03 are looked for until 2025-04-09"),
        ("2025-04-09T00:00:00+00:00", ""),
    ],
)  # fmt: skip  (one case per line is a table)
def test_a_month_is_closed_when_late_records_are_in(now: str, words: str) -> None:
    moment = datetime.fromisoformat(now)
    if not words:
        check_over(MARCH, early=False, now=moment)
        return
    with pytest.raises(StatementError, match=words):
        check_over(MARCH, early=False, now=moment)


def test_who_closes_early_is_told_what_that_means(capsys: pytest.CaptureFixture[str]) -> None:
    check_over(MARCH, early=True, now=datetime(2025, 4, 1, tzinfo=UTC))
    assert "what still comes will be a correction of it" in capsys.readouterr().err
    with pytest.raises(StatementError, match="is not over"):
        check_over(MARCH, early=True, now=datetime(2025, 3, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name the month to close"),
        (("--month", MARCH, "--show", MARCH), "name the month to close"),
        (("--month", "March"), "no month"),
        (("--month", "2025-3"), "no month"),
        (("--month", "9999-12"), "no month"),
        (("--show", MARCH, "--statements", "gone"), "there is no folder gone"),
        (("--show", MARCH), "set AzureWebJobsStorage"),
        (("--month", MARCH, "--reference", "gone"), "there is no folder gone"),
    ],
)  # fmt: skip  (one case per line is a table)
def test_what_is_not_enough_is_said_in_one_sentence(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    place = () if "--show" in words else ("--statements", tmp_path)
    code, output, said = run("close", *words, *place)
    assert (code, output, said.count("\n")) == (2, "", 1)
    assert told in said


def test_a_month_that_is_open_has_nothing_to_show(tmp_path: Path) -> None:
    code, _, told = run("close", "--show", MARCH, "--statements", tmp_path)
    assert (code, "2025-03 is not closed" in told) == (2, True)


def test_azure_is_asked_day_by_day_and_gives_the_same_month(closed: Scene, azure: Azure) -> None:
    """The service answers what the local store did, in the API's own form; days without calls have no rows."""
    local = unpack(closed.march.read_bytes())
    azure.answers(lambda asked: _as_the_api(local.inputs, asked))
    resource = f"{GROUP}/providers/microsoft.insights/components/chargeback"
    source = ("--resource", resource, "--endpoint", azure.endpoint, "--reference", closed.reference)
    kept = closed.folder / "from-azure"
    words = ("close", "--month", MARCH, *source, "--statements", kept)
    assert run(*words, "--without-reconcile")[0] == 0
    found = unpack((kept / f"{MARCH}.json.gz").read_bytes())
    assert (found.statement.lines, found.statement.classes) == (local.statement.lines, local.statement.classes)
    assert len(found.inputs) == len(azure.asked) == 31
    assert run(*words)[:2] == (0, "")
    assert run("close", "--show", MARCH, "--statements", kept, "--reference", closed.reference)[0] == 0


def _as_the_api(inputs: Mapping[date, Answer], asked: Asked) -> Told:
    found = re.search(r"let periodStart = datetime\((\d{4}-\d\d-\d\d)", str(asked.json()["query"]))
    assert found
    any_day = next(iter(inputs.values()))
    whole = [row for answer in inputs.values() for row in answer.rows]
    kinds = [_kind(name, [row[place] for row in whole]) for place, name in enumerate(any_day.columns)]
    columns = [{"name": name, "type": kind} for name, kind in zip(any_day.columns, kinds, strict=True)]
    rows = [list(row) for row in inputs.get(date.fromisoformat(found[1]), Answer((), (), ())).rows]
    return Told({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})


def _kind(name: str, values: Sequence[object]) -> str:
    if name in ("day", "priceValidFrom"):
        return "datetime"
    kinds = {bool: "bool", int: "long", float: "real", str: "string"}
    return next((kinds[type(value)] for value in values if value is not None), "string")


@pytest.mark.needs_node("azurite")
def test_the_functions_storage_keeps_months_in_a_container_of_their_own(scene: Scene) -> None:
    source = scene.source()
    with Azurite() as azurite, azurite.container("statements") as container:
        settings = {"AzureWebJobsStorage": azurite.connection_string}
        code, _, told = run("close", "--month", MARCH, *source, "--without-reconcile", settings=settings)
        assert (code, f"/statements/{MARCH}.json.gz" in told) == (0, True)
        first = blobs(container)
        assert list(first) == [f"{MARCH}.json.gz"]
        add(scene.store, LATE)
        code, output, _ = run("close", "--month", MARCH, *source, settings=settings)
        assert (code, len(lines(output, MARCH))) == (1, 2)
        assert blobs(container) == first
        words = ("report", "--month", APRIL, *source, "--statements", "container", "--format", "json")
        assert owed(run(*words, settings=settings)[1])["Total"] == "1.02"
        code, output, _ = run("close", "--show", MARCH, settings=settings)
        assert (code, lines(output, "Total")[0][-1]) == (0, "5.85")


def test_the_page_about_money_shows_how_one_call_is_reproduced(closed: Scene, tmp_path: Path) -> None:
    """The page's query, about the page's call: 2.50 and 3.33333."""
    page = (kql_folder().parent / "docs" / "money.md").read_text()
    (tmp_path / "call.kql").write_text(page.partition("```kusto\n")[2].partition("```")[0])
    at = ("--from", "2025-03-05T09:00:00.000Z", "--to", "2025-03-05T09:00:00.001Z")
    code, output, _ = run("query", tmp_path / "call.kql", *closed.source(), *at, "--format", "json")
    assert code == 0
    assert [(row["part"], row["tokens"], row["cost"]) for row in json.loads(output)] == [
        ("prompt", 1_000_000, 2.5),
        ("completion", 333_333, 3.33333),
    ]
    assert "10^6 = 3.33333; alone in its month, its business unit owes 5.83" in " ".join(page.split())
