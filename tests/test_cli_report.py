"""`chargeback report`: a month's statement, from a local store and from Azure, whose amounts are worked out by hand.

retail, chat, 5 October: 1,000 prompt of which 400 cached, 200 completion.
  list      600 x 2.50 + 400 x 1.25 + 200 x 10 = 1,500 + 500 + 2,000 = 4,000 per million = 0.004 a call
  contract  600 x 2.00 + 400 x 1.00 + 200 x  8 = 1,200 + 400 + 1,600 = 3,200 per million = 0.0032 a call
1,250 of them: list 5.00, contract 4.00, charged 4.00.
hr, search, 20 October: 1,000,000 prompt, no completion: list 0.13, contract 0.13, charged 0.13 x 0.9 = 0.117.
retail and hr, chat-ptu, 5 October from 10:00: weights 1 a prompt token, 4 a completion token. 10 units at 1.00 an hour.
  retail 100 + 4 x 50 = 300, hr 100 + 0 = 100: of the hour's 10.00 retail pays 7.50, hr 2.50; 23 hours are idle: 230.00.
stranger, chat: 1,000 prompt and nothing else: 0.0025 list, 0.002 contract and charged.
Retail 11.50, People 2.617 -> 2.62, unassigned 0.002 -> 0.00, idle 230.00: 244.12.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.local.store import Store
from chargeback.local.values import plain
from chargeback.reports.compose import kql_folder
from chargeback.reports.focus.rules import check_csv
from tests.cloud.azure import Asked, Azure, Told
from tests.kql.rows import Envelope, call, counted, pending
from tests.reference_folder import CONSUMERS, DEPLOYMENTS, DISCOUNTS, FOREVER, PRICES, PROVISIONED, reference_folder
from tests.test_cli_consumers import RESOURCE, azure
from tests.test_cli_main import called, sentence

__all__ = ["azure"]  # a fixture of this module too

CHAT = {"deploymentId": "chat", "servedDeployment": "chat", "model": "gpt-4o-2024-11-20", "backendHost": "east"}
PTU = {**CHAT, "deploymentId": "chat-ptu", "servedDeployment": "chat-ptu"}
SEARCH = {"deploymentId": "search", "servedDeployment": "search", "model": "text-embedding-3-large"}
FIFTH, TWENTIETH = "2026-10-05T12:00:00.000Z", "2026-10-20T23:59:59.999Z"


def month() -> list[Envelope]:
    return [
        *[counted(f"a{number}", 1000, 200, FIFTH, cachedTokens=400, **CHAT) for number in range(1250)],
        counted("a0", 1000, 200, FIFTH, cachedTokens=400, **CHAT),
        call("b", TWENTIETH, consumerId="hr", consumerType="subscription", promptTokens=1_000_000, **SEARCH),
        counted("c", 100, 50, "2026-10-05T10:10:00Z", **PTU),
        counted("d", 100, 0, "2026-10-05T10:59:59.999Z", **PTU, consumerId="hr"),
        counted("e", 1000, 0, FIFTH, **CHAT, consumerId="stranger"),
        counted("f", 10, 20, FIFTH, **CHAT, cachedTokens=11),
        counted("g", 10, 20, FIFTH, deploymentId="nobody-knows", model="gpt-9"),
        call("h", FIFTH, consumerId="hr", totalTokens=7, **CHAT),
        pending("i", FIFTH, **CHAT),
        call("j", FIFTH, consumerId="retail", statusCode=429, forwarded=True, note="error:429", **CHAT),
        call("k", FIFTH, consumerId="retail", statusCode=408, forwarded=True, note="error:Timeout", **CHAT),
        counted("next", 5, 5, "2026-11-01T00:00:00Z", **CHAT),
    ]


IDENTITY = (
    "1,253 charged + 1 unknown consumer + 2 unpriced + 1 inconsistent + 1 unknown usage + 1 maybe billed"
    " + 1 not billed = 1,260 calls"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "month.duckdb"
    with Store(path) as opened:
        opened.add(month())
    return path


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reference_folder(tmp_path_factory.mktemp("reference") / "ours")


@pytest.fixture(scope="module")
def answer(store: Path, ours: Path) -> dict[str, object]:
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "json")
    assert (finished.returncode, finished.stderr) == (0, b"")
    found = json.loads(finished.stdout)
    assert isinstance(found, dict)
    return found


def rows(answer: dict[str, object]) -> dict[str, tuple[object, ...]]:
    listed = answer["rows"]
    assert isinstance(listed, list)
    return {
        str(row["business_unit"]): (row["calls"], row["list_cost"], row["contract_cost"], row["charged_cost"])
        for row in listed
    }


EXPECTED = {
    "Retail": (1251, "12.50", "11.50", "11.50"),
    "People": (2, "2.63", "2.63", "2.62"),
    "Unassigned": (1, "0.00", "0.00", "0.00"),
    "Idle capacity": (0, "230.00", "230.00", "230.00"),
}


def test_each_unit_owes_what_was_worked_out_by_hand(answer: dict[str, object]) -> None:
    assert rows(answer) == EXPECTED
    total = answer["total"]
    assert isinstance(total, dict)
    assert (total["calls"], total["charged_cost"]) == (1254, "244.12")


def test_where_all_calls_went_stands_below_the_table(store: Path, ours: Path) -> None:
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours)
    said = finished.stdout.decode()
    assert finished.returncode == 0
    assert IDENTITY in said
    for why in (
        "prompt or completion tokens not known",
        "kind of deployment not known: add the deployment to deployments.kql",
        "parts larger than their whole",
        "nobody owns the consumer: add it to consumers.kql",
        "no row in the gateway's log after 15 minutes",
        "error:429",
        "error:Timeout",
    ):
        assert why in said
    assert re.search(r"Total +1254 ", said)


def test_a_finer_table_adds_up_to_the_units(store: Path, ours: Path) -> None:
    finished = called(
        *("report", "--month", "2026-10", "--store", store, "--reference", ours, "--by", "consumer", "--format", "csv")
    )
    listed = list(csv.DictReader(io.StringIO(finished.stdout.decode())))
    charged = {(row["business_unit"], row["consumer_id"]): row["charged_cost"] for row in listed}
    assert charged["Retail", "retail"] == "11.50"
    assert charged["People", "hr"] == "2.62"


def test_one_units_statement_names_nobody_else(store: Path, ours: Path) -> None:
    for form in ("table", "csv", "json", "html", "focus"):
        finished = called(
            *("report", "--month", "2026-10", "--store", store, "--reference", ours),
            *("--business-unit", "People", "--format", form),
        )
        assert finished.returncode == 0
        assert b"HR desk" in finished.stdout or form in ("table", "csv", "json")
        assert not re.search(rb"(?i)retail|stranger", finished.stdout), form


def test_focus_keeps_the_specifications_rules_and_bills_the_statement(store: Path, ours: Path) -> None:
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "focus")
    text = finished.stdout.decode()
    assert [str(finding) for finding in check_csv(text)] == []
    billed: dict[str, float] = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        billed[row["SubAccountName"]] = billed.get(row["SubAccountName"], 0) + float(row["BilledCost"])
    assert round(billed["Retail"], 9) == 11.5
    assert round(billed["People"], 9) == 2.62


def test_focus_names_both_purchases_of_hours_that_have_two(store: Path, tmp_path: Path) -> None:
    """Ten units at 1.00 an hour all day, ten for 744.00 a month until eleven: 11 hours at 11.00, then 13 at 10.00.

    Nobody used ten hours of 11.00. The eleventh goes by weight, 300 to Retail and 100 to People: 8.25 and 2.75.
    """
    reserved = '"","chat-ptu",10,real(null),744.0,"R-1",datetime(2026-10-05),datetime(2026-10-05T11:00:00Z),\n'
    ours = reference_folder(tmp_path / "ours", provisioned=PROVISIONED + reserved)
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "focus")
    text = finished.stdout.decode()
    assert [str(finding) for finding in check_csv(text)] == []
    billed: Counter[tuple[str, str]] = Counter()
    purchased: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if row["CapacityReservationId"] or row["ChargeCategory"] == "Purchase":
            cents = round(float(row["BilledCost"]) * 100)
            billed[row["CommitmentDiscountId"], row["ChargeCategory"]] += cents
            purchased[row["SubAccountName"]] += cents if row["ChargeCategory"] == "Purchase" else 0
    assert billed == {
        ("hourly + R-1", "Usage"): 0,
        ("hourly + R-1", "Purchase"): 12100,
        ("", "Usage"): 13000,
    }
    assert (purchased["Retail"], purchased["People"]) == (825, 275)


def test_a_page_is_written_where_it_is_wanted(store: Path, ours: Path, tmp_path: Path) -> None:
    page = tmp_path / "october.html"
    finished = called(
        *("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "html", "--out", page)
    )
    assert (finished.returncode, finished.stdout) == (0, b"")
    assert sentence(finished) == f"wrote {page}"
    assert "244.12" in page.read_text(encoding="utf-8")


def test_azure_is_asked_day_by_day_and_owes_the_same(
    store: Path, ours: Path, azure: Azure, answer: dict[str, object]
) -> None:
    """Azure's part is played by the store: the very queries that are sent run there."""
    known: list[dict[str, str]] = []
    with Store(store) as opened:

        def tell(asked: Asked) -> Told:
            kql = str(asked.json()["query"])
            day = re.search(r"let periodStart = datetime\((2026-10-\d\d)T00:00", kql)
            assert day, kql[:2000]
            cells: object = []
            if not known or day[1] in ("2026-10-05", "2026-10-20"):
                table = opened.query(kql, now=datetime(2026, 11, 20, tzinfo=UTC))
                known[:] = [{"name": name, "type": kind} for name, kind in zip(table.columns, table.types, strict=True)]
                cells = plain(table.rows)
            return Told({"tables": [{"name": "PrimaryResult", "columns": known, "rows": cells}]})

        azure.answers(tell)
        finished = called(
            *("report", "--month", "2026-10", "--resource", RESOURCE, "--endpoint", azure.endpoint),
            *("--reference", ours, "--format", "json"),
        )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.count(b" rows\n") == 31
    assert rows(json.loads(finished.stdout)) == rows(answer) == EXPECTED


def test_an_answer_in_part_is_no_statement(azure: Azure) -> None:
    cut = {"code": "PartialError", "message": "too much", "details": []}
    azure.tells(Told({"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}], "error": cut}))
    finished = called("report", "--month", "2026-10", "--resource", RESOURCE, "--endpoint", azure.endpoint)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith("2026-10-01: Application Insights chargeback answered in part")


def test_idle_capacity_is_spread_over_the_month_by_choice(store: Path, tmp_path: Path) -> None:
    """Of 240.00 retail used 300 of 400 weighted tokens: 180.00; hr 60.00."""
    ours = reference_folder(tmp_path / "ours", {"idleCapacity": '"spread"'})
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "json")
    charged = {unit: row[3] for unit, row in rows(json.loads(finished.stdout)).items()}
    assert charged == {"Retail": "184.00", "People": "60.12", "Unassigned": "0.00"}


def test_overheads_are_lines_of_their_own_where_they_are_switched_on(store: Path, tmp_path: Path) -> None:
    """31.00 a month by calls, valid from 16 October (16 of 31 days): 16.00; Retail 1,251 of 1,254 calls: 15.9617...

    Fixed: a quarter of 100.00 for People, and 5.00 that nobody carries. A later set of rows replaces an earlier one.
    """
    overheads = """
"gateway",31.0,"calls","",real(null),datetime(2026-10-16),datetime(null),
"hub",900.0,"fixed","People",1.0,datetime(2025-01-01),datetime(null),
"hub",100.0,"fixed","People",0.25,datetime(2026-01-01),datetime(null),
"hub",100.0,"fixed","Retail",0.70,datetime(2026-01-01),datetime(null),
"ended",100.0,"tokens","",real(null),datetime(2026-01-01),datetime(2026-10-01),
"""
    ours = reference_folder(tmp_path / "ours", {"includeOverheads": "true"}, overheads=overheads)
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "json")
    charged = {unit: row[3] for unit, row in rows(json.loads(finished.stdout)).items()}
    # 4 + 7.5 + 70 + 16 x 1251/1254; 0.117 + 2.5 + 25 + 16 x 2/1254; 0.002 + 16 x 1/1254; 5 that nobody carries
    assert charged == {
        "Retail": "97.46",
        "People": "27.64",
        "Unassigned": "0.01",
        "Idle capacity": "230.00",
        "Overheads": "5.00",
    }


def test_another_currency_is_converted_at_the_rate_of_the_time(store: Path, tmp_path: Path) -> None:
    """5 October at 0.90, 20 October at 0.95: Retail 11.50 x 0.9; People 0.117 x 0.95 + 2.5 x 0.9 = 2.36115."""
    currencies = """
"EUR",0.9,datetime(2026-01-01),"bank",
"EUR",0.95,datetime(2026-10-10),"bank",
"""
    ours = reference_folder(tmp_path / "ours", {"statementCurrency": '"EUR"'}, currencies=currencies)
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "json")
    answer = json.loads(finished.stdout)
    charged = {unit: row[3] for unit, row in rows(answer).items()}
    assert (answer["currency"], charged["Retail"], charged["People"], charged["Idle capacity"]) == (
        *("EUR", "10.35", "2.36"),
        "207.00",
    )


@pytest.mark.parametrize(
    ("table", "right", "wrong"),
    [
        ("currencies", '"USD";', "'EUR';"),
        ("currencies", '"USD";', '"EUR" ;'),
        ("currencies", "let statement", "let  statement"),
        ("currencies", '"USD";', '"eur";'),
        ("currencies", "let statementCurrency", "let statementcurrency"),
        ("overheads", "= false;", "= bool(true);"),
        ("provisioned", '= "own-line";', '= "Spread";'),
        ("provisioned", '= "own-line";', "= 'spread';"),
        ("provisioned", '= "own-line";', '= "spread";\nlet idleCapacity = "own-line";'),
    ],
)
def test_a_setting_is_written_in_one_form(tmp_path: Path, table: str, right: str, wrong: str) -> None:
    """A query takes some of these, and what reads beside it does not: EUR would be written as USD."""
    ours = tmp_path / "ours"
    ours.mkdir()
    text = (kql_folder() / "lib" / f"{table}.kql").read_text(encoding="utf-8")
    assert right in text
    (ours / f"{table}.kql").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    finished = called("report", "--month", "2026-10", "--store", "never-opened.duckdb", "--reference", ours)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith(f"{table}.kql: write its setting once, and just so: let ")


def test_rows_that_say_that_something_is_over_are_taken(store: Path, tmp_path: Path) -> None:
    """A consumer that is nobody's, a budget that ends, a discount before its unit's first call, a small sku."""
    ours = reference_folder(
        tmp_path / "ours",
        consumers=f'{CONSUMERS}"retail","","","","",datetime(2026-10-05T12:00:00Z),{FOREVER},\n',
        budgets='"Retail",9.0,datetime(2026-01-01),\n"Retail",real(null),datetime(2026-10-01),',
        discounts=f'{DISCOUNTS}"Legal","","gpt-9","","",5.0,real(null),datetime(2026-01-01),"board",\n',
        deployments=DEPLOYMENTS.replace('"Standard"', '"standard"'),
    )
    finished = called("report", "--month", "2026-10", "--store", store, "--reference", ours, "--format", "json")
    assert (finished.returncode, finished.stderr) == (0, b"")
    owed = rows(json.loads(finished.stdout))
    # 7.50 of the PTU's hour at ten; the calls of noon are nobody's: 1,250 x 0.0032 + 0.002.
    assert (owed["Retail"][3], owed["Unassigned"][3], owed["People"][3]) == ("7.50", "4.00", "2.62")


@pytest.mark.parametrize(
    ("table", "rows", "said"),
    [
        (
            "consumers",
            CONSUMERS + '"retail","Other","","","",datetime(2026-01-01),datetime(null),\n',
            "consumers.kql, lines 11 and 13: two rows about the same begin at the same time; ",
        ),
        ("consumers", '"a","B","","","",datetime(13.10.2026),datetime(null),', "consumers.kql, line 10: "),
        ("prices", PRICES.replace("2.5,1.25", "-5,1.25"), "prices.kql, line "),
        ("discounts", DISCOUNTS.replace("10.0", "110.0"), "discounts.kql, line "),
        (
            "discounts",
            DISCOUNTS + '"","","GPT-4o","","",5.0,real(null),datetime(2026-01-01),"board",\n',
            "discounts.kql, lines 8 and 9: two discounts are for some of the same tokens, as ",
        ),
        ("deployments", DEPLOYMENTS.replace(',"Standard"', ' "Standard"'), "deployments.kql, line "),
        (
            "deployments",
            DEPLOYMENTS.replace('"Standard"', '"Premium"'),
            "deployments.kql, line 12: sku is 'Premium', ",
        ),
        (
            "discounts",
            DISCOUNTS.replace('"","",10.0', '"GlobalStandard","",10.0'),
            "discounts.kql, line 8: deploymentType is 'GlobalStandard', ",
        ),
        ("discounts", DISCOUNTS.replace('"People"', '"people"'), "discounts.kql, line 8: businessUnit is 'people', "),
        (
            "discounts",
            DISCOUNTS.replace('"People",""', '"People","openai"'),
            "discounts.kql, line 8: publisher is 'openai', and prices.kql has 'OpenAI': write it alike, ",
        ),
        (
            "discounts",
            DISCOUNTS.replace('"",10.0', '"Completion",10.0'),
            "discounts.kql, line 8: part is 'Completion', ",
        ),
        (
            "discounts",
            DISCOUNTS.replace("10.0,real(null)", "real(null),1.0"),
            "discounts.kql, line 8: usdPerMillion is for no",
        ),
        ("discounts", DISCOUNTS.replace("10.0,real(null)", "10.0,1.0"), "discounts.kql, line 8: percent and usdPer"),
        (
            "provisioned",
            PROVISIONED.replace("1.0,real", "real(null),real"),
            "provisioned.kql, line 7: usdPerUnitHour or",
        ),
        (
            "provisioned",
            PROVISIONED.replace("1.0,real(null)", "1.0,720.0"),
            "provisioned.kql, line 7: usdPerUnitHour or",
        ),
        ("provisioned", PROVISIONED.replace(",10,", ",long(null),"), "provisioned.kql, line 7: units is empty"),
        (
            "provisioned",
            PROVISIONED.replace("datetime(2026-10-05)", FOREVER),
            "provisioned.kql, line 7: validFrom is empty",
        ),
        ("prices", PRICES.replace('"contract"', '"Contract"'), "prices.kql, line 7: priceKind is 'Contract', "),
        (
            "prices",
            PRICES.replace('"global","",""', '"global","","long"', 1),
            "prices.kql, line 6: contextThreshold is",
        ),
        ("currencies", '"EUR",0.0,datetime(2026-01-01),"",', "currencies.kql, line 5: unitsPerUsd is 0"),
        (
            "discounts",
            DISCOUNTS.replace('"People","",""', '"People","","GPT4o"'),
            "discounts.kql, line 8: model is 'GPT4o', and prices.kql has 'gpt-4o': write it alike, ",
        ),
        ("budgets", '"Retail",real(null),datetime(null),', "budgets.kql, line 3: validFrom is empty"),
        ("budgets", '"",9.0,datetime(2026-01-01),', "budgets.kql, line 3: businessUnit is empty"),
        ("provisioned", PROVISIONED.replace(",10,", ",0,"), "provisioned.kql, line 7: units is 0"),
        ("provisioned", PROVISIONED.replace(",10,", ",-5,"), "provisioned.kql, line 7: units is -5, below zero"),
        ("prices", PRICES.replace(",2.5,", ",-2.5,"), "prices.kql, line 6: promptUsdPerMillion is -2.5, below zero"),
        (
            "prices",
            PRICES.replace('"standard",false', '"default",false', 1),
            "prices.kql, line 6: serviceTier is 'default', and such calls are priced as standard",
        ),
        (
            "consumers",
            CONSUMERS.replace(f"datetime(2026-01-01),{FOREVER}", "datetime(2026-10-05),datetime(2026-10-05)", 1),
            "consumers.kql, line 11: validTo is not after validFrom",
        ),
        (
            "provisionedWeights",
            '"gpt-4o",1,4,0,1,datetime(2026-01-01),"",\n"GPT-4o-2024-11-20",1,4,0,1,datetime(2026-01-01),"",',
            "provisionedWeights.kql, lines 5 and 6: two rows about the same begin at the same time",
        ),
        (
            "overheads",
            2 * f'"hub",9.0,"calls","",real(null),datetime(2026-01-01),{FOREVER},\n',
            "overheads.kql, line 8: the rows of hub of one time must be one row",
        ),
        (
            "overheads",
            f'"hub",9.0,"calls","Retail",real(null),datetime(2026-01-01),{FOREVER},',
            "overheads.kql, line 7: the rows of hub of one time must be one row",
        ),
        (
            "overheads",
            f'"hub",9.0,"fixed","Retail",0.7,datetime(2026-01-01),{FOREVER},\n'
            f'"hub",8.0,"fixed","People",0.3,datetime(2026-01-01),{FOREVER},',
            "overheads.kql, line 8: the rows of hub of one time must be one row",
        ),
        (
            "overheads",
            f'"hub",9.0,"fixed","Retail",0.7,datetime(2026-01-01),{FOREVER},\n'
            f'"hub",9.0,"fixed","People",0.5,datetime(2026-01-01),{FOREVER},',
            "overheads.kql, line 8: the fixed shares of hub add up to 1.2, more than the whole",
        ),
        (
            "overheads",
            f'"hub",9.0,"call","",real(null),datetime(2026-01-01),{FOREVER},',
            "overheads.kql, line 7: splitBy is",
        ),
        (
            "overheads",
            f'"hub",9.0,"fixed","Retail",real(null),datetime(2026-01-01),{FOREVER},',
            "overheads.kql, line 7: share is empty",
        ),
    ],
)
def test_a_mistake_in_the_folder_is_told_with_file_and_line(tmp_path: Path, table: str, rows: str, said: str) -> None:
    ours = reference_folder(tmp_path / "ours", **{table: rows})
    finished = called("report", "--month", "2026-10", "--store", "never-opened.duckdb", "--reference", ours)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith(said)


def test_a_file_that_is_no_utf8_is_told_in_one_sentence(tmp_path: Path) -> None:
    ours = reference_folder(tmp_path / "ours")
    file = ours / "consumers.kql"
    file.write_bytes(file.read_text(encoding="utf-8").replace("Retail", "Büro").encode("latin-1"))
    finished = called("report", "--month", "2026-10", "--store", "never-opened.duckdb", "--reference", ours)
    assert "is no UTF-8 text" in sentence(finished)


def test_names_that_hold_the_sign_between_keys_are_billed_once(tmp_path: Path) -> None:
    """Two calls of a million: `x` and `y|z`, `x|y` and `z`; 2 x 2.50 by list."""
    path = tmp_path / "odd.duckdb"
    named = {"model": "gpt-4o-2024-11-20", "consumerId": "retail"}
    with Store(path) as opened:
        opened.add(
            [
                counted("a", 1_000_000, 0, FIFTH, servedDeployment="x", deploymentId="y|z", **named),
                counted("b", 1_000_000, 0, FIFTH, servedDeployment="x|y", deploymentId="z", **named),
            ]
        )
    folder = reference_folder(
        tmp_path / "ours", deployments='"","","","","GlobalStandard","",datetime(2026-01-01),\n', provisioned="\n"
    )
    finished = called("report", "--month", "2026-10", "--store", path, "--reference", folder, "--format", "json")
    assert rows(json.loads(finished.stdout))["Retail"] == (2, "5.00", "4.00", "4.00")


def test_a_share_that_is_a_tie_is_rounded_as_one(tmp_path: Path) -> None:
    """Three hours of 1.015: a third of each is 1.015 in all, which is 1.02; in binary it is a little less."""
    path = tmp_path / "tie.duckdb"
    with Store(path) as opened:
        for hour in (1, 2, 3):
            at = f"2026-10-05T0{hour}:30:00Z"
            opened.add([counted(f"r{hour}", 1000, 0, at, **PTU)])
            opened.add([counted(f"h{hour}", 2000, 0, at, **PTU, consumerId="hr")])
    bought = '"","chat-ptu",1,1.015,real(null),"",datetime(2026-10-05T01:00Z),datetime(2026-10-05T04:00Z),\n'
    folder = reference_folder(tmp_path / "ours", provisioned=bought)
    finished = called("report", "--month", "2026-10", "--store", path, "--reference", folder, "--format", "json")
    charged = {unit: row[3] for unit, row in rows(json.loads(finished.stdout)).items()}
    assert charged == {"Retail": "1.02", "People": "2.03"}


def test_a_month_without_calls_is_an_empty_statement(store: Path, ours: Path) -> None:
    finished = called("report", "--month", "2025-01", "--store", store, "--reference", ours, "--format", "json")
    answer = json.loads(finished.stdout)
    assert (finished.returncode, answer["rows"], answer["total"]["charged_cost"]) == (0, [], "0.00")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2026-13", "--store", "x"), "--month 2026-13 is no month: write it like 2026-10"),
        (("--month", "2026-10"), "name one source: "),
        (("--month", "2026-10", "--store", "x", "--resource", "y"), "name one source: "),
        (("--month", "2026-10", "--store", "x", "--reference", "nowhere"), "there is no folder nowhere: "),
        (("--month", "2026-10", "--store", "nowhere.duckdb"), "there is no store nowhere.duckdb: "),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words: tuple[str, ...], said: str) -> None:
    finished = called("report", *words)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert sentence(finished).startswith(said)
