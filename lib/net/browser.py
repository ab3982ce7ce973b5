"""A browser for pages that are empty without one: Chromium, whose every request goes through the polite client.

Chromium itself resolves no name and opens no connection to the outside: each request of a page is taken from it, sent
by the client (addresses judged, robots.txt asked, the host's pace kept) and answered with what came. Images, fonts,
media, downloads and whatever is no GET are left out.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import psutil

from lib.errors import SourceError, Transient, VakanzError
from lib.net.messages import Request, Response
from lib.net.robots import SiteRules
from lib.net.validators import Validators

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import Page, Playwright, Route

LEAST_MEMORY = 700_000_000  # bytes that are free before a browser is started: one page takes about half of it
PAGE_S = 45.0
_START_S = 30.0
_QUIET_S = 0.5  # without a request in flight: the page has settled
_MAX_REQUESTS = 150
_MAX_BYTES = 10_000_000
_MAX_HTML_CHARS = 5_000_000
_LEFT_OUT = frozenset({"image", "media", "font", "texttrack", "manifest", "eventsource", "websocket", "ping"})
_ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--js-flags=--max-old-space-size=256",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever slips past us finds nobody
    "--proxy-server=127.0.0.1:9",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)


class NoBrowser(VakanzError):
    """The browser cannot be started."""


class NoMemory(VakanzError):
    """Too little memory is free for a browser now."""


class Client(Protocol):
    """The polite client."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...

    async def site_rules(self, url: str) -> SiteRules: ...


@dataclass
class _Loading:
    """One page being loaded: what of it is in flight, and the answer to its own request."""

    url: str
    requests: int = 0
    in_flight: int = 0
    turned: asyncio.Event = field(default_factory=asyncio.Event)  # a request began or ended
    answer: Response | None = None
    error: SourceError | None = None


class Browser:
    """Chromium at `executable` for as long as the context lasts; in its own sandbox, unless we are root."""

    def __init__(self, executable: str, client: Client, *, least_memory: int = LEAST_MEMORY) -> None:
        self._executable = executable
        self._client = client
        self._least_memory = least_memory
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None

    async def __aenter__(self) -> Self:
        """Raises NoMemory, NoBrowser."""
        check_memory(self._least_memory)
        if not Path(self._executable).is_file():
            raise NoBrowser(f"{self._executable} is no program: set VAKANZ_BROWSER to that of Chromium")
        from playwright.async_api import Error, async_playwright  # half a second, which few who import this need

        self._playwright = await async_playwright().start()
        try:
            self._chromium = await self._playwright.chromium.launch(
                executable_path=self._executable, args=list(_ARGUMENTS), chromium_sandbox=not _is_root(),
                timeout=_START_S * 1000, env=_environment(),
            )  # fmt: skip
        except Error as error:
            await self._playwright.stop()
            raise NoBrowser(f"{self._executable}: {error.message.splitlines()[0]}"[:300]) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with asyncio.timeout(10):
            if self._chromium is not None:
                await self._chromium.close()
            if self._playwright is not None:
                await self._playwright.stop()

    async def site_rules(self, url: str) -> SiteRules:
        """As the client does."""
        return await self._client.site_rules(url)

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        """The page at `request.url` as it stands when its scripts have settled, or after PAGE_S seconds.

        Raises what the client raises for the page itself; Transient when the browser gives up. Documented APIs and
        robots' files go to the client as they are, and so does what turns out to be no HTML.
        """
        if request.documented_api:
            return await self._client.send(request, validators=validators)
        if self._chromium is None:
            raise RuntimeError("a Browser is used as `async with Browser(...)`")
        from playwright.async_api import Error

        context = await self._chromium.new_context(
            accept_downloads=False, service_workers="block", java_script_enabled=True, locale="de-DE"
        )
        try:
            async with asyncio.timeout(PAGE_S + 15):
                return await self._load(await context.new_page(), request)
        except TimeoutError as error:
            raise Transient(f"the browser did not finish {request.url[:200]}") from error
        except Error as error:
            raise Transient(f"the browser: {error.message.splitlines()[0]}"[:300]) from error
        finally:
            await context.close()

    async def _load(self, page: Page, request: Request) -> Response:
        from playwright.async_api import Error

        loading = _Loading(request.url)

        async def answer(route: Route) -> None:
            await self._answer(route, loading, request)

        await page.route("**/*", answer)
        try:
            await page.goto(request.url, wait_until="domcontentloaded", timeout=PAGE_S * 1000)
        except Error:
            if loading.error is not None:
                raise loading.error from None
            if loading.answer is None:
                raise
        await _settled(loading)
        if loading.answer is None:
            raise Transient(f"no answer for {request.url[:200]}")
        html = (await page.content())[:_MAX_HTML_CHARS]
        return Response(
            request=request, url=loading.answer.url, status=200, headers={"content-type": "text/html; charset=utf-8"},
            body=html.encode("utf-8", "replace"),
        )  # fmt: skip

    async def _answer(self, route: Route, loading: _Loading, request: Request) -> None:
        """Answers one request of the page with what the client gets for it."""
        asked = route.request
        own = loading.answer is None and asked.is_navigation_request() and asked.frame.parent_frame is None
        if loading.requests >= _MAX_REQUESTS or asked.method != "GET" or asked.resource_type in _LEFT_OUT:
            await route.abort("blockedbyclient")
            return
        loading.requests += 1
        loading.in_flight += 1
        loading.turned.set()
        try:
            response = await self._client.send(Request(url=asked.url, headers=_accept(asked), max_bytes=_MAX_BYTES))
            if own:
                loading.answer = response
            await route.fulfill(status=response.status, headers=_passed_on(response), body=response.body)
        except SourceError as error:
            if own:
                loading.error = error
            await route.abort("failed")
        finally:
            loading.in_flight -= 1
            loading.turned.set()


async def _settled(loading: _Loading) -> None:
    """Waits until nothing was asked for a moment, PAGE_S seconds at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PAGE_S):
            while True:
                loading.turned.clear()
                try:
                    async with asyncio.timeout(_QUIET_S):
                        await loading.turned.wait()
                except TimeoutError:
                    if not loading.in_flight:
                        return


def check_memory(least: int, available: int | None = None) -> None:
    """Raises NoMemory unless `least` bytes are free. `available`: None asks the machine."""
    free = psutil.virtual_memory().available if available is None else available
    if free < least:
        raise NoMemory(f"{free // 1_000_000} MB of memory are free, a browser needs {least // 1_000_000}")


def _accept(asked: Any) -> dict[str, str]:
    accepted = asked.headers.get("accept")
    return {"Accept": accepted} if accepted else {}


def _passed_on(response: Response) -> dict[str, str]:
    """The headers that a page needs; those about the connection would no longer be true."""
    names = ("content-type", "access-control-allow-origin", "content-security-policy", "location")
    return {name: response.headers[name] for name in names if name in response.headers}


def _environment() -> dict[str, str | float | bool]:
    """All that Chromium is told: nothing of our configuration, whose keys a page that breaks out would find there."""
    return {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}


def _is_root() -> bool:
    return psutil.Process().uids().effective == 0
