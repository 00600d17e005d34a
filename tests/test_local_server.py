"""The local endpoint speaks the service's protocol, and acknowledges nothing that it has not stored."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import socket
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chargeback.errors import ChargebackError, StoreError
from chargeback.local.server import LocalApplicationInsights
from chargeback.local.store import Store
from tests.test_local_store import event, names, other_process

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCEPTED_ONE = {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}


@dataclass(frozen=True)
class Answer:
    status: int
    body: object
    headers: Mapping[str, str]


def post(
    local: LocalApplicationInsights, body: bytes, path: str = "/v2.1/track", *, timeout: float = 30, **headers: str
) -> Answer:
    return send(local, "POST", path, body, timeout=timeout, **headers)


def send(
    local: LocalApplicationInsights,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    timeout: float = 30,
    **headers: str,
) -> Answer:
    """Send one request over a connection of its own."""
    address = urlsplit(local.endpoint)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=timeout)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read()
        known = {name.lower(): value for name, value in response.getheaders()}
        is_json = known.get("content-type") == "application/json"
        return Answer(response.status, json.loads(text) if is_json else text.decode(), known)
    finally:
        connection.close()


def packed(items: Sequence[object]) -> bytes:
    return json.dumps(items).encode()


@pytest.fixture
def local() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights(clock=lambda: NOW) as running:
        yield running


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track", "//v2.1/track"])
def test_what_is_accepted_is_stored(local: LocalApplicationInsights, path: str) -> None:
    answer = post(local, packed([event("a"), event("b")]), path)
    assert (answer.status, answer.body) == (200, {"itemsReceived": 2, "itemsAccepted": 2, "errors": []})
    assert names(local.store) == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "packing"),
    [
        (packed([event("a")]), "identity"),
        (json.dumps(event("a"), indent=1).encode(), "identity"),
        (gzip.compress(packed([event("a")])), "gzip"),
        (zlib.compress(packed([event("a")])), "deflate"),
    ],
    ids=["array", "one object", "gzip", "deflate"],
)
def test_a_body_is_read_however_it_is_packed(local: LocalApplicationInsights, body: bytes, packing: str) -> None:
    answer = post(local, body, Content_Encoding=packing)
    assert (answer.status, answer.body) == (200, ACCEPTED_ONE)
    assert names(local.store) == ["a"]


def test_objects_may_stand_on_lines_of_their_own(local: LocalApplicationInsights) -> None:
    lines = "\n".join(json.dumps(event(name)) for name in "abc") + "\n\n"
    assert post(local, lines.encode()).body == {"itemsReceived": 3, "itemsAccepted": 3, "errors": []}
    assert names(local.store) == ["a", "b", "c"]


def test_of_good_and_bad_items_the_good_are_stored_and_the_bad_are_named(local: LocalApplicationInsights) -> None:
    answer = post(local, packed([event("a"), event(""), event("c"), event("d", "never")]))
    assert answer.status == 206
    assert answer.body == {
        "itemsReceived": 4,
        "itemsAccepted": 2,
        "errors": [
            {
                "index": 1,
                "statusCode": 400,
                "message": "109: Field 'name' on type 'EventData' is required but missing or empty. "
                "Expected: string, Actual: ",
            },
            {
                "index": 3,
                "statusCode": 400,
                "message": "102: Field 'time' on type 'Envelope' is not a valid time string. "
                "Expected: date, Actual: never",
            },
        ],
    }
    assert names(local.store) == ["a", "c"]


def test_a_post_with_nothing_good_in_it_is_refused_as_a_whole(local: LocalApplicationInsights) -> None:
    answer = post(local, packed([event(""), event("")]))
    assert answer.status == 400
    assert isinstance(answer.body, dict)
    assert (answer.body["itemsReceived"], answer.body["itemsAccepted"], len(answer.body["errors"])) == (2, 0, 2)


def test_a_server_with_a_key_refuses_every_other() -> None:
    with LocalApplicationInsights(instrumentation_key="key-2", clock=lambda: NOW) as local:
        answer = post(local, packed([event("a"), event("b") | {"iKey": "key-2"}]))
        assert answer.status == 206
        assert answer.body == {
            "itemsReceived": 2,
            "itemsAccepted": 1,
            "errors": [{"index": 0, "statusCode": 400, "message": "Invalid instrumentation key"}],
        }
        assert local.connection_string == f"InstrumentationKey=key-2;IngestionEndpoint={local.endpoint}"


def test_age_is_measured_by_the_servers_clock() -> None:
    with LocalApplicationInsights(clock=lambda: NOW + timedelta(hours=48)) as local:
        answer = post(local, packed([event("old")]))
    # Sent with 11:00 on the 20th, and it is noon on the 22nd: 49 hours.
    assert answer.body == {
        "itemsReceived": 1,
        "itemsAccepted": 0,
        "errors": [
            {
                "index": 0,
                "statusCode": 400,
                "message": "103: Field 'time' on type 'Envelope' is older than the allowed min date. "
                "Expected: now - 172800000ms, Actual: now - 176400000ms",
            }
        ],
    }


@pytest.mark.parametrize(
    ("body", "packing", "status"),
    [
        (b"{", "identity", 400),
        (b"", "identity", 400),
        (b'{"a": 1}\nnothing', "identity", 400),
        (b"[" * 500 + b"]" * 500, "identity", 400),
        (b"no gzip", "gzip", 400),
        (gzip.compress(packed([event("a")]))[:-4], "gzip", 400),
        (packed([event("a")]), "br", 415),
        # 80 MB of blanks in 80 KB.
        (gzip.compress(b" " * 80_000_000), "gzip", 413),
    ],
    ids=["json", "empty", "line", "nested", "gzip", "cut gzip", "packing", "too large"],
)
def test_a_body_that_holds_no_items_is_refused(
    local: LocalApplicationInsights, body: bytes, packing: str, status: int
) -> None:
    answer = post(local, body, Content_Encoding=packing)
    assert answer.status == status
    assert isinstance(answer.body, dict)
    assert (answer.body["itemsReceived"], answer.body["itemsAccepted"], len(answer.body["errors"])) == (0, 0, 1)
    assert names(local.store) == []


def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    with Store() as store, LocalApplicationInsights(store, clock=lambda: NOW) as local:
        store.close()
        answer = post(local, packed([event("a")]))
    assert answer.status == 500
    assert isinstance(answer.body, dict)
    assert answer.body["itemsAccepted"] == 0


def test_every_post_is_noted(local: LocalApplicationInsights) -> None:
    body = gzip.compress(packed([event("a"), event("b")]))
    post(local, body, "/v2/track", Content_Encoding="gzip")
    post(local, b"{")
    first, second = local.requests
    assert (first.path, first.items, first.bytes, first.status, first.fault) == ("/v2/track", 2, len(body), 200, None)
    assert (second.path, second.items, second.bytes, second.status) == ("/v2.1/track", 0, 1, 400)


def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    local: LocalApplicationInsights, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(local.endpoint)
    with socket.create_connection(("127.0.0.1", address.port or 0), 5) as client:
        client.sendall(b"POST /v2.1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n[")
        time.sleep(0.2)  # until the server waits for the rest
    assert post(local, packed([event("a")])).status == 200
    assert names(local.store) == ["a"]
    assert [record.message for record in caplog.records] == []


def test_threads_may_send_at_the_same_time(local: LocalApplicationInsights) -> None:
    bodies = [packed([event(f"{thread}/{index}") for index in range(50)]) for thread in range(20)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: post(local, body), bodies))
    assert [answer.status for answer in answers] == [200] * 20
    assert local.store.query("customEvents | summarize count(), dcount(name)").rows == ((1000, 1000),)


def test_it_listens_on_this_machine_only(local: LocalApplicationInsights) -> None:
    """All of 127/8 is this machine, so another address of it shows whether more than 127.0.0.1 was bound."""
    address = urlsplit(local.endpoint)
    assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", address.port or 0), 5)


def test_a_name_that_only_points_to_this_machine_is_refused(local: LocalApplicationInsights) -> None:
    assert post(local, packed([event("a")]), Host="shop.example").status == 400
    assert names(local.store) == []


def test_nothing_else_is_served(local: LocalApplicationInsights) -> None:
    assert send(local, "GET", "/v2.1/track").status == 405
    assert post(local, b"[]", "/QuickPulseService.svc/ping").status == 404


def test_a_port_that_is_taken_is_refused_in_one_sentence(local: LocalApplicationInsights) -> None:
    port = urlsplit(local.endpoint).port
    assert port is not None
    with pytest.raises(ChargebackError, match=rf"^cannot listen on 127.0.0.1:{port} \(.+\): choose another port$"):
        LocalApplicationInsights(port=port)


def test_once_it_is_left_nothing_listens_and_its_own_store_is_closed() -> None:
    with LocalApplicationInsights() as local:
        pass
    with pytest.raises(ConnectionRefusedError):
        post(local, b"[]")
    with pytest.raises(StoreError, match="closed"):
        local.store.query("customEvents")


def test_a_store_that_it_was_given_stays_open() -> None:
    with Store() as store:
        with LocalApplicationInsights(store, clock=lambda: NOW) as local:
            post(local, packed([event("a")]))
        assert names(store) == ["a"]


def test_in_the_foreground_it_serves_a_file_until_interrupted(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from functools import partial\n"
    code += "from chargeback.local.server import serve; serve(Path(sys.argv[1]), 0, ready=partial(print, flush=True))"
    path = tmp_path / "usage.duckdb"
    with other_process(code, path) as server:
        assert server.stdout is not None
        at, _, connection_string = server.stdout.readline().strip().partition(" ")
        key, _, address = connection_string.partition(";IngestionEndpoint=")
        assert address == at
        assert key == "InstrumentationKey=00000000-0000-0000-0000-000000000001"
        sent = event("a", datetime.now(UTC).isoformat())
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        connection.request("POST", "/v2.1/track", packed([sent]))
        assert connection.getresponse().status == 200
        connection.close()
        began = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert time.monotonic() - began < 5
    with Store(path) as store:
        assert names(store) == ["a"]
