"""docs/deploy.md: its sums are right, and its parameters are those of infra/main.bicep."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
MONTH = Decimal(2_592_000)
MILLION = Decimal(1_000_000)
KEPT = "kept for 730 days (640 beyond 90: 21.33 months' worth)"
KEPT_MONTHS = Decimal(640) / 30
RATES = {1: (1, 1, 1), 100: (1, 1, 20), 10_000: (10, 10, 20)}
"""Calls a second -> throughput units, instances, executions a second."""


def cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"


def input_of(name: str, number: int = 0) -> Decimal:
    """Return an input's value from the page's first table."""
    (row,) = re.findall(rf"(?m)^\| {re.escape(name)} \| ([^|]+) \|", PAGE)
    return Decimal(re.findall(r"\d+\.\d+", row)[number])


@pytest.mark.parametrize(("place", "rate"), tuple(enumerate(RATES)))
def test_every_sum_of_the_costs_follows_from_the_inputs(place: int, rate: int) -> None:
    units, instances, executions = RATES[rate]
    calls, gigabytes = MONTH * rate / MILLION, MONTH * rate * input_of("an event") / MILLION
    lines = {
        "throughput units (1,000 events a second each)": units * 720 * input_of("throughput unit"),
        "events taken in": calls * input_of("a million events taken in"),
        "instances, always busy": instances * MONTH * input_of("an instance") * input_of("Flex Consumption, on demand"),
        "executions": MONTH * executions / MILLION * input_of("a million executions"),
        "Log Analytics, taken in": gigabytes * input_of("Log Analytics"),
        KEPT: gigabytes * KEPT_MONTHS * input_of("Log Analytics", 1),
    }
    for name, amount in lines.items():
        assert cell(name, place).endswith(f" {cents(amount)}"), name
    total = sum((Decimal(cents(amount).replace(",", "")) for amount in lines.values()), Decimal(0))
    assert cell("**together**", place) == f"**{total:,} USD**"


def cell(name: str, place: int) -> str:
    (row,) = re.findall(rf"(?m)^\| {re.escape(name)} \| (.*) \|$", PAGE)
    return str(row.split(" | ")[place])


def test_every_parameter_that_the_page_names_is_there() -> None:
    named = set(re.findall(r'"(\w+)": \{ "value"', PAGE)) | set(re.findall(r'`"(\w+)": ', PAGE))
    parameters = Project(ROOT).files.open(ROOT / "infra/main.bicep").parameters
    assert {"backends", "consumers", "apimName", "privateNetwork", "gatewayIsInVnet"} <= named
    assert named <= parameters.keys()


def test_it_says_what_none_means_for_live_streams() -> None:
    assert "With `none`, **live streams stay pending**" in PAGE
