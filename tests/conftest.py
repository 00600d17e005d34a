"""Which tests run where, and the rule that nothing goes missing quietly.

- `needs_python` and `needs_optional` tests that this machine cannot run are deselected and listed with the reason.
- `once` tests run for a long time and prove what no version of Python changes: where CHARGEBACK_TEST_ONCE says
  `elsewhere`, they are deselected and listed. `.ci/run` says so on all interpreters but the newest.
- `needs_node` tests are skipped without Node.js and `npm ci`, with one sentence that says so.
- `needs_mono` tests are skipped without mono, its C# compiler and Newtonsoft.Json, likewise.
- `needs_chromium` tests are skipped without a browser of that name on PATH, likewise.
- `needs_proton` tests are skipped without Qpid Proton, which takes a C compiler to install, likewise.
- `needs_checkov` tests are skipped without checkov in an environment of its own, likewise.
- Under CHARGEBACK_TEST_ALL=1 whatever was skipped, and why, makes the session fail.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

# Programs the project can do without; what .ci/run installs is never one of them. Add a program here with its tests.
OPTIONAL_PROGRAMS = frozenset({"az", "bicep", "func"})

MARKERS = (
    "once: proves what no version of Python changes, slowly; deselected and listed where another one runs it",
    "needs_python(minimum): runs on this Python version and newer; deselected and listed on older ones",
    "needs_optional(program): needs an optional program; deselected and listed where it is missing",
    "needs_node(package): needs Node.js and this package of package.json; skipped, and says so, where it is missing",
    "needs_mono: needs mono, mcs and Newtonsoft.Json; skipped, and says so, where one is missing",
    "needs_chromium: needs the browser chromium; skipped, and says so, where it is missing",
    "needs_proton: needs Qpid Proton; skipped, and says so, where it is missing",
    "needs_checkov: needs checkov in .venv-checkov; skipped, and says so, where it is missing",
)

# Where Debian's libnewtonsoft-json5.0-cil puts it; tests/policy compiles against this file.
NEWTONSOFT = Path("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll")
INSTALL_MONO = "`apt-get install mono-mcs mono-runtime libnewtonsoft-json5.0-cil`"
CHECKOV = Path(".venv-checkov/bin/checkov")
INSTALL_PROTON = "a C compiler and Python's headers (`apt-get install gcc python3-dev`), and `pip install .[amqp]`"
INSTALL_CHECKOV = "`make .venv-checkov/bin/checkov`"
INSTALL_CHROMIUM = "`apt-get install chromium`"

DESELECTED = pytest.StashKey[dict[str, str]]()
SKIPPED = pytest.StashKey[dict[str, str]]()

# A slow or busy machine makes a test slow, not wrong.
hypothesis.settings.register_profile("chargeback", deadline=None)
hypothesis.settings.load_profile("chargeback")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; start with nothing deselected and nothing skipped."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.stash[DESELECTED] = {}
    config.stash[SKIPPED] = {}
    config.pluginmanager.register(SkipWatch(config.stash[SKIPPED]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs another Python or an optional program; mark what lacks other programs as skipped."""
    reasons = {item: reason for item in items if (reason := _not_for_this_machine(item))}
    config.stash[DESELECTED].update((item.nodeid, reason) for item, reason in reasons.items())
    if reasons:
        config.hook.pytest_deselected(items=list(reasons))
        items[:] = [item for item in items if item not in reasons]
    for item in items:
        if reason := _lacks_node(item, config.rootpath) or _lacks_mono(item) or _lacks_others(item, config.rootpath):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that should have run everything and did not."""
    if _everything_must_run() and session.config.stash[SKIPPED] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List what was deselected and, where everything must run, what was skipped."""
    _list(terminalreporter, "deselected: not for this machine", config.stash[DESELECTED])
    if _everything_must_run():
        _list(terminalreporter, "FAILED: skipped under CHARGEBACK_TEST_ALL=1", config.stash[SKIPPED])


class SkipWatch:
    """Notes every skip with its reason: of a test, of a step in it, or of a whole module."""

    def __init__(self, skipped: dict[str, str]) -> None:
        self._skipped = skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test. An expected failure counts as one: it proves nothing either."""
        if report.skipped:
            self._skipped[report.nodeid] = _reason(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skipped itself."""
        if report.skipped:
            self._skipped[report.nodeid] = _reason(report)


def _everything_must_run() -> bool:
    return os.environ.get("CHARGEBACK_TEST_ALL") == "1"


def _not_for_this_machine(item: pytest.Item) -> str | None:
    """Say why `item` is not for this machine; None when it is."""
    if item.get_closest_marker("once") and os.environ.get("CHARGEBACK_TEST_ONCE") == "elsewhere":
        return "runs on one interpreter, and CHARGEBACK_TEST_ONCE says that it is another one"
    for mark in item.iter_markers("needs_python"):
        minimum = _argument(mark, "minimum")
        if sys.version_info < tuple(int(part) for part in minimum.split(".")):
            return f"needs Python {minimum} or newer, this is {sys.version_info.major}.{sys.version_info.minor}"
    for mark in item.iter_markers("needs_optional"):
        program = _argument(mark, "program")
        if program not in OPTIONAL_PROGRAMS:
            raise pytest.UsageError(f"{item.nodeid}: {program} is not in OPTIONAL_PROGRAMS of tests/conftest.py")
        if shutil.which(program, path=programs()) is None:
            return f"needs the optional program {program}, which is not on PATH"
    return None


def programs() -> str:
    """Return where optional programs are looked for: PATH, and where `az bicep install` puts its compiler."""
    return os.pathsep.join([os.environ.get("PATH", ""), str(Path.home() / ".azure" / "bin")])


def _lacks_node(item: pytest.Item, root: Path) -> str | None:
    """Say what `item` lacks of Node.js; None when it has all it needs."""
    for mark in item.iter_markers("needs_node"):
        package = _argument(mark, "package")
        if shutil.which("node") is None:
            return "needs Node.js and `npm ci`: there is no node on PATH"
        if not (root / "node_modules" / package / "package.json").is_file():
            return f"needs Node.js and `npm ci`: {package} is not in node_modules"
    return None


def _lacks_mono(item: pytest.Item) -> str | None:
    """Say what `item` lacks of mono; None when it has all it needs."""
    if item.get_closest_marker("needs_mono") is None:
        return None
    missing = [program for program in ("mcs", "mono") if shutil.which(program) is None]
    if not NEWTONSOFT.is_file():
        missing.append(NEWTONSOFT.name)
    return f"needs {INSTALL_MONO}: there is no {', no '.join(missing)}" if missing else None


def _lacks_others(item: pytest.Item, root: Path) -> str | None:
    """Say what `item` lacks of what is there or not, and says nothing more."""
    if item.get_closest_marker("needs_proton") and find_spec("proton") is None:
        return f"needs {INSTALL_PROTON}: there is no module proton"
    if item.get_closest_marker("needs_checkov") and not (root / CHECKOV).is_file():
        return f"needs {INSTALL_CHECKOV}: there is no {CHECKOV}"
    return _lacks_chromium(item)


def _lacks_chromium(item: pytest.Item) -> str | None:
    """Say that `item` lacks its browser; None when it has all it needs."""
    if item.get_closest_marker("needs_chromium") is None or shutil.which("chromium"):
        return None
    return f"needs {INSTALL_CHROMIUM}: there is no chromium on PATH"


def _argument(mark: pytest.Mark, name: str) -> str:
    """Take a marker's only argument, given by position or by name."""
    return str(mark.args[0] if mark.args else mark.kwargs[name])


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return f"expected to fail: {getattr(report, 'wasxfail', '')}"


def _list(reporter: pytest.TerminalReporter, title: str, reasons: dict[str, str]) -> None:
    if not reasons:
        return
    reporter.section(title)
    for nodeid, reason in sorted(reasons.items()):
        reporter.line(f"{nodeid}: {reason}")
