"""Mistakes that somebody could make in the queries, each with a case that must notice it."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    mistake: str
    file: str
    right: str
    wrong: str
    noticed_by: str
    """The case that alone is asked."""


MUTANTS = (
    Mutant(
        "a discount that begins within a day is no change",
        "slots.kql",
        "    (discounts | project at = validFrom),\n",
        "",
        "discounts-mid-month",
    ),
    Mutant(
        "weights that change within an hour are no change",
        "slots.kql",
        "    (provisionedWeights | project at = validFrom),\n",
        "",
        "provisioned-weights-within-an-hour",
    ),
    Mutant(
        "a discount for a part says no more than one for all of them",
        "cost.kql",
        '\n    + iff(rowPart == "", 0, 1)',
        "",
        "discounts-part-counts",
    ),
    Mutant(
        "the purchase for a call's host counts whether it runs or not",
        "purchases.kql",
        "$left.servedBy == $right.rowDeployment, $left.hour == $right.paidHour",
        "$left.servedBy == $right.rowDeployment",
        "provisioned-host-not-begun",
    ),
    Mutant(
        "cached tokens are not taken out of the prompt",
        "groups.kql",
        "sum(prompt - cached - written - audioIn - imageIn)",
        "sum(prompt - written - audioIn - imageIn)",
        "parts-cached",
    ),
    Mutant(
        "reasoning is added to the completion that it is inside of",
        "groups.kql",
        "plainCompletionTokens = sum(completion - audioOut)",
        "plainCompletionTokens = sum(completion - audioOut + reasoning)",
        "parts-reasoning",
    ),
    Mutant(
        "parts must fit into the prompt one by one only",
        "groups.kql",
        "cached + written + audioIn + imageIn <= prompt",
        "max_of(cached, written, audioIn, imageIn) <= prompt",
        "unknown-parts-together",
    ),
    Mutant(
        "one-hour cache writes fall back to the prompt's price",
        "cost.kql",
        '"cacheWrite1h", 1, "cacheWrite", "cacheWrite1h", 2, "prompt"',
        '"cacheWrite1h", 1, "prompt"',
        "fallbacks-one-hour-writes",
    ),
    Mutant(
        "a contract's prompt comes before the list's price for the part",
        "cost.kql",
        "rank = 2 * away + iff(",
        "rank = away + 4 * iff(",
        "fallbacks-contract",
    ),
    Mutant(
        "an unknown completion is none, whatever the total",
        "groups.kql",
        "isnotnull(completionTokens) or orZero(totalTokens) <= orZero(promptTokens)",
        "true",
        "unknown-completion-in-the-total",
    ),
    Mutant(
        "long prices begin at the threshold",
        "groups.kql",
        "prompt > promptAbove and prompt <= promptUpTo",
        "prompt >= promptAbove and prompt < promptUpTo",
        "specificity-threshold",
    ),
    Mutant(
        "validTo is an owner's last moment",
        "cost.kql",
        "isnull(ownedTo) or ownedTo > slotFrom",
        "isnull(ownedTo) or ownedTo >= slotFrom",
        "time-gap",
    ),
    Mutant(
        "an owner's end does not cut a day",
        "slots.kql",
        "    (consumers | where isnotnull(validTo) | project at = validTo),\n",
        "",
        "time-gap",
    ),
    Mutant(
        "a discount is added",
        "cost.kql",
        "contractUsd * (100.0 - discountPercent)",
        "contractUsd * (100.0 + discountPercent)",
        "discounts-percent",
    ),
    Mutant(
        "a discount is taken off the list price",
        "cost.kql",
        "contractUsd * (100.0 - discountPercent)",
        "listUsd * (100.0 - discountPercent)",
        "discounts-contract",
    ),
    Mutant(
        "the price that names least wins",
        "cost.kql",
        "summarize named = max(named) by priceKey",
        "summarize named = min(named) by priceKey",
        "specificity-regions",
    ),
    Mutant(
        "of two equally specific prices one is taken",
        "cost.kql",
        "coalesce(rivals, 0) == 1",
        "coalesce(rivals, 0) >= 1",
        "specificity-rivals",
    ),
    Mutant(
        "a price is taken before its first day",
        "cost.kql",
        "where rowFrom <= slotFrom and rowBatch == batch",
        "where rowBatch == batch",
        "time-before-the-first-day",
    ),
    Mutant(
        "a call that was passed on stays with the purchase",
        "cost.kql",
        'asked = iff(spilledOver, "", tolower(deploymentId))',
        "asked = tolower(deploymentId)",
        "spillover-to-whom",
    ),
    Mutant(
        "idle hours are dropped",
        "purchases.kql",
        "| where not(used) and (idleCapacity",
        "| where used and (idleCapacity",
        "provisioned-idle",
    ),
    Mutant(
        "completions weigh no more than prompts",
        "purchases.kql",
        "coalesce(outputRatio, 1.0) * todouble(plainCompletionTokens",
        "1.0 * todouble(plainCompletionTokens",
        "provisioned-two-consumers",
    ),
    Mutant(
        "an hour begun is an hour paid",
        "purchases.kql",
        "sum(part * coalesce(",
        "sum(coalesce(",
        "provisioned-part-of-an-hour",
    ),
    Mutant(
        "what arrives after the month's end is not its own",
        "usage.kql",
        "timestamp < periodEnd + 8d",
        "timestamp < periodEnd",
        "time-late",
    ),
    Mutant(
        "a record that is delivered again is paid again",
        "usage.kql",
        'recordId = iff(recordId == "", strcat("item/", itemId), recordId)',
        'recordId = strcat("item/", itemId)',
        "records-delivered-again",
    ),
    Mutant(
        "the log's cached tokens are mixed into the policy's counts",
        "usage.kql",
        "cachedTokens = iff(fromLog, logCachedTokens, cachedTokens)",
        "cachedTokens = coalesce(cachedTokens, logCachedTokens)",
        "records-both-know",
    ),
)
