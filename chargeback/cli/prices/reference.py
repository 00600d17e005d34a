"""Where the tables of reference data are: a folder of one's own, and kql/lib for what is not in it."""

from __future__ import annotations

from pathlib import Path

from chargeback.errors import ChargebackError, PriceError
from chargeback.prices.choice import Groups, read_groups
from chargeback.prices.file import FILE, PriceFile, read_prices
from chargeback.prices.uses import Deployments
from chargeback.reports.compose import kql_folder


class Reference:
    """The tables that count here."""

    def __init__(self, folder: str) -> None:
        """Use a folder, or kql/lib alone.

        Raises:
            ChargebackError: there is no such folder.
        """
        self._own = Path(folder) if folder else None
        if self._own is not None and not self._own.is_dir():
            raise ChargebackError(f"there is no folder {folder}: make it, or leave out --reference")

    def prices(self) -> PriceFile:
        """Return prices.kql.

        Raises:
            PriceError: it cannot be read.
        """
        path = self._path(FILE)
        return read_prices(_text(path), str(path))

    def groups(self) -> Groups:
        """Return the groups of regions."""
        path = self._path("regionGroups.kql")
        return read_groups(_text(path), str(path))

    def deployments(self) -> Deployments:
        """Return the table of deployments; an empty one where there is none."""
        path = self._path("deployments.kql")
        return Deployments(_text(path) if path.exists() else "", str(path))

    def target(self) -> Path:
        """Return the file that an update writes."""
        return (self._own or kql_folder() / "lib") / FILE

    def _path(self, name: str) -> Path:
        own = self._own / name if self._own is not None else None
        return own if own is not None and own.exists() else kql_folder() / "lib" / name


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise PriceError(f"cannot read {path} ({error.strerror}): name a folder that has it") from error
    except UnicodeDecodeError as error:
        raise PriceError(f"{path} is no text: write it in UTF-8") from error
