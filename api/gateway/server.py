"""The gateway as a daemon: listens until it is asked to stop, sweeps reservations that nobody ended, lets calls end."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from api.gateway.app import create_app
from api.gateway.buying import Buyer
from api.gateway.providers import PROVIDERS, Provider, Terms
from api.gateway.upstream import Account, open_upstream
from api.listening import listening
from lib.errors import ConfigError
from lib.life.actor import Life
from lib.life.config import Config
from lib.net.breaker import BreakerRules
from lib.net.politeness import Politeness
from lib.spend.budget import rules_of
from lib.spend.ledger import Ledger
from lib.store.blobs import Blobs
from lib.store.connections import Cache, Database

SWEEP_S = 5.0
_LONGEST_TURN_S = 2.0  # whoever would wait longer for a turn comes back later


async def serve(life: Life, on_ready: Callable[[str], None] = lambda url: None) -> None:
    """Serves on the configured address; `on_ready` gets the URL once connections are accepted.

    Without a `gateway_key` it only waits for one. Raises OSError when the address is taken.
    """
    config = life.config
    if not config.gateway_key:
        life.say("idle", "there is no gateway_key by which callers could prove themselves")
        while not await life.pause(SWEEP_S):
            pass
        return
    ledger = Ledger(life.database, rules=rules_of(config))
    async with buyer_of(config, life.database, life.cache, ledger) as buyer:
        app = create_app(config.gateway_key, buyer, ledger, life.database)
        try:
            async with listening(life, app, config.gateway_host, config.gateway_port, handler_cancellation=True) as url:
                on_ready(url)
                while not await life.pause(SWEEP_S):
                    life.count("swept", await ledger.sweep())
        finally:
            await buyer.drain(config.drain_s / 3)


@asynccontextmanager
async def buyer_of(
    config: Config,
    database: Database,
    cache: Cache,
    ledger: Ledger,
    providers: Mapping[str, Provider] = PROVIDERS,
    rules: BreakerRules = BreakerRules(),  # noqa: B008 -- frozen
) -> AsyncIterator[Buyer]:
    """What buys as the configuration says."""
    terms = Terms(config.llm_model, config.llm_credits)
    politeness = Politeness(cache.client, longest_s=_LONGEST_TURN_S, rules=rules, rng=random.Random())
    async with open_upstream(terms) as upstream:
        try:
            yield Buyer(
                database=database, ledger=ledger, blobs=Blobs(config.blobs), politeness=politeness,
                upstream=upstream, accounts=accounts(config, providers), terms=terms, providers=providers,
                most_places=config.credits_in_flight, rng=random.Random(),
            )  # fmt: skip
        finally:
            await politeness.aclose()


def accounts(config: Config, providers: Mapping[str, Provider]) -> dict[str, Account]:
    """Those of the providers that are set up: that have an address, and a key where one is needed.

    Raises ConfigError for a key of somebody else: a misspelt name would only show when nothing can be bought.
    """
    if strangers := sorted(config.bought_with.keys() - providers.keys()):
        raise ConfigError([f"provider_keys: there is no provider {strangers[0]}; there are {', '.join(providers)}"])
    found = {
        name: Account(name, getattr(config, provider.setting), config.bought_with.get(name, ""))
        for name, provider in providers.items()
    }
    return {
        name: account
        for name, account in found.items()
        if account.url and (account.key or not providers[name].needs_key)
    }
