"""Which folders become the package; everything else about it is in pyproject.toml.

Two things that pyproject.toml cannot say together: find the rooms and their data, and ship `kql/`, which stands
beside them in the repository, as `chargeback/kql/` in the wheel.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["chargeback", "chargeback.*"]), "chargeback.kql"],
    package_dir={"chargeback.kql": "kql"},
    package_data={
        "chargeback": ["py.typed"],
        "chargeback.kql": ["**/*.kql"],
        "chargeback.local.day": ["reference/*.kql"],
        "chargeback.prices": ["*.toml"],
        "chargeback.reports.focus": ["facts.json"],
        "chargeback.reports.page": ["page.css", "page.html.jinja"],
    },
)
