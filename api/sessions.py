"""People who signed in: a session is a random cookie, of which only the hash is kept, and a token for its forms.

What a page of the web client needs:

- `await request.app[SESSIONS].sign_in(name, password, address_of(request), cookie_of(request))` gives a new cookie, and
  `keep(request, response, cookie)` puts it into the answer;
- `await request.app[SESSIONS].sign_out(cookie_of(request))` and `forget(request, response)` take it back;
- `request[SESSION]` is who is signed in, or None. Whatever changes something carries `request[SESSION].csrf`: a form in
  a hidden field `csrf`, which stands before any file, a script's request in a header `X-CSRF-Token` (the only way for
  bodies that are no forms).

The middleware looks at the token, and at whether the request comes from a page of ours, before a handler is called.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web

from api import passwords
from api.callers import Caller, Tier, scopes_of
from api.rates import Limit, Rates
from api.room import LOOPBACK, host_of
from lib.errors import VakanzError
from lib.posting.contract import clean_text
from lib.store.connections import Database
from sql import statements

LONGEST: Final = timedelta(days=14)
IDLE: Final = timedelta(days=2)
PER_NAME: Final = Limit("sign-in-name", 20, 600.0)
PER_ADDRESS: Final = Limit("sign-in-address", 10, 300.0)
_SQL = statements("accounts")
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
_REMEMBER_S = 5.0
_MOST_REMEMBERED = 10_000
_AT_ONCE = 1  # each takes 16 MiB and a core for a fifth of a second, which searches need as well


class WrongPassword(VakanzError):
    """Name or password are wrong, or nobody of this name can sign in; which of these is not said."""


class TooManyTries(VakanzError):
    """Somebody guesses: the next try may come in `retry_s` seconds."""

    def __init__(self, retry_s: int) -> None:
        super().__init__(f"too many tries, please try again in {retry_s} s")
        self.retry_s = retry_s


@dataclass(frozen=True)
class Session:
    """Who is signed in. `csrf`: the token of this session's forms."""

    account_id: int
    name: str
    tier: Tier
    csrf: str

    @property
    def caller(self) -> Caller:
        """The same as every handler knows it."""
        return Caller(self.account_id, self.tier, None, scopes_of(self.tier))


class Sessions:
    """All sessions. One that was just seen is remembered for some seconds, which is how long it may outlive its end."""

    def __init__(self, database: Database, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._rates = rates
        self._clock = clock
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._known: dict[bytes, tuple[Session, float]] = {}

    async def sign_in(self, name: str, password: str, address: str, before: str) -> str:
        """The cookie of a new session; the one of the cookie `before` ends. Raises WrongPassword, TooManyTries.

        A wrong name takes as long as a wrong password. Guesses are slowed down by name and by the caller's address.
        """
        name = clean_text(name, 100).strip().lower()
        for mark, limit in ((f"address:{address}", PER_ADDRESS), (f"name:{_hash(name).hex()}", PER_NAME)):
            grant = await self._rates.take(mark, limit)
            if not grant.allowed:
                raise TooManyTries(grant.retry_s)
        row = await self._database.fetchrow(_SQL.load_password, name)
        sealed = None if row is None else row["password"]
        async with self._hashing:
            matches = await asyncio.to_thread(passwords.matches, password, sealed)
        if row is None or not matches:
            raise WrongPassword("name or password are wrong")
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        self._known.pop(_hash(before), None)
        session = (_hash(cookie), row["id"], csrf, LONGEST)
        await self._database.execute(_SQL.open_session, *session, _hash(before), sealed)
        return cookie

    async def find(self, cookie: str) -> Session | None:
        """Whose session this is; None when it is over, or never was."""
        if not _FORM.fullmatch(cookie):
            return None
        mark = _hash(cookie)
        held = self._known.get(mark)
        if held is not None and held[1] > self._clock():
            return held[0]
        self._known.pop(mark, None)
        row = await self._database.fetchrow(_SQL.find_session, mark, IDLE)
        if row is None:
            return None
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        session = Session(**row)
        self._known[mark] = (session, self._clock() + _REMEMBER_S)
        return session

    async def sign_out(self, cookie: str) -> None:
        """Ends a session, if it is one."""
        self._known.pop(_hash(cookie), None)
        await self._database.execute(_SQL.end_session, _hash(cookie))


def cookie_of(request: web.Request) -> str:
    """The session's cookie as the browser sent it, "" without one."""
    return request.cookies.get(_name(request), "")


def mark_of(request: web.Request) -> bytes:
    """The hash by which the session that the browser names is kept."""
    return _hash(cookie_of(request))


def keep(request: web.Request, response: web.Response, cookie: str) -> None:
    """Gives the browser a session's cookie: for this host only, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        _name(request), cookie, max_age=int(LONGEST.total_seconds()), path="/",
        secure=not _is_local(request), httponly=True, samesite="Lax",
    )  # fmt: skip


def forget(request: web.Request, response: web.Response) -> None:
    """Takes the cookie back."""
    response.del_cookie(_name(request), path="/", secure=not _is_local(request), httponly=True, samesite="Lax")


def address_of(request: web.Request) -> str:
    """Whom guesses are counted for: the peer, or whom a proxy on this machine or in its network names as its own.

    Some proxies write into a field of their own below the caller's. Of IPv6 it is the network: a household has 2^64
    addresses.
    """
    peer = request.remote or ""
    named = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(named if named and ipaddress.ip_address(peer).is_private else peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _name(request: web.Request) -> str:
    """Browsers accept a `__Host-` cookie from this very host and over TLS only."""
    return "vakanz_session" if _is_local(request) else "__Host-vakanz_session"


def _is_local(request: web.Request) -> bool:
    return host_of(request) in LOOPBACK


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
