"""What of a record's texts may travel: no key, no prose in a model's place, no trace id that is none."""

from __future__ import annotations

import re

from chargeback.keys import without_keys
from chargeback.records import is_placeholder

LONGEST_COST_CENTER = 64
LONGEST_PLAIN = 32
"""A text of fewer characters holds no key, and no prompt to speak of."""
TRACE_ID = re.compile(r"[0-9A-Za-z_.:|-]{1,128}", re.ASCII)
_LONGEST_TEXT = 256
_MOST_SPACES = {**dict.fromkeys(("model", "deploymentId", "servedDeployment", "spilloverFrom"), 3), "userId": 7}
"""A longer text with more of them is somebody's sentence: models have no such names, and few people."""
_RUN = re.compile(r"[0-9A-Za-z+/]{32}")
CALLER = ("subscriptionId", "keyId", "appId", "userId", "productId", "costCenter")
"""Fields that name the caller. They are left whole, however long: who pays must not change."""


def plain_text(value: object) -> str | None:
    """Return text (or a number's) unless it is missing or a placeholder such as `NA`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) and not is_placeholder(value) else None


def fit(field: str, text: str) -> str | None:
    """Return a field's text fit to travel: no keys, no prose for a model, a trace id that is one, a hint cut short."""
    if field == "requestId":
        return text
    if field == "traceId":
        return text if TRACE_ID.fullmatch(text) else None
    if text.count(" ") > _MOST_SPACES.get(field, len(text)) and len(text) >= LONGEST_PLAIN:
        return None
    if len(text) > _LONGEST_TEXT and field not in CALLER:
        return None
    safe = without_keys(text)
    return safe[:LONGEST_COST_CENTER] if field == "costCenter" else safe


def needs_care(text: str) -> bool:
    """Tell whether `fit` might change a text of any field but the call's ids."""
    # What every key has, and every sentence: most names have neither, and are looked at no further.
    return (
        len(text) > LONGEST_COST_CENTER
        or " " in text
        or "=" in text
        or "eyJ" in text
        or (_middle_may_be_a_keys(text[len(text) - LONGEST_PLAIN : LONGEST_PLAIN]) and _RUN.search(text) is not None)
    )


def _middle_may_be_a_keys(middle: str) -> bool:
    """Tell whether what a run of 32 in a text of 32 to 64 characters must cover is without a break; a GUID has some."""
    return "-" not in middle and "." not in middle
