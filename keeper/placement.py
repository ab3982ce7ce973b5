"""What should run on this host, as the map of the fleet says. A broken map changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from keeper.incident import Kind
from keeper.marks import Finding
from keeper.observed import Unit
from lib.errors import ConfigError
from lib.life.fleet import Fleet, load_fleet


class Placement:
    """The map at `path`, read again when the file changed. `kept`: where the last good one is kept over a restart.

    `units` are this host's; `places` is the host of every unit, one object whose content follows the map.
    """

    def __init__(self, path: Path, host: str, kept: Path) -> None:
        self._path = path
        self._host = host
        self._kept = kept
        self._stamp: tuple[int, int, int] | None = None
        self._problems: Sequence[str] = ()
        self._log = structlog.get_logger("placement")
        self.fleet = Fleet({})
        self.units: Sequence[Unit] = ()
        self.places: dict[str, str] = {}
        if not self._read(self._path):
            self._read(self._kept)

    async def look(self) -> Sequence[Finding]:
        """Reads the map again where it changed, and tells where it cannot be used."""
        if self._stamp_of() != self._stamp:
            self._read(self._path)
        why = "; ".join(self._problems[:5]) or ("" if self._host in self.fleet.hosts else f"{self._host} is not on it")
        if not why:
            return []
        return [
            Finding(
                key=f"{Kind.MAP}: {self._host}",
                kind=Kind.MAP,
                title=f"the map of the fleet cannot be used on {self._host}; the last good one holds",
                host=self._host,
                why=why,
                clear_s=0.0,
            )
        ]

    def _read(self, path: Path) -> bool:
        self._stamp = self._stamp_of()
        try:
            fleet = load_fleet(path)
        except ConfigError as error:
            if path == self._path:
                self._problems = error.problems
                self._log.error("the map cannot be used", problems=list(error.problems[:5]))
            return False
        if path == self._path:
            self._problems = ()
            self._keep()
        self.fleet = fleet
        host = fleet.hosts.get(self._host)
        self.units = [Unit(name) for name in host.units] if host is not None else []
        self.places.clear()
        self.places.update(fleet.units)
        self._log.info("map read", path=str(path), units=len(self.units))
        return True

    def _keep(self) -> None:
        try:
            beside = self._kept.with_name(f"{self._kept.name}.new")
            beside.write_bytes(self._path.read_bytes())
            beside.replace(self._kept)
        except OSError as error:
            self._log.warning("the map cannot be kept for later", reason=str(error))

    def _stamp_of(self) -> tuple[int, int, int]:
        try:
            facts = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (facts.st_mtime_ns, facts.st_size, facts.st_ino)
