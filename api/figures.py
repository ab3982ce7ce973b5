"""The fleet's figures for Prometheus: what the daemons wrote into the control plane, beside the API's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from api.room import DATABASE
from lib.life import metrics
from lib.store import followers
from lib.store.connections import Database
from sql import statements

_SQL = statements("api")
_PATIENCE_S = 2.0


async def figures(request: web.Request) -> web.Response:
    """Prometheus' text format. While the database is away, the API's own figures alone."""
    body = metrics.exposition()
    with anyio.move_on_after(_PATIENCE_S):
        body += await _fleet(request.app[DATABASE])
    return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})


async def _fleet(database: Database) -> bytes:
    letters = {row["queue"]: row["letters"] for row in await database.fetch(_SQL.letter_figures)}
    return exposition(await database.fetch(_SQL.daemon_figures), await followers.lags(database), letters)


def exposition(daemons: Sequence[Mapping[str, Any]], lags: Mapping[str, int], letters: Mapping[str, int]) -> bytes:
    """The figures of daemons (unit, host, state, silent_s, quiet_s, memory_bytes, counters), followers and queues."""
    registry = CollectorRegistry()
    labels = ("unit", "host")
    silent = Gauge("vakanz_daemon_silent_seconds", "Since its last heartbeat", labels, registry=registry)
    quiet = Gauge("vakanz_daemon_quiet_seconds", "Since its loop last turned", labels, registry=registry)
    memory = Gauge("vakanz_daemon_memory_bytes", "Resident memory", labels, registry=registry)
    running = Gauge("vakanz_daemon_running", "1 unless it said that it stopped", labels, registry=registry)
    counts = Gauge("vakanz_daemon_counts", "What it did since its start", ("unit", "what"), registry=registry)
    behind = Gauge("vakanz_follower_lag_changes", "Changes not yet worked through", ["follower"], registry=registry)
    for row in daemons:
        unit = str(row["unit"])
        named = (unit, str(row["host"]))
        silent.labels(*named).set(row["silent_s"])
        quiet.labels(*named).set(row["quiet_s"])
        memory.labels(*named).set(row["memory_bytes"])
        running.labels(*named).set(row["state"] != "stopped")
        for what, number in row["counters"].items():
            counts.labels(unit, what).set(number)
    for name, rows in lags.items():
        behind.labels(name).set(rows)
    buried = Gauge("vakanz_dead_letters", "Rows and jobs that were set aside", ["queue"], registry=registry)
    for queue, number in letters.items():
        buried.labels(queue).set(number)
    return metrics.exposition(registry)
