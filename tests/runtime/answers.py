"""What a worker tells its host: which functions there are, and how an invocation ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.runtime.host import Batch


@dataclass(frozen=True, slots=True)
class Registered:
    """What the indexer told the host about one function."""

    name: str
    function_id: str
    bindings: list[dict[str, object]]
    retry: dict[str, object]
    """Strategy, count, and intervals in seconds."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an invocation ended."""

    ok: bool
    error: str
    """Exception type and message, as the host logs it; empty when it went well."""


class IndexingError(Exception):
    """The runtime refused the app: in Azure the worker would not start."""


class Worker(Protocol):
    """An engine that has indexed an app."""

    @property
    def functions(self) -> Mapping[str, Registered]:
        """What was indexed, by name."""
        ...

    def invoke(self, function: str, batch: Batch) -> Result:
        """Invoke a function with a batch."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
