"""Faults: each does what it says, as often as it says, and keeps what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chargeback.local.faults import Fault, Faults, spread
from chargeback.local.server import LocalApplicationInsights
from tests.test_local_server import NOW, packed, post, send
from tests.test_local_store import event, names

TEN = [event(str(number)) for number in range(10)]
ALL = [str(number) for number in range(10)]


@pytest.fixture
def local() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights(clock=lambda: NOW) as running:
        yield running


def statuses(local: LocalApplicationInsights, count: int) -> list[int]:
    return [post(local, packed(TEN)).status for _ in range(count)]


def test_rules_are_used_up_in_their_order(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("status", times=2, status=503), Fault("status", times=1, status=429))
    assert statuses(local, 5) == [503, 503, 429, 200, 200]


def test_a_rule_without_times_lasts_until_faults_are_switched_off(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("status"))
    assert statuses(local, 3) == [500, 500, 500]
    local.faults.switch_off()
    assert statuses(local, 1) == [200]


def test_a_rule_may_spoil_every_nth_request_only(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("status", times=2, every=3))
    assert statuses(local, 7) == [200, 200, 500, 200, 200, 500, 200]


def test_a_rule_may_be_about_events_and_pass_by_what_the_app_says_of_itself(local: LocalApplicationInsights) -> None:
    log = TEN[0] | {"data": {"baseType": "MessageData", "baseData": {"ver": 2, "message": "all is well"}}}
    local.faults.switch_on(Fault("status", times=2, status=503, only="EventData"))
    answers = [post(local, packed(items)).status for items in ([log], TEN, [log], [log, *TEN], [log], TEN)]
    assert answers == [200, 503, 200, 503, 200, 200]


@pytest.mark.parametrize("status", [400, 402, 403, 413, 429, 439, 500, 503])
def test_a_status_refuses_all_items_and_keeps_none(local: LocalApplicationInsights, status: int) -> None:
    local.faults.switch_on(Fault("status", status=status, message="not now"))
    answer = post(local, packed(TEN[:2]))
    assert answer.status == status
    assert answer.body == {
        "itemsReceived": 2,
        "itemsAccepted": 0,
        "errors": [{"index": index, "statusCode": status, "message": "not now"} for index in (0, 1)],
    }
    assert names(local.store) == []


@pytest.mark.parametrize("retry_after", [1, "Fri, 20 Nov 2026 12:00:05 GMT"])
def test_an_answer_may_say_when_to_come_again(local: LocalApplicationInsights, retry_after: int | str) -> None:
    local.faults.switch_on(Fault("status", times=1, status=429, retry_after=retry_after))
    assert post(local, packed(TEN)).headers["retry-after"] == str(retry_after)
    assert "retry-after" not in post(local, packed(TEN)).headers


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("none", []), ("half", ["0", "1", "2", "3", "4"]), ("all", ALL)],
)
@pytest.mark.parametrize("kind", ["status", "empty_answer", "html", "redirect"])
def test_an_acknowledgement_may_get_lost_after_storing(
    local: LocalApplicationInsights, kind: str, stored: str, kept: list[str]
) -> None:
    rule = {"kind": kind, "times": 1, "stored": stored, "location": "http://stranger.example/"}
    send(local, "POST", "/faults", json.dumps([rule]).encode())
    post(local, packed(TEN))
    assert names(local.store) == kept


@pytest.mark.parametrize(("stored", "kept"), [("none", []), ("all", ALL)])
def test_a_connection_is_really_reset(local: LocalApplicationInsights, stored: str, kept: list[str]) -> None:
    """A connection closed in order would raise `RemoteDisconnected`, and its message would be another."""
    send(local, "POST", "/faults", json.dumps([{"kind": "reset", "times": 1, "stored": stored}]).encode())
    with pytest.raises(ConnectionResetError, match="Connection reset by peer"):
        post(local, packed(TEN))
    assert names(local.store) == kept
    assert [(noted.status, noted.fault) for noted in local.requests] == [(None, "reset")]
    assert statuses(local, 1) == [200]


def test_a_request_hangs_and_is_reset_in_the_end(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("hang", times=1, seconds=0.3, stored="all"))
    began = time.monotonic()
    with pytest.raises(ConnectionResetError):
        post(local, packed(TEN))
    assert time.monotonic() - began >= 0.3
    assert names(local.store) == ALL


def test_a_client_may_lose_patience_with_a_hanging_request(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("hang", times=1, seconds=1))
    with pytest.raises(TimeoutError):
        post(local, packed(TEN), timeout=0.5)
    assert statuses(local, 1) == [200]
    assert [(noted.status, noted.fault) for noted in local.requests] == [(None, "hang"), (200, None)]
    time.sleep(0.6)  # the hanging request ends by itself, and finds nobody there
    assert statuses(local, 1) == [200]


def test_a_hanging_request_does_not_keep_the_server_from_stopping() -> None:
    with ThreadPoolExecutor(1) as thread:
        with LocalApplicationInsights(clock=lambda: NOW) as local:
            local.faults.switch_on(Fault("hang"))
            hanging = thread.submit(post, local, packed(TEN))
            while not local.requests:
                time.sleep(0.01)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert isinstance(hanging.exception(), ConnectionResetError)


def test_an_answer_may_be_empty(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("empty_answer"))
    answer = post(local, packed(TEN))
    assert (answer.status, answer.body) == (200, {})


def test_an_answer_may_be_a_page(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("html"))
    answer = post(local, packed(TEN))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert str(answer.body).startswith("<html>")


@pytest.mark.parametrize(("status", "sent"), [(None, 308), (307, 307)])
def test_an_answer_may_point_elsewhere(local: LocalApplicationInsights, status: int | None, sent: int) -> None:
    local.faults.switch_on(Fault("redirect", status=status, location="https://stranger.example/v2.1/track"))
    answer = post(local, packed(TEN))
    assert (answer.status, answer.headers["location"]) == (sent, "https://stranger.example/v2.1/track")


def test_a_count_may_be_short_without_a_word(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("short_count", share=0.2))
    answer = post(local, packed(TEN))
    assert (answer.status, answer.body) == (200, {"itemsReceived": 10, "itemsAccepted": 8, "errors": []})
    assert names(local.store) == ["1", "2", "3", "4", "6", "7", "8", "9"]


def test_a_share_of_the_items_is_refused_and_the_rest_stored(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("refuse_items", share=0.2, item_status=429, message="slowly", retry_after=2))
    answer = post(local, packed(TEN))
    assert answer.status == 206
    assert answer.headers["retry-after"] == "2"
    assert answer.body == {
        "itemsReceived": 10,
        "itemsAccepted": 8,
        "errors": [
            {"index": 0, "statusCode": 429, "message": "slowly"},
            {"index": 5, "statusCode": 429, "message": "slowly"},
        ],
    }
    assert names(local.store) == ["1", "2", "3", "4", "6", "7", "8", "9"]


def test_an_item_refused_for_now_is_accepted_once_the_rule_is_used_up(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("refuse_items", times=2, share=0.1))
    assert post(local, packed(TEN)).status == 206
    assert post(local, packed([TEN[0]])).status == 400
    assert post(local, packed([TEN[0]])).status == 200
    assert names(local.store) == ALL


def test_an_item_keeps_its_fate_while_the_rule_lasts(local: LocalApplicationInsights) -> None:
    """Of ten items sent together one is refused; sent one by one it is still that one."""
    local.faults.switch_on(Fault("refuse_items", share=0.1))
    post(local, packed(TEN))
    assert [post(local, packed([item])).status for item in TEN] == [400, *[200] * 9]


def test_what_the_service_refuses_anyway_is_refused_beside_the_fault(local: LocalApplicationInsights) -> None:
    local.faults.switch_on(Fault("refuse_items", share=0.5, message="slowly"))
    answer = post(local, packed([event("a"), event(""), event("c"), event("d")]))
    assert isinstance(answer.body, dict)
    assert [(error["index"], error["statusCode"]) for error in answer.body["errors"]] == [(0, 500), (1, 400), (2, 500)]
    assert names(local.store) == ["d"]


def test_faults_are_switched_over_http(local: LocalApplicationInsights) -> None:
    rules = [{"kind": "status", "status": 503, "times": 1}, {"kind": "status", "status": 402}]
    assert send(local, "POST", "/faults", json.dumps(rules).encode()).body == {"faults": 2}
    assert statuses(local, 2) == [503, 402]
    assert send(local, "DELETE", "/faults").body == {"faults": 0}
    assert statuses(local, 1) == [200]


@pytest.mark.parametrize(
    "body", [b"{", b'{"kind": "status"}', b'[{"kind": "fire"}]', b'[{"kind": "status", "tmes": 1}]', b"[{}]"]
)
def test_a_fault_that_is_none_is_refused_and_changes_nothing(local: LocalApplicationInsights, body: bytes) -> None:
    local.faults.switch_on(Fault("status", status=402))
    assert send(local, "POST", "/faults", body).status == 400
    assert statuses(local, 1) == [402]


@pytest.mark.parametrize(
    ("count", "share", "places"),
    [
        (0, 0.5, set()),
        (1, 0.01, {0}),
        (4, 0.5, {0, 2}),
        (10, 0.3, {0, 3, 6}),
        (3, 1.0, {0, 1, 2}),
        (1000, 0.002, {0, 500}),
    ],
)
def test_a_share_is_spread_evenly_and_at_least_one(count: int, share: float, places: set[int]) -> None:
    assert spread(count, share) == places


def test_no_fault_is_taken_when_none_is_switched_on() -> None:
    assert Faults().take(TEN) is None
