"""A browser of one's own: headless Chromium, spoken to over its debugging pipe, without any network.

Its protocol is JSON, one message after another with a zero byte between: the Chrome DevTools Protocol.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

PATIENCE = 60.0
"""Seconds for one answer. A busy machine starts slowly."""
_READ_FD, _WRITE_FD = 3, 4
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--hide-scrollbars", "--remote-debugging-pipe"),
)


class Page:
    """One tab, and what happened in it."""

    def __init__(self, program: str, profile: Path) -> None:
        # High numbers first, so that neither end stands where the child's 3 and 4 will be.
        commands, self._commands = _pipe()
        self._answers, answers = _pipe()
        self._process = os.posix_spawn(
            program,
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            {**os.environ, "HOME": str(profile)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, commands, _READ_FD),
                (os.POSIX_SPAWN_DUP2, answers, _WRITE_FD),
            ],
        )
        os.close(commands)
        os.close(answers)
        self._last, self._held, self._session = 0, b"", ""
        self.requests: list[str] = []
        """Addresses that the page asked for."""
        self.complaints: list[str] = []
        """What the console was told, and every error."""
        self._attach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self.call("Browser.close")
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._answers)

    def open(self, file: Path, width: int, scheme: str, media: str = "screen") -> None:
        """Show a file in a window of that width, `light` or `dark`, on screen or as printed."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.requests.clear()
        self.complaints.clear()
        self.call("Page.navigate", url=file.as_uri())
        self._await("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return what a script says of the page. The page's own policy does not bind the debugger."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self, file: Path) -> None:
        """Save the whole page as a picture."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        file.write_bytes(base64.b64decode(taken["data"]))

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask the browser to do something, and return its answer."""
        self._last += 1
        message: dict[str, object] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError(f"{method}: no answer in {PATIENCE:.0f} seconds")

    def _attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def _await(self, event: str) -> None:
        if not any(message.get("method") == event for message in self._messages()):
            raise AssertionError(f"{event} did not come in {PATIENCE:.0f} seconds")

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Yield what the browser says, for as long as the patience lasts."""
        until = time.monotonic() + PATIENCE
        while (left := until - time.monotonic()) > 0:
            while b"\0" in self._held:
                text, _, self._held = self._held.partition(b"\0")
                message = json.loads(text)
                self._note(message)
                yield message
            if select.select([self._answers], [], [], left)[0]:
                read = os.read(self._answers, 1 << 20)
                if not read:
                    raise AssertionError("the browser ended")
                self._held += read

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told))


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


@contextmanager
def browsing(program: str, folder: Path) -> Iterator[Page]:
    """Start a browser with a new profile in a folder; end it."""
    with Page(program, folder / "profile") as page:
        yield page
