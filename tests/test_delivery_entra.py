"""Delivery with Microsoft Entra ID: the token goes to the endpoint, over TLS, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError

from chargeback.delivery import Sender
from chargeback.errors import DeliveryError
from chargeback.events import CustomEvent
from chargeback.settings import Settings
from tests.faults.scripted import Reply, Scripted, certificate

EVENT = CustomEvent("e", datetime(2026, 11, 20, 12, 0, tzinfo=UTC), {"recordId": "a"})
TOKEN = "made-up-token"


class Credential(TokenCredential):
    """Gives tokens as Entra would, numbered, and writes down what they were asked for."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.scopes: list[tuple[str, ...]] = []
        self._lifetime = lifetime

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.append(scopes)
        return AccessToken(f"{TOKEN}-{len(self.scopes)}", int(time.time()) + self._lifetime)


class NoCredential(TokenCredential):
    """A managed identity that is not there."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise ClientAuthenticationError(f"no identity for {scopes}")


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    public, context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
    monkeypatch.setenv("NO_PROXY", "*")
    with Scripted(tls=context) as server:
        yield server


def settings_for(connection_string: str) -> Settings:
    return Settings.from_environment(
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string,
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD",
        }
    )


def send(server: Scripted, credential: TokenCredential, more: str = "", times: int = 1) -> None:
    sender = Sender(settings_for(server.connection_string + more), credential=credential)
    try:
        for _ in range(times):
            sender.send([EVENT])
    finally:
        sender.close()


def test_every_post_carries_the_token_and_it_is_asked_for_once(secure: Scripted) -> None:
    credential = Credential()
    send(secure, credential, times=3)
    assert [seen.headers["authorization"] for seen in secure.seen] == [f"Bearer {TOKEN}-1"] * 3
    assert credential.scopes == [("https://monitor.azure.com//.default",)]


@pytest.mark.parametrize("audience", ["https://monitor.azure.us", "https://monitor.azure.us/"])
def test_the_audience_of_the_connection_string_is_the_scope(secure: Scripted, audience: str) -> None:
    credential = Credential()
    send(secure, credential, more=f";AADAudience={audience}")
    assert credential.scopes == [("https://monitor.azure.us//.default",)]


def test_a_token_that_runs_out_is_renewed(secure: Scripted) -> None:
    credential = Credential(lifetime=1)
    send(secure, credential, times=2)
    assert [seen.headers["authorization"] for seen in secure.seen] == [f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-2"]


def test_an_identity_without_the_role_is_no_delivery(secure: Scripted) -> None:
    secure.always(lambda _: Reply(403, b""))
    with pytest.raises(DeliveryError, match="the identity's role"):
        send(secure, Credential())


def test_no_token_is_no_delivery_and_nothing_is_sent(secure: Scripted) -> None:
    with pytest.raises(DeliveryError, match="the identity got no token"):
        send(secure, NoCredential())
    assert secure.seen == []


def test_a_token_never_travels_in_the_clear() -> None:
    credential = Credential()
    with Scripted() as server, pytest.raises(DeliveryError):
        send(server, credential)
    assert server.seen == []


def test_a_token_does_not_follow_a_redirect_to_a_stranger(secure: Scripted) -> None:
    with Scripted() as stranger:
        secure.always(lambda _: Reply(308, headers={"Location": f"{stranger.endpoint}/v2.1/track"}))
        with pytest.raises(DeliveryError, match="outside Azure"):
            send(secure, Credential())
    assert stranger.seen == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    secure: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(DeliveryError, match="no answer"):
        send(secure, Credential())
    assert secure.seen == []
