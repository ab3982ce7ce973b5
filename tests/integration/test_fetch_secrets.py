"""Keys on the wire: sent to the host that they are for, told to nobody else, hidden in whatever comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from lib.errors import Denied, Malformed, Refused, SourceError
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.policy import FetchPolicy, HostLimits

KEY = "s3cret/with+signs="
ENCODED = "s3cret%2Fwith%2Bsigns%3D"


class Site:
    """Plays every host; `seen` holds what was asked for, with all headers."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        self.seen.append(f"{request.host} {request.raw_path} {dict(request.headers)}")
        if "to" in request.query:
            return web.Response(status=302, headers={"Location": request.query["to"].replace("KEY", ENCODED)})
        if "status" in request.query:
            return web.Response(status=int(request.query["status"]), text=f"no: {KEY}")
        return web.Response(text=f"{request.raw_path} {KEY}", headers={"X-Echo": KEY, "ETag": f'"{KEY}"'})

    def asked(self, host: str) -> list[str]:
        return [line for line in self.seen if line.startswith(f"{host} ")]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    async with site.server:
        yield site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[Fetcher]:
    free = HostLimits(rate_per_s=None, concurrency=None)
    url = str(site.server.make_url("")).rstrip("/")
    policy = FetchPolicy(contact="tests", limits=free, reroute=url, max_wait_s=1.0)
    async with Fetcher(policy, key_of={"the_key": KEY}.get) as fetcher:
        yield fetcher


def question(**fields: Any) -> Request:
    given: dict[str, Any] = {"url": "https://api.example/{the_key}/jobs", "documented_api": True}
    return Request(**given | {"secrets": ("the_key",)} | fields)


async def test_the_host_gets_the_key_and_we_get_its_name(site: Site, client: Fetcher) -> None:
    request = question(params={"k": "{the_key}"}, headers={"X-Key": "{the_key}"})
    response = await client.send(request)
    (asked,) = site.seen
    assert asked.startswith("api.example /s3cret%2Fwith%2Bsigns=/jobs?k=s3cret/with%2Bsigns%3D ")
    assert f"'X-Key': '{KEY}'" in asked
    assert response.request is request
    said = response.body.decode() + str(response.headers) + response.url + repr(response)
    assert KEY not in said and ENCODED.lower() not in said.lower()
    assert response.url == "https://api.example/{the_key}/jobs?k={the_key}"
    assert response.headers["x-echo"] == "{the_key}"
    assert response.body.decode().endswith("{the_key}")


async def test_a_name_that_was_not_asked_for_stays_a_name(site: Site, client: Fetcher) -> None:
    await client.send(question(secrets=(), params={"k": "{the_key}"}))
    assert KEY not in site.seen[0] and ENCODED not in site.seen[0]


@pytest.mark.parametrize(
    "to", ["https://other.example/x", "https://other.example/x?k=none", "https://evil.api.example/"]
)
async def test_another_host_never_gets_the_key(site: Site, client: Fetcher, to: str) -> None:
    await client.send(question(url="https://api.example/jobs", params={"to": to}, headers={"X-Key": "{the_key}"}))
    (first, second) = site.seen
    assert KEY in first
    assert KEY not in second and ENCODED not in second


async def test_a_redirect_that_carries_the_key_to_another_host_is_refused(site: Site, client: Fetcher) -> None:
    request = question(params={"to": "https://other.example/x?k=KEY"})
    with pytest.raises(Refused, match=r"api\.example redirects to other\.example with our key"):
        await client.send(request)
    assert site.asked("other.example") == []


async def test_a_redirect_on_the_same_host_keeps_it_out_of_the_address(site: Site, client: Fetcher) -> None:
    response = await client.send(question(params={"to": "https://api.example/next?k=KEY"}))
    assert response.url == "https://api.example/next?k={the_key}"


@pytest.mark.parametrize(
    "params",
    [
        {"status": "403"},
        {"status": "500"},
        {"status": "429"},
        {"to": "ftp://api.example/KEY"},
        {"to": "http://api.example/KEY"},
        {"to": "https://user@api.example/KEY"},
        {"to": "https://[KEY"},
    ],
)
async def test_no_error_and_no_log_tells_the_key(client: Fetcher, params: dict[str, str]) -> None:
    with capture_logs() as logs, pytest.raises(SourceError) as caught:
        await client.send(question(params=params))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error) and ENCODED not in str(error) and KEY[:10] not in repr(error)
        error = error.__cause__ or error.__context__
    assert KEY not in str(logs) and ENCODED not in str(logs)


async def test_a_body_beyond_the_limit_tells_no_key(client: Fetcher) -> None:
    with pytest.raises(Refused) as caught:
        await client.send(question(url="https://api.example/jobs", max_bytes=20))
    assert KEY.encode()[:8] not in vars(caught.value)["head"]


async def test_a_missing_key_sends_nothing(site: Site, client: Fetcher) -> None:
    with pytest.raises(Denied, match="set VAKANZ_SOURCE_KEYS=other_key="):
        await client.send(question(secrets=("other_key",)))
    assert site.seen == []


async def test_nothing_with_a_key_is_handed_on_piece_by_piece(site: Site, client: Fetcher) -> None:
    async def sink(data: bytes) -> None:
        raise Malformed("a piece came")

    with pytest.raises(Refused, match="read whole"):
        await client.download(question(), sink)
    assert site.seen == []
