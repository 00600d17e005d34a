"""Small policies for the tests of the gateway itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.policy.documents import load
from tests.policy.gateway import Gateway
from tests.policy.refusal import PolicyRefusedError
from tests.policy.result import Result

FORWARD = "<forward-request />"


def document(inbound: str = "", backend: str = FORWARD, outbound: str = "", on_error: str = "") -> str:
    """Write a policy with `<base />` in each section but backend."""
    return f"""<policies>
<inbound><base />{inbound}</inbound>
<backend>{backend}</backend>
<outbound><base />{outbound}</outbound>
<on-error><base />{on_error}</on-error>
</policies>"""


def written(folder: Path, text: str, fragments: Mapping[str, str] | None = None) -> Path:
    """Put a policy and its fragments, by id, into a folder."""
    for name, fragment in (fragments or {}).items():
        (folder / f"{name}.xml").write_text(fragment, encoding="utf-8")
    policy = folder / "policy.xml"
    policy.write_text(text, encoding="utf-8")
    return policy


def run(folder: Path, text: str, case: Mapping[str, Any] | None = None) -> Result:
    """Run one case through a policy."""
    with Gateway(written(folder, text)) as gateway:
        return gateway.run(case or {})


def log(expression: str) -> str:
    """Write a log-to-eventhub whose message is the expression's value."""
    return f'<log-to-eventhub logger-id="usage">{expression}</log-to-eventhub>'


def refusals(
    folder: Path, text: str, fragments: Mapping[str, str] | None = None, named: Mapping[str, str] | None = None
) -> list[str]:
    """Return why a policy is refused before anything is compiled."""
    with pytest.raises(PolicyRefusedError) as refused:
        load(written(folder, text, fragments), folder, named or {})
    return list(refused.value.reasons)
