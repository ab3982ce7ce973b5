"""A board of 200,000 postings through the real crawl daemon, as one document and as pages: memory and speed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import Popen

import anyio
import orjson
import psutil
from aiohttp import web

from lib.posting import boards
from lib.store.connections import Database
from tests.bench.lab import Lab
from tests.bench.memory import running, started
from tests.bench.rows import Row, Target

_POSTINGS = 200_000
_MB = 1_000_000
_SETTLE_S = 3.0
_LONGEST_S = 900.0
_PAGE = 100
_BATCH = 500
_TEXT = (
    "<h3>Aufgaben</h3><ul>"
    + "<li>Sie beraten unsere Kundschaft &ndash; freundlich, z&uuml;gig, sicher.</li>" * 20
    + "</ul>"
)
_FEED = ("xmlfeed", "https://jobs.large.example/feed.xml")
_PAGES = ("smartrecruiters", "large")


async def measure(lab: Lab) -> list[Row]:
    """One row for each way in which a long list comes, and what a second crawl of the unchanged feed needs."""
    count = lab.count(_POSTINGS)
    async with lab.template() as template, _served(count) as url:
        return [
            await _row(lab, template, url, _FEED, count, "one XML document"),
            await _row(lab, template, url, _PAGES, count, f"pages of {_PAGE} without texts"),
        ]


async def _row(lab: Lab, template: str, url: str, board: tuple[str, str], count: int, form: str) -> Row:
    async with lab.clone(template) as dsn, Database(dsn) as database:
        with running(lab.config(dsn, url), "crawl@0-5") as process:
            await started(dsn, "crawl@0-5", process)
            await anyio.sleep(_SETTLE_S)
            idle = psutil.Process(process.pid).memory_info().rss
            seconds = await _crawled(database, process, board)
            stored = await database.fetchval("SELECT count(*) FROM posting WHERE state IN ('discovered', 'described')")
            await database.execute("DELETE FROM board_validator")
            again = await _crawled(database, process, board)
            peak = _peak(process)
    if stored != count:
        raise RuntimeError(f"{stored} of {count} postings were stored")
    return Row(
        name=f"memory while {count:,} postings stream through: {form}", figure=peak / _MB, unit="MB resident at most",
        target=Target("<=", 200, "figure"), n="the crawl daemon, first crawl and a second one that reads all again",
        beside={"idle, MB": idle / _MB, "postings/s, all new": count / seconds, "postings/s, all known": count / again},
    )  # fmt: skip


async def _crawled(database: Database, process: Popen[bytes], board: tuple[str, str]) -> float:
    """Seconds until the daemon has crawled the board, which is due from now on."""
    source, tenant = board
    board_id, _ = await boards.add(database, source, tenant, "Large AG", f"https://{source}.example", 86_400)
    await database.execute("UPDATE board SET next_due = now(), last_crawled_at = NULL WHERE id = $1", board_id)
    begun = time.perf_counter()
    with anyio.fail_after(_LONGEST_S):
        while True:
            row = await database.fetchrow("SELECT * FROM board WHERE id = $1", board_id)
            if row is not None and row["last_crawled_at"] is not None:
                break
            if process.poll() is not None:
                raise RuntimeError(f"the crawler ended with {process.returncode}")
            await anyio.sleep(0.2)
    if row["last_error"] is not None:
        raise RuntimeError(row["last_error"])
    return time.perf_counter() - begun


def _peak(process: Popen[bytes]) -> int:
    """The largest resident memory that the process ever had, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@asynccontextmanager
async def _served(count: int) -> AsyncIterator[str]:
    """The address of a server with `count` postings, as a feed and as pages."""

    async def feed(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/xml"})
        await response.prepare(request)
        await response.write(b'<?xml version="1.0" encoding="utf-8"?>\n<source>\n')
        for start in range(0, count, _BATCH):
            await response.write("".join(map(_job, range(start, min(start + _BATCH, count)))).encode())
        await response.write(b"</source>\n")
        return response

    async def pages(request: web.Request) -> web.Response:
        offset = int(request.query.get("offset", "0"))
        rows = [_listed(number) for number in range(offset, min(offset + _PAGE, count))]
        body = orjson.dumps({"offset": offset, "limit": _PAGE, "totalFound": count, "content": rows})
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/feed.xml", feed), web.get("/v1/companies/large/postings", pages)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _job(number: int) -> str:
    return (
        f"<job><title><![CDATA[Beratung {number} (m/w/d)]]></title><referencenumber>r-{number}</referencenumber>"
        f"<url>https://jobs.large.example/{number}</url><company>Large AG</company><city>Linz</city>"
        f"<country>AT</country><date>Mon, 02 Nov 2026 06:00:00 GMT</date><jobtype>fulltime</jobtype>"
        f"<description><![CDATA[<p>Stelle {number}</p>{_TEXT}]]></description></job>\n"
    )


def _listed(number: int) -> dict[str, object]:
    return {
        "id": str(number), "name": f"Beratung {number} (m/w/d)", "releasedDate": "2026-11-02T06:00:00.000Z",
        "company": {"identifier": "large", "name": "Large AG"},
        "location": {"city": "Linz", "region": "OÖ", "country": "at", "remote": False},
        "department": {"id": "7", "label": "Vertrieb"}, "typeOfEmployment": {"id": "permanent", "label": "Full-time"},
    }  # fmt: skip
