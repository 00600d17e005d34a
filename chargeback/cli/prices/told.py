"""What an update and a check say besides: disagreements, meters that nobody can read, a second opinion."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from chargeback.cli.tables import Rows, print_table
from chargeback.prices.choice import Groups, Use, fits, in_force, winning
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


def tell_opinion(rows: Iterable[PriceRow], uses: Collection[Use] | None, groups: Groups, at: datetime) -> None:
    """Say aside what genai-prices thinks of the list prices of the models in use, or of all."""
    # Late, because its data takes longer to load than most commands run.
    from chargeback.prices.opinion import second_opinion

    current = tuple(in_force(rows, at).values())
    opinion = second_opinion(current if uses is None else _of_uses(current, uses, groups), at)
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


def _of_uses(rows: Sequence[PriceRow], uses: Collection[Use], groups: Groups) -> list[PriceRow]:
    """Return the rows of the models in use, without those that others overrule for every use that they fit."""
    models = {use.name.model for use in uses}
    fitting = {row.key for row in rows for use in uses if fits(row, use, groups)}
    winners = {row.key for use in uses for row in winning(rows, use, groups)}
    return [row for row in rows if row.key.model in models and (row.key in winners or row.key not in fitting)]


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
