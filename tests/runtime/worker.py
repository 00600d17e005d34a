"""Indexes a function app and invokes it, with azure-functions-runtime doing both.

The runtime is published for Python 3.13 and newer only, has no typed interface and keeps state in its modules: one
worker per process.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import uuid
from collections.abc import Awaitable
from pathlib import Path
from types import SimpleNamespace

from tests.runtime import messages
from tests.runtime.answers import IndexingError, Registered, Result
from tests.runtime.host import Batch, bodies_of, metadata_of


class RuntimeWorker:
    """Indexes an app when it is made, then invokes it as often as wanted."""

    def __init__(self, folder: Path) -> None:
        """Index the app in `folder`.

        Raises:
            IndexingError: the app cannot be imported, or one of its functions is refused.
        """
        self._runtime = importlib.import_module("azure_functions_runtime")
        self._runner = asyncio.Runner()
        sys.path.insert(0, str(folder))
        self._runtime.start_threadpool_executor()
        start = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
        answer = self._run(self._runtime.worker_init_request(_request(worker_init_request=start)))
        if answer.result.status != messages.StatusResult.Success:
            raise IndexingError(answer.result.exception.message)
        answer = self._run(self._runtime.functions_metadata_request(_request()))
        self.functions = {found.name: _registered(found) for found in answer.function_metadata_results or ()}

    def invoke(self, function: str, batch: Batch) -> Result:
        """Invoke a function with a batch."""
        return self.run(self.invocation(function, batch))

    def invocation(self, function: str, batch: Batch) -> SimpleNamespace:
        """Write the host's message for a batch; apart from `run`, because it is the host's work."""
        registered = self.functions[function]
        return SimpleNamespace(
            invocation_id=str(uuid.uuid4()),
            function_id=registered.function_id,
            input_data=[messages.ParameterBinding(str(registered.bindings[0]["name"]), bodies_of(batch))],
            trigger_metadata=metadata_of(batch),
            trace_context=SimpleNamespace(trace_parent=batch.trace_parent, trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=batch.retries, max_retry_count=-1, exception=None),
        )

    def run(self, invocation: SimpleNamespace) -> Result:
        """Do the worker's work: decode the message, call the function, tell how it ended."""
        answer = self._run(self._runtime.invocation_request(_request(invocation_request=invocation)))
        failed = answer.result.status != messages.StatusResult.Success
        return Result(not failed, str(answer.result.exception.message) if failed else "")

    def close(self) -> None:
        """Let go of the runtime's threads and loop."""
        self._runtime.stop_threadpool_executor()
        self._runner.close()

    def _run(self, request: Awaitable[SimpleNamespace]) -> SimpleNamespace:
        async def answered() -> SimpleNamespace:
            return await request

        return self._runner.run(answered())


def _request(**content: object) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"protos": messages, "host": "127.0.0.1"})


def _registered(found: SimpleNamespace) -> Registered:
    options = found.retry_options
    retry: dict[str, object] = {}
    if options is not None:
        retry = {
            "strategy": options.retry_strategy,
            "max_retry_count": options.max_retry_count,
            "minimum_seconds": options.minimum_interval.total_seconds(),
            "maximum_seconds": options.maximum_interval.total_seconds(),
        }
    return Registered(found.name, found.function_id, [json.loads(text) for text in found.raw_bindings], retry)
