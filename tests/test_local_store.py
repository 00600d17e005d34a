"""The local store: what goes in comes out through KQL, whole, once, and after a crash."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.errors import QueryError, StoreError
from chargeback.local.store import Store, Table

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TIME = "2026-11-20T11:00:00Z"

# Run by another process, with the store's path as argument.
STORE_ONE = """
import sys
from pathlib import Path
from chargeback.local.store import Store
from tests.test_local_store import event
store = Store(Path(sys.argv[1]))
store.add([event("stored")])
print("stored", flush=True)
"""


def event(name: str, time: str = TIME, **properties: str) -> dict[str, object]:
    """Return a custom event's envelope."""
    return {
        "name": "Microsoft.ApplicationInsights.Event",
        "time": time,
        "iKey": "key-1",
        "data": {"baseType": "EventData", "baseData": {"ver": 2, "name": name, "properties": properties}},
    }


def names(store: Store) -> list[object]:
    return [row[0] for row in store.query("customEvents | project name | order by name asc").rows]


def other_process(code: str, path: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


def test_a_custom_event_is_read_back_with_its_dimensions() -> None:
    query = "customEvents | project timestamp, name, tokens = toint(customDimensions['promptTokens']), operation_Id"
    with Store() as store:
        store.add([event("call", promptTokens="1200") | {"tags": {"ai.operation.id": "trace-1"}}])
        answer = store.query(query)
    assert answer == Table(
        ("timestamp", "name", "tokens", "operation_Id"),
        ((datetime(2026, 11, 20, 11, 0, tzinfo=UTC), "call", 1200, "trace-1"),),
        ("datetime", "string", "int", "string"),
    )


def test_a_dimension_that_was_not_sent_is_empty_text_and_no_number() -> None:
    query = "customEvents | project a = tostring(customDimensions.absent), b = isnull(toint(customDimensions.absent))"
    with Store() as store:
        store.add([event("call", model="m"), event("call")])
        assert store.query(query).rows == (("", True), ("", True))


def test_text_columns_are_empty_and_never_null_as_in_kusto() -> None:
    with Store() as store:
        store.add([event("call") | {"tags": {"ai.operation.id": "trace-1"}}, event("call")])
        query = "customEvents | summarize count() by operation_Id, session_Id | order by operation_Id asc"
        assert store.query(query).rows == (("", "", 1), ("trace-1", "", 1))


def test_every_item_gets_an_id_of_its_own() -> None:
    with Store() as store:
        store.add([event("call"), event("call")])
        assert store.query("customEvents | summarize dcount(itemId)").rows == ((2,),)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-11-20T11:00:00.1234567Z", datetime(2026, 11, 20, 11, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T12:30:00.5+01:30", datetime(2026, 11, 20, 11, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-20T11:00:00", datetime(2026, 11, 20, 11, 0, tzinfo=UTC)),
    ],
)
def test_times_are_kept_in_utc(sent: str, read: datetime) -> None:
    with Store() as store:
        store.add([event("call", sent)])
        assert store.query("customEvents | project timestamp").rows == ((read,),)


@pytest.mark.parametrize(
    "bad",
    [
        event("no time", "yesterday"),
        {"time": TIME, "data": {"baseType": "PageViewData"}},
        {"time": TIME, "data": "nothing"},
        # Passes every check in Python; the database refuses it, after the good event is in.
        {"time": TIME, "data": {"baseType": "MessageData", "baseData": {"message": "\ud800"}}},
        event("\ud800"),
        event("call", model="\ud800"),
    ],
    ids=["time", "table", "data", "other table", "text", "dimension"],
)
def test_of_a_batch_with_one_bad_item_nothing_is_stored(bad: dict[str, object]) -> None:
    with Store() as store:
        store.add([event("before")])
        with pytest.raises(StoreError):
            store.add([event("good"), bad])
        store.add([event("after")])
        assert names(store) == ["after", "before"]


def test_ago_and_now_mean_the_time_that_is_passed_in() -> None:
    with Store() as store:
        store.add([event("old", "2026-11-20T10:59:00Z"), event("new", "2026-11-20T11:01:00Z")])
        recent = store.query("customEvents | where timestamp > ago(1h) | project name, now()", now=NOW)
        assert recent.rows == (("new", NOW),)
        assert store.query("customEvents | where timestamp > ago(2h) | count", now=NOW).rows == ((2,),)


def test_a_closed_store_is_read_back_from_its_file(tmp_path: Path) -> None:
    with Store(tmp_path / "usage.duckdb") as store:
        store.add([event("stored")])
    with Store(tmp_path / "usage.duckdb") as store:
        assert names(store) == ["stored"]


def test_what_was_added_survives_a_killed_process(tmp_path: Path) -> None:
    with other_process(STORE_ONE + "import os; os._exit(9)", tmp_path / "usage.duckdb") as process:
        assert process.wait(60) == 9
    with Store(tmp_path / "usage.duckdb") as store:
        assert names(store) == ["stored"]


def test_a_file_that_another_process_holds_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    with other_process(STORE_ONE + "input()", path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stored\n"
        with pytest.raises(StoreError, match=r"^cannot open the store \S+: another process holds it; .*another file$"):
            Store(path)
        process.communicate("\n", 60)
    Store(path).close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    path.write_text("something else entirely", encoding="utf-8")
    with pytest.raises(StoreError, match="not a valid DuckDB database file"):
        Store(path)


def test_a_closed_store_says_so() -> None:
    store = Store()
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        store.add([event("late")])
    with pytest.raises(StoreError, match="the store is closed"):
        store.query("customEvents")


def test_threads_may_add_and_ask_at_the_same_time() -> None:
    def add(thread: int) -> None:
        for batch in range(10):
            store.add([event(f"{thread}/{batch}/{index}") for index in range(20)])
            whole = store.query("customEvents | count").rows[0][0]
            assert isinstance(whole, int)
            assert whole % 20 == 0, "a batch is seen in part"

    with Store() as store:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add, range(8)))
        assert store.query("customEvents | summarize count(), dcount(name)").rows == ((1600, 1600),)


@pytest.mark.parametrize(
    ("kql", "words"),
    [
        ("customEvents | where name == |", "could not parse KQL at 1:29"),
        ("", "could not parse KQL"),
        ("nowhere | count", "Table with name nowhere does not exist"),
        ("customEvents | where promptTokns > 1", '"promptTokns" not found'),
        ("customEvents | make-series n = count() on timestamp step 1d", "unsupported KQL construct"),
        ("customEvents | summarize sum(name)", "sum"),
        (".drop table customEvents", "unsupported KQL construct"),
        (".set other <| customEvents", "writes are disabled here"),
        (f"print {'(' * 2000}1{')' * 2000}", "maximum recursion depth exceeded"),
        ("externaldata(line:string)['file:///etc/hostname']", "unsupported KQL construct"),
    ],
)
def test_a_query_that_cannot_be_run_is_refused_in_one_sentence(kql: str, words: str) -> None:
    with Store() as store:
        with pytest.raises(QueryError) as refusal:
            store.query(kql)
        assert str(refusal.value).startswith("the query cannot be run here: ")
        assert words in str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert len(str(refusal.value)) < 400
        assert store.query("customEvents | count").rows == ((0,),), "the store is of use afterwards"


def test_more_rows_than_one_insert_takes_keep_their_order_and_number() -> None:
    with Store() as store:
        store.add([event(f"{index:05}", at=str(index)) for index in range(5001)])
        query = "customEvents | summarize count(), min(name), max(name), sum(toint(customDimensions.at) - toint(name))"
        assert store.query(query).rows == ((5001, "00000", "05000", 0),)


def test_a_hundred_thousand_rows_need_less_than_a_gigabyte(tmp_path: Path) -> None:
    """As sent: batches of 1000 events of 1 KB."""
    code = """
from chargeback.local.store import Store
from tests.memory import peak
from tests.test_local_store import event
filling = {f"property{number}": "x" * 16 for number in range(30)}
with Store() as store:
    for _ in range(100):
        store.add([event("call", **filling) for _ in range(1000)])
    assert store.query("customEvents | count").rows == ((100_000,),)
print(peak())
"""
    with other_process(code, tmp_path) as process:
        output, _ = process.communicate(timeout=120)
    assert int(output) < 1 << 20


def test_a_query_reads_tables_and_no_files(tmp_path: Path) -> None:
    """To DuckDB the name of a file would do for the name of a table."""
    (tmp_path / "others.csv").write_text("name,amount\nx,1\n")
    with Store(tmp_path / "usage.duckdb") as store:
        store.add([event("call")])
        with pytest.raises(QueryError):
            store.query(f"['{tmp_path}/others.csv']")
    with Store(tmp_path / "usage.duckdb") as store:
        assert store.query("customEvents | count").rows == ((1,),)
