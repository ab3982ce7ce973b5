"""What the keeper remembers over its own restart, in one small file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog

from keeper.history import History

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STALE_S = 120.0


@dataclass(frozen=True)
class _Saved:
    """`at` is on the monotonic clock of the boot, as all times in `history` are."""

    boot: str
    at: float
    history: History


def boot_id() -> str:
    """This boot of this host."""
    return _BOOT.read_text(encoding="ascii").strip()


class State:
    """The file. Its loss costs memory, never the keeper: one that cannot be read is set aside."""

    def __init__(self, path: Path, boot: str) -> None:
        self._path = path
        self._boot = boot
        self._failed = False
        self._log = structlog.get_logger("state")

    def load(self, now: float) -> History:
        """What was remembered in this boot; nothing of an earlier one, whose clock and units are gone.

        Restarts that nobody watched cannot be told from old ones, so after a longer absence their count begins anew.
        """
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
        except FileNotFoundError:
            return History()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:  # validation errors are decode errors, too
            self._log.error("what was remembered cannot be read; it is set aside", reason=str(error)[:300])
            self._set_aside()
            return History()
        if saved.boot != self._boot or saved.at > now:
            return History()
        if now - saved.at < _STALE_S:
            return saved.history
        units = {name: replace(past, counted=None) for name, past in saved.history.units.items()}
        return replace(saved.history, units=units, unreachable={})

    def save(self, history: History, now: float) -> None:
        """Writes the file anew, as a whole or not at all."""
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            with beside.open("wb") as file:
                file.write(msgspec.json.encode(_Saved(self._boot, now, history)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            if not self._failed:
                self._log.error("what is remembered cannot be saved", reason=str(error))
            self._failed = True
            return
        self._failed = False

    def _set_aside(self) -> None:
        try:
            self._path.replace(self._path.with_name(f"{self._path.name}.broken"))
        except OSError as error:
            self._log.error("it cannot be set aside", reason=str(error))
