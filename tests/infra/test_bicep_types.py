"""The type data: of every resource of infra/, of no other, and published by Microsoft, as NOTICE says."""

from __future__ import annotations

import json

from tests.infra.bicep.type_data import FOLDER, names
from tests.infra.checks.project import Project
from tests.infra.deployed import ROOT

NOT_KEPT = {
    "microsoft.insights/components/pricingplans@2017-10-01": "two values, which tests/infra/checks/promises.py holds",
    "microsoft.web/sites/basicpublishingcredentialspolicies@2024-11-01": "a name and one flag, which "
    "tests/infra/checks/hardening.py holds",
}
"""Type -> why the checker may only warn of it."""


def used() -> set[str]:
    return {one.type.lower() for file in Project(ROOT).bicep for one in file.resources.values()}


def test_there_is_type_data_for_all_that_is_deployed() -> None:
    assert used() - names().keys() == NOT_KEPT.keys()


def test_no_type_data_is_kept_for_what_is_not_deployed() -> None:
    assert names().keys() - used() == set()


def test_a_file_holds_the_type_that_its_name_says() -> None:
    for name, file in names().items():
        resource, *others = json.loads(file.read_text(encoding="utf-8"))
        assert (resource["$type"], resource["name"].lower()) == ("ResourceType", name)
        assert others


def test_the_notice_names_where_they_come_from() -> None:
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert "Azure/bicep-types-az" in notice
    assert "MIT License, Copyright (c) Microsoft Corporation" in notice
