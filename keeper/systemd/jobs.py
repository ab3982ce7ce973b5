"""Jobs of this host that timers start: backups, their trial, the daily window. Nobody waits for them, so a failure
must be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keeper.incident import Kind
from keeper.marks import Finding
from keeper.systemd.bus import BusAway, BusRefused, Listed, Systemd
from keeper.systemd.states import PATTERN, service_of, unit_of


def failed_jobs(listed: Iterable[Listed], host: str) -> list[Finding]:
    """What to tell of units that are no daemons, and have failed at their last run."""
    keeper = service_of(f"keeper@{host}")
    jobs = [one for one in listed if "@" not in one.name and one.name != keeper and one.active == "failed"]
    return [
        Finding(
            key=f"{Kind.JOB}: {unit_of(one.name)} on {host}",
            kind=Kind.JOB,
            title=f"{one.name} failed",
            host=host,
            why=f"journalctl -u {one.name} says why",
        )
        for one in jobs
    ]


class Jobs:
    """Looks at them; while systemd does not answer, what was found last stands."""

    def __init__(self, systemd: Systemd, host: str) -> None:
        self._systemd = systemd
        self._host = host
        self._found: Sequence[Finding] = ()

    async def ask(self) -> Sequence[Finding]:
        """One finding for each that failed, until it is run again or `systemctl reset-failed` puts it aside."""
        try:
            self._found = failed_jobs(await self._systemd.list_units(PATTERN), self._host)
        except (BusAway, BusRefused):
            return self._found  # that systemd is away is told by who needs it
        return self._found
