"""`chargeback reconcile`: a month against metrics and bills in the forms that Azure gives; shares worked out by hand.

Billed in March, at east: 1,008,000 prompt and 333,333 completion tokens in 3 calls, which cost
1,008,000 x 2.50 / 10^6 = 2.52 and 333,333 x 10 / 10^6 = 3.33333, together 5.85333 dollars.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.reports.closing import unpack
from tests.closing.scene import MARCH, Scene, add, chat, lines, run
from tests.cloud.azure import Asked, Azure, Told
from tests.cloud.test_metrics import definitions, metric

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers"
EAST = f"{GROUP}/Microsoft.CognitiveServices/accounts/East"
GATEWAY = f"{GROUP}/Microsoft.ApiManagement/service/gateway"
DAYS = ("2025-03-05", "2025-03-06", "2025-03-31")
OPENAI = ("ProcessedPromptTokens", "InputTokens", "GeneratedTokens", "OutputTokens")
CLAUDE = ("InputTokens", "OutputTokens", "cacheReadInputTokens", "ephemeral5mInputTokens", "ephemeral1hInputTokens")
# 1,008,000 of 1,050,000 prompt tokens, all of the completion; the gateway counts a call of the 31st more.
PROMPTS = metric({"chat": {"2025-03-05": 1_042_000, "2025-03-06": 2_000, "2025-03-31": 6_000}})
COMPLETIONS = metric({"chat": {"2025-03-05": 333_333}})
REQUESTS = metric({"": {"2025-03-05": 1, "2025-03-06": 1, "2025-03-31": 2}})
TOTALS = {"ProcessedPromptTokens": PROMPTS, "GeneratedTokens": COMPLETIONS, "Requests": REQUESTS}
FOCUS_1_0 = {
    "BilledCost": "2.80",
    "EffectiveCost": "2.80",
    "BillingCurrency": "USD",
    "ChargePeriodStart": "2025-03-05T00:00Z",
    "ChargePeriodEnd": "2025-03-06T00:00Z",
    "ChargeCategory": "Usage",
    "ServiceName": "Azure OpenAI Service",
    "ServiceCategory": "AI and Machine Learning",
    "ResourceId": EAST.lower(),
    "ConsumedQuantity": "1120000",
    "x_SkuMeterId": "M-IN",
    "x_SkuMeterName": "gpt 4o 1120 Inp glbl Tokens",
}
COMPLETION_METER = {
    "BilledCost": "3.33333",
    "EffectiveCost": "3.33333",
    "ConsumedQuantity": "333333",
    "x_SkuMeterId": "m-out",
    "x_SkuMeterName": "gpt 4o 1120 Outp glbl Tokens",
}


def management(azure: Azure, totals: Mapping[str, Told], known: tuple[str, ...] = OPENAI) -> None:
    """Let Azure be the management API of the account and of the gateway."""

    def answer(asked: Asked) -> Told:
        if asked.path.endswith("/metricDefinitions"):
            return (
                definitions("Requests", dimensions=("ApiId",)) if "ApiManagement" in asked.path else definitions(*known)
            )
        if asked.path.endswith("/metrics"):
            return totals.get(asked.parameters["metricnames"], metric({}))
        return Told({"properties": {"customSubDomainName": "east"}})

    azure.answers(answer)


def bill_of(folder: Path, *rows: Mapping[str, str], newer: bool = False, packed: bool = False) -> Path:
    """Write an export of version 1.0r2, or of 1.2-preview, which calls the meter's name differently."""
    name = {"x_SkuMeterName": "SkuMeter"} if newer else {}
    renamed = [{name.get(column, column): value for column, value in row.items()} for row in rows]
    file = folder / "focus.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        writer = csv.DictWriter(text, list(renamed[0]))
        writer.writeheader()
        writer.writerows(renamed)
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    return file


def reconciled(scene: Scene, azure: Azure, *more: str | Path) -> tuple[int, str, str]:
    return run("reconcile", "--month", MARCH, *scene.source(), "--management", azure.endpoint, *more)


def test_all_that_azure_says_is_held_against_the_month(scene: Scene, azure: Azure, tmp_path: Path) -> None:
    """Tokens 1,341,333 of 1,383,333: 96.96 %. Calls 3 of 4: 75 %. Cost 5.85333 of 6.13333: 95.43 %."""
    management(azure, TOTALS)
    bill = bill_of(tmp_path, FOCUS_1_0, FOCUS_1_0 | COMPLETION_METER)
    code, output, told = reconciled(scene, azure, "--account", EAST, "--apim", GATEWAY, "--bill", bill)
    assert code == 1
    prompt, completion = lines(output, "East   ")[:2]
    assert prompt == ["East", "chat", "prompt", "ProcessedPromptTokens", "1008000", "0", "1050000", "42000", "96.00"]
    assert completion == ["East", "chat", "completion", "GeneratedTokens", "333333", "0", "333333", "0", "100.00"]
    assert lines(output, "2025-03") == [
        ["2025-03-05", "1", "1", "0"],
        ["2025-03-06", "1", "1", "0"],
        ["2025-03-31", "1", "2", "1"],
    ]
    assert "gpt 4o 1120 Inp glbl Tokens" in output
    assert [row[-4:] for row in lines(output, "east   ")[:2]] == [
        ["2.52", "2.8", "2.8", "0.28"],
        ["3.33333", "3.33333", "3.33333", "0"],
    ]
    assert lines(output, "east   ")[2] == ["east", "5.85333", "6.13333", "0.28", "95.43"]
    assert "tokens: 96.96 % " in output
    assert "calls: 75.00 % " in output
    assert "cost: 95.43 % " in output
    assert told == (
        "chargeback: tokens are explained by 96.96 %, calls are explained by 75.00 %, cost is explained by 95.43 %, "
        "and at least 99.0 % is asked for: the tables say where the rest is\n"
    )


@pytest.mark.parametrize(("newer", "packed"), [(False, True), (True, False)])
def test_a_program_gets_the_same_from_either_version_of_a_bill(
    scene: Scene, azure: Azure, tmp_path: Path, newer: bool, packed: bool
) -> None:
    management(azure, TOTALS)
    # Another resource, another month and another service are none of this comparison's.
    west = FOCUS_1_0 | {"ResourceId": EAST.lower().replace("east", "west"), "EffectiveCost": "7"}
    april = FOCUS_1_0 | {"ChargePeriodStart": "2025-04-01T00:00Z"}
    disk = FOCUS_1_0 | {"ServiceCategory": "Storage", "ResourceId": "/disk"}
    rows = (FOCUS_1_0, FOCUS_1_0 | COMPLETION_METER, west, april, disk)
    bill = bill_of(tmp_path, *rows, newer=newer, packed=packed)
    words = ("--account", EAST, "--bill", bill, "--format", "json", "--at-least", "95")
    code, output, told = reconciled(scene, azure, *words)
    found = json.loads(output)
    assert (code, told) == (0, "")
    assert (found["month"], found["currency"], found["shortfall"]) == (MARCH, "USD", None)
    assert found["shares"]["calls"] is None
    assert Decimal(found["shares"]["tokens"]) == Decimal(1_341_333) / 1_383_333
    assert Decimal(found["shares"]["cost"]) == Decimal("5.85333") / Decimal("6.13333")
    assert [[Decimal(row[name]) for name in ("cost", "effective", "difference")] for row in found["costs"]] == [
        [Decimal("2.52"), Decimal("2.80"), Decimal("0.28")],
        [Decimal("3.33333"), Decimal("3.33333"), Decimal(0)],
    ]
    assert [row["difference"] for row in found["tokens"] if row["kind"] == "prompt"] == [42_000, 0, 0]
    assert f"{west['ResourceId']} is not compared: 7 USD" in found["notes"]
    assert "no gateway is named: calls are not compared" in found["notes"]


def test_a_missing_metric_is_said_and_not_taken_for_0(scene: Scene, azure: Azure) -> None:
    management(azure, {"ProcessedPromptTokens": metric({"chat": {"2025-03-05": 1_008_000}})}, OPENAI[:2])
    code, output, told = reconciled(scene, azure, "--account", EAST)
    assert (code, told) == (0, "")
    completion = lines(output, "East   ")[1]
    assert completion[:5] == ["East", "chat", "completion", "333333", "333333"]
    assert "no metric has a value for this deployment" in output
    assert f"note: {EAST} has no metric GeneratedTokens or OutputTokens: completion is not compared there" in output


def test_where_nothing_is_metered_nothing_is_explained(scene: Scene, azure: Azure) -> None:
    management(azure, {})
    code, output, told = reconciled(scene, azure, "--account", EAST, "--apim", GATEWAY)
    assert code == 1
    assert "tokens: not compared" in output
    assert told.startswith("chargeback: nothing of Azure's tells of our tokens, nothing of Azure's tells of our calls,")


def test_what_is_billed_above_azures_figures_is_no_agreement(scene: Scene, azure: Azure, tmp_path: Path) -> None:
    """Prompt 504,000 and completion 333,332 above 504,001 metered; 4.85333 above 1 dollar: every share is 100 %."""
    counted = {"ProcessedPromptTokens": metric({"chat": {"2025-03-05": 504_000, "2025-03-06": 0, "2025-03-31": 0}})}
    management(azure, counted | {"GeneratedTokens": metric({"chat": {"2025-03-05": 1}})})
    bill = bill_of(tmp_path, FOCUS_1_0 | {"EffectiveCost": "1.00", "BilledCost": "1.00"})
    code, output, told = reconciled(scene, azure, "--account", EAST, "--bill", bill)
    assert code == 1
    tokens = "tokens: ours is above Azure's by 837,332 (166.13 %): billed twice, or metered elsewhere"
    cost = (
        "cost: ours is above Azure's by 4.85333 USD (485.33 %): billed twice, priced too high, or the bill is not "
        "complete"
    )
    assert "tokens: 100.00 % of what Azure Monitor counts is billed, and 166.13 % more\n" in output
    assert "is in our lines, at contract prices, and 485.33 % more\n" in output
    assert {tokens, cost} <= set(output.splitlines())
    assert told == f"chargeback: {tokens}\nchargeback: {cost}\n"
    code, output, _ = reconciled(scene, azure, "--account", EAST, "--bill", bill, "--format", "json")
    assert (code, json.loads(output)["above"]) == (
        1,
        [
            {"what": "tokens", "amount": "837332", "azures": "504001"},
            {"what": "cost", "amount": "4.85333", "azures": "1.00"},
        ],
    )
    words = ("--account", EAST, "--bill", str(bill), "--management", azure.endpoint)
    code, _, told = scene.close(MARCH, *words)
    assert (code, f"chargeback: {tokens}\n" in told) == (0, True)
    shown = run("close", "--show", MARCH, "--statements", scene.kept, "--reference", scene.reference)[1]
    assert {tokens, cost} <= set(shown.splitlines())


def test_claudes_cache_is_compared_with_its_own_metrics(scene: Scene, azure: Azure) -> None:
    """Of 9,000 prompt tokens 5,000 were read from a cache, 1,000 written to it, 400 of them for an hour."""
    told = {"cachedTokens": 5_000, "cacheWriteTokens": 1_000, "cacheWrite1hTokens": 400, "servedDeployment": "claude"}
    call = chat("c1", "retail-web", 9_000, 700)
    properties = call["data"]["baseData"]["properties"]  # type: ignore[index]  # an envelope is JSON
    properties |= {name: str(value) for name, value in told.items()}
    add(scene.store, [call])
    day = "2025-03-05"
    metered = {"InputTokens": 3_000, "OutputTokens": 700, "cacheReadInputTokens": 5_000}
    metered |= {"ephemeral5mInputTokens": 600, "ephemeral1hInputTokens": 500}
    management(azure, {name: metric({"claude": {day: value}}) for name, value in metered.items()}, CLAUDE)
    code, output, _ = reconciled(scene, azure, "--account", EAST, "--at-least", "98")
    assert code == 0
    rows = {row[2]: row[3:] for row in lines(output, "East   ") if row[1] == "claude"}
    assert rows == {
        "prompt": ["InputTokens", "3000", "0", "3000", "0", "100.00"],
        "completion": ["OutputTokens", "700", "0", "700", "0", "100.00"],
        "cached": ["cacheReadInputTokens", "5000", "0", "5000", "0", "100.00"],
        "cacheWrite": ["ephemeral5mInputTokens", "600", "0", "600", "0", "100.00"],
        "cacheWrite1h": ["ephemeral1hInputTokens", "400", "0", "500", "100", "80.00"],
    }


def test_only_the_apis_that_are_named_are_counted(scene: Scene, azure: Azure) -> None:
    management(azure, {"Requests": metric({"openai": dict.fromkeys(DAYS, 1)}, "apiid")})
    code, output, _ = reconciled(scene, azure, "--apim", GATEWAY, "--api", "openai")
    assert (code, "calls: 100.00 %" in output) == (0, True)
    (asked,) = [one for one in azure.asked if one.path.endswith("/metrics")]
    assert asked.parameters["$filter"] == "ApiId eq 'openai'"
    assert asked.parameters["timespan"] == "2025-03-01T00:00:00Z/2025-04-01T00:00:00Z"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name what to compare with"),
        (("--bill", "focus.csv"), "name the accounts"),
        (("--api", "openai", "--account", EAST), "--apim"),
        (("--account", EAST, "--bill", "gone.csv"), "gone.csv"),
        (("--account", "East"), "accounts/NAME"),
    ],
)  # fmt: skip  (one case per line is a table)
def test_what_cannot_be_compared_is_said_in_one_sentence(
    closed: Scene, azure: Azure, words: tuple[str, ...], told: str
) -> None:
    code, output, said = reconciled(closed, azure, *words)
    assert (code, output, said.count("\n")) == (2, "", 1)
    assert told in said


def test_a_refusal_by_azure_is_one_sentence(scene: Scene, azure: Azure) -> None:
    azure.tells(Told({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403))
    code, output, told = reconciled(scene, azure, "--account", EAST)
    assert (code, output, "Monitoring Reader" in told) == (2, "", True)


def test_a_month_is_closed_with_what_it_was_compared_with(scene: Scene, azure: Azure, tmp_path: Path) -> None:
    management(azure, TOTALS)
    bill = bill_of(tmp_path, FOCUS_1_0, FOCUS_1_0 | COMPLETION_METER, newer=True)
    words = ("--account", EAST, "--apim", GATEWAY, "--bill", str(bill), "--management", azure.endpoint)
    code, output, told = scene.close(MARCH, *words)
    assert (code, "cost: 95.43 % " in output) == (0, True)
    assert told.startswith("chargeback: tokens are explained by 96.96 %")
    kept = unpack(scene.march.read_bytes()).reconciliation
    assert kept is not None
    assert [row.requests for row in kept.calls if row.requests is not None] == [1, 1, 2]
    shown = run("close", "--show", MARCH, "--statements", scene.kept, "--reference", scene.reference)[1]
    assert "tokens: 96.96 % " in shown
