"""Names of subscriptions and applications, from API Management and Microsoft Graph as they answer."""

from __future__ import annotations

import re

import pytest

from chargeback.cloud.names import Subscription, application_names, subscription_names, subscriptions
from chargeback.cloud.rest import Rest
from chargeback.errors import CloudError
from tests.cloud.azure import Asked, Azure, Told
from tests.test_delivery_entra import Credential

SERVICE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers"
    "/Microsoft.ApiManagement/service/gateway"
)
PLANNER = "5f0c2b1e-7a44-4a0e-9f3e-2d6c8b1a9e10"
FOREIGN = "c3a1d7f2-18be-4c55-8d0a-6e9f4b2c7d31"


def subscription(name: str, display_name: object, scope: str) -> dict[str, object]:
    properties = {"displayName": display_name, "scope": f"{SERVICE}{scope}", "state": "active", "ownerId": None}
    return {"id": f"{SERVICE}/subscriptions/{name}", "name": name, "properties": properties}


def listed(azure: Azure, *pages: list[dict[str, object]]) -> tuple[Subscription, ...]:
    def answer(asked: Asked) -> Told:
        number = int(asked.parameters.get("page", "0"))
        more = {"nextLink": f"{azure.endpoint}{asked.path}?page={number + 1}"} if number + 1 < len(pages) else {}
        return Told({"value": pages[number], "count": 9, **more})

    azure.answers(answer)
    with Rest(azure.endpoint, Credential()) as arm:
        return subscriptions(arm, SERVICE)


def test_all_pages_of_subscriptions_are_read_with_names_and_scopes(azure: Azure) -> None:
    found = listed(
        azure,
        [subscription("retail-web", "Retail web shop", "/products/starter"), subscription("ops", "Ops", "/apis/chat")],
        [
            subscription("master", "Built-in all-access subscription", "/apis"),
            subscription("x", None, "/products/gold"),
        ],
        [subscription("wide", "two\nlines\u202e", "/")],
    )
    assert found == (
        Subscription("retail-web", "Retail web shop", "product starter"),
        Subscription("ops", "Ops", "API chat"),
        Subscription("master", "Built-in all-access subscription", "all APIs"),
        Subscription("x", "", "product gold"),
        Subscription("wide", "two lines", "all APIs"),
    )
    assert azure.asked[0].path == f"{SERVICE}/subscriptions"
    assert azure.asked[0].parameters == {"api-version": "2024-05-01"}


def test_an_id_names_its_subscription_in_whatever_form_and_letters() -> None:
    found = [Subscription("Retail-Web", "Retail web shop", "all APIs"), Subscription("x", "", "product gold")]
    ids = ["retail-web", f"{SERVICE}/subscriptions/retail-web", "/subscriptions/Retail-Web/", "x", "unknown", ""]
    assert subscription_names(found, ids) == {
        "retail-web": "Retail web shop",
        f"{SERVICE}/subscriptions/retail-web": "Retail web shop",
        "/subscriptions/Retail-Web/": "Retail web shop",
        "x": "product gold",
    }


@pytest.mark.parametrize("body", [{"value": [{"name": "a"}]}, {"value": [7]}, {"value": None}, {"value": [{}]}])
def test_a_list_of_another_shape_is_none(azure: Azure, body: object) -> None:
    azure.tells(Told(body))
    with Rest(azure.endpoint, Credential()) as arm, pytest.raises(CloudError, match="in a form that nobody knows"):
        subscriptions(arm, SERVICE)


def test_who_may_not_read_the_service_is_told_which_role_it_takes(azure: Azure) -> None:
    azure.tells(Told({"error": {"code": "AuthorizationFailed", "message": "The client does not have"}}, 403))
    with Rest(azure.endpoint, Credential()) as arm, pytest.raises(CloudError, match="Service Reader Role"):
        subscriptions(arm, SERVICE)


def test_only_an_api_management_service_has_subscriptions() -> None:
    with Rest("https://127.1", Credential()) as arm, pytest.raises(CloudError, match="service/NAME"):
        subscriptions(arm, "/subscriptions/00000000-0000-0000-0000-000000000001")


# Applications.


class Graph:
    """A directory: what is registered in it, and what is only known to it."""

    def __init__(self, registered: dict[str, object], known: dict[str, object] | None = None) -> None:
        self._found = {"applications": registered, "servicePrincipals": known or {}}
        self.put_off: list[str] = []
        """Client ids that are answered with 429 once."""

    def answer(self, asked: Asked) -> Told:
        requests = asked.json()["requests"]
        assert isinstance(requests, list)
        assert (asked.path, asked.method) == ("/v1.0/$batch", "POST")
        assert len(requests) <= 20
        # In any order, as Graph does.
        return Told({"responses": [self._one(request) for request in reversed(requests)]})

    def _one(self, request: dict[str, str]) -> dict[str, object]:
        found = re.fullmatch(r"/(\w+)\(appId='([0-9a-f-]+)'\)\?\$select=appId,displayName", request["url"])
        assert found
        kind, app_id = found.groups()
        if app_id in self.put_off:
            self.put_off.remove(app_id)
            return {"id": request["id"], "status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {}}}
        if app_id not in self._found[kind]:
            error = {"code": "Request_ResourceNotFound", "message": f"Resource '{app_id}' does not exist"}
            return {"id": request["id"], "status": 404, "body": {"error": error}}
        body = {"appId": app_id, "displayName": self._found[kind][app_id]}
        return {"id": request["id"], "status": 200, "body": body}


def names(azure: Azure, graph: Graph, ids: list[str]) -> tuple[dict[str, str], list[float]]:
    azure.answers(graph.answer)
    waited: list[float] = []
    with Rest(azure.endpoint, Credential()) as rest:
        return application_names(rest, ids, waited.append), waited


def test_an_application_that_is_not_registered_here_is_looked_for_among_those_known_here(azure: Azure) -> None:
    found, _ = names(azure, Graph({PLANNER: "Planner"}, {FOREIGN: "A partner's app"}), [FOREIGN, PLANNER])
    assert found == {PLANNER: "Planner", FOREIGN: "A partner's app"}


def test_an_application_that_nobody_knows_has_no_name(azure: Azure) -> None:
    found, _ = names(azure, Graph({PLANNER: None}), [PLANNER, FOREIGN])
    assert found == {}


def test_what_is_no_client_id_is_not_asked_for(azure: Azure) -> None:
    """An id ends up in an address, and callers choose some of them."""
    found, _ = names(azure, Graph({}), ["retail", f"{PLANNER}')/owners", "", f" {PLANNER}"])
    assert (found, azure.asked) == ({}, [])


@pytest.mark.parametrize(("count", "batches"), [(1, 1), (20, 1), (21, 2), (45, 3)])
def test_twenty_at_most_are_asked_for_at_once(azure: Azure, count: int, batches: int) -> None:
    ids = [f"00000000-0000-0000-0000-{number:012d}" for number in range(count)]
    found, _ = names(azure, Graph({one: f"App {one[-2:]}" for one in ids}), [*ids, *ids])
    assert found == {one: f"App {one[-2:]}" for one in ids}
    assert len(azure.asked) == batches


def test_those_that_graph_puts_off_are_asked_for_again_after_the_time_it_names(azure: Azure) -> None:
    graph = Graph({PLANNER: "Planner", FOREIGN: "Other"})
    graph.put_off = [FOREIGN]
    assert names(azure, graph, [PLANNER, FOREIGN]) == ({PLANNER: "Planner", FOREIGN: "Other"}, [7.0])
    assert len(azure.asked) == 2


def test_one_that_graph_puts_off_for_ever_is_an_error(azure: Azure) -> None:
    graph = Graph({PLANNER: "Planner"})
    graph.put_off = [PLANNER] * 99
    with pytest.raises(CloudError, match="too many requests"):
        names(azure, graph, [PLANNER])


def test_who_may_not_read_the_directory_is_told_which_permission_it_takes(azure: Azure) -> None:
    error = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}
    azure.tells(Told({"responses": [{"id": "0", "status": 403, "body": {"error": error}}]}))
    with Rest(azure.endpoint, Credential()) as graph, pytest.raises(CloudError, match=r"Application\.Read\.All"):
        application_names(graph, [PLANNER])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"responses": []},
        {"responses": [{"id": "9", "status": 200}]},
        {"responses": [{"id": "0"}]},
        {"responses": 7},
    ],
)
def test_a_batch_of_another_shape_is_none(azure: Azure, body: object) -> None:
    azure.tells(Told(body))
    with Rest(azure.endpoint, Credential()) as graph, pytest.raises(CloudError, match="in a form that nobody knows"):
        application_names(graph, [PLANNER])
