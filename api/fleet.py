"""Where the fleet's figures are, as Prometheus' HTTP service discovery asks for it."""

from __future__ import annotations

import ipaddress

import anyio
from aiohttp import web

from api.bodies import Targets
from api.room import CONFIG, DATABASE, json_response
from lib.life.config import Config
from lib.life.fleet import load_fleet
from lib.store.connections import Database
from sql import statements

_SQL = statements("api")
NODE_EXPORTER_PORT = 9100
# Labels that begin so are for relabelling only: Prometheus keeps none of them.
KIND = "__meta_vakanz_kind"


async def targets(request: web.Request) -> web.Response:
    """GET /fleet/targets."""
    config = request.app[CONFIG]
    return json_response([*await _daemons(request.app[DATABASE], config), *await _hosts(config)])


async def _daemons(database: Database, config: Config) -> list[Targets]:
    """Daemons that show figures. What only its own machine can reach is listed by an API of that machine."""
    return [
        Targets([row["metrics_address"]], {"unit": row["unit"], "host": row["host"], KIND: "daemon"})
        for row in await database.fetch(_SQL.daemon_figures)
        if row["metrics_address"] and (row["host"] == config.host or not _is_private(row["metrics_address"]))
    ]


async def _hosts(config: Config) -> list[Targets]:
    """The exporters of all servers on the map; none where there is no map. Raises ConfigError for an unusable one."""
    if not config.fleet.exists():
        return []
    fleet = await anyio.to_thread.run_sync(load_fleet, config.fleet)
    return [Targets([f"{host}:{NODE_EXPORTER_PORT}"], {"host": host, KIND: "host"}) for host in fleet.hosts]


def _is_private(address: str) -> bool:
    """Whether `address` (host:port) means another machine to everybody who reads it."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
