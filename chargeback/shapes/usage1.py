"""`usage/1`: the project's own record, docs/contract.md section 1. The hot path: nearly every record is one."""

from __future__ import annotations

from typing import TypeAlias

from chargeback.errors import UnreadableRecord
from chargeback.records import SCHEMA, UsageRecord
from chargeback.shapes.names import CALLER, COUNTS, caller
from chargeback.shapes.record import record_of
from chargeback.shapes.times import read_time
from chargeback.usage import count

Fields: TypeAlias = dict[str, object]

NAME = "usage/1"


def matches(source: Fields) -> bool:
    """Tell whether the record names its schema."""
    return "schema" in source and str(source["schema"]).startswith("chargeback.usage/")


def read(source: Fields) -> UsageRecord:
    """Validate the record.

    Raises:
        UnreadableRecord: another version, or a field that breaks the contract.
    """
    if source["schema"] != SCHEMA:
        raise UnreadableRecord("schema is of a version that this code does not know; deploy a newer one", "Schema")
    fields = source | {"timestamp": read_time(source.get("timestamp")), "keyId": None}  # the policy sends no keys
    for name in CALLER:
        if isinstance(value := fields.get(name), str):
            fields[name] = caller(name, value)
    for name in COUNTS:
        if type(value := fields.get(name)) is not int and value is not None:
            fields[name] = count(value, name)
    return record_of(NAME, fields)
