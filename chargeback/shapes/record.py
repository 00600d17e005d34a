"""From contract fields to a validated `UsageRecord`: the sums between counts, and the last check."""

from __future__ import annotations

from pydantic import ValidationError

from chargeback.errors import UnreadableRecord
from chargeback.records import UsageRecord
from chargeback.shapes.names import COUNTS
from chargeback.shapes.texts import fit
from chargeback.usage import Answer, no_count


def record_of(shape: str, fields: dict[str, object]) -> UsageRecord:
    """Validate contract fields (by their contract names; counts already read) into a record.

    Raises:
        UnreadableRecord: a field has the wrong type, or a sum of counts passes 10^12.
    """
    fields["shape"] = shape
    left_out = []
    for name, value in fields.items():
        if isinstance(value, str):
            fields[name] = fit(name, value)
            if fields[name] is None:
                left_out.append(name)
    for name in left_out:
        add_note(fields, f"left-out:{name}")
    _reconcile_total(fields)
    try:
        return UsageRecord.model_validate(fields)
    except ValidationError as error:
        raise unreadable(error) from None


def unreadable(error: ValidationError) -> UnreadableRecord:
    """Name the first field that did not fit; pydantic's own message would quote its value."""
    field = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
    return no_count(field) if field in COUNTS else UnreadableRecord(f"{field} has the wrong type", "InvalidField")


def add_answer(fields: dict[str, object], answer: Answer) -> None:
    """Add what a response body said; its counts are one set and replace those that stood beside the body."""
    if answer.note == "duration-usage":  # zeros beside it stand for tokens that there are none of
        fields.update({name: None for name, value in fields.items() if name.endswith("Tokens") and value == 0})
    if answer.counts:
        for name in [name for name in fields if name.endswith("Tokens")]:
            del fields[name]
        fields.update(answer.counts)
        fields["usageSource"] = answer.source
        if answer.note:
            add_note(fields, answer.note)
    elif not any(value is not None for name, value in fields.items() if name.endswith("Tokens")):
        fields["usageSource"] = "none"
        add_note(fields, answer.note or "body-without-usage")
    fields["model"] = answer.model or fields.get("model")
    fields["serviceTier"] = answer.service_tier or fields.get("serviceTier")
    if answer.streamed:
        fields["streamed"] = True


def add_note(fields: dict[str, object], note: str) -> None:
    """Say one more thing about the record."""
    before = fields.get("note")
    fields["note"] = f"{before}, {note}" if before else note


def _reconcile_total(fields: dict[str, object]) -> None:
    """Add the total that is missing; where it differs from its parts, say so and change nothing."""
    prompt, completion, total = (fields.get(name) for name in ("promptTokens", "completionTokens", "totalTokens"))
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return
    reasoning = fields.get("reasoningTokens")
    if total is None:
        fields["totalTokens"] = prompt + completion
    elif isinstance(reasoning, int) and reasoning > 0 and total == prompt + completion + reasoning:
        fields["completionTokens"] = completion + reasoning  # Grok counts it beside the completion
    elif total != prompt + completion:
        add_note(fields, "total-mismatch")
