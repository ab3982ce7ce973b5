"""The registry of simulated systems: every module here that has a `SYSTEM` is in it, under its own name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.sim.wire import System


def _load() -> dict[str, System]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {system.name: system for system in (module.SYSTEM for module in modules)}


SYSTEMS: dict[str, System] = _load()
