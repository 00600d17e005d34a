"""Tokens and calls against Azure's own metrics; every expectation is worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chargeback.errors import QueryError
from chargeback.reports.answer import Answer
from chargeback.reports.metered import METRICS, Account, AccountMetrics, GatewayMetrics, Metered
from chargeback.reports.reconcile import Used, calls_by_day, compare_calls, compare_tokens, used
from chargeback.reports.reconciliation import CallsRow, Reconciliation, TokensRow, TokensTotal

EAST = Account("/accounts/east", ("east.openai.azure.com", "east.services.ai.azure.com"))
WEST = Account("/accounts/west", ("west.openai.azure.com",))
ALL = tuple(name for names in METRICS.values() for name in names)
FIRST, SECOND, THIRD = date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)


def use(
    day: date,
    prompt: int,
    completion: int = 0,
    host: str = "east.openai.azure.com",
    deployment: str = "chat",
    cached: int = 0,
    cache_write: int = 0,
    cache_write_1h: int = 0,
) -> Used:  # fmt: skip  (a builder, read by its calls)
    return Used(day, host, deployment, 1, prompt, completion, cached, cache_write, cache_write_1h)


def metrics(
    account: Account, *metered: tuple[str, date, int], deployment: str = "chat", missing: tuple[str, ...] = ()
) -> AccountMetrics:  # fmt: skip  (as above)
    return AccountMetrics(
        account, tuple(Metered(name, deployment, day, amount) for name, day, amount in metered), missing
    )


def totals(compared: tuple[TokensTotal, ...]) -> dict[tuple[str, str, str], TokensTotal]:
    return {(total.account, total.deployment, total.kind): total for total in compared}


def test_what_is_billed_is_held_against_the_metric_day_by_day() -> None:
    billed = [use(FIRST, 100, 20), use(FIRST, 50, 5), use(SECOND, 70, 7)]
    east = metrics(
        EAST,
        ("ProcessedPromptTokens", FIRST, 150),
        ("ProcessedPromptTokens", SECOND, 90),
        ("GeneratedTokens", FIRST, 25),
        ("GeneratedTokens", SECOND, 5),
    )
    compared = compare_tokens(billed, [east])
    assert compared.rows == (
        TokensRow("/accounts/east", "chat", FIRST, "prompt", "ProcessedPromptTokens", 150, 150),
        TokensRow("/accounts/east", "chat", SECOND, "prompt", "ProcessedPromptTokens", 70, 90),
        TokensRow("/accounts/east", "chat", FIRST, "completion", "GeneratedTokens", 25, 25),
        TokensRow("/accounts/east", "chat", SECOND, "completion", "GeneratedTokens", 7, 5),
    )
    assert [row.difference for row in compared.rows] == [0, 20, 0, -2]
    assert [(total.billed, total.metered, total.share) for total in compared.totals] == [
        (220, 240, Decimal(220) / Decimal(240)),
        (32, 30, Decimal(1)),
    ]
    assert compared.notes == ()


def test_the_share_of_all_tokens_does_not_set_too_much_off_against_too_little() -> None:
    """220 of 240 prompt tokens and 30 of 30 completion tokens: 250 of 270, not 252 of 270."""
    billed = [use(FIRST, 220, 32)]
    east = metrics(EAST, ("ProcessedPromptTokens", FIRST, 240), ("GeneratedTokens", FIRST, 30))
    reconciliation = Reconciliation("2026-10", "USD", token_totals=compare_tokens(billed, [east]).totals)
    assert reconciliation.tokens_share == Decimal(250) / Decimal(270)


def test_a_call_at_midnight_may_be_billed_on_one_day_and_metered_on_the_next() -> None:
    east = metrics(EAST, ("ProcessedPromptTokens", FIRST, 0), ("ProcessedPromptTokens", SECOND, 100))
    compared = compare_tokens([use(FIRST, 100)], [east])
    assert [row.difference for row in compared.rows if row.kind == "prompt"] == [-100, 100]
    assert totals(compared.totals)["/accounts/east", "chat", "prompt"].share == 1


def test_a_day_of_which_the_metric_says_nothing_is_not_compared_and_said() -> None:
    east = metrics(EAST, ("ProcessedPromptTokens", FIRST, 100))
    compared = compare_tokens([use(FIRST, 90), use(SECOND, 40)], [east])
    (row,) = [row for row in compared.rows if row.day == SECOND]
    assert (row.billed, row.metered, row.difference) == (40, None, None)
    total = totals(compared.totals)["/accounts/east", "chat", "prompt"]
    assert (total.billed, total.metered, total.unmetered, total.share) == (90, 100, 40, Decimal("0.9"))


def test_a_deployment_without_any_value_has_no_share_rather_than_a_bad_one() -> None:
    compared = compare_tokens([use(FIRST, 90, 9)], [metrics(EAST)])
    for kind, billed in (("prompt", 90), ("completion", 9)):
        total = totals(compared.totals)["/accounts/east", "chat", kind]
        assert (total.billed, total.metered, total.unmetered, total.share) == (0, None, billed, None)
        assert total.note == "no metric has a value for this deployment"
    assert Reconciliation("2026-10", "USD", token_totals=compared.totals).tokens_share is None


def test_what_was_metered_and_never_billed_is_there() -> None:
    """Usage that went past the gateway."""
    compared = compare_tokens([], [metrics(EAST, ("InputTokens", FIRST, 500), deployment="secret")])
    (row,) = compared.rows
    assert (row.deployment, row.billed, row.metered, row.difference) == ("secret", 0, 500, 500)
    assert compared.totals[0].share == 0


def test_a_missing_metric_is_said() -> None:
    without = metrics(EAST, missing=("GeneratedTokens", "OutputTokens", "InputTokens", "cacheReadInputTokens"))
    assert compare_tokens([], [without]).notes == (
        "/accounts/east has no metric GeneratedTokens or OutputTokens: completion is not compared there",
        "/accounts/east has no metric cacheReadInputTokens: cached is not compared there",
    )


def test_of_two_metrics_for_the_same_the_more_exact_is_taken_for_the_whole_month() -> None:
    east = metrics(
        EAST, ("ProcessedPromptTokens", FIRST, 100), ("InputTokens", FIRST, 100), ("InputTokens", SECOND, 30)
    )
    compared = compare_tokens([use(FIRST, 100), use(SECOND, 30)], [east])
    assert [(row.metric, row.metered) for row in compared.rows] == [
        ("ProcessedPromptTokens", 100),
        ("ProcessedPromptTokens", None),
    ]
    assert compared.totals[0].note == "ProcessedPromptTokens and InputTokens differ: 100 and 130"


def test_foundrys_metrics_stand_in_where_a_model_has_no_others() -> None:
    east = metrics(EAST, ("InputTokens", FIRST, 100), ("OutputTokens", FIRST, 10))
    assert [row.metric for row in compare_tokens([use(FIRST, 100, 10)], [east]).rows] == ["InputTokens", "OutputTokens"]


def claude(prompt: int) -> AccountMetrics:
    return metrics(
        EAST,
        ("InputTokens", FIRST, prompt),
        ("OutputTokens", FIRST, 50),
        ("cacheReadInputTokens", FIRST, 600),
        ("ephemeral5mInputTokens", FIRST, 200),
        ("ephemeral1hInputTokens", FIRST, 100),
        deployment="claude",
    )


CLAUDE = use(FIRST, 1000, 50, deployment="claude", cached=600, cache_write=300, cache_write_1h=100)


def test_anthropics_cache_is_compared_kind_by_kind() -> None:
    """1000 prompt tokens: 600 read from the cache, 200 and 100 written to it, 100 left."""
    compared = compare_tokens([CLAUDE], [claude(prompt=100)])
    assert {row.kind: (row.billed, row.metered) for row in compared.rows} == {
        "prompt": (100, 100),
        "completion": (50, 50),
        "cached": (600, 600),
        "cacheWrite": (200, 200),
        "cacheWrite1h": (100, 100),
    }
    assert [total.note for total in compared.totals] == [""] * 5


def test_a_prompt_metric_that_counts_the_cache_too_is_recognised() -> None:
    compared = compare_tokens([CLAUDE], [claude(prompt=1000)])
    (total,) = [total for total in compared.totals if total.kind == "prompt"]
    assert "InputTokens seems to include it" in total.note


def test_hosts_and_deployments_are_matched_in_whatever_letters() -> None:
    billed = [
        use(FIRST, 10, host="EAST.openai.azure.com", deployment="Chat"),
        use(FIRST, 5, host="east.services.ai.azure.com"),
    ]
    compared = compare_tokens(billed, [metrics(EAST, ("InputTokens", FIRST, 15), deployment="CHAT")])
    (row,) = [row for row in compared.rows if row.kind == "prompt"]
    assert (row.deployment, row.billed, row.metered) == ("Chat", 15, 15)


def test_one_deployment_name_in_two_accounts_stays_apart() -> None:
    billed = [use(FIRST, 10), use(FIRST, 20, host="west.openai.azure.com")]
    compared = compare_tokens(
        billed, [metrics(EAST, ("InputTokens", FIRST, 10)), metrics(WEST, ("InputTokens", FIRST, 21))]
    )
    assert [(row.account, row.billed, row.metered) for row in compared.rows] == [
        ("/accounts/east", 10, 10),
        ("/accounts/west", 20, 21),
    ]


def test_a_host_that_no_account_answers_at_is_said_and_stays_visible() -> None:
    compared = compare_tokens([use(FIRST, 10, host="api.anthropic.com")], [metrics(EAST)])
    assert compared.notes == ("no account named here answers at api.anthropic.com (chat)",)
    (row,) = compared.rows
    assert (row.account, row.billed, row.metered) == ("", 10, None)


def test_without_a_host_the_only_account_with_such_a_deployment_served() -> None:
    two = [metrics(EAST, ("InputTokens", FIRST, 10)), metrics(WEST, ("InputTokens", FIRST, 7), deployment="other")]
    assert {row.account for row in compare_tokens([use(FIRST, 10, host="")], two).rows} == {
        "/accounts/east",
        "/accounts/west",
    }
    assert compare_tokens([use(FIRST, 10, host="")], two).notes == ()
    both = [metrics(EAST, ("InputTokens", FIRST, 10)), metrics(WEST, ("InputTokens", FIRST, 7))]
    assert compare_tokens([use(FIRST, 10, host="")], both).notes == (
        "no account named here answers at an unknown host (chat)",
    )


# Calls.


def test_the_difference_to_the_gateways_requests_is_what_its_logger_lost() -> None:
    gateway = GatewayMetrics("/gateway", {FIRST: 100, SECOND: 50}, missing=False)
    rows = compare_calls({FIRST: 98, SECOND: 51, THIRD: 7}, gateway, [FIRST, SECOND, THIRD])
    assert rows == (CallsRow(FIRST, 98, 100), CallsRow(SECOND, 51, 50), CallsRow(THIRD, 7, None))
    assert [row.lost for row in rows] == [2, -1, None]
    reconciliation = Reconciliation("2026-10", "USD", calls=rows)
    assert reconciliation.calls_share == Decimal(149) / Decimal(150), "the third day cannot be compared"


def test_a_month_without_any_request_has_no_share() -> None:
    assert Reconciliation("2026-10", "USD", calls=(CallsRow(FIRST, 0, 0),)).calls_share is None
    assert Reconciliation("2026-10", "USD").calls_share is None


# The query's answer.

COLUMNS = (
    "day",
    "backendHost",
    "deployment",
    "calls",
    "promptTokens",
    "completionTokens",
    "cachedTokens",
    "cacheWriteTokens",
    "cacheWrite1hTokens",
)  # fmt: skip  (one line of heads)


@pytest.mark.parametrize("day", [datetime(2026, 10, 1, tzinfo=UTC), "2026-10-01T00:00:00Z"])
def test_an_answer_is_read_from_a_store_and_from_a_server_alike(day: object) -> None:
    answer = Answer(COLUMNS, ("",) * 9, ((day, None, "chat", 3, 100, 20, None, 0, 0),))
    assert used(answer) == (Used(FIRST, "", "chat", 3, 100, 20, 0, 0, 0),)
    assert calls_by_day(used(answer)) == {FIRST: 3}


@pytest.mark.parametrize("day", [None, "soon", 7])
def test_a_row_without_a_day_is_refused(day: object) -> None:
    with pytest.raises(QueryError, match="no time"):
        used(Answer(COLUMNS, ("",) * 9, ((day, "", "chat", 3, 100, 20, 0, 0, 0),)))
