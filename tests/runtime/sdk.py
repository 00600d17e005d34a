"""Indexes a function app and invokes it with what azure-functions itself holds of a worker: on every Python.

The library decodes batches and checks annotations for the worker; only finding the functions and calling them, which
the runtime would do, is ours.
"""

from __future__ import annotations

import importlib
import json
import sys
import typing
from pathlib import Path
from types import SimpleNamespace

import azure.functions as func
from azure.functions.eventhub import EventHubTriggerConverter
from azure.functions.meta import Datum

from tests.runtime.answers import IndexingError, Registered, Result
from tests.runtime.host import Batch, bodies_of, metadata_of
from tests.runtime.messages import TypedData


class SdkWorker:
    """Indexes an app when it is made, then invokes it as often as wanted."""

    def __init__(self, folder: Path) -> None:
        """Index the app in `folder`.

        Raises:
            IndexingError: the app cannot be imported, or one of its functions is refused.
        """
        sys.path.insert(0, str(folder))
        app = _imported()
        if not isinstance(app, func.FunctionApp):
            raise IndexingError("app is no FunctionApp")
        self._functions = {str(found.get_function_name()): found for found in app.get_functions()}
        for name, found in self._functions.items():
            events = typing.get_type_hints(found.get_user_function())["events"]
            if not EventHubTriggerConverter.check_input_type_annotation(events):
                raise IndexingError(f"cannot load the {name} function: the type of events does not match its binding")
        self.functions = {name: _registered(name, found) for name, found in self._functions.items()}

    def invoke(self, function: str, batch: Batch) -> Result:
        """Invoke a function with a batch."""
        context = SimpleNamespace(
            trace_context=SimpleNamespace(trace_parent=batch.trace_parent),
            retry_context=SimpleNamespace(retry_count=batch.retries, max_retry_count=-1),
        )
        metadata = {name: _datum(value) for name, value in metadata_of(batch).items()}
        try:
            events = EventHubTriggerConverter.decode(_datum(bodies_of(batch)), trigger_metadata=metadata)
            self._functions[function].get_user_function()(events=events, context=context)
        except Exception as error:  # noqa: BLE001  (as the worker: whatever was raised is told to the host)
            return Result(False, f"{type(error).__name__}: {error}")
        return Result(True, "")

    def close(self) -> None:
        """Nothing is held."""


def _imported() -> object:
    try:
        return importlib.import_module("function_app").app
    except Exception as error:
        raise IndexingError(f"{type(error).__name__}: {error}") from error


def _datum(data: TypedData) -> Datum:
    return Datum(data.value, data.kind)


def _registered(name: str, found: func.decorators.function_app.Function) -> Registered:
    retry = found.get_settings_dict("retry_policy") or {}
    bindings = [json.loads(text) for text in found.get_raw_bindings()]
    return Registered(
        name,
        name,
        bindings,
        {
            "strategy": retry.get("strategy"),
            "max_retry_count": int(retry.get("max_retry_count", 0)),
            "minimum_seconds": _seconds(str(retry.get("minimum_interval"))),
            "maximum_seconds": _seconds(str(retry.get("maximum_interval"))),
        },
    )


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return float(hours) * 3600 + float(minutes) * 60 + float(seconds)
