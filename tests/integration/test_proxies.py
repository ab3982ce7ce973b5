"""Real proxies on the loopback network: what goes out through them, and what never goes out beside them."""

from __future__ import annotations

import asyncio
import base64
import io
import ipaddress
import shutil
import socket
import ssl
import subprocess
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp.connector
import pytest
import structlog

from lib.errors import Gone, ProxyFailed, Refused, Transient
from lib.life import logs
from lib.net.messages import Request
from lib.net.policy import FetchPolicy
from lib.net.proxies import proving
from lib.net.proxies.proving import own_addresses
from tests.integration.proxied import EXITS, FREE, PASSWORD, Site, Ways
from tests.sim.proxy import Proxy, proxying


async def test_requests_take_turns_and_never_go_out_directly(ways: Ways) -> None:
    async with ways.client() as client:
        for _ in range(6):
            response = await client.send(ways.get("/page"))
            assert response.status == 200 and len(response.body) == 1_000
    assert sorted(map(str, ways.site.callers[:3])) == EXITS
    assert ways.site.callers[:3] == ways.site.callers[3:]
    assert not any("proxy" in name.lower() for headers in ways.site.headers for name in headers)
    spent = {name: spend for (name, _), spend in ways.account.totals().items()}
    for proxy in ways.proxies:
        assert spent[proxy.name].requests == 3 and spent[proxy.name].failures == 0  # the proof is one
        assert 2_000 < spent[proxy.name].size < 4_000


async def test_robots_txt_is_asked_by_proxy_as_well(ways: Ways) -> None:
    async with ways.client() as client:
        await client.send(Request(url=ways.site.url("/page")))
    assert len(ways.site.callers) == 2 and "127.0.0.1" not in ways.site.callers


async def test_a_proxy_that_shows_our_own_address_is_not_used(ways: Ways) -> None:
    async with proxying("127.0.0.1") as transparent:
        ways.proxies = [transparent]
        async with ways.client() as client:
            with pytest.raises(ProxyFailed, match="it goes out from our own address 127.0.0.1"):
                await client.send(ways.get("/page"))
    assert ways.site.callers == []
    assert [line.split()[1] for line in transparent.seen] == [ways.site.url("/_sim/echo")]


async def test_nothing_goes_out_while_our_own_address_is_unknown(ways: Ways) -> None:
    ways.site.url = lambda path: "http://127.0.0.1:1" + path  # type: ignore[method-assign]
    async with ways.client() as client:
        with pytest.raises(ProxyFailed, match="our own address is unknown"):
            await client.send(ways.get("/page"))
    assert [proxy.seen for proxy in ways.proxies] == [[], [], []]


@asynccontextmanager
async def telling(*pieces: bytes) -> AsyncIterator[int]:
    """An echo endpoint that answers in pieces, with a moment between them; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0.05)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_address_that_comes_in_pieces_is_read_whole() -> None:
    async with telling(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n192.0.2.1", b"7") as port:
        assert await own_addresses(f"http://127.0.0.1:{port}/") == {ipaddress.ip_address("192.0.2.17")}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"192.0.2.1\n" * 2_000,
        b"HTTP/1.1 200 OK\r\n\r\n<html>192.0.2.1</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n192.0.2.1",
        b"HTTP/1.1 302 Found\r\nLocation: /192.0.2.1\r\n\r\n",
        b"HTTP/1.1 500 No\r\n\r\n192.0.2.1",
        b"192.0.2.1",
        b"",
    ],
)
async def test_an_endpoint_that_makes_no_sense_tells_no_address(answer: bytes) -> None:
    async with telling(answer) as port:
        with pytest.raises(ProxyFailed, match="our own address is unknown: 127.0.0.1 does not tell it$"):
            await own_addresses(f"http://127.0.0.1:{port}/?token=secret")


async def test_all_our_addresses_are_told_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\n\r\n192.0.2.1", b"HTTP/1.1 429 Later\r\n\r\n"])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        writer.close()

    monkeypatch.setattr(proving, "_families", lambda host: (socket.AF_INET, socket.AF_INET))
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProxyFailed, match="127.0.0.1 does not tell it"):
            await own_addresses(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("fault", [407, 502, "hang_up"])
async def test_what_the_proxy_does_wrong_is_not_the_sites_fault(ways: Ways, fault: int | str) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        await client.send(ways.get("/page"))
        ways.proxies[0].fault = fault
        for _ in range(4):
            with pytest.raises(ProxyFailed, match="prox"):
                await client.send(ways.get("/page"))
        ways.proxies[0].fault = None
        ways.now += 10_000
        await client.send(ways.get("/page"))  # the site's breaker, open after two failures, never heard of it


async def test_a_proxy_that_is_not_there(ways: Ways) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        ways.proxies = [Proxy("127.0.0.11", port=held.getsockname()[1])]
        async with ways.client() as client:
            with pytest.raises(ProxyFailed, match="cannot be reached"):
                await client.send(ways.get("/page"))
    assert ways.site.callers == []


async def test_a_silent_proxy_is_doubted(ways: Ways) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        await client.send(ways.get("/page"))
        ways.proxies[0].fault = "silent"
        with pytest.raises(Transient):
            await client.send(Request(url=ways.site.url("/page"), documented_api=True, timeout_s=0.3))
        ways.proxies[0].fault = 407
        with pytest.raises(ProxyFailed):  # it has to prove itself again, and cannot
            await client.send(ways.get("/page"))


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (500, Transient), (503, Transient)])
async def test_what_the_site_says_is_the_sites(ways: Ways, status: int, kind: type[Exception]) -> None:
    async with ways.client() as client:
        with pytest.raises(kind) as caught:
            await client.send(ways.get(f"/page?status={status}"))
    assert not isinstance(caught.value, ProxyFailed)
    assert all(spend.failures == 0 for spend in ways.account.totals().values())


async def test_a_failing_proxy_rests_longer_each_time_and_comes_back(ways: Ways) -> None:
    bad, good, _ = ways.proxies
    ways.proxies = [bad, good]
    bad.fault = 407
    async with ways.client() as client:
        for _ in range(5):
            await client.send(ways.get("/page"))
        assert set(ways.site.callers) == {good.exit}
        assert len(bad.seen) == 1  # refused once, then left alone
        ways.now += 61
        await client.send(ways.get("/page"))
        ways.now += 61  # the second rest is of two minutes
        for _ in range(3):
            await client.send(ways.get("/page"))
        assert len(bad.seen) == 2
        bad.fault = None
        ways.now += 60
        ways.site.callers.clear()
        for _ in range(4):
            await client.send(ways.get("/page"))
        assert set(ways.site.callers) == {bad.exit, good.exit}


async def test_a_proof_grows_old(ways: Ways) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        for _ in range(3):
            await client.send(ways.get("/page"))
        assert sum("/_sim/echo" in line for line in ways.proxies[0].seen) == 1
        ways.now += 3_601
        ways.proxies[0].exit = "127.0.0.1"
        with pytest.raises(ProxyFailed, match="our own address"):
            await client.send(ways.get("/page"))
    assert "127.0.0.1" not in ways.site.callers


async def test_a_request_waits_for_a_few_proofs_only(ways: Ways) -> None:
    async with AsyncExitStack() as stack:
        ways.proxies = [await stack.enter_async_context(proxying(EXITS[0], fault=407)) for _ in range(9)]
        async with ways.client() as client:
            with pytest.raises(ProxyFailed, match="4 proxies in a row"):
                await client.send(ways.get("/page"))
        assert sum(len(proxy.seen) for proxy in ways.proxies) == 4


async def test_one_proof_serves_all_who_wait_for_it(ways: Ways) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        await asyncio.gather(*[client.send(ways.get("/page")) for _ in range(10)])
        assert sum("/_sim/echo" in line for line in ways.proxies[0].seen) == 1


@pytest.mark.parametrize("url", ["http://localhost/", "http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/"])
async def test_private_hosts_are_refused_although_the_proxy_would_find_them(ways: Ways, url: str) -> None:
    async with ways.client(FetchPolicy(contact="ops@vakanz.example", limits=FREE)) as client:
        with pytest.raises(Refused):
            await client.send(Request(url=url, documented_api=True))
    assert [proxy.seen for proxy in ways.proxies] == [[], [], []]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of 127.0.0.1 that it signed itself, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
async def encrypted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site behind TLS, whose certificate is believed."""
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site = Site()
    await site.server.start_server(ssl=context)
    yield site
    await site.server.close()


async def test_encrypted_hosts_are_reached_by_a_tunnel(ways: Ways, encrypted: Site) -> None:
    async with ways.client() as client:
        response = await client.send(Request(url=encrypted.url("/page"), documented_api=True))
        assert len(response.body) == 1_000
        with pytest.raises(Transient, match="status 502") as caught:
            await client.send(Request(url=encrypted.url("/page?status=502"), documented_api=True))
        assert not isinstance(caught.value, ProxyFailed)  # through the tunnel it is the site that speaks
    assert "127.0.0.1" not in encrypted.callers and len(encrypted.callers) == 2
    assert not any("proxy" in name.lower() for headers in encrypted.headers for name in headers)


async def test_a_tunnel_that_leads_to_somebody_else_is_the_proxys_fault(ways: Ways, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)  # which nobody believes
    stranger = Site()
    await stranger.server.start_server(ssl=context)
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        for told in ["without the host's certificate"] * 3 + ["all 1 rest"]:
            with pytest.raises(ProxyFailed, match=told):
                await client.send(Request(url=stranger.url("/page"), documented_api=True))
    await stranger.server.close()
    assert stranger.callers == []


async def test_a_tunnel_that_is_none_is_the_proxys_fault(ways: Ways, encrypted: Site) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        await client.send(ways.get("/page"))
        ways.proxies[0].fault = 200  # said, and nothing connected
        with pytest.raises(ProxyFailed, match="breaks off"):
            await client.send(Request(url=encrypted.url("/page"), documented_api=True))
    assert encrypted.callers == []


@pytest.mark.parametrize("fault", [407, 502])
async def test_a_refused_tunnel_is_the_proxys_fault(ways: Ways, encrypted: Site, fault: int) -> None:
    ways.proxies = ways.proxies[:1]
    async with ways.client() as client:
        await client.send(ways.get("/page"))
        ways.proxies[0].fault = fault
        with pytest.raises(ProxyFailed, match=f"127.0.0.1:{ways.proxies[0].port} answers with status {fault}"):
            await client.send(Request(url=encrypted.url("/page"), documented_api=True))
    assert encrypted.callers == []


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize("fault", [407, 502, "hang_up", "gone"])
async def test_credentials_are_in_no_log_and_no_error(
    ways: Ways, encrypted: Site, fault: int | str, tunnel: bool
) -> None:
    written = io.TextIOWrapper(io.BytesIO(), "utf-8")
    logs.configure("json", "debug", to=written)
    site = encrypted if tunnel else ways.site
    told = []
    try:
        async with ways.client() as client:
            await client.send(ways.get("/page"))
            for proxy in ways.proxies:
                proxy.fault = None if fault == "gone" else fault
            for _ in range(8):
                try:
                    await client.send(Request(url=site.url("/page?status=404"), documented_api=True))
                except (ProxyFailed, Gone, Transient) as error:
                    structlog.get_logger("tests").exception("failed", client=client, ways=client._route)
                    told += [
                        repr(error),
                        *traceback.TracebackException.from_exception(error, capture_locals=True).format(),
                    ]
    finally:
        structlog.reset_defaults()
    assert told
    written.flush()
    everything = written.buffer.getvalue().decode() + "".join(told)  # type: ignore[attr-defined]
    assert "failed" in everything
    for secret in (PASSWORD, base64.b64encode(f"us-er:{PASSWORD}".encode()).decode(), "us-er"):
        assert secret not in everything
    assert all(b"Proxy-Authorization" in head for proxy in ways.proxies for head in proxy.heads)
