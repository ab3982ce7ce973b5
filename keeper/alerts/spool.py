"""The teller's book in a file: what goes on being told while PostgreSQL is away, and over a restart meanwhile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from keeper.alerts.cases import Book


@dataclass(frozen=True)
class Spooled:
    """The book at `at` (seconds since 1970, on the database's clock), under the lease's `epoch`.

    `unsaved` are the ids and channels of rows that the tables do not have yet. `offset_s` is what the database's clock
    is ahead of this host's.
    """

    epoch: int
    at: float
    offset_s: float
    book: Book
    unsaved: tuple[str, ...] = ()


class Spool:
    """One file in the keeper's state folder. Where none can be written, alerts go on without it, and that is said."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "alerts.json"
        self._log = structlog.get_logger("alerts")
        self._failing = False

    def read(self) -> Spooled | None:
        """What was written last; None where there is nothing, or nothing that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Spooled)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._log.warning("spool cannot be read", file=str(self._path), reason=str(error))
            return None

    def write(self, spooled: Spooled) -> None:
        """Replaces the file whole."""
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(spooled))
            beside.replace(self._path)
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                self._log.warning("spool cannot be written", file=str(self._path), reason=str(error))

    def remove(self) -> None:
        """Another keeper tells the alerts now."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._log.warning("spool cannot be removed", file=str(self._path), reason=str(error))
