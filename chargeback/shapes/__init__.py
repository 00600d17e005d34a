"""Wire shapes: what gateways in the wild put on the hub -> usage records.

`read` is the door: it returns, for every body, what it is, and raises for none. The order of the shapes is
docs/contract.md section 2; a record that fits two is the earlier one.
"""

from __future__ import annotations

from chargeback.errors import UnreadableRecord
from chargeback.records import Ignored, Reading, Rejected
from chargeback.shapes import bodies, flat, gateway_export, usage1
from chargeback.shapes.envelope import BOM, Unreadable, entries, written
from chargeback.shapes.names import knows_counts, request_id
from chargeback.shapes.no_usage import why_not_usage

_UNKNOWN = "unknown"


def read(body: bytes) -> list[Reading]:
    """Read a body into its records, in order: usage, ignored with a reason, or rejected with a reason.

    Linear in the body's length. Raises nothing for any body.
    """
    if exact := usage1.read_exact(body):
        return [exact]
    if not body.replace(BOM, b"").strip():
        return [Ignored(_UNKNOWN, "empty body")]
    found = entries(body)
    if len(found) == 1:
        return [_read_entry(found[0], body)]
    return [_read_entry(entry, None) for entry in found] or [Ignored(_UNKNOWN, "no records in the body")]


def split(body: bytes, among: int) -> list[bytes]:
    """Return the texts of the `among` records that `read` found in a body."""
    return [body] if among == 1 else [written(entry) for entry in entries(body)]


def _read_entry(entry: object, body: bytes | None) -> Reading:
    """Read one record; `body` is the whole body when the record is alone in it."""
    if isinstance(entry, Unreadable):
        return Rejected(_UNKNOWN, entry.reason, entry.error_type, entry.text)
    if not isinstance(entry, dict):
        return Rejected(_UNKNOWN, "not a JSON object", "NotAnObject", body or written(entry))
    shape = _shape_of(entry)
    try:
        return _read_object(shape, entry)
    except UnreadableRecord as error:
        return Rejected(shape or _UNKNOWN, error.reason, error.error_type, body or written(entry), request_id(entry))


def _shape_of(source: dict[str, object]) -> str | None:
    if usage1.matches(source):
        return usage1.NAME
    exported = gateway_export.shape_of(source)
    if exported in (gateway_export.LLM, gateway_export.GATEWAY):
        return exported
    flat_name = flat.name_of(source)
    if not bodies.matches(source):
        return flat_name
    # Policies may keep room for counts that only the response knows.
    counted = flat_name in ("seed", "entra") and (knows_counts(source) or not bodies.has_response(source))
    return flat_name if counted else bodies.NAME


def _read_object(shape: str | None, source: dict[str, object]) -> Reading:
    if shape == usage1.NAME:
        return usage1.read(source)
    if not_usage := why_not_usage(shape, source):
        return Ignored(_UNKNOWN, not_usage, request_id(source))
    if shape in (gateway_export.LLM, gateway_export.GATEWAY):
        return gateway_export.read(shape, source)
    if shape == bodies.NAME:
        return bodies.read(source)
    if shape is None:
        raise UnreadableRecord("no known token counts in it", "UnknownShape")
    return flat.read(shape, source)
