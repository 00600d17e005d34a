"""Tests that need mono say so where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy import assembly

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TEST = "import pytest\n@pytest.mark.needs_mono\ndef test_policy(): pass"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Set up an empty suite under the project's rules, on a machine with nothing but a Newtonsoft.Json.dll."""
    library = pytester.makefile(".dll", Newtonsoft="")
    rules = CONFTEST.read_text(encoding="utf-8").replace(str(assembly.NEWTONSOFT), str(library))
    assert str(library) in rules
    monkeypatch.delenv("CHARGEBACK_TEST_ALL", raising=False)
    monkeypatch.setenv("PATH", str(pytester.mkdir("bin")))
    pytester.makeconftest(rules)
    pytester.makeini("[pytest]\naddopts = --strict-markers")
    pytester.makepyfile(TEST)
    return pytester


def install(suite: pytest.Pytester, program: str) -> None:
    file = suite.path / "bin" / program
    file.write_text("#!/bin/sh\n", encoding="utf-8")
    file.chmod(0o755)


def test_without_mono_a_test_that_needs_it_is_skipped_and_says_what_to_install(suite: pytest.Pytester) -> None:
    result = suite.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    packages = "mono-mcs mono-runtime libnewtonsoft-json5.0-cil"
    result.stdout.fnmatch_lines([f"SKIPPED*needs `apt-get install {packages}`: there is no mcs, no mono"])


def test_without_the_library_a_test_that_needs_it_is_skipped(suite: pytest.Pytester) -> None:
    install(suite, "mcs")
    install(suite, "mono")
    (suite.path / "Newtonsoft.dll").unlink()
    result = suite.runpytest("-rs")
    result.stdout.fnmatch_lines(["SKIPPED*there is no Newtonsoft.dll"])


def test_with_all_of_it_the_test_runs(suite: pytest.Pytester) -> None:
    install(suite, "mcs")
    install(suite, "mono")
    suite.runpytest().assert_outcomes(passed=1)
