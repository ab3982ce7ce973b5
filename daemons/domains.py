"""The daemons that exist, by the name of their domain; imported only when one is started, so that each stays small."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from lib.errors import VakanzError

SHARDS = 8
REGIONS = 25
Serve: TypeAlias = Callable[..., Awaitable[None]]


class UnknownUnit(VakanzError):
    """No daemon is called so; the message lists those that exist."""


@dataclass(frozen=True)
class Domain:
    """Where a daemon's `serve` is. `parts`: into how many its work is divided; an instance does one part or a range of
    them (descriptions@3, descriptions@0-7). None: any number of instances share the work."""

    module: str
    function: str = "serve"
    parts: int | None = None

    def load(self) -> Serve:
        """Imports the daemon."""
        serve: Serve = getattr(import_module(self.module), self.function)
        return serve


DOMAINS: Mapping[str, Domain] = {
    "crawl": Domain("daemons.crawl.actor"),
    "careers": Domain("daemons.careers.actor"),
    "browser": Domain("daemons.careers.actor", "serve_browser"),
    "descriptions": Domain("daemons.descriptions.actor", parts=SHARDS),
    "enrich": Domain("daemons.enrich.actor", parts=SHARDS),
    "embed": Domain("daemons.embed.actor", "serve_listings", parts=SHARDS),
    "fulltext": Domain("daemons.embed.actor", "serve_texts", parts=SHARDS),
    "geo": Domain("daemons.companies.actor", parts=REGIONS),
    "upkeep": Domain("daemons.upkeep.actor"),
}


def parse_unit(unit: str) -> tuple[Domain, range]:
    """Domain and shards of a unit such as crawl@0, descriptions@3 or enrich@0-7. Raises UnknownUnit."""
    name, _, instance = unit.partition("@")
    domain = DOMAINS.get(name)
    if domain is None:
        raise UnknownUnit(f"no daemon is called {name!r}; there are {', '.join(DOMAINS)}")
    first, _, last = (instance or ("0" if domain.parts is None else f"0-{domain.parts - 1}")).partition("-")
    try:
        shards = range(int(first), int(last or first) + 1)
    except ValueError:
        raise UnknownUnit(f"{unit}: an instance is a number or a range such as 0-7") from None
    if domain.parts is not None and not (0 <= shards.start < shards.stop <= domain.parts):
        raise UnknownUnit(f"{unit}: shards run from 0 to {domain.parts - 1}")
    return domain, shards
