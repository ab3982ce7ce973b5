"""The control endpoints of the simulator, under /_sim/ on any host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.sim.faults import KINDS
from tests.sim.proxy import echo

if TYPE_CHECKING:
    from tests.sim.server import Simulator

_HELP = {
    "GET /_sim/": "this list",
    "GET /_sim/boards": "every board: source, tenant, url, company, open",
    "GET /_sim/truth?source=&tenant=": "what each open posting truly says, JSON lines",
    "GET /_sim/requests": "what was asked: counts per host and path, highest concurrency and rate",
    "DELETE /_sim/requests": "forget what was asked",
    "GET /_sim/day": "the current day and what changed on each day",
    "POST /_sim/advance": 'the next day, or `{"days": n}`',
    "POST /_sim/misbehave": "switch a misbehaviour on: kind, source, tenant, host, path, times, probability, ...",
    "GET /_sim/misbehave": "what is switched on and how often it struck",
    "DELETE /_sim/misbehave": "switch all misbehaviour off",
    "GET /_sim/echo": "the address that the caller comes from, for the proof of proxies",
}
_MOST_DAYS = 3_650


def control_routes(simulator: Simulator) -> list[web.RouteDef]:
    """The routes that control `simulator`."""
    control = _Control(simulator)
    return [
        web.get("/_sim/", _answering(control.help)),
        web.get("/_sim/boards", _answering(control.boards)),
        web.get("/_sim/truth", _answering(control.truth)),
        web.get("/_sim/requests", _answering(control.requests)),
        web.delete("/_sim/requests", _answering(control.forget)),
        web.get("/_sim/day", _answering(control.day)),
        web.post("/_sim/advance", _answering(control.advance)),
        web.get("/_sim/misbehave", _answering(control.faults)),
        web.post("/_sim/misbehave", _answering(control.misbehave)),
        web.delete("/_sim/misbehave", _answering(control.behave)),
        web.get("/_sim/echo", echo),
    ]


class _Control:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def help(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        return {"endpoints": _HELP, "misbehaviours": dict(KINDS)}

    def boards(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        sites = self._simulator.sites
        return self._simulator.world.board_list() + (sites.board_list() if sites else [])

    def truth(self, query: dict[str, str], body: dict[str, Any]) -> Iterator[Any]:
        source, tenant, sites = query.get("source"), query.get("tenant"), self._simulator.sites
        of_sites = (
            row
            for row in (sites.truth() if sites else ())
            if source in (None, row["source"]) and tenant in (None, row["tenant"])
        )
        return chain(self._simulator.market.truth(source, tenant), of_sites)

    def requests(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        return self._simulator.traffic.as_object()

    def forget(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        self._simulator.traffic.reset()
        return {}

    def day(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        return {"day": self._simulator.market.day, "changes": self._simulator.market.changes_list()}

    def advance(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        days = body.get("days", 1)
        if not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
            raise ValueError(f"days must be a number from 1 to {_MOST_DAYS}")
        for _ in range(days - 1):
            self._simulator.advance()
        return asdict(self._simulator.advance())

    def faults(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        return self._simulator.faults.listed()

    def misbehave(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        return self._simulator.misbehave(body.pop("kind", ""), **body).as_object()

    def behave(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        self._simulator.behave()
        return {}


def _answering(action: Callable[[dict[str, str], dict[str, Any]], Any]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            body = orjson.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise ValueError("an object was expected")
            result = action(dict(request.query), body)
            if isinstance(result, Iterator):
                lines = b"".join(orjson.dumps(row) + b"\n" for row in result)
                return web.Response(body=lines, content_type="application/x-ndjson")
            return web.Response(body=orjson.dumps(result), content_type="application/json")
        except (ValueError, TypeError) as error:
            return web.Response(body=orjson.dumps({"error": str(error)}), status=400, content_type="application/json")

    return handle
