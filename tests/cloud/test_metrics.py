"""Azure Monitor's metrics by the management API: what is not there is absent, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from chargeback.cloud.metrics import account_metrics, gateway_requests
from chargeback.cloud.rest import Rest
from chargeback.errors import CloudError
from chargeback.reports.metered import Account, AccountMetrics, GatewayMetrics, Metered
from tests.cloud.azure import Asked, Azure, Told
from tests.test_delivery_entra import TOKEN, Credential

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers"
ACCOUNT = f"{GROUP}/Microsoft.CognitiveServices/accounts/east"
GATEWAY = f"{GROUP}/Microsoft.ApiManagement/service/gateway"
PERIOD = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 4, tzinfo=UTC)
EVERYTHING = (
    *("ProcessedPromptTokens", "InputTokens", "GeneratedTokens", "OutputTokens"),
    *("cacheReadInputTokens", "ephemeral5mInputTokens", "ephemeral1hInputTokens"),
)
SPLIT = ("ApiName", "ModelDeploymentName", "Region")

Points = Mapping[str, object]


def definitions(*names: str, dimensions: tuple[str, ...] = SPLIT) -> Told:
    listed = [{"value": name, "localizedValue": name} for name in dimensions]
    return Told({"value": [{"name": {"value": name}, "dimensions": listed} for name in names]})


def metric(series: Mapping[str, Points], dimension: str = "modeldeploymentname", **more: object) -> Told:
    """Return a metric's answer: value of the dimension -> day -> total; None is a day without one."""
    timeseries = [
        {
            "metadatavalues": [{"name": {"value": dimension, "localizedValue": dimension}, "value": value}],
            "data": [
                {"timeStamp": f"{day}T00:00:00Z", **({} if total is None else {"total": total})}
                for day, total in points.items()
            ],
        }
        for value, points in series.items()
    ]
    found = {"name": {"value": "X"}, "unit": "Count", "timeseries": timeseries, "errorCode": "Success", **more}
    return Told({"cost": 4319, "interval": "P1D", "value": [found]})


def monitor(
    azure: Azure, known: Told, totals: Mapping[str, Told], properties: Mapping[str, object] | None = None
) -> None:
    """Let the server be the management API of one resource."""

    def answer(asked: Asked) -> Told:
        if asked.path.endswith("/metricDefinitions"):
            return known
        if asked.path.endswith("/metrics"):
            return totals.get(asked.parameters["metricnames"], metric({}))
        return Told({"properties": properties or {}})

    azure.answers(answer)


def account_of(azure: Azure, account_id: str = ACCOUNT) -> AccountMetrics:
    with Rest(azure.endpoint, Credential()) as arm:
        return account_metrics(arm, account_id, PERIOD)


def requests_of(azure: Azure, *api_ids: str) -> GatewayMetrics:
    with Rest(azure.endpoint, Credential()) as arm:
        return gateway_requests(arm, GATEWAY, PERIOD, api_ids)


def asked_metrics(azure: Azure) -> list[Asked]:
    return [asked for asked in azure.asked if asked.path.endswith("/metrics")]


def test_tokens_come_per_deployment_and_day(azure: Azure) -> None:
    prompts = metric({"chat": {"2026-10-01": 1200.0, "2026-10-02": 7}, "other": {"2026-10-03": 5.0}})
    monitor(azure, definitions(*EVERYTHING), {"ProcessedPromptTokens": prompts})
    found = account_of(azure)
    assert found.metered == (
        Metered("ProcessedPromptTokens", "chat", date(2026, 10, 1), 1200),
        Metered("ProcessedPromptTokens", "chat", date(2026, 10, 2), 7),
        Metered("ProcessedPromptTokens", "other", date(2026, 10, 3), 5),
    )
    assert found.missing == ()


def test_a_day_without_a_total_is_absent_and_a_total_of_0_is_0(azure: Azure) -> None:
    prompts = metric({"chat": {"2026-10-01": None, "2026-10-02": 0.0, "2026-10-03": 3.0}})
    monitor(azure, definitions(*EVERYTHING), {"ProcessedPromptTokens": prompts})
    assert [(one.day.day, one.amount) for one in account_of(azure).metered] == [(2, 0), (3, 3)]


def test_a_metric_that_the_account_does_not_have_is_said_and_not_asked_for(azure: Azure) -> None:
    """The service would refuse the whole request."""
    monitor(azure, definitions("processedprompttokens", "GeneratedTokens"), {})
    missing = (
        "InputTokens",
        "OutputTokens",
        "cacheReadInputTokens",
        "ephemeral5mInputTokens",
        "ephemeral1hInputTokens",
    )
    assert account_of(azure).missing == missing
    assert [asked.parameters["metricnames"] for asked in asked_metrics(azure)] == [
        "ProcessedPromptTokens",
        "GeneratedTokens",
    ]


def test_a_metric_that_does_not_know_deployments_is_missing_too(azure: Azure) -> None:
    monitor(azure, definitions(*EVERYTHING, dimensions=("Region",)), {})
    assert account_of(azure).missing == EVERYTHING


def test_each_metric_is_asked_for_by_day_and_deployment_and_all_of_them(azure: Azure) -> None:
    monitor(azure, definitions(*EVERYTHING), {})
    account_of(azure)
    assert [asked.parameters["metricnames"] for asked in asked_metrics(azure)] == list(EVERYTHING)
    for asked in asked_metrics(azure):
        assert asked.path == f"{ACCOUNT}/providers/Microsoft.Insights/metrics"
        assert asked.parameters == {
            "api-version": "2023-10-01",
            "metricnames": asked.parameters["metricnames"],
            "timespan": "2026-10-01T00:00:00Z/2026-10-04T00:00:00Z",
            "interval": "P1D",
            "aggregation": "Total",
            "$filter": "ModelDeploymentName eq '*'",
            "top": "1000",
        }
        assert asked.headers["authorization"] == f"Bearer {TOKEN}-1"


def test_the_hosts_are_all_that_the_account_answers_under(azure: Azure) -> None:
    properties = {
        "endpoint": "https://East.openai.azure.com/",
        "endpoints": {"Azure AI Model Inference API": "https://east.services.ai.azure.com/", "Odd": None},
        "customSubDomainName": "east",
    }
    monitor(azure, definitions(), {}, properties)
    hosts = ("east.cognitiveservices.azure.com", "east.openai.azure.com", "east.services.ai.azure.com")
    assert account_of(azure).account == Account(ACCOUNT, hosts)


def test_more_deployments_than_azure_monitor_lists_are_an_error(azure: Azure) -> None:
    many = metric({f"d{number}": {"2026-10-01": 1} for number in range(1000)})
    monitor(azure, definitions(*EVERYTHING), {"OutputTokens": many})
    with pytest.raises(CloudError, match="OutputTokens has 1000 series or more"):
        account_of(azure)


def test_a_metric_in_part_is_an_error(azure: Azure) -> None:
    partly = metric({"chat": {"2026-10-01": 1}}, errorCode="Throttled")
    monitor(azure, definitions(*EVERYTHING), {"InputTokens": partly})
    with pytest.raises(CloudError, match=r"no whole answer for InputTokens \(Throttled\)"):
        account_of(azure)


@pytest.mark.parametrize(
    "odd",
    [
        Told({"value": []}),
        Told({"value": [{"timeseries": None}]}),
        Told({}),
        Told([]),
        Told(b"<html>"),
        metric({"chat": {"2026-10-01": 1.5}}),
        metric({"chat": {"2026-10-01": -1}}),
        metric({"chat": {"2026-10-01": "1"}}),
        metric({"chat": {"2026-10-01": True}}),
        metric({"chat": {"yesterday": 1}}),
        Told({"value": [{"timeseries": [{"data": [{"timeStamp": "2026-10-01T06:00:00Z", "total": 1}]}]}]}),
    ],
)  # fmt: skip  (one case per line is a table)
def test_an_answer_of_another_shape_is_none(azure: Azure, odd: Told) -> None:
    monitor(azure, definitions(*EVERYTHING), {"ProcessedPromptTokens": odd})
    with pytest.raises(CloudError, match="in a form that nobody knows"):
        account_of(azure)


@pytest.mark.parametrize(
    ("status", "words"), [(403, "Monitoring Reader"), (404, "copy its resource id"), (400, "Sorry: that is not")]
)
def test_every_refusal_is_a_sentence_that_says_what_to_do(azure: Azure, status: int, words: str) -> None:
    azure.tells(Told({"error": {"code": "X", "message": "Sorry."}}, status))
    with pytest.raises(CloudError, match=words.replace("Sorry: ", r"answered 400 \(Sorry\): ")):
        account_of(azure)


@pytest.mark.parametrize("account_id", [GATEWAY, f"{ACCOUNT}/deployments/chat", "east", ""])
def test_only_an_account_has_tokens(azure: Azure, account_id: str) -> None:
    with pytest.raises(CloudError, match="accounts/NAME"):
        account_of(azure, account_id)
    assert azure.asked == []


# The gateway's requests.


def test_requests_come_per_day_and_a_day_without_is_absent(azure: Azure) -> None:
    whole = metric({"": {"2026-10-01": 21000.0, "2026-10-02": None, "2026-10-03": 0}})
    monitor(azure, definitions("Requests", dimensions=("ApiId",)), {"Requests": whole})
    assert requests_of(azure) == GatewayMetrics(
        GATEWAY, {date(2026, 10, 1): 21000, date(2026, 10, 3): 0}, missing=False
    )
    assert "$filter" not in asked_metrics(azure)[0].parameters


def test_requests_of_some_apis_are_added_up(azure: Azure) -> None:
    parts = metric({"openai": {"2026-10-01": 5}, "o'claude": {"2026-10-01": 2, "2026-10-02": 1}}, "apiid")
    monitor(azure, definitions("Requests", dimensions=("ApiId",)), {"Requests": parts})
    assert requests_of(azure, "openai", "o'claude").requests == {date(2026, 10, 1): 7, date(2026, 10, 2): 1}
    assert asked_metrics(azure)[0].parameters["$filter"] == "ApiId eq 'openai' or ApiId eq 'o''claude'"


def test_a_gateway_without_the_metric_says_so(azure: Azure) -> None:
    monitor(azure, definitions("Capacity"), {})
    assert requests_of(azure) == GatewayMetrics(GATEWAY, {}, missing=True)


# Pages.


def test_definitions_may_come_in_pages(azure: Azure) -> None:
    first = {"value": [{"name": {"value": "Requests"}, "dimensions": []}], "nextLink": f"{azure.endpoint}/next?page=2"}

    def answer(asked: Asked) -> Told:
        if asked.path == "/next":
            return Told({"value": [{"name": {"value": "Capacity"}}]})
        return Told(first) if asked.path.endswith("metricDefinitions") else metric({})

    azure.answers(answer)
    assert not requests_of(azure).missing
    assert [asked.path for asked in azure.asked][1] == "/next"


@pytest.mark.parametrize(
    "stranger", ["https://evil.example/next", "http://127.1/next", "https://127.1:99999/", "//evil/x"]
)
def test_a_token_does_not_follow_a_page_to_a_stranger(azure: Azure, stranger: str) -> None:
    azure.tells(Told({"value": [], "nextLink": stranger}))
    with pytest.raises(CloudError, match="another server"):
        requests_of(azure)
    assert len(azure.asked) == 1


def test_a_token_does_not_follow_a_redirect(azure: Azure) -> None:
    azure.tells(Told(b"", 302, {"Location": f"{azure.endpoint}/elsewhere"}))
    with pytest.raises(CloudError, match="answered 302"):
        requests_of(azure)
    assert len(azure.asked) == 1


def test_a_circle_of_pages_ends(azure: Azure) -> None:
    azure.tells(Told({"value": [], "nextLink": f"{azure.endpoint}/next"}))
    with pytest.raises(CloudError, match="no end of pages"):
        requests_of(azure)
