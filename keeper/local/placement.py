"""Which units one machine runs: every domain once, all shards of a domain in one process."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from keeper.observed import Unit
from lib.life.actor import CLEANUP_S
from lib.life.config import Config

_UNITS = (
    ("crawl@0-5", 0),
    ("careers@0", 0),
    ("descriptions@0-7", 0),
    ("enrich@0-7", 0),
    ("embed@0-7", 0),
    ("fulltext@0-7", 0),
    ("upkeep@0", 0),
    ("api@0", 1),
)
_PROXIED = ("crawl@proxied", 0)
_GEO = ("geo@0-24", 0)
_BROWSER = ("browser@0", 0)
_GATEWAY = ("gateway@0", 0)
_DISCOVER = ("discover@0", 0)


def units(config: Config, environment: Mapping[str, str]) -> list[Unit]:
    """The units with what starts them. Children get `environment` and exactly this configuration.

    What needs a setting runs only where that is given: proxied sources, a server of maps, a browser, paid providers.
    """
    asked = (
        (config.proxied_sources, _PROXIED),
        (config.overpass, _GEO),
        (config.browser, _BROWSER),
        (config.gateway_key, _GATEWAY),
        (config.gateway_url, _DISCOVER),
    )
    env = {**environment, **config.environment(), "VAKANZ_LOG_FORMAT": "json"}
    return [
        Unit(name=name, argv=(sys.executable, "-m", "vakanz", "daemon", name), env=env, order=order)
        for name, order in (*_UNITS, *(unit for setting, unit in asked if setting))
    ]


def drain_s(config: Config) -> float:
    """How long the keeper waits for units to end: longer than a daemon drains, cleans up and takes to exit."""
    return config.drain_s + 2 * CLEANUP_S
