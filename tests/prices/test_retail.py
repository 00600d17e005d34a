"""The Azure Retail Prices API asked over a real connection: pages, errors, time-outs, and answers that are none."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest

from chargeback.errors import PriceError
from chargeback.prices.items import RetailPrice
from chargeback.prices.retail import Patience, fetch, same_origin
from tests.prices.service import Item, PriceList, Reply, answer_items, page

HASTE = Patience(read_seconds=5.0, retries=2, backoff_seconds=0.01, most_pages=50)


def test_every_page_is_read_once_and_told() -> None:
    told: list[tuple[int, int]] = []
    with PriceList(answer_items(), size=20) as service:
        prices = fetch(url=service.url, patience=HASTE, progress=lambda *counts: told.append(counts))
    assert [price.meter_name for price in prices] == [item["meterName"] for item in answer_items()]
    assert told == [(1, 20), (2, 40), (3, 46)]
    assert service.seen[1:] == ["page 20", "page 40"]


@pytest.mark.parametrize("last", [None, ""])
def test_a_page_without_a_link_is_the_last(last: str | None) -> None:
    with PriceList(answer_items(), last=last) as service:
        assert len(fetch(url=service.url, patience=HASTE)) == 46


def test_what_is_asked_for_is_foundrys_models_pay_as_you_go_in_dollars() -> None:
    with PriceList(answer_items()) as service:
        fetch(url=service.url, patience=HASTE)
        fetch(["swedencentral", "o'region"], url=service.url, patience=HASTE)
    all_of_it = "serviceName eq 'Foundry Models' and priceType eq 'Consumption'"
    assert service.seen == [
        all_of_it,
        f"{all_of_it} and (armRegionName eq 'swedencentral' or armRegionName eq 'o''region'"
        " or armRegionName eq 'Global' or armRegionName eq '')",
    ]


def test_a_price_is_what_is_written_not_the_nearest_binary_fraction() -> None:
    written = b"0.123456789012345678901"
    with PriceList() as service:
        service.answer_with(page(answer_items()[:1]).replace(b'"retailPrice": 0.0025', b'"retailPrice": ' + written))
        (price,) = fetch(url=service.url, patience=HASTE)
    assert price.retail_price == Decimal(written.decode())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_service_that_is_busy_is_asked_again(status: int) -> None:
    with PriceList(answer_items(), Reply(status), Reply(status)) as service:
        assert len(fetch(url=service.url, patience=HASTE)) == 46
    assert len(service.seen) == 3


def test_the_service_says_how_long_to_wait() -> None:
    with PriceList(answer_items(), Reply(429, headers={"Retry-After": "1"})) as service:
        started = time.monotonic()
        fetch(url=service.url, patience=HASTE)
    assert time.monotonic() - started >= 1.0


def test_a_lost_connection_and_a_slow_answer_are_asked_again() -> None:
    hasty = Patience(read_seconds=0.3, retries=3, backoff_seconds=0.01)
    replies = (Reply(body=page(answer_items()), cut=True), Reply(body=page(answer_items()), seconds=0.6))
    with PriceList(answer_items(), *replies) as service:
        assert len(fetch(url=service.url, patience=hasty)) == 46


def test_a_service_that_stays_busy_is_an_error() -> None:
    busy = PriceList(answer_items(), *[Reply(503)] * 10)
    with busy as service, pytest.raises(PriceError, match="answered 503: check the address, and try again later"):
        fetch(url=service.url, patience=HASTE)
    assert len(service.seen) <= 4


def test_a_service_that_never_answers_is_an_error() -> None:
    hasty = Patience(read_seconds=0.2, retries=1, backoff_seconds=0.01)
    slow = PriceList(answer_items(), *[Reply(body=b"{}", seconds=0.5)] * 4)
    with slow as service, pytest.raises(PriceError, match=r"no answer from http://127\.0\.0\.1:"):
        fetch(url=service.url, patience=hasty)


def test_nobody_there_is_an_error() -> None:
    with PriceList() as service:
        gone = service.url
    with pytest.raises(PriceError, match="no answer from"):
        fetch(url=gone, patience=HASTE)


def test_an_empty_answer_is_an_error_that_says_why_it_may_be_empty() -> None:
    why = "has no prices of the service Foundry Models: it may have been renamed"
    with PriceList() as service, pytest.raises(PriceError, match=why):
        fetch(url=service.url, patience=HASTE)


@pytest.mark.parametrize("status", [204, 302, 400, 403, 404])
def test_another_status_is_an_error_and_a_redirect_is_not_followed(status: int) -> None:
    with PriceList(answer_items()) as elsewhere:
        moved = PriceList(answer_items(), Reply(status, headers={"Location": elsewhere.url}))
        with moved as service, pytest.raises(PriceError, match=f"answered {status}"):
            fetch(url=service.url, patience=HASTE)
        assert elsewhere.seen == []


@pytest.mark.parametrize(
    "link",
    [
        "http://prices.example/api/retail/prices?$skip=1000",
        "https://127.0.0.1:{port}/api/retail/prices?$skip=1000",
        "http://127.0.0.1:1/api/retail/prices?$skip=1000",
        "http://user@127.0.0.1:{port}/api/retail/prices?$skip=1000",
        "/api/retail/prices?$skip=1000",
        "http://[::1",
    ],
)
def test_a_link_to_another_host_is_not_followed(link: str) -> None:
    with PriceList(answer_items()) as service:
        service.answer_with(page(answer_items(), link.format(port=service.port)))
        with pytest.raises(PriceError, match="goes on at another host"):
            fetch(url=service.url, patience=HASTE)
    assert len(service.seen) == 1


def test_the_port_that_the_api_writes_out_is_the_same_host() -> None:
    """Its links say `https://prices.azure.com:443/`, and the address that is asked does not."""
    asked = "https://prices.azure.com/api/retail/prices"
    assert same_origin("https://prices.azure.com:443/api/retail/prices?$skip=1000", asked)
    assert not same_origin("http://prices.azure.com/api/retail/prices?$skip=1000", asked)


def test_pages_without_end_are_an_error() -> None:
    with PriceList(answer_items()) as service:
        for _ in range(3):
            service.answer_with(page(answer_items(), f"{service.url}?$skip=1"))
        with pytest.raises(PriceError, match="without an end"):
            fetch(url=service.url, patience=HASTE)
    assert len(service.seen) == 2
    with PriceList(answer_items(), size=1) as service, pytest.raises(PriceError, match="without an end"):
        fetch(url=service.url, patience=Patience(most_pages=5))
    assert len(service.seen) == 5


def without(name: str) -> bytes:
    return page([{key: value for key, value in answer_items()[0].items() if key != name}])


def with_value(name: str, value: object) -> bytes:
    return page([answer_items()[0] | {name: value}])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"{}",
        b'{"Items": {}}',
        b'{"Items": [1]}',
        b'{"Items": [], "NextPageLink": 7}',
        b"[" * 100_000,
        *(without(name) for name in ("meterName", "productName", "unitOfMeasure", "retailPrice", "effectiveStartDate")),
        with_value("retailPrice", "a lot"),
        with_value("retailPrice", None),
        with_value("retailPrice", -1),
        page([answer_items()[0]]).replace(b"0.0025", b"NaN"),
        page([answer_items()[0]]).replace(b"0.0025", b"Infinity"),
        with_value("effectiveStartDate", "soon"),
        with_value("effectiveStartDate", None),
    ],
)
def test_an_answer_that_is_no_price_list_is_an_error(body: bytes) -> None:
    with PriceList(answer_items()) as service:
        service.answer_with(body)
        with pytest.raises(PriceError, match="is no price list"):
            fetch(url=service.url, patience=HASTE)


def test_another_currency_is_an_error() -> None:
    canadian = PriceList([answer_items()[0] | {"currencyCode": "CAD"}])
    with canadian as service, pytest.raises(PriceError, match="answered in CAD, but prices are kept in USD"):
        fetch(url=service.url, patience=HASTE)


def test_a_meter_without_a_region_is_one_of_no_region() -> None:
    item: Item = answer_items()[0] | {"armRegionName": None}
    assert not RetailPrice.model_validate_json(json.dumps(item)).arm_region_name
