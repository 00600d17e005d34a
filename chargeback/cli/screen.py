"""Where people read: rich's console, but for what it does when nobody reads any more."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class Screen(Console):
    """Ends as `print` does where a pipe is closed; rich would end the program with 1, which says something here."""

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to whoever runs the command."""
        raise BrokenPipeError
