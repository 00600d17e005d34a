"""Where the tables of reference data are: a folder of one's own, and kql/lib for what is not in it."""

from __future__ import annotations

from pathlib import Path

from chargeback.errors import ChargebackError
from chargeback.prices.choice import Groups, read_groups
from chargeback.prices.file import FILE, PriceFile, read_prices
from chargeback.prices.uses import Deployments
from chargeback.reports.compose import kql_folder
from chargeback.reports.reference import text_of


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
            ReferenceDataError: it cannot be read.
            PriceError: a row says what no price can be.
        """
        path = self._path(FILE)
        return read_prices(text_of(path), str(path))

    def groups(self) -> Groups:
        """Return the groups of regions."""
        path = self._path("regionGroups.kql")
        return read_groups(text_of(path), str(path))

    def deployments(self) -> Deployments:
        """Return the table of deployments; an empty one where there is none."""
        path = self._path("deployments.kql")
        return Deployments(text_of(path) if path.exists() else "", str(path))

    def target(self) -> Path:
        """Return the file that an update writes."""
        return (self._own or kql_folder() / "lib") / FILE

    def _path(self, name: str) -> Path:
        own = self._own / name if self._own is not None else None
        return own if own is not None and own.exists() else kql_folder() / "lib" / name
