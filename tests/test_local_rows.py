"""Envelopes of every kind become the rows that Application Insights would show."""

from __future__ import annotations

import pytest

from chargeback.local.schema import TABLES, tables
from chargeback.local.store import Store
from tests.test_local_store import TIME, event


def envelope(kind: str, **data: object) -> dict[str, object]:
    """Return the envelope of one item of a kind."""
    return {
        "name": f"Microsoft.ApplicationInsights.{kind.removesuffix('Data')}",
        "time": TIME,
        "iKey": "key-1",
        "data": {"baseType": kind, "baseData": {"ver": 2, **data}},
    }


REQUEST = envelope(
    "RequestData",
    id="span-1",
    name="GET /orders",
    url="https://shop.example/orders",
    duration="0.00:00:01.250",
    responseCode="200",
    success=True,
)
DEPENDENCY = envelope(
    "RemoteDependencyData",
    id="span-2",
    name="POST /chat",
    target="model.example",
    type="HTTP",
    data="https://model.example/chat",
    duration="1.02:03:04.5",
    resultCode="429",
    success=False,
)
EXCEPTION = envelope(
    "ExceptionData",
    severityLevel="Error",
    exceptions=[
        {"typeName": "RuntimeError", "message": "outer", "parsedStack": [{"method": "run", "assembly": "app"}]},
        {"typeName": "KeyError", "message": "inner"},
    ],
)


@pytest.mark.parametrize(
    ("sent", "query", "row"),
    [
        (
            envelope("EventData", name="call", properties={"model": "m", "n": 3}, measurements={"tokens": 1.5}),
            "customEvents | project name, itemType, tostring(customDimensions.model), tostring(customDimensions.n), "
            "todouble(customMeasurements.tokens)",
            ("call", "customEvent", "m", "3", 1.5),
        ),
        (
            envelope("MessageData", message="hello", severityLevel=2),
            "traces | project message, severityLevel, itemType",
            ("hello", 2, "trace"),
        ),
        (envelope("MessageData", message="m", severityLevel="Critical"), "traces | project severityLevel", (4,)),
        (
            REQUEST,
            "requests | project id, name, url, success, resultCode, duration, performanceBucket, itemType",
            ("span-1", "GET /orders", "https://shop.example/orders", "True", "200", 1250.0, "1sec-3sec", "request"),
        ),
        (
            DEPENDENCY,
            "dependencies | project id, target, type, data, success, resultCode, duration, performanceBucket",
            # One day, 2 hours, 3 minutes and 4.5 seconds.
            ("span-2", "model.example", "HTTP", "https://model.example/chat", "False", "429", 93_784_500.0, ">=5min"),
        ),
        (
            envelope("RequestData", duration="00:00:00.250"),
            "requests | project duration, performanceBucket",
            (250.0, "250ms-500ms"),
        ),
        (
            EXCEPTION,
            "exceptions | project type, outerMessage, method, innermostType, innermostMessage, severityLevel, "
            "tostring(details[1].typeName)",
            ("RuntimeError", "outer", "run", "KeyError", "inner", 3, "KeyError"),
        ),
    ],
    ids=["event", "trace", "named severity", "request", "dependency", "bucket", "exception"],
)
def test_an_item_becomes_a_row_of_its_table(sent: dict[str, object], query: str, row: tuple[object, ...]) -> None:
    with Store() as store:
        store.add([sent])
        assert store.query(query).rows == (row,)


def test_each_metric_of_an_item_becomes_a_row() -> None:
    sent = envelope(
        "MetricData",
        metrics=[
            {"name": "tokens", "value": 42.5, "count": 4, "min": 1, "max": 30},
            {"name": "batches", "value": 7},
        ],
        properties={"kind": "prompt"},
    )
    query = (
        "customMetrics | project name, value, valueCount, valueSum, valueMin, valueMax, "
        "tostring(customDimensions['kind']) | order by name asc"
    )
    with Store() as store:
        store.add([sent])
        assert store.query(query).rows == (
            ("batches", 7.0, 1, 7.0, 7.0, 7.0, "prompt"),
            ("tokens", 42.5, 4, 42.5, 1.0, 30.0, "prompt"),
        )


def test_context_tags_become_columns() -> None:
    tags = {
        "ai.operation.id": "trace-1",
        "ai.operation.parentId": "span-1",
        "ai.cloud.role": "chargeback",
        "ai.cloud.roleInstance": "instance-1",
        "ai.internal.sdkVersion": "sdk-1",
        "ai.user.id": "user-1",
        "ai.unheard.of": "ignored",
    }
    query = (
        "customEvents | project operation_Id, operation_ParentId, cloud_RoleName, cloud_RoleInstance, sdkVersion, "
        "user_Id, iKey, appName, client_IP, itemCount"
    )
    with Store() as store:
        store.add([event("call") | {"tags": tags}])
        assert store.query(query).rows == (
            ("trace-1", "span-1", "chargeback", "instance-1", "sdk-1", "user-1", "key-1", "local", "0.0.0.0", 1),  # noqa: S104  (a masked address)
        )


def test_a_sampled_item_stands_for_as_many_as_its_rate_says() -> None:
    with Store() as store:
        store.add([event("call") | {"sampleRate": 25}])
        assert store.query("customEvents | project itemCount").rows == ((4,),)


def test_every_table_starts_with_its_time_and_has_the_shape_that_is_documented() -> None:
    """Columns that tell the tables apart; the counts are those of Microsoft's list."""
    assert {table: len(columns) for table, columns in TABLES.items()} == {
        "customEvents": 31,
        "traces": 32,
        "requests": 38,
        "dependencies": 39,
        "exceptions": 46,
        "customMetrics": 35,
    }
    assert {next(iter(columns)) for columns in TABLES.values()} == {"timestamp"}
    assert "itemCount" not in TABLES["customMetrics"]


def test_the_schema_can_be_read_as_kusto_declares_it() -> None:
    assert set(tables()) == set(TABLES)
    assert tables()["traces"].startswith(
        "timestamp:datetime, message:string, severityLevel:int, itemType:string, customDimensions:dynamic, "
    )


def test_kql_sees_exactly_the_columns_of_the_schema() -> None:
    with Store() as store:
        for table, columns in TABLES.items():
            assert store.query(table).columns == tuple(columns)
