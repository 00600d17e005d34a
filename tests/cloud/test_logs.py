"""Questions to Application Insights, through Microsoft's own client, over TLS; the answers have the API's shapes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chargeback.cloud.logs import MOST_ROWS, AzureLogs
from chargeback.errors import ChargebackError, CloudError, QueryError
from chargeback.reports.answer import Answer
from chargeback.reports.compose import Period
from tests.cloud.azure import Asked, Azure, Told
from tests.test_delivery_entra import TOKEN, Credential, NoCredential

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai"
RESOURCE = f"{GROUP}/providers/microsoft.insights/components/chargeback"
OCTOBER: Period = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
SOON = {"Retry-After": "0.01"}
KQL = "usage | count"
ONE_CELL: list[object] = [1]


def table(columns: dict[str, str], *rows: list[object], more: dict[str, object] | None = None) -> Told:
    listed = [{"name": name, "type": kind} for name, kind in columns.items()]
    return Told({"tables": [{"name": "PrimaryResult", "columns": listed, "rows": list(rows)}], **(more or {})})


def failure(status: int, code: str, message: str, inner: dict[str, object] | None = None) -> Told:
    error: dict[str, object] = {"message": message, "code": code, "correlationId": "c"}
    return Told({"error": error | ({"innererror": inner} if inner else {})}, status, SOON if status == 429 else {})


ONE = table({"Count": "long"}, [7])
TOO_LARGE = {
    "code": "PartialError",
    "message": "There were some errors when processing your query.",
    "details": [
        {
            "code": "EngineError",
            "message": "Something went wrong processing your query on the server.",
            "innererror": {
                "code": "-2133196797",
                "message": "The results of this query exceed the set limit of 500000 records, so not all came back.",
                "severity": 2,
                "severityName": "Error",
            },
        }
    ],
}


def asking(azure: Azure, kql: str = KQL, period: Period | None = OCTOBER) -> Answer:
    with AzureLogs(RESOURCE, Credential(), endpoint=azure.endpoint) as logs:
        return logs.ask(kql, period)


def complaint(azure: Azure, kind: type[ChargebackError] = CloudError) -> str:
    with pytest.raises(kind) as raised:
        asking(azure)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_resource_is_asked_with_a_token_for_its_endpoint(azure: Azure) -> None:
    azure.tells(ONE)
    credential = Credential()
    with AzureLogs(RESOURCE, credential, endpoint=azure.endpoint + "/") as logs:
        assert logs.ask(KQL) == Answer(("Count",), ("long",), ((7,),))
    (asked,) = azure.asked
    assert (asked.method, asked.path) == ("POST", f"/v1{RESOURCE}/query")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}-1"
    assert credential.scopes == [(f"{azure.endpoint}/.default",)]
    assert asked.headers["prefer"] == "wait=600"
    body = asked.json()
    assert (body["query"], body["timespan"]) == (KQL, None)


def test_the_span_is_wider_than_what_the_query_looks_at(azure: Azure) -> None:
    """kql/lib/usage.kql scans from a day before its period to 8 days after: the API must not cut that."""
    azure.tells(ONE)
    asking(azure)
    start, end = (datetime.fromisoformat(edge) for edge in str(azure.asked[0].json()["timespan"]).split("/"))
    assert start <= datetime(2026, 9, 30, tzinfo=UTC)
    assert end >= datetime(2026, 11, 9, tzinfo=UTC)


def test_every_type_of_cell_is_read_as_the_local_store_has_it(azure: Azure) -> None:
    azure.tells(
        table(
            {
                "text": "string",
                "count": "long",
                "small": "int",
                "part": "real",
                "none": "real",
                "cost": "decimal",
                "yes": "bool",
                "older": "bool",
                "at": "datetime",
                "bag": "dynamic",
                "took": "timespan",
                "missing": "long",
            },
            [
                "a",
                9007199254740993,
                3,
                0.5,
                "NaN",
                "0.10",
                True,
                0,
                "2026-10-01T00:00:00.1234567Z",
                '{"a":1}',
                "01:00:00",
                None,
            ],
        )
    )
    (row,) = asking(azure).rows
    assert row[:4] == ("a", 9007199254740993, 3, 0.5)
    assert row[4] != row[4], "NaN"
    assert row[5:] == (
        Decimal("0.10"),
        True,
        False,
        datetime(2026, 10, 1, 0, 0, 0, 123456, tzinfo=UTC),
        '{"a":1}',
        "01:00:00",
        None,
    )


def test_an_answer_in_part_is_none(azure: Azure) -> None:
    azure.tells(table({"Count": "long"}, [7], more={"error": TOO_LARGE}))
    assert "answered in part" in complaint(azure)


def test_an_error_in_an_answer_of_status_200_is_an_error(azure: Azure) -> None:
    azure.tells(Told({"error": TOO_LARGE}))
    assert "answered in part" in complaint(azure)


@pytest.mark.parametrize(("rows", "whole"), [(MOST_ROWS - 1, True), (MOST_ROWS, False)])
def test_as_many_rows_as_the_api_ever_answers_may_not_be_all(azure: Azure, rows: int, whole: bool) -> None:
    azure.tells(table({"n": "long"}, *([ONE_CELL] * rows)))
    if whole:
        assert len(asking(azure).rows) == rows
    else:
        assert "there may be more" in complaint(azure)


def test_a_wrong_query_is_told_in_the_services_most_exact_words(azure: Azure) -> None:
    inner: dict[str, object] = {
        "code": "SyntaxError",
        "message": "A recognition error occurred in the query.",
        "innererror": {"code": "SYN0002", "message": "Query could not be parsed at 'x' on line [3,7]", "line": 3},
    }
    azure.tells(failure(400, "BadArgumentError", "The request had some invalid properties", inner))
    assert complaint(azure, QueryError) == (
        "Application Insights chargeback cannot run the query: Query could not be parsed at 'x' on line [3,7]"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (failure(401, "InvalidTokenError", "The provided token is not valid"), "sign in again"),
        (
            failure(403, "InsufficientAccessError", "The provided credentials have insufficient access"),
            "role Monitoring",
        ),
        (failure(404, "PathNotFoundError", "The requested path does not exist"), "copy its resource id"),
        (failure(413, "ResponseSizeError", "Response size too large"), "fewer days"),
        (failure(429, "ThrottledError", "Rate limit is exceeded. Try again in 23 seconds."), "23 seconds"),
        (failure(504, "GatewayTimeout", "Gateway timeout"), "longer than ten minutes"),
        (failure(502, "BadGateway", "Try later"), "try again later"),
        (Told(b"<html>504</html>", 504, {"Content-Type": "text/html"}), "longer than ten minutes"),
        (Told(b"upstream", 502, {"Content-Type": "text/plain"}), "answered 502"),
    ],
)  # fmt: skip  (one case per line is a table)
def test_every_refusal_is_a_sentence_that_says_what_to_do(azure: Azure, told: Told, words: str) -> None:
    azure.tells(told)
    assert words in complaint(azure)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>sign in</html>",
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"tables":[]}',
        b'{"tables":[{"columns":[{"name":"a"}]}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"long"}],"rows":null}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"long"}],"rows":[["x"]]}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"long"}],"rows":[[1,2]]}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"datetime"}],"rows":[["yesterday"]]}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"moon"}],"rows":[["x"]]}]}',
        b'{"tables":[{"columns":[{"name":"a","type":"long"}],"rows":[[1]]},{"columns":[],"rows":[]}]}',
    ],
)  # fmt: skip  (one case per line is a table)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_an_answer_of_another_shape_is_none(azure: Azure, body: bytes, kind: str) -> None:
    azure.tells(Told(body, headers={"Content-Type": kind}))
    assert "in a form that nobody knows" in complaint(azure)


def test_what_passes_is_tried_again_and_a_query_that_ran_out_of_time_is_not(azure: Azure) -> None:
    azure.tells(failure(429, "ThrottledError", "slow down"), failure(503, "ServiceUnavailable", "later"), ONE)
    assert asking(azure).rows == ((7,),)
    assert len(azure.asked) == 3
    azure.tells(failure(504, "GatewayTimeout", "Gateway timeout"))
    complaint(azure)
    assert len(azure.asked) == 4


def test_without_a_token_nothing_is_sent(azure: Azure) -> None:
    with (
        AzureLogs(RESOURCE, NoCredential(), endpoint=azure.endpoint) as logs,
        pytest.raises(CloudError, match="az login"),
    ):
        logs.ask(KQL)
    assert azure.asked == []


def test_a_token_never_travels_in_the_clear() -> None:
    with Azure() as plain:
        plain.tells(ONE)
        assert "no answer" in complaint(plain)
    assert plain.asked == []


def test_a_server_that_is_gone_is_no_answer(azure: Azure) -> None:
    gone = f"https://127.1:{azure.port + 1 if azure.port < 65535 else 1}"
    with AzureLogs(RESOURCE, Credential(), endpoint=gone) as logs, pytest.raises(CloudError, match="no answer"):
        logs.ask(KQL)


@pytest.mark.parametrize(
    "resource_id",
    [
        f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs",
        f"{GROUP}/providers/microsoft.insights/components",
        f"{RESOURCE}/query",
        f"{RESOURCE}?x=1/../y/z",
        "chargeback",
        "00000000-0000-0000-0000-000000000001",
        "",
    ],
)
def test_only_an_application_insights_resource_is_asked(resource_id: str) -> None:
    with pytest.raises(CloudError, match="components/NAME"):
        AzureLogs(resource_id, Credential())


@pytest.mark.parametrize("resource_id", [RESOURCE.lower(), RESOURCE + "/", RESOURCE.upper()])
def test_a_resource_id_is_taken_however_the_portal_writes_it(resource_id: str) -> None:
    AzureLogs(resource_id, Credential()).close()


# Day by day.


def composed(period: Period) -> str:
    return f"between {period[0]:%Y-%m-%dT%H:%M} and {period[1]:%Y-%m-%dT%H:%M}"


def day_of(asked: Asked) -> str:
    return str(asked.json()["query"])[8:18]


def by_day(azure: Azure, period: Period, progress: Callable[[date, int], None] | None = None) -> Answer:
    with AzureLogs(RESOURCE, Credential(), endpoint=azure.endpoint) as logs:
        return logs.ask_by_day(composed, period, progress)


def test_a_month_is_asked_day_by_day_and_put_together_in_order(azure: Azure) -> None:
    azure.answers(lambda asked: table({"day": "string"}, [day_of(asked)]))
    told: list[tuple[date, int]] = []
    answer = by_day(azure, OCTOBER, lambda day, rows: told.append((day, rows)))
    assert answer.rows == tuple((f"2026-10-{day:02d}",) for day in range(1, 32))
    assert told == [(date(2026, 10, day), 1) for day in range(1, 32)]
    assert len({str(asked.json()["timespan"]) for asked in azure.asked}) == 31


def test_the_first_and_last_day_may_be_parts_of_a_day(azure: Azure) -> None:
    azure.tells(ONE)
    by_day(azure, (datetime(2026, 10, 1, 6, tzinfo=UTC), datetime(2026, 10, 3, 12, tzinfo=UTC)))
    assert [asked.json()["query"] for asked in azure.asked] == [
        "between 2026-10-01T06:00 and 2026-10-02T00:00",
        "between 2026-10-02T00:00 and 2026-10-03T00:00",
        "between 2026-10-03T00:00 and 2026-10-03T12:00",
    ]


def test_a_day_in_part_makes_the_whole_an_error_that_names_the_day(azure: Azure) -> None:
    partly = table({"day": "string"}, ["x"], more={"error": TOO_LARGE})
    azure.answers(lambda asked: partly if "10-02T" in day_of(asked) + "T" else table({"day": "string"}, ["x"]))
    with pytest.raises(CloudError, match=r"^2026-10-02: .* answered in part"):
        by_day(azure, OCTOBER)
    assert len(azure.asked) == 2


def test_days_whose_columns_differ_are_not_put_together(azure: Azure) -> None:
    azure.tells(table({"a": "long"}, [1]), table({"b": "long"}, [1]))
    with pytest.raises(QueryError, match="2026-10-01 and 2026-10-02"):
        by_day(azure, (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)))


def test_a_period_that_ends_before_it_begins_is_none(azure: Azure) -> None:
    with pytest.raises(QueryError, match="no period"):
        by_day(azure, (OCTOBER[1], OCTOBER[0]))
