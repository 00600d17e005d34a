"""A proxy in the environment is for other machines, not for this one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chargeback.delivery import Sender
from chargeback.errors import DeliveryError
from chargeback.events import CustomEvent
from chargeback.local.server import LocalApplicationInsights
from chargeback.settings import Settings

NOBODY = "http://127.0.0.1:9"
EVENT = CustomEvent("Function called with Chargeback Data", datetime.now(UTC), {"recordId": "r-1"})


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, NOBODY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_stand_in_on_this_machine_is_reached_past_the_proxy() -> None:
    with LocalApplicationInsights() as insights:
        sender = Sender(
            Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string})
        )
        assert sender.send([EVENT]) == []
        sender.close()
        assert insights.store.query("customEvents | count").rows == ((1,),)


def test_others_are_reached_through_it() -> None:
    """Nothing listens where the proxy should be, so this fails there, before any name is looked up."""
    text = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://in.example.invalid/"
    sender = Sender(Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": text}))
    with pytest.raises(DeliveryError) as failure:
        sender.send([EVENT])
    sender.close()
    assert "Unable to connect to proxy" in repr(failure.value.__cause__)
