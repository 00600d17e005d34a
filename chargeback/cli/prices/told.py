"""What an update and a check say besides: disagreements, meters that nobody can read, a second opinion."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from chargeback.cli.tables import Rows, print_table
from chargeback.prices.gather import Gathered, Listed
from chargeback.prices.plan import Plan
from chargeback.prices.rows import Key, PriceRow


def tell_gathered(gathered: Gathered) -> None:
    """Print what became no row, and why; nothing is left out."""
    _table(
        "Meters that say different things, or not enough",
        ("model", "version", "deployment", "region", "tier", "context", "from", "why"),
        [(*_about(each.key), each.valid_from.date().isoformat(), each.why) for each in gathered.problems],
    )
    _meters(
        "Meters that the vocabulary cannot read: add words to it, or price them by hand",
        gathered.unknown,
    )
    _meters("Meters of tokens that prices.kql has no column for", gathered.no_column)
    _table(
        "Other meters",
        ("meters", "why"),
        sorted(((count, why) for why, count in gathered.others.items()), reverse=True),
    )
    if gathered.without:
        names = ", ".join(map(str, gathered.without))
        print(f"\nNobody lists a price of {names}: append a row by hand if they are paid by token.")


def tell_contradictions(plan: Plan) -> None:
    """Print where a source and a row differ about one day: a row is not edited, so somebody has to decide."""
    rows = [
        (
            *_about(each.ours.key),
            each.ours.valid_from.date().isoformat(),
            part,
            each.ours.prices.get(part),
            each.theirs.prices.get(part),
        )
        for each in plan.contradictions
        for part in sorted({*each.ours.prices, *each.theirs.prices})
        if each.ours.prices.get(part) != each.theirs.prices.get(part)
    ]  # fmt: skip  (what it is about, and the two)
    _table(
        "The file and the source differ about the same day; rows are not edited: append a later one if need be",
        ("model", "version", "deployment", "region", "tier", "context", "from", "tokens", "file", "source"),
        rows,
    )


def tell_opinion(rows: Iterable[PriceRow], models: Collection[str] | None, at: datetime) -> None:
    """Say aside what genai-prices thinks of the list prices of these models, or of all."""
    # Late, because its data takes longer to load than most commands run.
    from chargeback.prices.opinion import second_opinion

    opinion = second_opinion((row for row in rows if models is None or row.key.model in models), at)
    said = [f"genai-prices has the same {opinion.agreed} global standard list prices"]
    for each in opinion.differences:
        key = each.row.key
        said.append(
            f"  but not {key.model} {key.model_version} {key.context_band}".rstrip()
            + f", {each.part}: {each.ours.normalize():f} here, {each.theirs.normalize():f} there"
        )
    if opinion.unknown:
        said.append(f"  and does not know {', '.join(opinion.unknown)}")
    print("\n".join(said), file=sys.stderr)


def _about(key: Key) -> tuple[str, ...]:
    deployment = f"{key.deployment_type} batch" if key.batch else key.deployment_type
    return key.model, key.model_version, deployment, key.region_group, key.service_tier, key.context_band


def _meters(title: str, listed: Sequence[Listed]) -> None:
    rows = [(each.product, each.meter, each.unit, float(each.cheapest), each.why) for each in listed]
    _table(title, ("product", "meter", "unit", "USD from", "why"), rows)


def _table(title: str, columns: Sequence[str], rows: Rows) -> None:
    if rows:
        print(f"\n{title}")
        print_table(columns, rows)
