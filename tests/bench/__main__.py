"""`python -m tests.bench`: runs everything, says what it measured, and ends with the bars."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from statistics import median

from tests.bench.figures import (
    BATCH,
    EXPORTER,
    FLOOR,
    HOSTED,
    IMPORTS,
    LOADED,
    NAIVE,
    POLICY,
    RUNTIME,
    STATEMENT,
    STATEMENT_GROWTH,
    STATEMENT_MEMORY,
    Bar,
    microseconds,
)
from tests.bench.month import statements
from tests.bench.policy import missing, reading_against_decoding
from tests.bench.programs import app_settings, counting_endpoint, measured

ROUNDS = 11
# As many events as take each contender a third of a second or so: short runs in turn meet the same disturbances.
EVENTS = {"ours": 12_000, "floor": 20_000, "exporter": 2_000, "naive": 80}
BATCHES = 4
SOME, MANY = 100_000, 1_000_000
OURS, EMPTY = ".", "tests/bench/empty"
FUNCTION_APP = ("function_app",)
ITS_LIBRARIES = ("azure.functions", "azure.monitor.opentelemetry")


def deliveries(endpoint: str) -> dict[Bar, float]:
    """Compare the ways to deliver events."""
    runs: dict[str, list[float]] = {name: [] for name in EVENTS}
    for _ in range(ROUNDS):
        for name, events in EVENTS.items():
            runs[name].append(measured("contenders", name, str(events), endpoint)["cpu"])
    for name, seconds in runs.items():
        print(f"{name}: {microseconds(seconds, EVENTS[name])} us of CPU per event")
    cost = {name: median(seconds) / EVENTS[name] for name, seconds in runs.items()}
    return {
        EXPORTER: cost["exporter"] / cost["ours"],
        NAIVE: cost["naive"] / cost["ours"],
        FLOOR: cost["ours"] / cost["floor"],
    }


def imports(endpoint: str) -> dict[Bar, float]:
    """Compare importing the function with importing what it is made of."""
    runs: dict[tuple[str, ...], list[float]] = {FUNCTION_APP: [], ITS_LIBRARIES: []}
    for _ in range(ROUNDS):
        for modules, seconds in runs.items():
            seconds.append(measured("importing", *modules, settings=app_settings(endpoint))["cpu"])
    for modules, seconds in runs.items():
        print(f"import {', '.join(modules)}: {microseconds(seconds, 1000)} ms of CPU")
    return {IMPORTS: median(runs[FUNCTION_APP]) / median(runs[ITS_LIBRARIES])}


def hosted(endpoint: str) -> dict[Bar, float]:
    """Compare our function with an empty one in the real runtime."""
    runs: dict[str, list[Mapping[str, float]]] = {OURS: [], EMPTY: []}
    for _ in range(ROUNDS):
        for folder, figures in runs.items():
            figures.append(measured("hosted", folder, str(BATCHES), settings=app_settings(endpoint)))
    for folder, figures in runs.items():
        print(f"{folder} in the runtime: {microseconds([run['cpu'] for run in figures], 1000)} us of CPU per event")
    ours, empty = (
        {name: median(run[name] for run in runs[key]) for name in ("cpu", "loaded")} for key in (OURS, EMPTY)
    )
    return {
        RUNTIME: ours["cpu"] / empty["cpu"],
        LOADED: ours["loaded"] - empty["loaded"],
        BATCH: max(run["peak"] - run["loaded"] for run in runs[OURS]),
    }


def policy() -> dict[Bar, float]:
    """Compare reading the usage of a large response in the gateway with decoding it; the dearer kind counts."""
    measured_kinds = reading_against_decoding()
    for kind, (decoding, reading) in measured_kinds.items():
        print(f"3 MB of embeddings as {kind}: {decoding:.1f} ms to decode, {reading:.1f} ms more to read their usage")
    return {POLICY: max(reading / decoding for decoding, reading in measured_kinds.values())}


def money() -> dict[Bar, float]:
    """Make the statements of a hundred thousand calls and of a million."""
    figures = statements((SOME, MANY))
    for calls, figure in figures.items():
        print(
            f"statement of {calls:,} calls: {figure['seconds']:.1f} s, {figure['cpu']:.1f} s of CPU, "
            f"{figure['megabytes']:.0f} MB"
        )
    return {
        STATEMENT: figures[MANY]["seconds"],
        STATEMENT_MEMORY: figures[MANY]["megabytes"],
        STATEMENT_GROWTH: figures[MANY]["seconds"] / (MANY / SOME * figures[SOME]["seconds"]),
    }


def main() -> None:
    with counting_endpoint() as endpoint:
        values = deliveries(endpoint) | imports(endpoint)
        if sys.version_info >= (3, 13):
            values |= hosted(endpoint)
    values |= money()
    lacks_mono = missing()
    if not lacks_mono:
        values |= policy()
    for bar in (EXPORTER, NAIVE, FLOOR, IMPORTS, STATEMENT, STATEMENT_MEMORY, STATEMENT_GROWTH, *HOSTED):
        print(bar.line(values.get(bar), "the runtime is published for Python 3.13 and newer"))
    print(POLICY.line(values.get(POLICY), f"needs mono: {lacks_mono}"))


if __name__ == "__main__":
    main()
