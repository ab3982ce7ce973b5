"""Saved payloads as boards: each file is one board of its system, its bytes untouched."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sim.systems import SYSTEMS
from tests.sim.wire import Answer, Call, Saved, Showing, System

# What files in a folder of their system are called when they hold a list from its beginning.
_LISTS = frozenset({"normal", "list_normal", "search_normal", "huge"})
_SAYS_NOTHING = frozenset({"list", "normal", "search", "positions"})
_KINDS = (".json", ".xml", ".html")
_FIRST_PAGE, _LAST_PAGE = "page_full", "page_short"


class Replay:
    """Plays a folder of saved payloads.

    A file belongs to the system that it is named after (`careerkit/ashby.json`, `mine/dvinci_list.json`) or that its
    folder is (`fixtures/ashby/normal.json`, `huge.json.gz`, `personio_feeds/positions.xml`). Details beside a list are
    served with it. A first page (`list_page_full.json`) goes on with its last one (`list_page_short.json`). In a folder
    of a system all else (empty, dead, parts of lists) is no board. Tenants are named after the top folder. Raises
    ValueError where nothing can be played.
    """

    def __init__(self, folder: Path) -> None:
        self._saved: dict[tuple[str, str], Saved] = {}
        files = list(_files(folder))
        for file in files:
            if file.is_list:
                saved = file.as_board(folder, [other for other in files if other.path.parent == file.path.parent])
                self._saved[file.system.name, saved.tenant.casefold()] = saved
        if not self._saved:
            raise ValueError(f"no payload of {', '.join(SYSTEMS)} in {folder}")

    def board_list(self) -> list[dict[str, Any]]:
        """Every board: source, tenant, url; the number of open postings is not known (None)."""
        return [
            {
                "source": source,
                "tenant": saved.tenant,
                "url": SYSTEMS[source].board_url(saved.tenant),
                "company": saved.tenant,
                "open": None,
            }
            for (source, _), saved in self._saved.items()
        ]

    def answer(self, system: System, call: Call, showing: Showing) -> Answer:
        """The saved answer to `call`; saved lists cannot be shown otherwise than they are."""
        saved = self._saved.get((system.name, call.tenant.casefold()))
        if saved is None:
            return system.unknown(call)
        return saved.detail(str(call.args[0])) if call.kind == "detail" else system.replay(call, saved)


@dataclass(frozen=True)
class _File:
    """A saved payload. `about`: what its name says beside its system; `alone`: its folder is not the system's."""

    path: Path
    system: System
    about: str
    alone: bool

    @property
    def is_detail(self) -> bool:
        return "detail" in _words(self.about)

    @property
    def is_list(self) -> bool:
        if self.is_detail:
            return False
        return self.alone or self.about in _LISTS or self.about.endswith(_FIRST_PAGE)

    def as_board(self, folder: Path, neighbours: list[_File]) -> Saved:
        listing, details = self.system.unpack(self.load())
        # Where two details are of one posting, the one named normal is taken.
        for other in sorted(neighbours, key=lambda other: "normal" in other.about):
            if other.system is self.system and other.is_detail:
                payload = other.load()
                if identity := self.system.detail_id(payload):
                    details[identity] = payload
        words = [word for word in _words(self.about) if word not in _SAYS_NOTHING]
        name = "-".join((*_words(self.path.relative_to(folder).parts[0]), *words))
        wanted = self.about.replace(_FIRST_PAGE, _LAST_PAGE)
        last = next((other.load() for other in neighbours if other.about == wanted != self.about), None)
        return Saved(self.system.saved_tenant(name, listing), listing, details, last)

    def load(self) -> bytes:
        payload = self.path.read_bytes()
        return gzip.decompress(payload) if self.path.suffix == ".gz" else payload


def _files(folder: Path) -> Iterator[_File]:
    """What belongs to a system; files at the top are none."""
    for path in sorted(folder.rglob("*")):
        stem, _, kind = path.name.removesuffix(".gz").rpartition(".")
        if path.parent == folder or f".{kind}" not in _KINDS or not path.is_file():
            continue
        named, around = _system(stem), _system(path.parent.name)
        if named:
            yield _File(path, named[0], named[1], alone=True)
        elif around:
            yield _File(path, around[0], stem, alone=around[1] != "")


def _system(name: str) -> tuple[System, str] | None:
    """The system that a file or a folder is named after, and what else its name says."""
    found = _SYSTEM.fullmatch(name)
    return (_NAMES[found[1].lower().replace("-", "_")], found[2] or "") if found else None


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


_NAMES = {name: system for system in SYSTEMS.values() for name in (system.name, *system.also)}
_SYSTEM = re.compile(
    rf"({'|'.join(sorted((name.replace('_', '[_-]') for name in _NAMES), key=len, reverse=True))})(?:[_-](.+))?",
    re.IGNORECASE,
)
