"""The rules of tests/conftest.py, tried on small suites that really run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
NEXT_PYTHON = f"3.{sys.version_info.minor + 1}"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Set up an empty suite under the project's rules, on a machine without any program."""
    monkeypatch.delenv("CHARGEBACK_TEST_ALL", raising=False)
    monkeypatch.delenv("CHARGEBACK_TEST_ONCE", raising=False)
    monkeypatch.setenv("PATH", str(pytester.mkdir("bin")))
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\naddopts = --strict-markers")
    return pytester


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch, suite: pytest.Pytester) -> pytest.Pytester:
    """The same suite where everything must run."""
    monkeypatch.setenv("CHARGEBACK_TEST_ALL", "1")
    return suite


def install(suite: pytest.Pytester, program: str) -> None:
    """Put an executable of that name on the suite's PATH."""
    file = suite.path / "bin" / program
    file.write_text("#!/bin/sh\n", encoding="utf-8")
    file.chmod(0o755)


SKIPPING_TEST = """
    import pytest

    def test_that_skips():
        pytest.skip("the moon is full")

    def test_that_runs():
        pass
"""


def test_a_skip_is_fine_on_an_ordinary_machine(suite: pytest.Pytester) -> None:
    suite.makepyfile(SKIPPING_TEST)
    result = suite.runpytest()
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(("said", "passed"), [(None, 2), ("here", 2), ("elsewhere", 1)])
def test_what_runs_once_is_left_to_the_interpreter_that_runs_it(
    everything: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, said: str | None, passed: int
) -> None:
    """It is listed, and is no skipped test: the session is a success."""
    if said:
        monkeypatch.setenv("CHARGEBACK_TEST_ONCE", said)
    everything.makepyfile(
        test_sky="""
        import pytest

        @pytest.mark.once
        def test_the_moon():
            pass

        def test_the_sun():
            pass
        """
    )
    result = everything.runpytest()
    result.assert_outcomes(passed=passed, deselected=2 - passed)
    assert result.ret == pytest.ExitCode.OK
    if passed == 1:
        result.stdout.fnmatch_lines(["test_sky.py::test_the_moon: runs on one interpreter*"])


def test_a_skip_fails_the_session_that_must_run_everything(everything: pytest.Pytester) -> None:
    everything.makepyfile(test_sky=SKIPPING_TEST)
    result = everything.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*FAILED: skipped under*", "test_sky.py::test_that_skips: the moon is full"])


@pytest.mark.parametrize(
    "body",
    [
        'import pytest\npytest.skip("the moon is full", allow_module_level=True)',
        'import pytest\n@pytest.mark.skip(reason="the moon is full")\ndef test_sky(): pass',
        'import pytest\n@pytest.mark.xfail(reason="the moon is full")\ndef test_sky(): assert False',
        'import pytest\n@pytest.mark.xfail(run=False, reason="the moon is full")\ndef test_sky(): pass',
        'import pytest\n@pytest.fixture\ndef moon(): pytest.skip("the moon is full")\ndef test_sky(moon): pass',
    ],
    ids=["module", "marker", "expected failure", "not run", "fixture"],
)
def test_no_way_to_skip_goes_unseen(everything: pytest.Pytester, body: str) -> None:
    everything.makepyfile(test_sky=body, test_ground="def test_ground(): pass")
    result = everything.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_sky.py*the moon is full"])


def test_a_session_without_skips_passes_where_everything_must_run(everything: pytest.Pytester) -> None:
    everything.makepyfile("def test_that_runs(): pass")
    assert everything.runpytest().ret == pytest.ExitCode.OK


def test_a_test_for_a_newer_python_is_deselected_and_listed(everything: pytest.Pytester) -> None:
    everything.makepyfile(
        test_age=f"""
        import pytest

        @pytest.mark.needs_python(minimum="{NEXT_PYTHON}")
        def test_for_later():
            assert False

        @pytest.mark.needs_python(minimum="3.11")
        def test_for_now():
            pass
    """
    )
    result = everything.runpytest()
    result.assert_outcomes(passed=1, deselected=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"test_age.py::test_for_later: needs Python {NEXT_PYTHON} or newer*"])


NEEDS_BICEP = "import pytest\n@pytest.mark.needs_optional('bicep')\ndef test_build(): pass\ndef test_other(): pass"


def test_a_test_for_a_missing_optional_program_is_deselected_and_listed(everything: pytest.Pytester) -> None:
    everything.makepyfile(test_infra=NEEDS_BICEP)
    result = everything.runpytest()
    result.assert_outcomes(passed=1, deselected=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["test_infra.py::test_build: needs the optional program bicep*"])


def test_a_test_for_an_optional_program_runs_where_it_is(everything: pytest.Pytester) -> None:
    install(everything, "bicep")
    everything.makepyfile(NEEDS_BICEP)
    everything.runpytest().assert_outcomes(passed=2)


def test_a_program_that_ci_installs_cannot_be_called_optional(suite: pytest.Pytester) -> None:
    suite.makepyfile(NEEDS_BICEP.replace("bicep", "node"))
    result = suite.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*node is not in OPTIONAL_PROGRAMS*"])


NEEDS_AZURITE = "import pytest\n@pytest.mark.needs_node('azurite')\ndef test_blob(): pass"


def test_without_node_a_test_that_needs_it_is_skipped_and_says_so(suite: pytest.Pytester) -> None:
    suite.makepyfile(NEEDS_AZURITE)
    result = suite.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs Node.js and `npm ci`: there is no node on PATH"])


def test_without_the_package_a_test_that_needs_it_fails_the_session_that_must_run_everything(
    everything: pytest.Pytester,
) -> None:
    install(everything, "node")
    everything.makepyfile(test_store=NEEDS_AZURITE)
    result = everything.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["test_store.py::test_blob: needs Node.js and `npm ci`: azurite is not in node_modules"]
    )


def test_with_node_and_the_package_the_test_runs(everything: pytest.Pytester) -> None:
    install(everything, "node")
    package = everything.path / "node_modules" / "azurite"
    package.mkdir(parents=True)
    (package / "package.json").write_text("{}", encoding="utf-8")
    everything.makepyfile(NEEDS_AZURITE)
    everything.runpytest().assert_outcomes(passed=1)


NEEDS_CHROMIUM = "import pytest\n@pytest.mark.needs_chromium\ndef test_page(): pass"


def test_without_chromium_a_test_that_needs_it_is_skipped_and_says_what_to_install(suite: pytest.Pytester) -> None:
    suite.makepyfile(NEEDS_CHROMIUM)
    result = suite.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs `apt-get install chromium`: there is no chromium on PATH"])


NEEDS_CHECKOV = "import pytest\n@pytest.mark.needs_checkov\ndef test_infra(): pass"


def test_without_checkov_a_test_that_needs_it_is_skipped_and_says_how_to_get_it(suite: pytest.Pytester) -> None:
    suite.makepyfile(NEEDS_CHECKOV)
    result = suite.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["SKIPPED*needs `make .venv-checkov/bin/checkov`: there is no .venv-checkov/bin/checkov"]
    )


def test_with_checkov_the_test_runs(everything: pytest.Pytester) -> None:
    program = everything.path / ".venv-checkov" / "bin" / "checkov"
    program.parent.mkdir(parents=True)
    program.touch()
    everything.makepyfile(NEEDS_CHECKOV)
    everything.runpytest().assert_outcomes(passed=1)


def test_with_chromium_the_test_runs(everything: pytest.Pytester) -> None:
    install(everything, "chromium")
    everything.makepyfile(NEEDS_CHROMIUM)
    everything.runpytest().assert_outcomes(passed=1)
