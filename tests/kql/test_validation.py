"""Every query of the pack is valid for Microsoft's language service, which Azure itself uses; mistakes are found."""

from __future__ import annotations

import pytest

from chargeback.reports.compose import compose, kql_folder
from tests.kql.books import Books
from tests.kql.language import Verdict, judged
from tests.test_cli_main import called

PACK = {
    str(file.relative_to(kql_folder())): compose(file.read_text(encoding="utf-8"))
    for folder in ("reports", "examples", "azure-only")
    for file in sorted((kql_folder() / folder).glob("*.kql"))
}

MISTAKES = {
    "customEvents | where name == |": "KS006",
    "customEvents | sumarize count()": "KS176",
    "customEvents | where nam == 'x'": "KS142",
    "customEvents | project name | where timestamp > ago(1d)": "KS142",
    "customEvent | count": "KS204",
    "customEvents | extend x = tostrin(name)": "KS211",
    "customEvents | where timestamp > '2026-01-01'": "KS106",
    "customEvents | summarize count() by customDimensions.model": "KS116",
    "customEvents | extend x = customDimensions[name]": "KEY002",
}
"""Query -> what is found in it; a key that is computed cannot be checked and is refused."""

READINGS = (
    'customEvents | extend x = customDimensions["promptTokns"]',
    "customEvents | extend x = customDimensions.promptTokns",
    "customEvents | extend x = customDimensions.['promptTokns']",
    'customEvents | extend x = parse_json(tostring(customDimensions))["promptTokns"]',
    'customEvents | extend x = (customDimensions)["promptTokns"]',
    "customEvents | extend d = customDimensions | extend x = d.promptTokns",
    'customEvents | project d = customDimensions | extend e = todynamic(d) | extend x = e["promptTokns"]',
    "customEvents | project-rename d = customDimensions | extend x = d.promptTokns",
    "customEvents | summarize d = take_any(customDimensions) by name | extend x = d.promptTokns",
    "customEvents | summarize arg_max(itemId, customDimensions) by name | extend x = customDimensions.promptTokns",
    "let rows = customEvents | extend d = customDimensions; rows | where d.promptTokns > 1",
)
"""Ways to read a dimension, each with its name misspelt."""

PLANTED = {
    "reports/tokens-by-consumer.kql": ('customDimensions["cachedTokens"]', 'customDimensions["cacheTokens"]', "KEY001"),
    "reports/coverage.kql": ("usageKnown,", "usageKnow,", "KS142"),
    "reports/duplicates.kql": ("strcat_delim", "strcat_delimiter", "KS211"),
    "examples/usage-by-hour.kql": ("by consumer, bin", "by consumer bin", "KS"),
}
"""Query of the pack -> (what is right in it, a mistake to put there, what must be found)."""

pytestmark = pytest.mark.needs_node("@kusto/language-service-next")


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """All verdicts, from one run: the service takes a second to start."""
    planted = {f"planted {name}": PACK[name].replace(right, wrong) for name, (right, wrong, _) in PLANTED.items()}
    right = [query.replace("promptTokns", "promptTokens") for query in READINGS]
    printed = {f"printed {name}": _printed(name) for name in PACK}
    queries = (
        PACK
        | printed
        | planted
        | {query: query for query in (*MISTAKES, *READINGS, *right)}
        | {"usage": compose("usage")}
    )
    return judged(queries)


def _printed(name: str) -> str:
    """Return a query as `query --text` prints it, to be pasted into Logs."""
    period = ("--from", "2026-10-01", "--to", "2026-11-01") if "periodStart" in PACK[name] else ()
    return called("query", kql_folder() / name, "--text", *period).stdout.decode()


@pytest.mark.parametrize("name", PACK)
def test_what_is_printed_to_be_pasted_is_valid_and_gives_the_same_columns(
    verdicts: dict[str, Verdict], name: str
) -> None:
    assert verdicts[f"printed {name}"].findings == []
    assert verdicts[f"printed {name}"].columns == verdicts[name].columns


@pytest.mark.parametrize("name", PACK)
def test_every_query_of_the_pack_is_valid(verdicts: dict[str, Verdict], name: str) -> None:
    assert verdicts[name].findings == []


def test_the_local_engine_answers_with_the_columns_that_azure_would(verdicts: dict[str, Verdict], month: Books) -> None:
    for name in PACK:
        if not name.startswith("azure-only/"):
            asked = name.removeprefix("reports/").removesuffix(".kql")
            assert month.columns(asked) == tuple(verdicts[name].columns), name


def test_money_is_real_and_counts_are_long(verdicts: dict[str, Verdict]) -> None:
    for name in (name for name in PACK if not name.startswith("examples/")):
        for column, kind in verdicts[name].columns.items():
            if column.endswith(("Cost", "Usd", "usd")) and column != "callsWithoutCost":
                assert kind == "real", (name, column)
            if column in ("calls", "tokens", "totalTokens", "promptTokens", "rank"):
                assert kind == "long", (name, column)


def test_the_columns_of_usage_have_types(verdicts: dict[str, Verdict]) -> None:
    columns = verdicts["usage"].columns
    assert {kind for name, kind in columns.items() if name.endswith("Tokens")} == {"long"}
    names = ("eventTime", "statusCode", "durationMs", "forwarded", "streamed", "countsDiffer", "model")
    assert [columns[name] for name in names] == ["datetime", "int", "long", "bool", "bool", "bool", "string"]


@pytest.mark.parametrize(("query", "code"), MISTAKES.items())
def test_what_the_language_knows_is_checked(verdicts: dict[str, Verdict], query: str, code: str) -> None:
    assert code in [found for found, _ in verdicts[query].findings]


@pytest.mark.parametrize("query", READINGS)
def test_a_misspelt_dimension_is_found_by_whatever_name_the_bag_goes(verdicts: dict[str, Verdict], query: str) -> None:
    """It is valid KQL, and its answer is an empty column: the most expensive kind of mistake."""
    assert verdicts[query].findings == [("KEY001", "'promptTokns' is no key of customDimensions.")]
    assert verdicts[query.replace("promptTokns", "promptTokens")].findings == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_planted_in_the_pack_is_found(verdicts: dict[str, Verdict], name: str) -> None:
    right, _, code = PLANTED[name]
    assert right in PACK[name]
    assert any(found.startswith(code) for found, _ in verdicts[f"planted {name}"].findings)
