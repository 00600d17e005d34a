"""docs/deploy.md: its sums follow from its inputs, and its parameters are those of infra/main.bicep.

What is measured on the page is measured here again. Prices cannot be looked up here: they are the page's own.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
PROJECT = Project(ROOT)
SECONDS = Decimal(2_592_000)
MILLION = Decimal(1_000_000)
TIMES = " \u00d7 "
KEPT = "kept for 730 days (640 beyond 90: 21.33 months' worth)"
KEPT_MONTHS = Decimal(640) / 30
RATES = {1: (8, 4), 100: (8, 4), 10_000: (16, 16)}
"""Calls a second -> partitions of the usage hub, and of the log's."""


def cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"


def input_of(name: str, number: int = 0) -> Decimal:
    """Return a number of an input's value, as the page's first table has it."""
    (row,) = re.findall(rf"(?m)^\| {re.escape(name)} \| ([^|]+) \|", PAGE)
    return Decimal(re.findall(r"\d[\d,.]*", row)[number].replace(",", ""))


def cell(name: str, place: int) -> str:
    (row,) = re.findall(rf"(?m)^\| {re.escape(name)} \| (.*) \|$", PAGE)
    return str(row.split(" | ")[place])


def batches(rate: int, partitions: int) -> Decimal:
    """Return batches a second: one for each call, and no more than the partitions can take one after another."""
    return min(Decimal(rate), partitions / input_of("a batch"))


def hub(rate: int, partitions: int, event: str) -> dict[str, Decimal]:
    """Return what one hub and all that is behind it cost a month, line by line."""
    calls, runs = SECONDS * rate / MILLION, SECONDS * batches(rate, partitions) / MILLION
    busy = max(Decimal(1), Decimal(rate) / input_of("an instance", 1)) * input_of("an instance")
    gigabytes = calls * input_of(event)
    return {
        "units": math.ceil(Decimal(rate) * 12 / 10_000) * 720 * input_of("throughput unit"),
        "events": calls * input_of("a million events taken in"),
        "instances": busy * SECONDS * input_of("Flex Consumption, on demand"),
        "executions": runs * input_of("a million executions"),
        "checkpoints": runs * input_of('a million operations of class "other"'),
        "taken in": gigabytes * input_of("Log Analytics"),
        "kept": gigabytes * KEPT_MONTHS * input_of("Log Analytics", 1),
    }


def rounded_sum(amounts: dict[str, Decimal]) -> str:
    return f"{sum((Decimal(cents(amount).replace(',', '')) for amount in amounts.values()), Decimal(0)):,}"


@pytest.mark.parametrize(("place", "rate"), tuple(enumerate(RATES)))
def test_every_sum_of_the_costs_follows_from_the_inputs(place: int, rate: int) -> None:
    usage = hub(rate, RATES[rate][0], "a usage event")
    log = hub(rate, RATES[rate][1], "an event of the log")
    lines = {
        "throughput units, a fifth to spare": usage["units"],
        "events taken in": usage["events"],
        "throughput units of the log's hub": log["units"],
        "events taken in by the log's hub, at most": log["events"],
        "instances, always busy": usage["instances"] + log["instances"],
        "executions": usage["executions"] + log["executions"],
        "checkpoints, one a batch": usage["checkpoints"] + log["checkpoints"],
        "Log Analytics: usage events": usage["taken in"],
        "Log Analytics: events of the log": log["taken in"],
        KEPT: usage["kept"] + log["kept"],
    }
    for name, amount in lines.items():
        assert cell(name, place).endswith(f"= {cents(amount)}"), name
    assert cell("**together**", place) == f"**{rounded_sum(lines)} USD**"
    assert cell("**together, `streamCompletion` `none`**", place) == f"**{rounded_sum(usage)} USD**"
    assert cell("calls", place) == f"{(SECONDS * rate / MILLION).normalize():,f} million"


@pytest.mark.parametrize("place", range(len(RATES)))
def test_what_is_multiplied_is_what_it_says(place: int) -> None:
    """The factors that a row shows give the amount at its end, to a cent (21.33 is rounded)."""
    shown = 0
    for row in re.findall(r"(?m)^\| [^|]+ \| (.*= [\d.,]+) \|$", PAGE):
        formula, amount = re.sub(r"^.*: ", "", row.split(" | ")[place].replace(",", "")).split(" = ")
        if "…" not in formula and formula != "the same":
            product = math.prod(map(total, re.sub(r" (?:h|s|GB)\b", "", formula).split(TIMES)))
            assert float(product) == pytest.approx(float(amount), rel=2e-4, abs=0.006), row
            shown += 1
    assert shown >= 7


def total(factor: str) -> Decimal:
    """Return a factor's value: a number, or a sum in brackets."""
    return sum((Decimal(part) for part in factor.strip("()").split(" + ")), Decimal(0))


def test_the_factors_of_executions_are_the_batches_a_second() -> None:
    for place, (rate, partitions) in enumerate(RATES.items()):
        told = re.findall(r"^\((\d+) \+ (\d+)\) a second", cell("executions", place))
        assert told == [tuple(str(batches(rate, count).normalize()) for count in partitions)]


def test_the_limits_that_are_counted_in_calls_follow_from_the_inputs() -> None:
    bytes_a_call = input_of("a usage event") + input_of("an event of the log")
    (cap,) = re.findall(
        r"(?m)^param dailyCapGb int = (\d+)$", (ROOT / "infra/modules/monitoring.bicep").read_text("utf-8")
    )
    assert f"{int(cap):,} GB" in PAGE
    for told, size in ((4_800, bytes_a_call), (7_700, input_of("a usage event"))):
        assert 0 <= int(cap) * MILLION / (86_400 * size) - told < 100, "rounded down"
        assert f"{told:,}" in PAGE
    assert 10 * 1000 / Decimal("1.2") > 8000, "for 8,000 calls a second with a fifth to spare"


@pytest.mark.parametrize(
    ("module", "name", "sentence"),
    [
        ("eventhub", "partitions", "as many as partitions: {} by default"),
        ("gateway-log", "partitions", "(the log's: {}, in `gateway-log.bicep`)"),
        ("eventhub", "maximumCapacity", "Auto-inflate goes to {},"),
        ("function", "maximumInstances", "| {} by default, 1,000 at most"),
    ],
)
def test_the_defaults_that_the_page_tells_are_the_modules(module: str, name: str, sentence: str) -> None:
    text = (ROOT / "infra/modules" / f"{module}.bicep").read_text(encoding="utf-8")
    (default,) = re.findall(rf"(?m)^param {name} int = (\d+)$", text)
    assert sentence.format(default) in PAGE


def test_every_parameter_that_the_page_names_is_there() -> None:
    named = set(re.findall(r'"(\w+)": \{ "value"', PAGE)) | set(re.findall(r'`"(\w+)": ', PAGE))
    parameters = PROJECT.files.open(ROOT / "infra/main.bicep").parameters
    assert {"backends", "consumers", "apimName", "privateNetwork", "gatewayIsInVnet"} <= named
    assert named <= parameters.keys()


def test_it_says_what_none_means_for_live_streams() -> None:
    assert "With `none`, **live streams stay pending**" in PAGE


def test_whoever_takes_it_down_is_warned_of_an_existing_gateway() -> None:
    taking_down = PAGE.partition("## Taking it down")[2]
    assert re.search(r"existing gateway[^.]*do\s+neither", taking_down)
    (tag,) = re.findall(r"--tag (\S+)=(\S+)", taking_down)
    assert f"{tag[0]}: '{tag[1]}'" in (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
