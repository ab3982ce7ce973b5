"""Gateways over real servers, a simulated provider behind them, and what their ledger says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.gateway.app import create_app
from api.gateway.providers import PROVIDERS, Provider
from api.gateway.server import buyer_of
from lib.life.config import Config
from lib.net.breaker import BreakerRules
from lib.spend.budget import Rules
from lib.spend.client import Gateway, Paid
from lib.spend.ledger import Ledger
from lib.store.connections import Cache, Database
from tests.sim import hasdata
from tests.sim.jobsites import JobSites
from tests.sim.market import Market
from tests.sim.serving import serving

GATEWAY_KEY = "the-gateway-s-own-key"
PROVIDER_KEY = "hasdata-0123456789abcdef"
LISTING = {"keyword": "Pflegefachkraft", "location": "Deutschland", "domain": "de.indeed.com"}
SITES = JobSites(Market(3, 6, 120))


@dataclass(frozen=True)
class Sums:
    """What the ledger says of all that was ever asked."""

    used: int
    reserved: int
    reservations: int
    ends: int


async def sums(database: Database) -> Sums:
    """The budget's sums, which must be those of the entries."""
    row = await database.fetchrow(
        """SELECT (SELECT coalesce(sum(used), 0)::bigint FROM credit_budget) AS used,
                  (SELECT coalesce(sum(reserved), 0)::bigint FROM credit_budget) AS reserved,
                  count(*) FILTER (WHERE kind = 'reserve') AS reservations,
                  count(*) FILTER (WHERE kind <> 'reserve') AS ends,
                  coalesce(sum(credits) FILTER (WHERE kind = 'settle'), 0)::bigint AS settled
             FROM credit_entry"""
    )
    assert row is not None and row["used"] == row["settled"]
    return Sums(row["used"], row["reserved"], row["reservations"], row["ends"])


async def account(database: Database, tier: str = "paid") -> int:
    """A new account's id."""
    made: int = await database.fetchval(
        "INSERT INTO account (name, tier) VALUES (gen_random_uuid()::text, $1) RETURNING id", tier
    )
    return made


@asynccontextmanager
async def provider(latency_s: float = 0.0) -> AsyncIterator[hasdata.Provider]:
    """The simulated HasData."""
    async with hasdata.playing(SITES, key=PROVIDER_KEY, latency_s=latency_s) as playing:
        yield playing


def config_of(folder: Path, hasdata_url: str, **settings: object) -> Config:
    """The settings of a gateway."""
    given = {
        "home": folder,
        "gateway_key": GATEWAY_KEY,
        "hasdata_url": hasdata_url,
        "provider_keys": (f"hasdata={PROVIDER_KEY}",),
    }
    return Config(**(given | settings))  # type: ignore[arg-type]


@asynccontextmanager
async def gateway(
    database: Database,
    cache: Cache,
    config: Config,
    *,
    providers: Mapping[str, Provider] = PROVIDERS,
    breaker: BreakerRules | None = None,
    rules: Rules | None = None,
) -> AsyncIterator[str]:
    """A gateway in this process; its URL."""
    ledger = Ledger(database, rules=rules)
    async with buyer_of(config, database, cache, ledger, providers, breaker or BreakerRules()) as buyer:
        app = create_app(config.gateway_key, buyer, ledger, database, dict(providers))
        try:
            async with serving(app, handler_cancellation=True) as url:
                yield url
        finally:
            await buyer.drain(5.0)


def client(url: str, patience_s: float = 10.0) -> Gateway:
    """A caller."""
    return Gateway(url, GATEWAY_KEY, patience_s=patience_s)


async def buy(caller: Gateway, request_id: str, *, account_id: int | None = None, record: str | None = None) -> Paid:
    """A listing, five credits; the house pays where no account does."""
    return await caller.call(
        "hasdata", "indeed_listing", LISTING, account_id=account_id, request_id=request_id, record=record
    )
