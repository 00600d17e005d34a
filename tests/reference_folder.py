"""A small folder of reference rows, as an organisation keeps one, for tests of reports."""

from __future__ import annotations

from pathlib import Path

from chargeback.reports.compose import kql_folder

FOREVER = "datetime(null)"
PRICES = """
"OpenAI","gpt-4o","2024-11-20","global","","",long(null),"standard",false,datetime(2026-01-01),2.5,1.25,real(null),real(null),10.0,real(null),real(null),real(null),"list","m-1","list of 2026",
"OpenAI","gpt-4o","2024-11-20","global","","",long(null),"standard",false,datetime(2026-01-01),2.0,1.0,real(null),real(null),8.0,real(null),real(null),real(null),"contract","","contract 7",
"OpenAI","text-embedding-3-large","","","","",long(null),"",false,datetime(2026-01-01),0.13,real(null),real(null),real(null),real(null),real(null),real(null),real(null),"list","m-2","list of 2026",
"""  # noqa: E501  (rows as a table has them)
DEPLOYMENTS = """
"","chat","gpt-4o","2024-11-20","GlobalStandard","swedencentral",datetime(2026-01-01),
"","search","text-embedding-3-large","","Standard","swedencentral",datetime(2026-01-01),
"","chat-ptu","gpt-4o","2024-11-20","GlobalProvisionedManaged","swedencentral",datetime(2026-01-01),
"""
CONSUMERS = f"""
"retail","Retail","CC-1","","Retail shop",datetime(2026-01-01),{FOREVER},
"hr","People","CC-2","","HR desk",datetime(2026-01-01),{FOREVER},
"""
DISCOUNTS = """
"People","","","","",10.0,real(null),datetime(2026-01-01),"board",
"""
PROVISIONED = """
"","chat-ptu",10,1.0,real(null),"",datetime(2026-10-05),datetime(2026-10-06),
"""
TABLES = {
    "prices": PRICES,
    "deployments": DEPLOYMENTS,
    "consumers": CONSUMERS,
    "discounts": DISCOUNTS,
    "provisioned": PROVISIONED,
}


def reference_folder(path: Path, settings: dict[str, str] | None = None, /, **tables: str) -> Path:
    """Write the library's reference tables with these rows into a new folder; `settings` replace lets by name."""
    path.mkdir()
    for name, rows in (TABLES | tables).items():
        text = (kql_folder() / "lib" / f"{name}.kql").read_text(encoding="utf-8")
        head, _, tail = text.partition("\n[\n")
        rest = tail[tail.index("];") :]
        (path / f"{name}.kql").write_text(f"{head}\n[{rows}{rest}", encoding="utf-8")
    for setting, value in (settings or {}).items():
        for file in (kql_folder() / "lib").glob("*.kql"):
            own = path / file.name
            text = (own if own.exists() else file).read_text(encoding="utf-8")
            if f"let {setting} = " in text:
                before, _, after = text.partition(f"let {setting} = ")
                own.write_text(f"{before}let {setting} = {value};{after.partition(';')[2]}", encoding="utf-8")
    return path
