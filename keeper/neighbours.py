"""Keepers watch each other over the heartbeat table: a server of which nothing is heard is told by all others.

They find the same key, so it is one incident. Silence is counted on the monotonic clock of the one that looks: a
server whose clock is wrong, the database's too, looks neither silent nor alive because of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import anyio

from keeper.heartbeats import Ages, load_heartbeats
from keeper.holds import covers
from keeper.incident import Kind
from keeper.marks import Finding
from keeper.observed import Heartbeat
from lib.life.fleet import Fleet, Host
from lib.store import spans
from lib.store.connections import Database


@dataclass(frozen=True)
class Patience:
    """In seconds.

    `alone_s`: until a keeper that is silent alone is told, for after a cut it may be the last to beat again.
    `back_grace_s`: after the database is back, until everybody has noticed. `healed_s` is longer, so that what was told
    outlasts a restart of the keeper. `new_s`: until a server that never beat counts, for its installation takes a
    while.
    """

    silent_s: float = 90.0
    alone_s: float = 60.0
    back_grace_s: float = 60.0
    healed_s: float = 75.0
    new_s: float = 900.0


@dataclass(frozen=True)
class Watch:
    """What a keeper remembers of its neighbours, on its own monotonic clock.

    `since`: when it first found each server on the map; `answered_since`: since when the database answers without a
    break, None while it does not; `found`: what was last known to be wrong.
    """

    since: Mapping[str, float] = field(default_factory=dict)
    answered_since: float | None = None
    found: tuple[Finding, ...] = ()

    def seen(
        self,
        beats: Sequence[Heartbeat] | None,
        hosts: Mapping[str, Host],
        own: str,
        held: Collection[str],
        now: float,
        patience: Patience,
    ) -> Watch:
        """After a look. `beats` is None when the database did not answer, and then nothing changes."""
        if beats is None:
            return replace(self, answered_since=None)
        since = {name: self.since.get(name, now) for name in hosts}
        answered_since = now if self.answered_since is None else self.answered_since
        watch = replace(self, since=since, answered_since=answered_since)
        watched = {name: host for name, host in hosts.items() if name != own and name not in held}
        known = {finding.key for finding in self.found}
        found = silent_hosts(beats, watched, own, {name: now - at for name, at in since.items()}, patience)
        found = [one for one in found if one.kind is Kind.HOST or not _is_held(one.units[0], held)]
        if now - answered_since < patience.back_grace_s:  # everybody was silent until a moment ago
            found = [finding for finding in found if finding.key in known]
        return replace(watch, found=tuple(found))


def silent_hosts(
    beats: Sequence[Heartbeat], hosts: Mapping[str, Host], own: str, known_s: Mapping[str, float], patience: Patience
) -> list[Finding]:
    """Which of `hosts` are silent, and which have no keeper although something else of them is heard.

    `own` is the server that looks, and `known_s` for how many seconds it has known each of them. While its own
    heartbeat is as old as theirs, heartbeats are not being written: nobody can tell, and nothing is found.
    """
    ages = {beat.unit: beat.heartbeat_age_s for beat in beats}
    if ages.get(_keeper(own), patience.silent_s + 1) > patience.silent_s:
        return []
    youngest: dict[str, float] = {}
    for beat in beats:
        youngest[beat.host] = min(beat.heartbeat_age_s, youngest.get(beat.host, beat.heartbeat_age_s))
    found = []
    for host in hosts.values():
        keeper_s, any_s = ages.get(_keeper(host.name)), youngest.get(host.name)
        keeper_is_silent = _is_silent(keeper_s, known_s[host.name], patience)
        # PostgreSQL answered: its server is alive, whoever else is silent there.
        if keeper_is_silent and _is_silent(any_s, known_s[host.name], patience) and "postgres" not in host.services:
            found.append(_whole(host, any_s, patience))
        elif keeper_is_silent:
            found.append(_alone(host, keeper_s, patience))
    return found


def _keeper(host: str) -> str:
    return f"keeper@{host}"


def _is_held(keeper: str, held: Collection[str]) -> bool:
    return any(covers(target, keeper, "") for target in held)


def _is_silent(age_s: float | None, known_s: float, patience: Patience) -> bool:
    return known_s > patience.new_s if age_s is None else age_s > patience.silent_s


def _whole(host: Host, age_s: float | None, patience: Patience) -> Finding:
    return Finding(
        key=f"{Kind.HOST}: {host.name}",
        kind=Kind.HOST,
        title=f"nothing is heard from the server {host.name}",
        host=host.name,
        units=(_keeper(host.name), *host.units),
        why=_silence(age_s),
        clear_s=patience.healed_s,
    )


def _alone(host: Host, age_s: float | None, patience: Patience) -> Finding:
    keeper = _keeper(host.name)
    return Finding(
        key=f"{Kind.MISS}: {keeper}",
        kind=Kind.MISS,
        title=f"{keeper} should run, and does not; nobody restarts what fails on {host.name}",
        host=host.name,
        units=(keeper,),
        why=_silence(age_s),
        after_s=patience.alone_s,
        clear_s=patience.healed_s,
    )


def _silence(age_s: float | None) -> str:
    return "it never beat" if age_s is None else f"no heartbeat for {age_s:.0f} s"


class Neighbours:
    """Looks at the heartbeat table now and then, and gives what it last found at every look in between.

    Each map that it gets is noted in the database: from that, uptime knows who was expected when.
    """

    def __init__(
        self,
        database: Database,
        own: str,
        fleet: Callable[[], Fleet],
        held: Callable[[], Collection[str]],
        *,
        patience: Patience | None = None,
        every_s: float = 5.0,
        answer_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own`: this server's name; `fleet`: the map as it is now; `held`: what is left alone anywhere."""
        self._database = database
        self._own = own
        self._fleet = fleet
        self._held = held
        self._patience = patience or Patience()
        self._every_s = every_s
        self._answer_s = answer_s
        self._clock = clock
        self._watch = Watch()
        self._ages = Ages()
        self._noted: Fleet | None = None
        self._next = float("-inf")

    async def look(self) -> Sequence[Finding]:
        """What is wrong with other servers, as far as this one can tell."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._every_s
            fleet = self._fleet()
            beats = await self._ask(fleet)
            self._watch = self._watch.seen(beats, fleet.hosts, self._own, self._held(), self._clock(), self._patience)
        return self._watch.found

    async def _ask(self, fleet: Fleet) -> list[Heartbeat] | None:
        with anyio.move_on_after(self._answer_s):
            rows = await load_heartbeats(self._database)
            if fleet is not self._noted and fleet.hosts:
                await spans.place(
                    self._database, {one.name: (_keeper(one.name), *one.units) for one in fleet.hosts.values()}
                )
                self._noted = fleet
            return list(self._ages.of(rows, self._clock()).values())
        return None
