"""The job-board systems that Vakanz reads, found by walking this package: one file per source.

A file holds one class whose `name` is the file's name. Nothing else is to be registered: a new file is a new source,
and the contract suite tests it on arrival.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from inspect import getmembers, isclass
from types import MappingProxyType

from lib.errors import VakanzError
from lib.posting.contract import Source

_NO_SOURCES = frozenset({"cli"})


class UnknownSource(VakanzError):
    """No source has this name; the message lists those that exist."""


def _discover() -> Mapping[str, Source]:
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg and module.name not in _NO_SOURCES:
            found[module.name] = _load(module.name)
    return MappingProxyType(dict(sorted(found.items())))


def _load(name: str) -> Source:
    module = import_module(f"{__name__}.{name}")
    for _, kind in getmembers(module, isclass):
        if kind.__module__ == module.__name__ and getattr(kind, "name", None) == name:
            instance = kind()
            if isinstance(instance, Source):
                return instance
    raise ImportError(f"{module.__name__} holds no source class whose name is {name!r}")


SOURCES: Mapping[str, Source] = _discover()


def source(name: str) -> Source:
    """The source of that name. Raises UnknownSource."""
    try:
        return SOURCES[name]
    except KeyError:
        raise UnknownSource(f"no source is called {name!r}; there are {', '.join(SOURCES)}") from None


def detect(url: str) -> tuple[Source, str] | None:
    """Source and tenant of a board's, a posting's or an API's address; None for any other text."""
    for candidate in SOURCES.values():
        tenant = candidate.detect(url)
        if tenant is not None:
            return candidate, tenant
    return None
