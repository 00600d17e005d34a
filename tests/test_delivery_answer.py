"""What an answer of the ingestion service says about each item, and what is made of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.delivery.answer import FOR_NOW, Answer, ItemError, read_answer, redirect_target, seconds_of
from chargeback.delivery.progress import HOST_RETRIES_BEFORE_GIVING_UP, Progress
from chargeback.errors import DeliveryError
from chargeback.events import Refusal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE = "https://westeurope-5.in.applicationinsights.azure.com/v2.1/track"

TOO_LONG = "100: Field 'name' on type 'EventData' is too long. Expected: 512 characters, Actual: 600"
TOO_OLD = "103: Field 'time' on type 'Envelope' is older than the allowed min date. Expected: now - 172800000ms"
FINAL = (TOO_LONG, TOO_OLD, "Telemetry item length must not exceed 65536", "Telemetry sampled out.")


def body(received: object, accepted: object, *errors: object) -> dict[str, object]:
    return {"itemsReceived": received, "itemsAccepted": accepted, "errors": list(errors)}


def bad(index: object, status: object = 500, message: object = "Internal Server Error") -> dict[str, object]:
    return {"index": index, "statusCode": status, "message": message}


def answer(parsed: object, sent: int = 3, status: int = 200) -> Answer:
    return read_answer(status, parsed, sent, None, NOW)


# Accounts that add up.


@pytest.mark.parametrize("status", [200, 206])
def test_every_item_accepted(status: int) -> None:
    assert answer(body(3, 3), status=status) == Answer({})


def test_errors_may_be_missing_or_null_when_all_is_accepted() -> None:
    assert answer({"itemsReceived": 3, "itemsAccepted": 3}) == Answer({})
    assert answer({"itemsReceived": 3, "itemsAccepted": 3, "errors": None}) == Answer({})


@pytest.mark.parametrize("status", [200, 206])
def test_refused_items_are_named_with_status_and_words(status: int) -> None:
    assert answer(body(3, 1, bad(2, 400, TOO_LONG), bad(0)), status=status).errors == {
        0: ItemError(500, "Internal Server Error"),
        2: ItemError(400, TOO_LONG),
    }


def test_an_answer_of_400_may_refuse_every_item_by_name() -> None:
    assert len(answer(body(3, 0, bad(0), bad(1), bad(2)), status=400).errors) == 3


def test_an_item_that_is_refused_for_good_and_for_now_is_refused_for_good() -> None:
    for errors in ([bad(1, 400, TOO_LONG), bad(1)], [bad(1), bad(1, 400, TOO_LONG)]):
        assert answer(body(3, 2, *errors)).errors == {1: ItemError(400, TOO_LONG)}


def test_words_are_kept_short_and_writable() -> None:
    errors = answer(body(3, 1, bad(0, 400, "x" * 5000), bad(1, 400, "\ud83d"))).errors
    assert [error.message for error in errors.values()] == ["x" * 256, "?"]


@pytest.mark.parametrize("status", [None, True, "400", 400.0, -1])
def test_an_item_whose_status_is_no_number_is_refused_neither_for_good_nor_for_now(status: object) -> None:
    error = answer(body(3, 2, bad(0, status, "odd"))).errors[0]
    assert (error.status, error.final, error.for_now) == (0, False, False)


# Accounts that do not.


@pytest.mark.parametrize(
    "parsed",
    [
        None,
        [],
        "ok",
        3,
        {},
        body(2, 2),
        body(4, 4),
        body("3", 3),
        body(3.0, 3),
        body(3, 3.0),
        body(3, None),
        body(3, 2),
        body(3, 4),
        body(3, -1),
        body(3, 3, bad(0)),
        body(3, 1, bad(0)),
        body(3, 1, bad(0), bad(0)),
        body(3, 2, bad(3)),
        body(3, 2, bad(-1)),
        body(3, 2, bad(None)),
        body(3, 2, bad("0")),
        body(3, 2, bad(0.0)),
        body(3, 2, bad(True)),
        body(3, 2, {"statusCode": 500, "message": "x"}),
        body(3, 2, "index 0"),
        {"itemsReceived": 3, "itemsAccepted": 3, "errors": {}},
        {"itemsReceived": 3, "itemsAccepted": 2, "errors": None},
        {"itemsAccepted": 3, "errors": []},
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [200, 206, 400])
def test_an_answer_that_does_not_account_for_every_item_is_no_delivery(parsed: object, status: int) -> None:
    with pytest.raises(DeliveryError, match="without accounting for the 3 events"):
        answer(parsed, status=status)


@pytest.mark.parametrize("parsed", [body(True, True), body(1, True), body(True, 1), body(1, False, bad(0))], ids=str)
def test_true_and_false_are_no_counts(parsed: object) -> None:
    with pytest.raises(DeliveryError):
        answer(parsed, sent=1)


@pytest.mark.parametrize("status", [201, 202, 204, 302, 401, 403, 404, 405, 413, 418, 501, 999])
def test_other_statuses_are_no_delivery_whatever_they_say(status: int) -> None:
    with pytest.raises(DeliveryError, match=f"answered {status}"):
        answer(body(3, 3), status=status)


@pytest.mark.parametrize("status", [402, 439])
def test_a_used_up_quota_is_named(status: int) -> None:
    with pytest.raises(DeliveryError, match=rf"used up \({status}\): raise it"):
        answer(body(3, 0), status=status)


@pytest.mark.parametrize("status", [402, 439])
@pytest.mark.parametrize("others", [[], [bad(1, 500)], [bad(1, 400, TOO_LONG)], [bad(0, 400, "odd")]])
def test_a_quota_that_is_used_up_in_the_middle_of_a_post_is_named(status: int, others: list[dict[str, object]]) -> None:
    """The item is fine and there will be room for it again: it waits on the hub and never becomes a dead letter."""
    errors = [bad(0, status, "x"), *others]
    accepted = 3 - len({error["index"] for error in errors})
    for listed in (errors, errors[::-1]):
        with pytest.raises(DeliveryError, match=rf"used up \({status}\): raise it"):
            answer(body(3, accepted, *listed), status=206)


def test_words_that_are_known_are_stronger_than_a_quota() -> None:
    assert answer(body(3, 2, bad(0, 439, TOO_LONG)), status=206).errors == {0: ItemError(439, TOO_LONG)}


@pytest.mark.parametrize("status", sorted(FOR_NOW))
def test_after_some_statuses_the_whole_post_may_be_sent_again(status: int) -> None:
    assert read_answer(status, None, 3, "7", NOW) == Answer({}, 7.0, f"the service answered {status}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["itemsReceived", "itemsAccepted", "errors", "index", "statusCode", "message"]), inner
        )
    ),
)


@given(st.integers(100, 599), json_values, st.integers(1, 4))
def test_no_answer_is_read_as_more_than_it_says(status: int, parsed: Any, sent: int) -> None:
    """Whatever is not reported refused was counted as accepted, and the numbers say so."""
    try:
        said = read_answer(status, parsed, sent, None, NOW)
    except DeliveryError:
        return
    if not said.for_now:
        assert parsed["itemsReceived"] == sent
        assert parsed["itemsAccepted"] == sent - len(said.errors)
        assert set(said.errors) <= set(range(sent))


# Retry-After.


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("30", 30.0),
        (" 30 ", 30.0),
        ("30\x1f", 30.0),
        ("99999999", 99999999.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\u0663", None),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2026 13:01:30 +0100", 90.0),
        ("Fri, 20 Nov 2026 12:01:30", 90.0),
        ("Fri, 20 Nov 2026 11:59:59 GMT", 0.0),
        ("Fri, 20 Nov 99999 12:00:00 GMT", None),
        ("Fri, 20 Nov 2026 12:00:00 +99999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header, NOW) == seconds


@given(st.text())
def test_no_retry_after_raises(header: str) -> None:
    assert (seconds_of(header, NOW) or 0.0) >= 0


def test_a_retry_after_of_a_thousand_digits_is_longer_than_any_budget() -> None:
    assert seconds_of("9" * 1000, NOW) == float("inf")


# Redirects.


@pytest.mark.parametrize("status", [200, 301, 302, 303, 400, 500])
def test_other_statuses_redirect_nowhere(status: int) -> None:
    assert redirect_target(status, "https://x.monitor.azure.com/", HERE) is None


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2.1/track?again", HERE + "?again"),
        (HERE, HERE),
        (
            "https://northeurope-0.in.applicationinsights.azure.com/v2.1/track",
            "https://northeurope-0.in.applicationinsights.azure.com/v2.1/track",
        ),
        ("https://dc.services.visualstudio.com:443/v2.1/track", "https://dc.services.visualstudio.com:443/v2.1/track"),
        ("https://X.Monitor.Azure.US/", "https://X.Monitor.Azure.US/"),
        ("//x.applicationinsights.azure.cn/", "https://x.applicationinsights.azure.cn/"),
    ],
)
@pytest.mark.parametrize("status", [307, 308])
def test_redirects_are_followed_to_the_same_or_another_azure_host(status: int, location: str, target: str) -> None:
    assert redirect_target(status, location, HERE) == target


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "https://example.com/v2.1/track",
        "//example.com/",
        "http://westeurope-5.in.applicationinsights.azure.com/v2.1/track",
        "http://x.monitor.azure.com/",
        "https://x.monitor.azure.com:8443/",
        "https://x.monitor.azure.com:99999/",
        "https://monitor.azure.com.example.com/",
        "https://examplemonitor.azure.com/",
        "https://applicationinsights.azure.com@example.com/",
        "https://user:secret@x.monitor.azure.com/",
        "https://example.com\\.monitor.azure.com/",
        "https://example.com\\@x.monitor.azure.com/",
        "https://example.com#.monitor.azure.com/",
        "https://example.com?.monitor.azure.com/",
        "https://\u217bx.monitor.azure.com/",
        "https://[::1].monitor.azure.com/",
        "https://[::1",
        "ftp://x.monitor.azure.com/",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("status", [307, 308])
def test_redirects_to_strangers_are_no_delivery(status: int, location: str | None) -> None:
    with pytest.raises(DeliveryError, match="outside Azure"):
        redirect_target(status, location, HERE)


@given(st.text(), st.sampled_from(["https://", "//", "https:", "", "https://x.monitor.azure.com"]))
def test_no_location_raises_anything_else(text: str, start: str) -> None:
    with suppress(DeliveryError):
        redirect_target(308, start + text, HERE)


# What becomes of the items.

ITEMS = [(place, b"{}") for place in range(10, 14)]


def booked(*errors: tuple[int, int, str]) -> tuple[Progress, list[int]]:
    """Book one answer to four items; return the accounts and the places of what is to be sent again."""
    progress = Progress()
    again = progress.book(Answer({place: ItemError(status, words) for place, status, words in errors}), ITEMS)
    return progress, [place for place, _ in again]


@pytest.mark.parametrize("words", FINAL)
@pytest.mark.parametrize("status", [400, 206, 500])
def test_words_that_are_known_decide_for_good_whatever_the_status(status: int, words: str) -> None:
    progress, again = booked((1, status, words))
    assert again == []
    assert progress.refusals(0) == [Refusal(11, status, words)]


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 511, 599])
def test_items_refused_for_now_are_sent_again(status: int) -> None:
    progress, again = booked((0, status, "x"), (3, 500, "y"))
    assert again == [10, 13]
    assert progress.refusals(0) == []


@pytest.mark.parametrize("status", [0, 200, 206, 400, 401, 403, 404, 410, 413, 415, 499])
def test_items_refused_in_any_other_status_are_not_sent_again_and_decided_like_unknown_words(status: int) -> None:
    """Sending them again and again would block their partition for ever."""
    progress, again = booked((0, status, "x"), (3, 503, "y"))
    assert again == [13]
    with pytest.raises(DeliveryError, match="1 events are refused in unknown words: x"):
        progress.refusals(4)
    assert progress.refusals(5) == [Refusal(10, status, "x")]


@pytest.mark.parametrize("retries", range(HOST_RETRIES_BEFORE_GIVING_UP))
def test_unknown_words_raise_until_the_host_has_retried_five_times(retries: int) -> None:
    progress, again = booked((1, 400, "never heard of"), (2, 400, TOO_LONG))
    assert again == []
    with pytest.raises(DeliveryError, match="1 events are refused in unknown words: never heard of"):
        progress.refusals(retries)


def test_after_five_retries_unknown_words_go_to_the_dead_letter_and_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    progress, _ = booked((1, 400, "never heard of"), (2, 400, TOO_LONG))
    assert sorted(refusal.index for refusal in progress.refusals(5)) == [11, 12]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "never heard of" in caplog.text


@pytest.mark.parametrize("retries", [0, 5, 500])
def test_when_all_are_refused_alike_nothing_is_ever_dead_lettered(retries: int) -> None:
    """A wrong key must not empty the hub into the dead letter."""
    progress, again = booked(*((place, 400, "Invalid instrumentation key") for place in range(4)))
    assert again == []
    with pytest.raises(DeliveryError, match="all events are refused: Invalid instrumentation key"):
        progress.refusals(retries)


def test_an_acceptance_in_any_post_of_the_batch_shows_that_the_key_is_right() -> None:
    """A chunk may hold nothing but bad items; beside it others were accepted."""
    progress = Progress()
    progress.book(Answer({}), ITEMS)
    progress.book(Answer({place: ItemError(400, "odd") for place in range(4)}), ITEMS)
    assert len(progress.refusals(5)) == 4
