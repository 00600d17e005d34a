"""The demo's end in money: its ledger, its company's reference folder, and that its proof is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.cli.demo_money import prove_money, state
from chargeback.errors import ChargebackError
from chargeback.events import CustomEvent, Position, Refusal
from chargeback.local.day import REFERENCE, Day, make_day, total_of
from chargeback.local.day.bill import Bill, cents
from chargeback.local.day.company import ASSISTANT, CALLERS, CHAT_EAST, CHAT_WEST, LEGACY, SEARCH, WRITER, Deployment
from chargeback.local.day.truth import Fate, Tokens
from chargeback.local.store import Store
from chargeback.pipeline import Message, run
from chargeback.reports.reference import read
from chargeback.reports.statement import Statement
from tests.kql.rows import event
from tests.reports.made_up import line, statement

WHEN = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("unit", "served", "tokens", "at_list", "by_contract", "charged"),
    [
        # 200 x 2.50 + 1000 x 1.25 + 300 x 10 = 4750 millionths; by contract a tenth less
        ("Retail", CHAT_EAST, Tokens(1200, 300, 1500, 1000), "0.00475", "0.004275", "0.004275"),
        # the same, less 15 %: 4275 x 0.85 = 3633.75
        ("Research", CHAT_EAST, Tokens(1200, 300, 1500, 1000), "0.00475", "0.004275", "0.00363375"),
        # 1000 x 2.75 + 1000 x 11 = 13750, and no contract
        ("Finance", CHAT_WEST, Tokens(1000, 1000, 2000), "0.01375", "0.01375", "0.01375"),
        # 500 x 3 + 500 x 0.30 + 1000 x 3.75 + 100 x 15 = 1500 + 150 + 3750 + 1500 = 6900
        ("Retail", WRITER, Tokens(2000, 100, 2100, 500, 1000), "0.0069", "0.0069", "0.0069"),
        # 4000 x 0.25 + 2500 x 2 = 6000
        ("Operations", ASSISTANT, Tokens(4000, 2500, 6500), "0.006", "0.006", "0.006"),
        # 8000 x 0.13 = 1040, and nothing else
        ("Retail", SEARCH, Tokens(8000, None, 8000), "0.00104", "0.00104", "0.00104"),
    ],
)
def test_the_ledger_prices_a_call(
    unit: str, served: Deployment, tokens: Tokens, at_list: str, by_contract: str, charged: str
) -> None:
    bill = Bill()
    bill.add(unit, served, tokens, Fate.CHARGED)
    assert [bill.at_list, bill.by_contract, bill.charged] == [Decimal(at_list), Decimal(by_contract), Decimal(charged)]


def test_the_ledger_adds_calls_up_and_charges_nothing_for_those_that_have_no_price() -> None:
    bill = Bill()
    bill.add("Finance", CHAT_WEST, Tokens(1000, 1000, 2000), Fate.CHARGED)
    bill.add("Finance", SEARCH, Tokens(8000, None, 8000), Fate.CHARGED)
    bill.add("Finance", CHAT_EAST, Tokens(None, None, 7000), Fate.TOTAL_ONLY)
    for fate in (Fate.UNKNOWN, Fate.MAYBE_BILLED, Fate.FREE, Fate.FREE):
        bill.add("Finance", CHAT_EAST, Tokens(), fate)
    assert bill.charged == Decimal("0.01479")
    assert [bill.fates[fate] for fate in Fate] == [2, 1, 1, 1, 2]


def test_the_ledger_rounds_half_to_the_even_cent() -> None:
    exact = ("0.125", "0.135", "0.1250000001", "2.675")
    assert [str(cents(Decimal(amount))) for amount in exact] == ["0.12", "0.14", "0.13", "2.68"]


def test_every_call_of_the_day_is_on_one_bill() -> None:
    day = make_day(WHEN)
    assert sum(bill.fates.total() for bill in day.bills.values()) == total_of(day).calls
    assert all(sum(bill.fates[fate] for bill in day.bills.values()) > 40 for fate in Fate)
    without_usage = (Fate.UNKNOWN, Fate.MAYBE_BILLED, Fate.FREE)
    assert sum(bill.fates[fate] for bill in day.bills.values() for fate in without_usage) == total_of(day).unknown


def test_the_companys_folder_knows_all_who_call_and_all_that_answers() -> None:
    owners = {row["consumerId"]: row["businessUnit"] for row in read(REFERENCE / "consumers.kql").rows}
    assert owners == {caller.consumer_id: caller.business_unit for caller in (*CALLERS, LEGACY)}
    named = {row["deployment"] for row in read(REFERENCE / "deployments.kql").rows}
    assert named == {"", *(served.name for served in (CHAT_EAST, CHAT_WEST, ASSISTANT, SEARCH, WRITER))}


def test_the_companys_folder_is_older_than_any_day_of_a_demo() -> None:
    for file in REFERENCE.glob("*.kql"):
        rows = read(file).rows
        assert rows, f"{file.name} has no rows: kql/lib has such a file already"
        assert {row["validFrom"] for row in rows} == {datetime(2025, 1, 1, tzinfo=UTC)}


def billed_day() -> Day:
    """Return a day whose only business unit owes 1.005 by list, 0.995 by contract and 0.9 dollars after discounts."""
    fates = Counter({Fate.CHARGED: 2, Fate.TOTAL_ONLY: 1, Fate.FREE: 3})
    bill = Bill(Decimal("1.005"), Decimal("0.995"), Decimal("0.9"), fates)
    return Day(WHEN, bills={"Retail": bill})


def its_statement(
    costs: tuple[str, str, str] = ("1.005", "0.995", "0.9"), calls: int = 2, unit: str = "Retail", unpriced: int = 1
) -> Statement:
    at_list, by_contract, charged = map(Decimal, costs)
    owed = line(calls=calls, business_unit=unit, list_cost=at_list, contract_cost=by_contract, charged_cost=charged)
    classes = {"line": calls, "unpriced": unpriced, "not-billed": 3}
    return statement(owed, classes=classes, calls=sum(classes.values()))


def test_the_proof_in_money_holds_when_every_amount_and_every_count_does() -> None:
    lines = prove_money(billed_day(), its_statement())
    assert all(each.holds for each in lines)
    # 1.005 and 0.995 are rounded to the even cent; three amounts and a count of the unit, three sums, eight counts
    assert [str(each.ledger) for each in lines] == [
        *("2", "1.00", "1.00", "0.90"),
        *("1.00", "1.00", "0.90"),
        *("2", "0", "1", "0", "0", "0", "3", "6"),
    ]


@pytest.mark.parametrize(
    "costs", [("1.015", "0.995", "0.9"), ("1.005", "1.0051", "0.9"), ("1.005", "0.995", "0.91")]
)  # fmt: skip  # one spoiled amount each
def test_one_cent_too_many_spoils_the_proof(costs: tuple[str, str, str]) -> None:
    lines = prove_money(billed_day(), its_statement(costs))
    assert sum(not each.holds for each in lines) == 2, "the business unit's line and the sum's"


def test_less_than_half_a_cent_is_rounded_away() -> None:
    assert all(each.holds for each in prove_money(billed_day(), its_statement(("1.0049", "0.9951", "0.9049"))))


def test_another_business_units_money_spoils_the_proof() -> None:
    lines = prove_money(billed_day(), its_statement(unit="Finance"))
    assert [each.subject for each in lines if not each.holds and ":" not in each.subject] == ["Finance", "Retail"]


def test_a_call_in_another_class_spoils_the_proof() -> None:
    lines = prove_money(billed_day(), its_statement(calls=1, unpriced=2))
    assert [each.subject for each in lines if not each.holds] == [
        *("Retail: calls charged", "calls: charged", "calls: unpriced"),
    ]


def through_the_pipeline(day: Day, path: Path) -> None:
    """Take a day's events into a store on the morning after, without a worker."""
    morning = datetime(day.date.year, day.date.month, day.date.day, 8, tzinfo=UTC) + timedelta(days=1)
    bodies = [sent.body for sent in (*day.usage, *day.exports)]
    batch = [Message(body, Position(file_id="0123456789abcdef", line=number)) for number, body in enumerate(bodies, 1)]
    with Store(path) as store:

        def deliver(events: Sequence[CustomEvent]) -> list[Refusal]:
            store.add([event(told.name, told.time.isoformat(), told.properties) for told in events])
            return []

        run(batch, deliver, lambda *_: "rejected", lambda: morning)


@pytest.mark.parametrize("when", [date(2026, 11, 1), date(2026, 2, 28)])
def test_the_first_and_the_last_day_of_a_month_have_a_statement(
    when: date, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = make_day(when, calls=150)
    through_the_pipeline(day, tmp_path / "day.duckdb")
    state(day, tmp_path / "day.duckdb", tmp_path / "day.html")
    total = sum(cents(bill.charged) for bill in day.bills.values())
    assert f"the sum is {total} USD in both" in " ".join(capsys.readouterr().out.split())
    assert f">{total}<" in (tmp_path / "day.html").read_text()


def test_a_ledger_that_differs_ends_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = make_day(WHEN, calls=20)
    through_the_pipeline(day, tmp_path / "day.duckdb")
    owed = day.bills["Retail"]
    day.bills["Retail"] = replace(owed, charged=owed.charged + Decimal("0.01"))
    with pytest.raises(ChargebackError, match=r"^2 of 27 numbers differ from the ledger: please report this$"):
        state(day, tmp_path / "day.duckdb", tmp_path / "day.html")
    assert "-0.01" in capsys.readouterr().out
