"""The simulated HasData: its paths, key, prices and limits, the jobs of a simulated market, and a statement of what it
charged.

    async with playing(JobSites(Market(seed=3)), key="...") as provider:
        ...  # the setting hasdata_url is provider.url

As a process: `python -m tests.sim.hasdata --help`. It charges for what it has done, whether or not the answer arrives,
as the real one does.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web

from tests.sim.jobsites import JobSites, Site, glassdoor_detail, indeed_detail, page, page_of
from tests.sim.market import Market
from tests.sim.serving import add_arguments, hang_up, run, serving, until_stopped

AT_ONCE = 15
COSTS: Mapping[str, int] = {
    "/scrape/indeed/listing": 5,
    "/scrape/glassdoor/listing": 5,
    "/scrape/indeed/job": 1,
    "/scrape/glassdoor/job": 1,
    "/scrape/web": 1,
}
_DRIPS = 20


@dataclass(frozen=True)
class Trouble:
    """A misbehaviour. `charged`: whether the work was done, so that it costs all the same."""

    status: int = 200
    charged: bool = False


KINDS: Mapping[str, Trouble] = {
    "rate_limited": Trouble(429),
    "denied": Trouble(403),
    "bad_request": Trouble(400),
    "not_found": Trouble(404),
    "server_error": Trouble(500),
    "unavailable": Trouble(503),
    "redirect": Trouble(302),  # to the metadata of a cloud
    "not_ok": Trouble(200),  # a good status, and an answer that says that it failed
    "bad_gateway": Trouble(502, charged=True),  # done, and lost on the way
    "half_body": Trouble(charged=True),
    "broken_json": Trouble(charged=True),
    "reset": Trouble(charged=True),  # done, and no answer at all
    "hang": Trouble(charged=True),  # done, and silent for ever
    "slow": Trouble(charged=True),  # the body drips for `seconds`
    "huge_body": Trouble(charged=True),
    "echo_key": Trouble(charged=True),  # a good answer that repeats the key
}


@dataclass
class Misbehaviour:
    """What strikes the next `times` requests (None: all) to paths that begin with `path`."""

    kind: str
    path: str = ""
    times: int | None = 1
    seconds: float = 1.0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown misbehaviour {self.kind!r}, there are: {', '.join(KINDS)}")

    def strikes(self, path: str) -> bool:
        """Whether it strikes a request to `path` now, and counts it."""
        if not path.startswith(self.path) or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


@dataclass(frozen=True)
class Charge:
    """A line of the statement."""

    id: str
    at: datetime
    path: str
    credits: int
    about: str = ""  # what was asked for


@dataclass
class Provider:
    """The provider as it runs. `credits`: what the customer has left, None without end. `latency_s`: how long each
    answer takes. `most_at_once`: of requests that were let in."""

    sites: JobSites
    key: str
    credits: int | None = None
    latency_s: float = 0.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    url: str = ""
    statement: list[Charge] = field(default_factory=list)
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0
    turned_away: int = 0
    _troubles: list[Misbehaviour] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def charged(self) -> int:
        """Credits in all."""
        return sum(line.credits for line in self.statement)

    def misbehave(self, kind: str, **how: Any) -> Misbehaviour:
        """Switches a misbehaviour on. Raises ValueError for an unknown kind."""
        trouble = Misbehaviour(kind, **how)
        self._troubles.append(trouble)
        return trouble

    def behave(self) -> None:
        """Switches all of them off."""
        self._troubles.clear()

    def write_statement(self, path: Path) -> None:
        """The statement as a CSV file with the columns id, time, endpoint, credits."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "time", "endpoint", "credits"))
            writer.writerows((line.id, line.at.isoformat(), line.path, line.credits) for line in self.statement)

    def application(self) -> web.Application:
        """The routes of the real one, and /_sim/ to look behind it."""
        app = web.Application(client_max_size=1 << 20)
        for path in COSTS:
            app.router.add_route("POST" if path == "/scrape/web" else "GET", path, self._handle)
        app.router.add_get("/user/me/usage", self._usage)
        app.router.add_get("/_sim/statement", self._shown)
        app.router.add_post("/_sim/misbehave", self._misbehave)
        app.on_shutdown.append(self._stop)
        return app

    async def _stop(self, app: web.Application) -> None:
        self._stopping.set()

    async def _usage(self, request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != self.key:
            return _refused(401, "Invalid API key")
        left = None if self.credits is None else self.credits - self.charged
        return web.json_response({"status": "ok", "data": {"availableCredits": left, "usedCredits": self.charged}})

    async def _shown(self, request: web.Request) -> web.Response:
        lines = [
            {"id": one.id, "at": one.at.isoformat(), "path": one.path, "credits": one.credits} for one in self.statement
        ]
        return web.json_response({"charged": self.charged, "most_at_once": self.most_at_once, "lines": lines})

    async def _misbehave(self, request: web.Request) -> web.Response:
        try:
            self.misbehave(**orjson.loads(await request.read()))
        except (ValueError, TypeError) as error:
            return _refused(400, str(error))
        return web.json_response({"status": "ok"})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if request.headers.get("x-api-key") != self.key:
            return _refused(401, "Invalid API key")
        if self.at_once >= AT_ONCE:
            self.turned_away += 1
            return _refused(429, "You have reached the limit of concurrent requests")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._work(request)
        finally:
            self.at_once -= 1

    async def _work(self, request: web.Request) -> web.StreamResponse:
        trouble = next((one for one in self._troubles if one.strikes(request.path)), None)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if self.credits is not None and self.charged + COSTS[request.path] > self.credits:
            return _refused(403, "You have used all your API credits")
        kind = KINDS[trouble.kind] if trouble else None
        if kind is not None and not kind.charged and kind.status != 200:
            headers = {"Location": "http://169.254.169.254/latest/meta-data/"} if kind.status == 302 else {}
            return _refused(kind.status, "simulated", headers)
        given = await _parameters(request)
        found = self._answer(request.path, given)
        if found is None:
            return _refused(404, "the job was not found")
        if isinstance(found, str):
            return _refused(400, found)
        name = str(uuid.uuid4())
        answered = {"requestMetadata": {"id": name, "status": "ok", "url": str(request.url)}, **found}
        if trouble is not None and trouble.kind == "not_ok":
            return web.json_response({"requestMetadata": {"id": name, "status": "error"}})
        self.statement.append(Charge(name, self.now(), request.path, COSTS[request.path], urlencode(given)))
        return await self._send(request, orjson.dumps(answered), trouble)

    async def _send(self, request: web.Request, body: bytes, trouble: Misbehaviour | None) -> web.StreamResponse:
        match trouble.kind if trouble else "":
            case "bad_gateway":
                return _refused(502, "Bad Gateway")
            case "reset" | "hang" as kind:
                if kind == "hang":
                    await self._stopping.wait()
                hang_up(request)
                return web.Response()
            case "half_body" | "slow" as kind:
                assert trouble is not None
                return await self._drip(request, body, trouble.seconds if kind == "slow" else None)
            case "broken_json":
                body = body[: len(body) // 2]
            case "huge_body":
                body = b'{"requestMetadata": {"status": "ok"}, "x": "' + b"x" * (20 << 20) + b'"}'
            case "echo_key":
                body = body[:-1] + orjson.dumps({"yourKey": self.key}).replace(b"{", b",", 1)
        return web.Response(body=body, content_type="application/json")

    async def _drip(self, request: web.Request, body: bytes, seconds: float | None) -> web.StreamResponse:
        """Within `seconds`; None: half of it, then the connection is cut."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(request)
        if seconds is None:
            await response.write(body[: len(body) // 2])
            hang_up(request)
            return response
        step = len(body) // _DRIPS + 1
        for start in range(0, len(body), step):
            await response.write(body[start : start + step])
            await asyncio.sleep(seconds / _DRIPS)
        await response.write_eof()
        return response

    def _answer(self, path: str, given: Mapping[str, str]) -> dict[str, Any] | str | None:
        """The body of a good answer; a text says what is wrong with the request, None that there is no such job."""
        if path.endswith("/listing"):
            if not given.get("keyword") or not given.get("location"):
                return "keyword and location are required"
            if path == "/scrape/indeed/listing":
                where = given["keyword"], given["location"], given.get("domain", "www.indeed.com")
                return self.sites.indeed_list(*where, int(given.get("start") or 0))
            number = page_of(given["nextPageToken"]) if given.get("nextPageToken") else 1
            where = given["keyword"], given["location"], given.get("domain", "www.glassdoor.com")
            return "nextPageToken is invalid" if number is None else self.sites.glassdoor_list(*where, number)
        site: Site = "glassdoor" if "glassdoor" in (given.get("url", "") or path) else "indeed"
        posting = self.sites.job(site, given.get("url", ""))
        if path == "/scrape/web":
            shown = page(posting, given["url"]) if posting else "<html><h1>404</h1></html>"
            return {"statusCode": 200 if posting else 404, "headers": {"content-type": "text/html"}, "content": shown}
        if posting is None:
            return None
        return indeed_detail(posting) if site == "indeed" else glassdoor_detail(posting)


async def _parameters(request: web.Request) -> Mapping[str, str]:
    if request.method == "GET":
        return request.query
    given: dict[str, Any] = orjson.loads(await request.read())
    return {name: str(value) for name, value in given.items()}


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"status": "error", "message": message}, status=status, headers=headers)


@asynccontextmanager
async def playing(
    sites: JobSites, *, key: str, port: int = 0, host: str = "127.0.0.1", latency_s: float = 0.0
) -> AsyncIterator[Provider]:
    """The provider until the block ends; `url` says where (port 0: any free one)."""
    provider = Provider(sites, key, latency_s=latency_s)
    async with serving(provider.application(), host=host, port=port) as provider.url:
        yield provider


async def _serve(options: argparse.Namespace) -> None:
    sites = JobSites(Market(options.seed, None, options.postings, start=datetime.now(UTC).date()))
    async with playing(
        sites, key=options.key, port=options.port, host=options.host, latency_s=options.latency_ms / 1000
    ) as provider:
        await until_stopped(provider.url, until_eof=options.until_eof)
        if options.statement is not None:
            provider.write_statement(options.statement)


def main(line: list[str]) -> int:
    """Serves until a signal. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.hasdata", description="Plays HasData's API.")
    add_arguments(parser)
    parser.add_argument("--key", default="simulated-key", help="what callers must bring (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="another seed is another market (default: %(default)s)")
    parser.add_argument("--postings", type=int, default=3_000, help="open ones (default: %(default)s)")
    parser.add_argument("--latency-ms", type=float, default=800.0, help="of each answer (default: %(default)s)")
    parser.add_argument("--statement", type=Path, metavar="FILE", help="write at the end what was charged, as CSV")
    return run(_serve(parser.parse_args(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
