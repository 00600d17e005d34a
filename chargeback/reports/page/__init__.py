"""A statement as one page for people: a file that needs nothing but a browser, on screen or on paper.

It holds its own style and its charts, and runs no script. Texts that others chose are escaped; the page's policy lets
the browser load nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chargeback.reports.page.chart import daily_chart
from chargeback.reports.page.figures import grouped, percent, pixels, whole
from chargeback.reports.page.view import view_of
from chargeback.reports.statement import Statement
from chargeback.reports.texts import encodable, visible
from chargeback.reports.units import of_unit

_HERE = Path(__file__).parent


def render_page(statement: Statement, *, business_unit: str = "") -> str:
    """Return a statement as an HTML page; of one business unit, if one is named: then nothing in it tells of another.

    Raises:
        ReportError: an amount is no number, the currency none, or the statement has no such business unit.
    """
    if business_unit:
        statement = of_unit(statement, business_unit)
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _templates().get_template("page.html.jinja")
    text = page.render(
        view=view_of(statement, business_unit),
        chart=daily_chart(statement),
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
    return encodable(text)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(grouped=grouped, percent=percent, pixels=pixels, whole=whole)
    return environment
