"""What a person should know: one incident per cause, with the children that it explains folded in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog


class Kind(StrEnum):
    """What is wrong, one value for each paragraph of the runbook."""

    AWAY = "away"  # a shared server does not answer: PostgreSQL, Redis, DNS
    DISK = "disk"  # no room left for state
    MISS = "miss"  # should run, and does not
    SILENT = "silent"  # no heartbeat
    STUCK = "stuck"  # beats, but makes no progress
    FLAPPING = "flapping"  # fails over and over
    BUDGET = "budget"  # this host restarts too much
    OOM = "oom"  # killed for memory
    HOST = "host"  # a whole server is silent
    CLOCK = "clock"  # a server's clock is wrong
    MAP = "map"  # fleet.yml on a server cannot be read
    HORIZON = "horizon"  # one long transaction holds up all followers
    LAG = "lag"  # followers fall behind
    JOB = "job"  # what a timer starts has failed
    CREDITS = "credits"  # a good share of the month's credits is used
    SPENT = "spent"  # paid calls stand still: the credits are used, or an operation costs more than declared
    DIGEST = "digest"  # many incidents at once, told as one

    @classmethod
    def _missing_(cls, value: object) -> Kind:
        """What only another version's keepers know is told all the same: they share tables during a rollout."""
        return cls.MISS


# News rather than trouble: nobody is reminded of it, nor told that it is over.
TOLD_ONCE = frozenset({Kind.CREDITS})


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something wrong that began at `since` (seconds since 1970) and is not over.

    `key` names the cause: the same key is the same incident, whichever keeper sees it. `host` is where, empty for the
    whole fleet. `units` are the children folded in. `why` is the evidence: oom-kill, watchdog, exit code 1 ...;
    `lines` the last log lines, `did` what the keeper did about it. All are for a person, and may hold secrets: who
    sends them masks them.
    """

    key: str
    kind: Kind
    title: str
    since: float
    host: str = ""
    units: tuple[str, ...] = ()
    why: str = ""
    lines: tuple[str, ...] = ()
    did: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


class Alerts(Protocol):
    """Where incidents go."""

    def report(self, incidents: Sequence[Incident]) -> None:
        """Takes note of all incidents that are open at this look; one that is missing is over. Never waits."""


class LoggedAlerts:
    """Incidents as log lines: one when an incident begins, one when it is over."""

    def __init__(self) -> None:
        self._open: dict[str, Incident] = {}
        self._log = structlog.get_logger("alerts")

    def report(self, incidents: Sequence[Incident]) -> None:
        """Says what changed since the last report."""
        now = {incident.key: incident for incident in incidents}
        for key in now.keys() - self._open.keys():
            self._log.warning("incident", key=key, title=now[key].title, why=now[key].why)
        for key in self._open.keys() - now.keys():
            self._log.info("incident over", key=key)
        self._open = now
