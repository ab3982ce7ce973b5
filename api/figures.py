"""The fleet's figures for Prometheus: what the control plane knows of it, beside the API's own.

Every API shows the same fleet, so whoever adds figures up takes them from one: `max without (instance)`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from api.room import DATABASE, FLEET_PAST
from lib.life import metrics
from lib.life.uptime import DAY_S, FleetUptime, fleet_uptime
from lib.store import followers
from lib.store.connections import Database
from lib.store.spans import Held, Past, load_past
from sql import statements

_SQL = statements("api")
_KEEPER_SQL = statements("keeper")
_CREDITS_SQL = statements("credits")
_PATIENCE_S = 2.0
_KEPT_S = 60.0
_DAYS = 30

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is known of the fleet at one moment; rows are those of the statements."""

    daemons: Sequence[Row]
    holds: Sequence[Held]
    uptime: FleetUptime
    restarts: Mapping[str, int]
    lags: Mapping[str, int]
    letters: Sequence[Row]
    alerts: Sequence[Row]
    market: Row
    horizon_s: float
    credits: Row


class FleetPast:
    """The last 30 days: uptime, restarts of the last day by unit, and holds. Loaded once a minute at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[FleetUptime, dict[str, int], Sequence[Held]] | None = None
        self._until = float("-inf")

    async def get(self) -> tuple[FleetUptime, dict[str, int], Sequence[Held]]:
        """As they were a minute ago at the longest."""
        if self._kept is None or time.monotonic() >= self._until:
            past = await load_past(self._database, _DAYS * DAY_S)
            # Daemons that crash over and over make many spans: requests must not wait until they are added up.
            self._kept = await anyio.to_thread.run_sync(_summed, past)
            self._until = time.monotonic() + _KEPT_S
        return self._kept


def _summed(past: Past) -> tuple[FleetUptime, dict[str, int], Sequence[Held]]:
    restarts = {daemon.name: daemon.restarts for daemon in fleet_uptime(past, 1).daemons}
    return fleet_uptime(past, _DAYS), restarts, [hold for hold in past.holds if hold.until >= past.now]


async def figures(request: web.Request) -> web.Response:
    """Prometheus' text format. While the database is away, the API's own figures alone."""
    body = metrics.exposition()
    with anyio.move_on_after(_PATIENCE_S):
        body += exposition(await _load(request.app[DATABASE], request.app[FLEET_PAST]))
    return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})


async def _load(database: Database, past: FleetPast) -> Fleet:
    uptime, restarts, holds = await past.get()
    horizon = await database.fetchrow(_KEEPER_SQL.horizon)
    market = await database.fetchrow(_SQL.market_figures)
    assert market is not None
    return Fleet(
        daemons=await database.fetch(_SQL.daemon_figures),
        holds=holds,
        uptime=uptime,
        restarts=restarts,
        lags=await followers.lags(database),
        letters=await database.fetch(_SQL.letter_figures),
        alerts=await database.fetch(_SQL.alert_figures),
        market=market,
        horizon_s=horizon["age_s"] if horizon is not None else 0.0,
        credits=await database.fetchrow(_CREDITS_SQL.mirrored, None) or {},
    )


def exposition(fleet: Fleet) -> bytes:
    """The figures of the fleet in Prometheus' text format."""
    registry = CollectorRegistry()
    _add_daemons(registry, fleet)
    _add_uptime(registry, fleet)
    _add_work(registry, fleet)
    return metrics.exposition(registry)


def _add_daemons(registry: CollectorRegistry, fleet: Fleet) -> None:
    labels = ("unit", "host")
    silent = Gauge("vakanz_daemon_silent_seconds", "Since its last heartbeat", labels, registry=registry)
    quiet = Gauge("vakanz_daemon_quiet_seconds", "Since its loop last turned", labels, registry=registry)
    memory = Gauge("vakanz_daemon_memory_bytes", "Resident memory", labels, registry=registry)
    running = Gauge("vakanz_daemon_running", "1 unless it said that it stopped", labels, registry=registry)
    wanted = Gauge("vakanz_daemon_wanted", "0 while an operator stops or holds it", labels, registry=registry)
    version = Gauge("vakanz_daemon_info", "Its version", (*labels, "version"), registry=registry)
    counts = Gauge("vakanz_daemon_counts", "What it did since its start", ("unit", "what"), registry=registry)
    for row in fleet.daemons:
        unit, host = str(row["unit"]), str(row["host"])
        silent.labels(unit, host).set(row["silent_s"])
        quiet.labels(unit, host).set(row["quiet_s"])
        memory.labels(unit, host).set(row["memory_bytes"])
        running.labels(unit, host).set(row["state"] not in ("", "stopped"))
        held = any(hold.covers(unit, host) for hold in fleet.holds)
        wanted.labels(unit, host).set(not (row["stop_requested"] or held))
        version.labels(unit, host, row["version"]).set(1)
        for what, number in row["counters"].items():
            counts.labels(unit, what).set(number)


def _add_uptime(registry: CollectorRegistry, fleet: Fleet) -> None:
    labels = ("unit", "host")
    share = Gauge("vakanz_daemon_uptime_ratio", "Up in 30 days, without planned stops", labels, registry=registry)
    restarts = Gauge("vakanz_daemon_restarts", "Processes after another one in 24 hours", labels, registry=registry)
    whole = Gauge("vakanz_fleet_uptime_ratio", "All daemons' uptime in 30 days together", registry=registry)
    serving = Gauge("vakanz_serving_uptime_ratio", "Time with an API that beats, of 30 days", registry=registry)
    for daemon in fleet.uptime.daemons:
        if daemon.total.share is not None:
            share.labels(daemon.name, daemon.host).set(daemon.total.share)
        restarts.labels(daemon.name, daemon.host).set(fleet.restarts.get(daemon.name, 0))
    for gauge, one in ((whole, fleet.uptime.fleet), (serving, fleet.uptime.serving)):
        gauge.set(float("nan") if one.total.share is None else one.total.share)


def _add_work(registry: CollectorRegistry, fleet: Fleet) -> None:
    behind = Gauge("vakanz_follower_lag_changes", "Changes not yet worked through", ["follower"], registry=registry)
    for name, rows in fleet.lags.items():
        behind.labels(name).set(rows)
    buried = Gauge("vakanz_dead_letters", "Rows and jobs that were set aside", ["queue"], registry=registry)
    for row in fleet.letters:
        buried.labels(row["queue"]).set(row["letters"])
    open_ = Gauge("vakanz_incidents_open", "What is wrong now, as the keepers tell it", ["kind"], registry=registry)
    waiting = Gauge("vakanz_alert_messages_waiting", "Messages that could not be sent yet", registry=registry)
    for row in fleet.alerts:
        (open_.labels(row["kind"]) if row["kind"] else waiting).set(row["number"])
    horizon = Gauge("vakanz_horizon_age_seconds", "Age of the transaction that holds up followers", registry=registry)
    horizon.set(fleet.horizon_s)
    spent = Gauge("vakanz_credits", "Credits of this month, once one was asked for", ["what"], registry=registry)
    for what, number in fleet.credits.items():
        spent.labels(what).set(number)
    postings = Gauge("vakanz_open_postings", "Open postings, estimated", registry=registry)
    newest = Gauge("vakanz_newest_posting_age_seconds", "Since a new posting was last found", registry=registry)
    overdue = Gauge("vakanz_board_overdue_seconds", "How long a board waits to be crawled", registry=registry)
    for gauge, name in ((postings, "open"), (newest, "newest_s"), (overdue, "overdue_s")):
        gauge.set(float("nan") if fleet.market[name] is None else fleet.market[name])
