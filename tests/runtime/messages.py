"""The messages between host and worker, as far as the runtime touches them.

The published runtime takes its protobuf classes by injection. This module is what it gets: plain objects with the same
fields, because the generated classes themselves are not published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace


@dataclass(frozen=True, slots=True)
class Collection:
    """A `CollectionBytes`, `CollectionString` or `CollectionSInt64`: its values under each one's field name."""

    values: Sequence[bytes] | Sequence[str] | Sequence[int]

    def __getattr__(self, name: str) -> Sequence[bytes] | Sequence[str] | Sequence[int]:
        if name in ("bytes", "string", "sint64"):
            return self.values
        raise AttributeError(name)


@dataclass(frozen=True, slots=True)
class TypedData:
    """One value and which kind of value it is: `json`, `collection_bytes`, ..."""

    kind: str
    value: str | Collection

    def WhichOneof(self, _group: str) -> str:
        """Name the kind, as protobuf does."""
        return self.kind

    def __getattr__(self, name: str) -> str | Collection:
        if name == self.kind:
            return self.value
        raise AttributeError(name)


@dataclass(frozen=True, slots=True)
class ParameterBinding:
    """One argument of an invocation."""

    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:
        """Say that the value travels inside the message."""
        return "data"


class StatusResult(SimpleNamespace):
    """How a request went: `status`, and `exception` when it failed."""

    Failure = 0
    Success = 1


class BindingInfo(SimpleNamespace):
    """What the indexer found about a binding: `type`, `data_type`, `direction`."""

    undefined = 0
    out = 1
    inout = 2


class RpcException(SimpleNamespace):
    """`message` and `stack_trace`."""


class WorkerMetadata(SimpleNamespace):
    """Versions of the worker."""


class WorkerInitResponse(SimpleNamespace):
    """`capabilities`, `worker_metadata`, `result`."""


class FunctionMetadataResponse(SimpleNamespace):
    """`function_metadata_results`."""


class RpcFunctionMetadata(SimpleNamespace):
    """What the host learns about a function: `name`, `function_id`, `raw_bindings`, `retry_options`, ..."""


class RpcRetryOptions(SimpleNamespace):
    """`retry_strategy`, `max_retry_count`, `minimum_interval`, `maximum_interval`."""


class InvocationResponse(SimpleNamespace):
    """`result`, `return_value`, `output_data`."""
