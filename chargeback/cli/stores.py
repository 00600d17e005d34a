"""The file of a local store, looked at before it is opened: a slip of the hand must not lose or spoil anything."""

from __future__ import annotations

from pathlib import Path

from chargeback.cli.program import command, shown
from chargeback.errors import ChargebackError

_MARK, _MARK_AT = b"DUCK", 8


def new_or_known(path: Path) -> Path:
    """Return where the store is, or will be.

    DuckDB takes a JSON or CSV file for a database too, in memory, and would forget all that was stored into it; and
    it reads more out of a relative name than a name.

    Raises:
        ChargebackError: there is something else already, or no folder to make it in.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(_MARK_AT + len(_MARK))
    except FileNotFoundError:
        if not path.absolute().parent.is_dir():
            raise ChargebackError(f"there is no folder {path.parent}: make it, or name another file") from None
        return path.absolute()
    except OSError as error:
        raise ChargebackError(f"cannot read the store {path} ({error.strerror}): name another file") from error
    if beginning and not beginning.endswith(_MARK):
        raise ChargebackError(f"{path} is no store but some other file: name another one")
    return path.absolute()


def known(path: Path) -> Path:
    """Return where the store is.

    Raises:
        ChargebackError: there is none, or something else.
    """
    if not path.exists():
        raise ChargebackError(f"there is no store {path}: make one with {command()} replay FILE --store {shown(path)}")
    return new_or_known(path)


def rejected(path: Path) -> Path:
    """Return the folder of a store's rejected records."""
    return path.with_name(f"{path.name}.rejected")
