"""`vakanz keeper run`: the keeper of one server, from its start to its end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import structlog

from keeper.alerts.masking import Mask
from keeper.alerts.requests import Request, Requests
from keeper.alerts.teller import Teller
from keeper.credits import Credits
from keeper.health import Followers, HostClock, Paced
from keeper.history import FLEET, History
from keeper.keeper import Keeper
from keeper.neighbours import Neighbours
from keeper.placement import Placement
from keeper.probes import Probe, Seldom, names_of, of_database, of_disk, of_names, of_network, of_redis
from keeper.state import State, boot_id
from keeper.systemd.bus import Systemd
from keeper.systemd.jobs import Jobs
from keeper.systemd.journal import Journal
from keeper.systemd.units import Units
from lib.life.actor import Life
from lib.life.config import Config
from lib.store.connections import Database

EVERY_S = 5.0
_SAVE_S = 10.0
_TAIL = 20
_NEIGHBOURS_PORT = 9100  # of the node exporter, which servers of a fleet let each other reach
_DAEMONS = Path("/var/lib/vakanz")  # where the daemons' state is, see systemd/


async def serve(life: Life) -> None:
    """Keeps this host's units until asked to stop; they go on without the keeper."""
    config, clock = life.config, time.monotonic
    config.home.mkdir(parents=True, exist_ok=True)
    systemd = Systemd(clock=clock, rng=random.Random())
    placement = Placement(config.fleet, config.host, config.home / "fleet.yml")
    teller = Teller(
        config, life.database, config.home, places=placement.places, stands_back=_has_database(placement, config)
    )
    async with Database(config.direct_dsn or config.dsn, size=2) as direct:
        units = Units(systemd, Journal(), clock=clock, host=config.host)
        host_clock = HostClock(life.database, config.host, time.time)
        keeper = Keeper(
            units=placement.units,
            backend=units,
            database=life.database,
            alerts=teller,
            limits=FLEET,
            probes=probes(config, direct, lambda: [name for name in placement.fleet.hosts if name != config.host]),
            watchers=[
                placement,
                Paced(Jobs(systemd, config.host).ask, 30.0, clock),
                Paced(host_clock.ask, 15.0, clock),
                Paced(Followers(life.database, config.host, clock).ask, 60.0, clock),
                Paced(Credits(life.database).ask, 30.0, clock),
                Neighbours(
                    life.database, config.host, lambda: placement.fleet, lambda: keeper.held_targets, clock=clock
                ),
            ],
            host=config.host,
            pooler="pgbouncer" if config.direct_dsn else "postgresql",
            wall=host_clock.now,
        )
        try:
            await Service(life, keeper, units, placement, teller).run()
        finally:
            await systemd.aclose()


def probes(config: Config, direct: Database, neighbours: Callable[[], list[str]]) -> Mapping[str, Probe]:
    """The shared causes besides the database that heartbeats are read from."""
    patience_s, clock = FLEET.patience_s, time.monotonic
    found: dict[str, Probe] = {
        "redis": of_redis(config.redis_url),
        "network": of_network(neighbours, _NEIGHBOURS_PORT),
        "disk": Seldom(of_disk([config.home, _DAEMONS], config.home), 15.0, clock),
    }
    names = names_of([config.dsn, config.direct_dsn, config.redis_url])
    if names:
        found["dns"] = Seldom(of_names(names), 15.0, clock)
    if config.direct_dsn:
        found["postgresql"] = of_database(direct, patience_s)
    return found


def _has_database(placement: Placement, config: Config) -> bool:
    host = placement.fleet.hosts.get(config.host)
    return host is not None and "postgres" in host.services


class Service:
    """Looks every few seconds, remembers over restarts, and follows requests."""

    def __init__(self, life: Life, keeper: Keeper, units: Units, placement: Placement, teller: Teller) -> None:
        self._life = life
        self._keeper = keeper
        self._units = units
        self._placement = placement
        self._teller = teller
        self._requests = Requests(life.database)
        self._mask = Mask(life.config)
        self._state = State(life.config.home / "memory.json", boot_id())
        self._saved = (float("-inf"), History())
        self._log = structlog.get_logger("keeper")

    async def run(self) -> None:
        """Until asked to stop."""
        self._keeper.history = self._state.load(time.monotonic())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._teller.serve, self._life.stop)
            tasks.start_soon(self._follow_requests)
            while not self._life.stop.is_set():
                await self._look()
                await self._life.pause(EVERY_S)
            tasks.cancel_scope.cancel()
        self._state.save(self._keeper.history, time.monotonic())

    async def _look(self) -> None:
        await self._keeper.look()
        self._keeper.units = self._placement.units
        history, now = self._keeper.history, time.monotonic()
        at, saved = self._saved
        if history.units != saved.units or now - at > _SAVE_S:
            self._state.save(history, now)
            self._saved = (now, history)
        told = sum(mark.told for mark in history.marks.values())
        self._life.progress()
        self._life.say("working", f"{len(self._keeper.units)} units, {told} incidents")

    async def _follow_requests(self) -> None:
        """What people ask of this host in chats."""
        while not self._life.stop.is_set():
            for request in await self._requests.pending(self._life.config.host):
                answer = await self._answer(request)
                await self._requests.answer(request.id, "\n".join(map(self._mask.text, answer.splitlines())))
            await anyio.sleep(EVERY_S)

    async def _answer(self, request: Request) -> str:
        match request.what:
            case "restart":
                self._log.info("restart asked for", unit=request.unit, by=request.asked_by)
                return await self._units.restart(request.unit) or "restarting; what it had in hand is finished first"
            case "tail":
                lines = await self._units.lines(request.unit, _TAIL)
                return "\n".join(["the last lines:", *lines]) if lines else "the journal has nothing of it"
        return f"{request.what[:40]}: nobody here knows how to do that"
