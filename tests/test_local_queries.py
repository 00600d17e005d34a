"""The local server's query endpoint: Application Insights' own form, and nobody but programs of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from chargeback.local.server import LocalApplicationInsights

NAMES = "customEvents | project timestamp, name, tokens = tolong(customDimensions.tokens) | order by timestamp asc"
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def local() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights() as resource:
        for time, properties in (("2026-11-20T10:00:00Z", {"tokens": "7"}), ("2026-11-20T11:00:00.5Z", {})):
            data = {"baseType": "EventData", "baseData": {"name": "call", "properties": properties}}
            resource.store.add([{"time": time, "data": data}])
        yield resource


def asked(
    local: LocalApplicationInsights, body: object, headers: Mapping[str, str] = AS_JSON, path: str = "/v1/apps/x/query"
) -> tuple[int, str, Mapping[str, str]]:
    connection = HTTPConnection(urlsplit(local.endpoint).netloc, timeout=60)
    connection.request("POST", path, json.dumps(body), dict(headers))
    response = connection.getresponse()
    answer = response.status, response.read().decode(), dict(response.headers)
    connection.close()
    return answer


def test_an_answer_has_the_form_of_application_insights(local: LocalApplicationInsights) -> None:
    status, text, _ = asked(local, {"query": NAMES})

    assert status == 200
    assert json.loads(text) == {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [
                    {"name": "timestamp", "type": "datetime"},
                    {"name": "name", "type": "string"},
                    {"name": "tokens", "type": "long"},
                ],
                "rows": [["2026-11-20T10:00:00Z", "call", 7], ["2026-11-20T11:00:00.500000Z", "call", None]],
            }
        ]
    }


@pytest.mark.parametrize(
    ("expression", "kind", "value"),
    [
        ("1d + 2h", "timespan", "1.02:00:00"),
        ("1 == 1", "bool", True),
        ("1.5", "real", 1.5),
        ("real(nan)", "real", None),
        ("toint(3)", "int", 3),
        ("'grüße'", "string", "grüße"),
    ],
)
def test_every_kind_of_value_has_its_type(
    local: LocalApplicationInsights, expression: str, kind: str, value: object
) -> None:
    (table,) = json.loads(asked(local, {"query": f"print value = {expression}"})[1])["tables"]

    assert (table["columns"], table["rows"]) == ([{"name": "value", "type": kind}], [[value]])


def test_sums_beyond_64_bits_are_exact(local: LocalApplicationInsights) -> None:
    most = 2**63 - 1
    query = f"union (print n = {most}), (print n = {most}) | summarize s = sum(n)"

    assert json.loads(asked(local, {"query": query})[1])["tables"][0]["rows"] == [[2 * most]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": "customEvents | foo"}, "the query cannot be run here: "),
        ({"query": ".drop table customEvents"}, "the query cannot be run here: "),
        ({"query": "['/etc/passwd']"}, "the query cannot be run here: "),
        ({"query": "print 1", "timespan": "P1D"}, "The body is not of the form"),
        ({"query": 1}, "The body is not of the form"),
        ([], "The body is not of the form"),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_words(local: LocalApplicationInsights, body: object, said: str) -> None:
    status, text, _ = asked(local, body)

    error = json.loads(text)["error"]
    assert (status, error["code"]) == (400, "BadArgumentError")
    assert error["message"].startswith(said)


@pytest.mark.parametrize("path", ["/v1/apps/x/query", "/v2.1/track", "/faults"])
@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:8125"])
def test_a_web_page_is_refused(local: LocalApplicationInsights, path: str, origin: str) -> None:
    """A browser says for which page it posts; no page is one of ours."""
    status, text, headers = asked(local, {"query": NAMES}, AS_JSON | {"Origin": origin}, path)

    assert (status, text) == (403, "Not for web pages.")
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_what_a_form_or_a_script_may_post_without_asking_is_refused(local: LocalApplicationInsights) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert asked(local, {"query": NAMES}, {"Content-Type": kind})[0] == 415


def test_a_name_that_was_pointed_to_this_machine_is_refused(local: LocalApplicationInsights) -> None:
    assert asked(local, {"query": NAMES}, AS_JSON | {"Host": "example.org"})[0] == 400
