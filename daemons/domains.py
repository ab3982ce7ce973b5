"""The daemons that exist, by the name of their domain; imported only when one is started, so that each stays small."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from lib.errors import VakanzError

SHARDS = 8
Serve: TypeAlias = Callable[..., Awaitable[None]]


class UnknownUnit(VakanzError):
    """No daemon is called so; the message lists those that exist."""


@dataclass(frozen=True)
class Domain:
    """Where a daemon's `serve` is. `sharded`: its instances are shards (descriptions@3, descriptions@0-7)."""

    module: str
    function: str = "serve"
    sharded: bool = False

    def load(self) -> Serve:
        """Imports the daemon."""
        serve: Serve = getattr(import_module(self.module), self.function)
        return serve


DOMAINS: Mapping[str, Domain] = {
    "crawl": Domain("daemons.crawl.actor"),
    "descriptions": Domain("daemons.descriptions.actor", sharded=True),
    "enrich": Domain("daemons.enrich.actor", sharded=True),
    "embed": Domain("daemons.embed.actor", "serve_listings", sharded=True),
    "fulltext": Domain("daemons.embed.actor", "serve_texts", sharded=True),
    "upkeep": Domain("daemons.upkeep.actor"),
}


def parse_unit(unit: str) -> tuple[Domain, range]:
    """Domain and shards of a unit such as crawl@0, descriptions@3 or enrich@0-7. Raises UnknownUnit."""
    name, _, instance = unit.partition("@")
    domain = DOMAINS.get(name)
    if domain is None:
        raise UnknownUnit(f"no daemon is called {name!r}; there are {', '.join(DOMAINS)}")
    first, _, last = (instance or ("0-7" if domain.sharded else "0")).partition("-")
    try:
        shards = range(int(first), int(last or first) + 1)
    except ValueError:
        raise UnknownUnit(f"{unit}: an instance is a number or a range such as 0-7") from None
    if domain.sharded and not (0 <= shards.start < shards.stop <= SHARDS):
        raise UnknownUnit(f"{unit}: shards run from 0 to {SHARDS - 1}")
    return domain, shards
