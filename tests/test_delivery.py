"""The sender against a real HTTP endpoint: everything accepted, or the caller is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chargeback.delivery import Sender, connect
from chargeback.delivery.envelope import LONGEST_ITEM, LONGEST_KEY, LONGEST_NAME, Sealer, broken_limit, chunks
from chargeback.errors import DeliveryError
from chargeback.events import IGNORED_EVENT, PROPERTY_NAMES, REJECTED_EVENT, USAGE_EVENT, CustomEvent, Refusal
from chargeback.local.server import LocalApplicationInsights
from chargeback.settings import Ingestion, Settings
from tests.faults.patience import Patience
from tests.faults.scripted import KEY, Reply, Scripted, Seen, partly

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOO_LONG = "100: Field 'x' on type 'EventData' is too long."


def settings_for(connection_string: str, **others: str) -> Settings:
    return Settings.from_environment({"APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string} | others)


def event(identity: str = "a", **properties: str) -> CustomEvent:
    return CustomEvent(USAGE_EVENT, NOON, {"recordId": identity} | properties)


def named(name: str) -> CustomEvent:
    return CustomEvent(name, NOON, {"recordId": "a"})


def events(count: int) -> list[CustomEvent]:
    return [event(str(number)) for number in range(count)]


def names(seen: Seen) -> list[str]:
    """The record ids of a POST, in order."""
    return [json.loads(json.dumps(item))["data"]["baseData"]["properties"]["recordId"] for item in seen.items]


@pytest.fixture
def endpoint() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


class Rig:
    """A sender whose waits cost no time, and the endpoint it sends to."""

    def __init__(self, *replies: Reply, seconds: float = 120.0, **environment: str) -> None:
        self.endpoint = Scripted(*replies)
        self.patience = Patience()
        told = {"CHARGEBACK_DELIVERY_SECONDS": str(seconds)} | environment
        settings = settings_for(self.endpoint.connection_string, **told)
        self.sender = Sender(settings, sleep=self.patience.sleep, monotonic=self.patience.monotonic)

    def __enter__(self) -> Rig:
        self.endpoint.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.sender.close()
        self.endpoint.__exit__(None, None, None)

    @property
    def sizes(self) -> list[int]:
        return [seen.size for seen in self.endpoint.seen]


# What is sent.


def test_an_event_becomes_the_envelope_that_application_insights_takes() -> None:
    properties = {"recordId": "a", "promptTokens": "7"}
    with Rig(WEBSITE_SITE_NAME="func-chargeback", WEBSITE_INSTANCE_ID="1a2b") as rig:
        assert rig.sender.send([CustomEvent(USAGE_EVENT, NOON, properties, "0af7651916cd43dd8448eb211c80319c")]) == []
        seen = rig.endpoint.seen[0]
    assert seen.path == "/v2.1/track"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["content-encoding"] == "gzip"
    assert "authorization" not in seen.headers
    version = seen.headers["user-agent"].split()[0].removeprefix("chargeback/")
    assert seen.items == [
        {
            "name": "Microsoft.ApplicationInsights.Event",
            "time": "2026-11-20T12:00:00Z",
            "iKey": KEY,
            "tags": {
                "ai.cloud.role": "func-chargeback",
                "ai.cloud.roleInstance": "1a2b",
                "ai.internal.sdkVersion": f"py_chargeback:{version}",
                "ai.operation.id": "0af7651916cd43dd8448eb211c80319c",
            },
            "data": {
                "baseType": "EventData",
                "baseData": {"ver": 2, "name": USAGE_EVENT, "properties": {"recordId": "a", "promptTokens": "7"}},
            },
        }
    ]


def test_without_gzip_the_body_is_plain() -> None:
    with Rig(CHARGEBACK_GZIP="false") as rig:
        rig.sender.send(events(2))
        assert "content-encoding" not in rig.endpoint.seen[0].headers
        assert names(rig.endpoint.seen[0]) == ["0", "1"]


def test_no_events_are_no_post() -> None:
    with Rig() as rig:
        assert rig.sender.send([]) == []
        assert rig.sizes == []


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (1000, [1000]), (1001, [1000, 1]), (2500, [1000, 1000, 500])])
def test_a_post_holds_at_most_1000_events(count: int, sizes: list[int]) -> None:
    with Rig() as rig:
        rig.sender.send(events(count))
        assert rig.sizes == sizes
        assert [name for seen in rig.endpoint.seen for name in names(seen)] == [str(number) for number in range(count)]


def test_a_post_holds_at_most_1_mb_and_fills_it_to_the_byte() -> None:
    with Rig() as rig:
        rig.sender.send([event(str(number), note="n" * 8000) for number in range(300)])
        bodies = [len(seen.body) for seen in rig.endpoint.seen]
        assert sum(rig.sizes) == 300
    assert max(bodies) <= 1_000_000
    assert min(bodies[:-1]) > 1_000_000 - 9000, "no room for another event was left"


@pytest.mark.parametrize(("last", "sizes"), [(0, [10]), (1, [9, 1])])
def test_the_brackets_and_commas_count_too(last: int, sizes: list[int]) -> None:
    """Ten items, nine commas or ten, two brackets: exactly 1,000,000 bytes, and one more."""
    body = 1_000_000 - 2 - 10
    items = [(place, b"x" * (body // 10)) for place in range(9)]
    items.append((9, b"x" * (body - 9 * (body // 10) + last)))
    assert [len(chunk) for chunk in chunks(items)] == sizes


# Limits.


@pytest.mark.parametrize(
    ("fine", "too_much", "words"),
    [
        (event(note="n" * 8192), event(note="n" * 8193), "property note longer than 8192 characters"),
        (event(note="\U0001f600" * 8192), event(note="\u00e9" * 8193), "property note longer than 8192 characters"),
    ],
    ids=["value", "value of emojis"],
)
def test_an_event_that_breaks_a_documented_limit_is_refused_here_and_not_cut(
    fine: CustomEvent, too_much: CustomEvent, words: str
) -> None:
    with Rig() as rig:
        assert rig.sender.send([event("0"), too_much, fine]) == [Refusal(1, 0, words)]
        assert rig.sizes == [2]


@pytest.mark.parametrize(
    ("fine", "too_much", "words"),
    [
        (event(note="n" * 8192), event(note="n" * 8193), "property note longer than 8192 characters"),
        (event(**{"n" * 150: "x"}), event(**{"n" * 151: "x"}), "property name longer than 150 characters"),
        (named("n" * 512), named("n" * 513), "event name longer than 512 characters"),
    ],
    ids=["value", "name", "event name"],
)
def test_the_limit_that_an_event_breaks_is_named(fine: CustomEvent, too_much: CustomEvent, words: str) -> None:
    assert broken_limit(fine, 9000) is None
    assert broken_limit(too_much, 9000) == words


def test_no_name_that_the_events_use_is_too_long() -> None:
    """Names in short events are not measured: they are our own, and the settings measure the one that is not."""
    assert max(map(len, PROPERTY_NAMES)) <= LONGEST_KEY
    assert max(map(len, (USAGE_EVENT, IGNORED_EVENT, REJECTED_EVENT))) <= LONGEST_NAME


def test_a_name_that_is_too_long_all_the_same_is_refused_by_the_service_for_good() -> None:
    with LocalApplicationInsights(clock=lambda: NOON) as insights:
        sender = Sender(settings_for(insights.connection_string))
        refusals = sender.send([event("0"), event(**{"n" * 151: "x"}), named("n" * 513)])
        sender.close()
    assert [(refusal.index, refusal.status) for refusal in refusals] == [(1, 400), (2, 400)]


def test_an_event_of_64_kb_is_the_longest() -> None:
    sealer = Sealer(_ingestion(), "role", "instance")
    empty = len(sealer.seal([_long(0)])[0][0][1])
    items, refusals = sealer.seal([_long(LONGEST_ITEM - empty), _long(LONGEST_ITEM - empty + 1)])
    assert [len(data) for _, data in items] == [65_536]
    assert refusals == [Refusal(1, 0, "event longer than 65536 bytes")]


def _ingestion() -> Ingestion:
    found = settings_for(f"InstrumentationKey={KEY}").ingestion
    assert found is not None
    return found


def _long(length: int) -> CustomEvent:
    """An event with `length` characters in nine properties."""
    parts = [min(8192, max(0, length - 8192 * number)) for number in range(9)]
    return event(**{f"p{number}": "x" * part for number, part in enumerate(parts)})


def test_what_passes_our_limits_passes_those_of_the_local_application_insights() -> None:
    with LocalApplicationInsights(clock=lambda: NOON) as insights:
        sender = Sender(settings_for(insights.connection_string))
        edge = [event(note="n" * 8192), event(**{"n" * 150: "x"}), named("n" * 512), _long(65_000)]
        assert sender.send(edge) == []
        sender.close()
        assert len(insights.store.query("customEvents").rows) == 4


# Answers.


def test_items_refused_for_now_are_sent_again_and_no_others() -> None:
    with Rig(partly(4, {1: (500, "later"), 3: (429, "later")}), partly(2, {1: (503, "later")})) as rig:
        assert rig.sender.send(events(4)) == []
        assert [names(seen) for seen in rig.endpoint.seen] == [["0", "1", "2", "3"], ["1", "3"], ["3"]]


def test_items_refused_for_good_are_handed_back_by_their_place_in_the_batch() -> None:
    first = partly(1000, {999: (400, TOO_LONG)})
    second = partly(500, {0: (500, "later"), 8: (400, "Telemetry sampled out.")})
    with Rig(first, second) as rig:
        batch = events(1501)
        batch[3] = event("3", note="n" * 9000)
        assert rig.sender.send(batch) == [
            Refusal(3, 0, "property note longer than 8192 characters"),
            Refusal(1000, 400, TOO_LONG),
            Refusal(1009, 400, "Telemetry sampled out."),
        ]
        assert rig.sizes == [1000, 500, 1]


def test_a_mix_of_for_now_for_good_and_unknown_waits_for_the_host_to_retry() -> None:
    mix = {0: (500, "later"), 1: (400, TOO_LONG), 2: (400, "never heard of")}
    for retries in range(5):
        with Rig(partly(4, mix)) as rig, pytest.raises(DeliveryError, match="unknown words: never heard of"):
            rig.sender.send(events(4), host_retries=retries)
    with Rig(partly(4, mix)) as rig:
        assert [refusal.index for refusal in rig.sender.send(events(4), host_retries=5)] == [1, 2]
        assert rig.sizes == [4, 1]


@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_an_item_of_a_status_that_nobody_knows_does_not_block_the_others_for_ever(status: int) -> None:
    odd = partly(3, {1: (status, "no entry")})
    with Rig(odd) as rig:
        with pytest.raises(DeliveryError, match="1 events are refused in unknown words: no entry"):
            rig.sender.send(events(3), host_retries=4)
        assert rig.sizes == [3]
        assert rig.patience.waits == []
    with Rig(odd) as rig:
        assert rig.sender.send(events(3), host_retries=5) == [Refusal(1, status, "no entry")]


@pytest.mark.parametrize(("status", "what"), [(402, "the daily quota"), (439, "the daily cap")])
def test_a_quota_that_is_used_up_in_the_middle_of_a_post_never_makes_a_dead_letter(status: int, what: str) -> None:
    with Rig(partly(3, {1: (status, "quota")})) as rig:
        with pytest.raises(DeliveryError, match=f"{what} of the Application Insights resource is used up"):
            rig.sender.send(events(3), host_retries=500)
        assert rig.sizes == [3]


def test_the_error_quotes_the_words_about_what_is_still_refused() -> None:
    reply = replace(partly(3, {0: (400, TOO_LONG), 1: (503, "busy")}), headers={"Retry-After": "600"})
    with Rig(reply) as rig, pytest.raises(DeliveryError, match=r"1 events are still refused after 1 attempts: busy"):
        rig.sender.send(events(3))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_post_that_is_refused_for_now_is_sent_again_whole(status: int) -> None:
    with Rig(Reply(status, b"<html>"), Reply(status, {})) as rig:
        assert rig.sender.send(events(3)) == []
        assert rig.sizes == [3, 3, 3]
        assert len(rig.patience.waits) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 439])
def test_other_refusals_raise_at_once(status: int) -> None:
    with Rig(Reply(status, b"no")) as rig, pytest.raises(DeliveryError, match=str(status)):
        rig.sender.send(events(3))
    assert rig.sizes == [3]
    assert rig.patience.waits == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b""),
        Reply(200, b"{}"),
        Reply(200, b"[]"),
        Reply(200, b"\xff\xfe"),
        Reply(200, b"<html>Please sign in.</html>", {"Content-Type": "text/html"}),
        Reply(200, b"<xml/>", {"Content-Type": "application/xml"}),
        Reply(204, b""),
        Reply(200, {"itemsReceived": 3, "itemsAccepted": 2, "errors": []}),
        Reply(200, b"x" * 100, {"Content-Encoding": "gzip"}),
    ],
    ids=range(9),
)
def test_an_answer_that_is_no_account_is_no_delivery(reply: Reply) -> None:
    with Rig(reply) as rig, pytest.raises(DeliveryError):
        rig.sender.send(events(3))


def test_what_an_error_says_holds_no_payload() -> None:
    for reply in (Reply(500), Reply(403), Reply(200, b"{}"), partly(1, {0: (400, "odd")})):
        with Rig(reply, seconds=1.0) as rig:
            rig.endpoint.always(lambda _, again=reply: again)  # type: ignore[misc]  # a default binds the loop's reply
            with pytest.raises(DeliveryError) as raised:
                rig.sender.send([event("a", consumerId="top-secret")])
        assert "top-secret" not in str(raised.value)


# Waiting.


def test_waits_grow_and_the_service_may_make_them_longer() -> None:
    replies = [
        *[Reply(503)] * 6,
        Reply(429, headers={"Retry-After": "31"}),
        Reply(429, headers={"Retry-After": "1"}),
    ]
    with Rig(*replies, seconds=200) as rig:
        rig.sender.send(events(1))
        waits = rig.patience.waits
    assert len(waits) == 8
    for turn, wait in enumerate(waits[:6]):
        assert min(15.0, 0.5 * 2**turn) <= wait <= min(30.0, 2.0**turn)
    assert waits[6] == 31.0
    assert waits[7] >= 15.0, "a short wait that the service allows makes ours no shorter"


def test_a_service_that_wants_no_wait_is_not_asked_again_and_again() -> None:
    with Rig(*[Reply(503, headers={"Retry-After": "0"})] * 3) as rig:
        rig.sender.send(events(1))
        assert min(rig.patience.waits) >= 0.5


def test_the_service_may_ask_for_a_wait_beside_items_that_it_refused() -> None:
    reply = partly(2, {0: (429, "later")})
    with Rig(replace(reply, headers={"Retry-After": "9"})) as rig:
        rig.sender.send(events(2))
        assert rig.patience.waits == [9.0]


@pytest.mark.parametrize("header", ["121", "99999999", "Sun, 20 Nov 2095 12:00:00 GMT"])
def test_a_wait_that_is_longer_than_the_budget_goes_back_to_the_host_at_once(header: str) -> None:
    with Rig(Reply(429, headers={"Retry-After": header})) as rig, pytest.raises(DeliveryError, match="answered 429"):
        rig.sender.send(events(1))
    assert rig.patience.waits == []


@pytest.mark.parametrize("seconds", [1.0, 30.0, 200.0])
def test_a_service_that_never_recovers_is_given_up_within_the_budget(seconds: float) -> None:
    with Rig(seconds=seconds) as rig:
        rig.endpoint.always(lambda _: Reply(503))
        with pytest.raises(DeliveryError, match="3 events are still refused after"):
            rig.sender.send(events(3))
        assert 0 <= rig.patience.now - 1000.0 <= seconds


def test_items_that_are_refused_for_now_for_ever_are_given_up_within_the_budget() -> None:
    with Rig(seconds=60) as rig:
        rig.endpoint.always(lambda seen: partly(seen.size, {0: (503, "busy")}))
        with pytest.raises(DeliveryError, match=r"1 events are still refused after .* attempts: busy"):
            rig.sender.send(events(3))
        assert rig.patience.now - 1000.0 <= 60
        assert rig.sizes[0] == 3
        assert set(rig.sizes[1:]) == {1}


def test_all_chunks_share_one_budget() -> None:
    with Rig(seconds=60) as rig:
        rig.endpoint.always(
            lambda _: Reply(503, headers={"Retry-After": "40"}) if len(rig.endpoint.seen) % 2 else Reply()
        )
        with pytest.raises(DeliveryError):
            rig.sender.send(events(3000))
        assert rig.sizes == [1000, 1000, 1000]


# The network.


def test_nobody_listening_is_no_delivery() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sender = Sender(settings_for(f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{port}"))
    with pytest.raises(DeliveryError, match=r"no answer from Application Insights \(ServiceRequestError\)"):
        sender.send(events(1))
    sender.close()


def test_an_endpoint_that_hangs_is_left_within_the_budget() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        text = f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{deaf.getsockname()[1]}"
        sender = Sender(settings_for(text, CHARGEBACK_DELIVERY_SECONDS="1"))
        started = time.monotonic()
        with pytest.raises(DeliveryError, match="no answer"):
            sender.send(events(1))
        assert time.monotonic() - started < 10
        sender.close()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_connection_that_breaks_off_is_no_delivery(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        sender = Sender(
            settings_for(f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{listener.getsockname()[1]}")
        )
        with pytest.raises(DeliveryError, match="no answer"):
            sender.send(events(1))
        thread.join()
        sender.close()


def test_redirects_on_the_same_host_are_followed_and_the_body_goes_along(endpoint: Scripted) -> None:
    with Rig(Reply(308, headers={"Location": "/elsewhere"}), Reply(307, headers={"Location": "/there?x=1"})) as rig:
        rig.sender.send(events(2))
        assert [seen.path for seen in rig.endpoint.seen] == ["/v2.1/track", "/elsewhere", "/there?x=1"]
        assert rig.sizes == [2, 2, 2]
    assert endpoint.seen == []


def test_a_redirect_to_a_stranger_sends_the_stranger_nothing(endpoint: Scripted) -> None:
    with (
        Rig(Reply(308, headers={"Location": f"{endpoint.endpoint}/v2.1/track"})) as rig,
        pytest.raises(DeliveryError, match="outside Azure"),
    ):
        rig.sender.send(events(1))
    assert endpoint.seen == []


def test_redirects_without_end_are_no_delivery() -> None:
    with Rig() as rig:
        rig.endpoint.always(lambda _: Reply(308, headers={"Location": "/v2.1/track"}))
        with pytest.raises(DeliveryError, match="again and again"):
            rig.sender.send(events(1))
        assert len(rig.sizes) <= 5


def test_threads_may_share_a_sender() -> None:
    with Rig() as rig:
        rig.endpoint.always(lambda seen: partly(seen.size, {0: (400, TOO_LONG)}) if seen.size > 1 else Reply())
        with ThreadPoolExecutor(8) as pool:
            batches = [[event(f"{batch}/{number}") for number in range(50)] for batch in range(40)]
            refusals = list(pool.map(rig.sender.send, batches))
        assert [[refusal.index for refusal in found] for found in refusals] == [[0]] * 40
        assert sorted(names(seen)[0] for seen in rig.endpoint.seen) == sorted(f"{batch}/0" for batch in range(40))


def test_without_a_connection_string_nothing_is_sent_and_the_error_names_the_variable() -> None:
    with pytest.raises(DeliveryError, match="set APPLICATIONINSIGHTS_CONNECTION_STRING"):
        connect(Settings.from_environment({}))
