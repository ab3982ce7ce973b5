"""Saved payloads as boards: each file is one board of its system, its bytes untouched."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

from tests.sim.systems import SYSTEMS
from tests.sim.wire import Answer, Call, Saved, Showing, System

_PLAIN_STEMS = ("normal", "list_normal", "huge")
_KINDS = (".json", ".xml")


class Replay:
    """Plays a folder of saved payloads.

    A file is read as a list of the system that it is named after (`careerkit/ashby.json`), that its folder is named
    after (`fixtures/ashby/normal.json`, `huge.json.gz`) or that its folder's name begins with
    (`personio_feeds/positions.xml`). Empty, dead and detail variants are no boards; details are served where their
    system has them. Tenants are named after the top folder. Raises ValueError where nothing can be played.
    """

    def __init__(self, folder: Path) -> None:
        self._saved: dict[tuple[str, str], Saved] = {}
        for path in sorted(folder.rglob("*")):
            self._read(folder, path)
        if not self._saved:
            raise ValueError(f"no payload of {', '.join(SYSTEMS)} in {folder}")

    def _read(self, folder: Path, path: Path) -> None:
        stem, _, kind = path.name.removesuffix(".gz").rpartition(".")
        inside = path.relative_to(folder).parts
        if len(inside) < 2 or f".{kind}" not in _KINDS or not path.is_file():
            return
        parent = path.parent.name
        system = SYSTEMS.get(stem) or SYSTEMS.get(parent) or SYSTEMS.get(parent.partition("_")[0])
        if system is None or not _is_list(system, stem, parent):
            return
        listing, details = system.unpack(_load(path))
        if system.name == parent:
            details |= _details(system, path.parent)
        tenant = re.sub(r"[^a-z0-9]+", "-", inside[0].lower())
        if stem not in (system.name, "normal", "list_normal", "positions"):
            tenant += "-" + re.sub(r"[^a-z0-9]+", "-", stem.lower())
        self._saved[system.name, tenant] = Saved(tenant, listing, details)

    def board_list(self) -> list[dict[str, Any]]:
        """Every board: source, tenant, url; the number of open postings is not known (None)."""
        return [
            {
                "source": source,
                "tenant": tenant,
                "url": SYSTEMS[source].board_url(tenant),
                "company": tenant,
                "open": None,
            }
            for source, tenant in self._saved
        ]

    def answer(self, system: System, call: Call, showing: Showing) -> Answer:
        """The saved answer to `call`; saved lists cannot be shown otherwise than they are."""
        saved = self._saved.get((system.name, call.tenant.casefold()))
        return system.unknown(call) if saved is None else system.replay(call, saved)


def _is_list(system: System, stem: str, parent: str) -> bool:
    if stem == system.name:
        return True
    return stem in _PLAIN_STEMS if parent == system.name else parent.startswith(f"{system.name}_")


def _details(system: System, folder: Path) -> dict[str, bytes]:
    """Saved details beside a list; where two are of one posting, the one named normal is taken."""
    details: dict[str, bytes] = {}
    for path in sorted(folder.glob("detail*"), key=lambda path: "normal" in path.name):
        payload = _load(path)
        if identity := system.detail_id(payload):
            details[identity] = payload
    return details


def _load(path: Path) -> bytes:
    payload = path.read_bytes()
    return gzip.decompress(payload) if path.suffix == ".gz" else payload
