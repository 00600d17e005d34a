"""`chargeback prices check`: which models in use have no price, and which prices are old."""

from __future__ import annotations

from chargeback.cli.prices.days import end_of
from chargeback.cli.prices.reference import Reference
from chargeback.cli.prices.told import tell_opinion
from chargeback.cli.prices.wanted import uses_of
from chargeback.cli.program import say
from chargeback.cli.tables import Format, write
from chargeback.prices.choice import Clash
from chargeback.prices.file import line_of
from chargeback.prices.review import review, unclear


def check_prices(store: str, models: str, at: str, form: Format, tables: Reference) -> bool:
    """Print what is wrong with the prices of the models in use; return whether nothing is."""
    file, groups, moment = tables.prices(), tables.groups(), end_of(at)
    wanted = uses_of(store, models, tables)
    found = [
        (
            *(each.use.name.model, each.use.name.version, each.use.deployment_type, each.use.region, each.use.tier),
            wanted[each.use],
            each.what,
        )
        for each in review(file, wanted, groups, moment)
    ]  # fmt: skip  (what it is about, how often, what is wrong)
    if found or form is not Format.TABLE:
        write(("model", "version", "deployment", "region", "tier", "calls", "finding"), found, form)
    doubtful = unclear(file, groups)
    for clash in doubtful:
        _tell_clash(clash)
    tell_opinion(file.rows, wanted, groups, moment)
    if not found and not doubtful:
        say(f"nothing found; models and deployments in use: {len(wanted)}")
    return not found and not doubtful


def _tell_clash(clash: Clash) -> None:
    say(f"two rows are equally specific ({clash.why}):\n  {line_of(clash.first)}\n  {line_of(clash.second)}")
