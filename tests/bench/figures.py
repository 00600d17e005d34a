"""The figures, their limits, and the lines that say how they compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise."""

    name: str
    limit: float
    at_least: bool

    @property
    def sign(self) -> str:
        return ">=" if self.at_least else "<="

    def holds(self, value: float) -> bool:
        """Tell whether a value keeps the promise."""
        return value >= self.limit if self.at_least else value <= self.limit

    def line(self, value: float | None, why: str = "") -> str:
        """Return the line of the report; without a value it was skipped, and says why."""
        limit = f"{self.sign}{self.limit:g}"
        if value is None:
            return f"bar {self.name} - {limit} skipped: {why}"
        return f"bar {self.name} {value:.2f} {limit} {'ok' if self.holds(value) else 'short'}"


EXPORTER = Bar("events-per-cpu-second-vs-exporter", 8.0, at_least=True)
NAIVE = Bar("events-per-cpu-second-vs-client-per-message", 150.0, at_least=True)
FLOOR = Bar("cpu-vs-floor", 3.5, at_least=False)
IMPORTS = Bar("import-vs-its-libraries", 1.4, at_least=False)
RUNTIME = Bar("cpu-per-batch-vs-empty-function", 1.35, at_least=False)
LOADED = Bar("megabytes-loaded-above-empty-function", 55.0, at_least=False)
BATCH = Bar("megabytes-of-a-batch-above-loaded", 30.0, at_least=False)
# On an undisturbed core decoding 3 MB takes mono 4 to 6 ms, and reading their usage may take 20 ms more.
POLICY = Bar("reading-3-mb-of-embeddings-vs-decoding", 5.0, at_least=False)
# Of a million calls on two cores that nobody else uses; ten times the calls may take ten times as long, not more.
STATEMENT = Bar("seconds-for-the-statement-of-a-million-calls", 15.0, at_least=False)
STATEMENT_MEMORY = Bar("megabytes-for-the-statement-of-a-million-calls", 2000.0, at_least=False)
STATEMENT_GROWTH = Bar("statement-of-10-times-the-calls-vs-10-times-the-time", 1.0, at_least=False)
HOSTED = (RUNTIME, LOADED, BATCH)


def microseconds(seconds: Iterable[float], events: int) -> str:
    """Write CPU seconds per event, run by run."""
    return " ".join(f"{value / events * 1e6:.1f}" for value in seconds)
