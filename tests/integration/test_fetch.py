"""The fetcher against servers that behave in every way that servers do."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib.errors import Denied, Gone, Malformed, RateLimited, Refused, SourceError, Transient
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.validators import Validators

FREE = HostLimits(rate_per_s=None, concurrency=None)
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Site:
    """Plays every host of the test behind one port; `seen` holds what was asked for, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.robots: dict[str, str | int] = {}
        self.connections: set[object] = set()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.answer)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.host}{request.path_qs}")
        self.headers.append(dict(request.headers))
        self.connections.add(request.transport)
        if request.path == "/robots.txt":
            rules = self.robots.get(request.host, 404)
            return web.Response(text=rules) if isinstance(rules, str) else web.Response(status=rules)
        if "to" in request.query:
            return web.Response(status=int(request.query["status"]), headers={"Location": request.query["to"]})
        if "status" in request.query:
            sent = {"Retry-After": request.query["after"]} if "after" in request.query else {}
            return web.Response(status=int(request.query["status"]), headers=sent, text="no")
        if "bytes" in request.query:
            return web.Response(body=bytes(int(request.query["bytes"])))
        if "bomb" in request.query:
            return web.Response(body=gzip.compress(bytes(20_000_000)), headers={"Content-Encoding": "gzip"})
        if request.path == "/tagged":
            same = request.headers.get("If-None-Match") == '"1"'
            return web.Response(status=304 if same else 200, headers={"ETag": '"1"'}, text=None if same else "one")
        return web.Response(text=f"{request.method} {await request.text()}", headers={"X-Odd": "a", "Server": "s"})


class Observed:
    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []
        self.sizes: list[int] = []

    def on_request(self, host: str, outcome: str, seconds: float, size: int) -> None:
        assert seconds >= 0
        self.outcomes.append((host, outcome))
        self.sizes.append(size)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    async with site.server:
        yield site


def direct(**settings: object) -> FetchPolicy:
    """Goes to 127.0.0.1 itself."""
    given = {"limits": FREE, "allowed_networks": ("127.0.0.0/8",), **settings}
    return FetchPolicy(contact="ops@vakanz.example", **given)  # type: ignore[arg-type]


def rerouted(site: Site, **settings: object) -> FetchPolicy:
    """Has `site` play every host."""
    return FetchPolicy(contact="ops@vakanz.example", reroute=site.url, **{"limits": FREE, **settings})  # type: ignore[arg-type]


def api(url: str, **fields: object) -> Request:
    return Request(url=url, documented_api=True, **fields)  # type: ignore[arg-type]


async def test_an_answer_comes_whole(site: Site) -> None:
    observed = Observed()
    async with Fetcher(rerouted(site), observer=observed) as fetcher:
        response = await fetcher.send(
            api("https://a.example/x?q=1", params={"p": "ö"}, method="POST", body=b"hello", headers={"X-Key": "k"})
        )
    assert (response.status, response.body) == (200, b"POST hello")
    assert response.url == "https://a.example/x?q=1&p=%C3%B6"
    assert response.headers["x-odd"] == "a"
    assert site.seen == ["POST a.example/x?q=1&p=%C3%B6"]
    assert site.headers[0]["User-Agent"] == "Vakanz/0.1 (+ops@vakanz.example)"
    assert site.headers[0]["Accept-Encoding"] == "gzip, deflate"
    assert site.headers[0]["X-Key"] == "k"
    assert observed.outcomes == [("a.example", "ok")] and observed.sizes == [10]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Transient),
        (401, Denied),
        (403, Denied),
        (404, Gone),
        (410, Gone),
        (422, Transient),
        (451, Denied),
        (429, RateLimited),
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (206, Transient),
        (302, Transient),
    ],
)
async def test_statuses_become_errors(site: Site, status: int, kind: type[SourceError]) -> None:
    async with Fetcher(direct()) as fetcher:
        with pytest.raises(SourceError) as caught:
            await fetcher.send(api(f"{site.url}/?status={status}"))
    assert type(caught.value) is kind
    assert getattr(caught.value, "status", status) == status
    assert "127.0.0.1" in str(caught.value)


async def test_retry_after_pauses_the_host_and_no_other(site: Site) -> None:
    async with Fetcher(rerouted(site)) as fetcher:
        for host, after, seconds in (
            ("a.example", "30", 30),
            ("b.example", (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 90),
        ):
            for status in ("429", "503") if host == "a.example" else ("503",):
                with pytest.raises(RateLimited) as caught:
                    await fetcher.send(api(f"https://{host}/", params={"status": status, "after": after}))
                left = (caught.value.retry_at - datetime.now(UTC)).total_seconds()
                assert seconds - 3 < left <= seconds
        await fetcher.send(api("https://c.example/"))
    assert len(site.seen) == 3  # the second one to a.example was not sent


async def test_conditional_get(site: Site) -> None:
    async with Fetcher(direct()) as fetcher:
        first = await fetcher.send(api(f"{site.url}/tagged"))
        validators = Validators.of(first.headers)
        second = await fetcher.send(api(f"{site.url}/tagged"), validators=validators)
    assert (first.status, first.body) == (200, b"one")
    assert (second.status, second.body) == (304, b"")


async def test_limits_of_size(site: Site) -> None:
    async with Fetcher(direct()) as fetcher:
        for query in ("bytes=50000001", "bomb=1"):
            with pytest.raises(Refused, match="a body over"):
                await fetcher.send(api(f"{site.url}/?{query}", max_bytes=1_000_000))
        assert len((await fetcher.send(api(f"{site.url}/?bytes=1000", max_bytes=1000))).body) == 1000
        assert len((await fetcher.send(api(f"{site.url}/?bomb=1"))).body) == 20_000_000


async def test_short_unwanted_bodies_keep_their_connection(site: Site) -> None:
    async with Fetcher(direct()) as fetcher:
        for _ in range(5):
            with pytest.raises(Gone):
                await fetcher.send(api(f"{site.url}/?status=404"))
    assert len(site.connections) == 1


async def test_redirects_are_followed_hop_by_hop(site: Site) -> None:
    observed = Observed()
    async with Fetcher(rerouted(site), observer=observed) as fetcher:
        response = await fetcher.send(
            api("https://a.example/?status=301&to=/n?status%3D302%26to%3Dhttps://b.example/end", headers={"X-Key": "k"})
        )
    assert response.url == "https://b.example/end"
    assert [host for host, _ in observed.outcomes] == ["a.example", "a.example", "b.example", "b.example"]
    assert site.seen[2:] == ["GET b.example/robots.txt", "GET b.example/end"]  # not the host whose API was asked
    assert [bool("X-Key" in headers) for headers in site.headers] == [True, True, False, False]


@pytest.mark.parametrize(
    "target",
    ["http://10.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "ftp://b.example/", "http://2130706433/"],
)
async def test_redirects_inside_are_refused(site: Site, target: str) -> None:
    async with Fetcher(direct()) as fetcher:
        with pytest.raises(Refused):
            await fetcher.send(api(site.url, params={"status": "302", "to": target}))
    assert len(site.seen) == 1


async def test_redirects_without_end_are_refused(site: Site) -> None:
    async with Fetcher(rerouted(site)) as fetcher:
        with pytest.raises(Refused, match="more than 5 redirects"):
            await fetcher.send(api("https://a.example/?status=302&to="))
        with pytest.raises(Refused, match="from https to http"):
            await fetcher.send(api("https://a.example/?status=302&to=http://a.example/"))
        with pytest.raises(Refused, match="redirects a POST"):
            await fetcher.send(api("https://a.example/?status=307&to=https://b.example/", method="POST"))
    assert len(site.seen) == 8


async def test_robots_rules(site: Site) -> None:
    site.robots = {
        "a.example": "User-agent: *\nDisallow: /no\nUser-agent: vakanz\nDisallow: /hidden",
        "b.example": 500,
        "c.example": 403,
        "d.example": "# " + "x" * 600_000 + "\nUser-agent: *\nDisallow: /",
    }
    async with Fetcher(rerouted(site)) as fetcher:
        await asyncio.gather(*(fetcher.send(Request(url=f"https://a.example/no?{n}")) for n in range(5)))
        with pytest.raises(Denied, match="forbids /hidden"):
            await fetcher.send(Request(url="https://a.example/hidden"))
        assert (await fetcher.send(api("https://a.example/hidden"))).status == 200
        for _ in range(2):
            with pytest.raises(Transient, match="cannot be read"):
                await fetcher.send(Request(url="https://b.example/"))
        assert (await fetcher.send(Request(url="https://c.example/"))).status == 200
        assert (await fetcher.send(Request(url="https://d.example/"))).status == 200  # said too late in the file
        with pytest.raises(Denied):
            await fetcher.send(Request(url="https://c.example/?status=302&to=https://a.example/hidden"))
    asked = Counter(line for line in site.seen if line.endswith("robots.txt"))
    assert asked == {f"GET {host}.example/robots.txt": 1 for host in "abcd"}


async def test_crawl_delay_sets_the_pace(site: Site) -> None:
    site.robots = {"a.example": "User-agent: *\nCrawl-delay: 0.3"}
    async with Fetcher(rerouted(site)) as fetcher:
        started = time.monotonic()
        await asyncio.gather(*(fetcher.send(Request(url=f"https://a.example/{n}")) for n in range(3)))
    assert 0.55 < time.monotonic() - started < 10.0


async def test_whoever_would_wait_too_long_is_sent_away(site: Site) -> None:
    limits = HostLimits(rate_per_s=0.1, burst=2, concurrency=2)
    async with Fetcher(rerouted(site, limits=limits, max_wait_s=5)) as fetcher:
        for n in range(2):
            await fetcher.send(api(f"https://a.example/{n}"))
        with pytest.raises(RateLimited, match="rate of a.example"):
            await fetcher.send(api("https://a.example/3"))
        await fetcher.send(api("https://b.example/"))


async def test_a_failing_host_is_left_alone_then_probed(site: Site) -> None:
    rules = BreakerRules(failures=3, first_open_s=0.3, probe_s=5)
    async with Fetcher(rerouted(site, breaker=rules)) as fetcher:
        for _ in range(3):
            with pytest.raises(Transient):
                await fetcher.send(api("https://a.example/?status=500"))
        with pytest.raises(RateLimited, match="failed 3 times"):
            await fetcher.send(api("https://a.example/"))
        assert len(site.seen) == 3
        await asyncio.sleep(0.35)
        assert (await fetcher.send(api("https://a.example/"))).status == 200
        assert (await fetcher.send(api("https://a.example/"))).status == 200


async def test_a_name_that_means_ourselves_is_refused(site: Site) -> None:
    async with Fetcher(direct(allowed_networks=())) as fetcher:
        for url in (site.url, site.url.replace("127.0.0.1", "localhost")):
            for request in (api(url), Request(url=url)):
                with pytest.raises(Refused, match="not a public address"):
                    await fetcher.send(request)
    assert site.seen == []


async def _half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(500))


async def _half_chunked(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


async def _half_zipped(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(b"hello" * 1000)[:-5]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def _drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _n in range(100):
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def _never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(10)


async def _nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def _noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff\xfe SSH-2.0 hello\r\n\r\n")


async def _endless_header(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")


async def _brotli(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc")


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (_half, Transient),
        (_half_chunked, Transient),
        (_half_zipped, Transient),
        (_drip, Transient),
        (_never, Transient),
        (_nothing, Transient),
        (_noise, Transient),
        (_endless_header, Transient),
        (_brotli, Malformed),
    ],
)
async def test_answers_that_are_none(behave: Raw, kind: type[SourceError]) -> None:
    async with serving(behave) as url, Fetcher(direct()) as fetcher:
        started = time.monotonic()
        with pytest.raises(SourceError) as caught:
            await fetcher.send(api(url, timeout_s=1.0))
        assert type(caught.value) is kind
        assert time.monotonic() - started < 15.0


async def test_nobody_there(unused_tcp_port: int) -> None:
    async with Fetcher(direct()) as fetcher:
        with pytest.raises(Transient):
            await fetcher.send(api(f"http://127.0.0.1:{unused_tcp_port}/"))


async def test_odd_header_bytes_are_replaced() -> None:
    async def odd(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: a\xff\r\nX-Odd: b\r\nContent-Length: 0\r\n\r\n")

    async with serving(odd) as url, Fetcher(direct()) as fetcher:
        headers = (await fetcher.send(api(url))).headers
    assert headers["x-odd"] == "a?, b"


async def test_a_kept_connection_that_was_closed_is_replaced_once() -> None:
    asked = 0

    async def closes_the_second_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while await reader.readuntil(b"\r\n\r\n"):
            asked += 1
            if asked == 2:
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            if asked > 2:
                return

    async with serving(closes_the_second_time, ask=False) as url, Fetcher(direct()) as fetcher:
        for _ in range(2):
            assert (await fetcher.send(api(url))).body == b"ok"
    assert asked == 3


class serving:  # noqa: N801 -- reads as a verb
    """A bare TCP server that does `behave` for each connection, then closes it."""

    def __init__(self, behave: Raw, *, ask: bool = True) -> None:
        self._behave = behave
        self._ask = ask

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._ask:
                await reader.readuntil(b"\r\n\r\n")
            await self._behave(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client hung up, as it should
        finally:
            writer.close()
