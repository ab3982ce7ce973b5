"""The pages of a site as rows: found, visited, and due again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from daemons.careers.doubles import BEGINNING, Ad
from lib.net.validators import Validators
from lib.posting.boards import Board
from lib.posting.contract import Posting
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("careers")
_MAX_REPEATED = 500
_SEPARATOR = "\x1f"
MAX_PAGES = 5_000  # of one site; a larger one is no company's careers page
State = Literal["new", "read", "browser", "aside", "gone"]
Kind = Literal["unknown", "ad", "list", "document", "other"]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page that we know of. `doubts`, `attempts`: visits in a row that left a doubt, or brought no page."""

    url: str
    depth: int
    state: State
    kind: Kind
    external_ids: tuple[str, ...]
    etag: str | None
    last_modified: str | None
    body_hash: bytes | None
    version: str | None
    lastmod: str
    doubts: int
    attempts: int
    reason: str | None
    linked_at: datetime
    read_at: datetime | None
    due_at: datetime

    @classmethod
    def of(cls, row: asyncpg.Record) -> Page:
        """The page in a row that has all its columns."""
        fields: dict[str, Any] = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**fields | {"external_ids": tuple(row["external_ids"])})

    @property
    def validators(self) -> Validators | None:
        """What the page was known by when it was read."""
        known = Validators(etag=self.etag, last_modified=self.last_modified)
        return known if known.etag or known.last_modified else None


@dataclass(frozen=True, kw_only=True)
class Lead:
    """A page that something leads to."""

    url: str
    depth: int
    kind: Kind = "unknown"
    lastmod: str = ""


@dataclass(frozen=True)
class Standing:
    """A site's figures: open postings, known pages, pages that need a browser, pages that are set aside."""

    board: Board
    open: int
    pages: int
    browser: int
    aside: int


async def find(database: Database, board_id: int, leads: Sequence[Lead], now: datetime) -> None:
    """Makes pages known, MAX_PAGES of a site at most; one whose sitemap names another date than before is due."""
    first: dict[str, Lead] = {}
    for lead in leads:
        first.setdefault(lead.url, lead)
    chosen = list(first.values())
    await database.execute(
        _SQL.find_pages, board_id, [one.url for one in chosen], [one.depth for one in chosen],
        [one.kind for one in chosen], [one.lastmod for one in chosen], now, MAX_PAGES,
    )  # fmt: skip


async def due(
    database: Database, board_id: int, now: datetime, limit: int, began: datetime, *, in_browser: bool = False
) -> list[Page]:
    """Up to `limit` pages to visit now, not read since `began`: those for a browser, or all others."""
    return [Page.of(row) for row in await database.fetch(_SQL.due_pages, board_id, now, in_browser, limit, began)]


async def save(connection: Connection, board_id: int, version: str, now: datetime, pages: Sequence[Page]) -> None:
    """Writes what visits of this version of the code found."""
    await connection.execute(
        _SQL.save_visits, board_id, version, now, [one.url for one in pages], [one.state for one in pages],
        [one.kind for one in pages], [_SEPARATOR.join(one.external_ids) for one in pages],
        [one.etag for one in pages], [one.last_modified for one in pages], [one.body_hash for one in pages],
        [one.doubts for one in pages], [one.attempts for one in pages], [one.reason for one in pages],
        [one.due_at for one in pages],
    )  # fmt: skip


async def forget(database: Database, board_id: int, now: datetime, *, days: int = 90) -> None:
    """Deletes pages without postings that nothing has led to for `days` days."""
    await database.execute(_SQL.forget_pages, board_id, now - timedelta(days=days))


async def of_site(database: Database, board_id: int) -> list[Page]:
    """All pages of a site, those with postings first."""
    return [Page.of(row) for row in await database.fetch(_SQL.pages_of, board_id)]


async def standings(database: Database) -> list[Standing]:
    """All sites with their figures."""
    names = ("open", "pages", "browser", "aside")
    return [Standing(Board.of(row), *(row[name] for name in names)) for row in await database.fetch(_SQL.list_sites)]


async def for_browser(database: Database, owner: str, limit: int) -> list[int]:
    """Ids of sites with pages that are due in a browser."""
    return [row["id"] for row in await database.fetch(_SQL.sites_for_browser, owner, limit)]


async def same_titles(database: Database, board_id: int, titles: Sequence[str]) -> list[Ad]:
    """Open postings of a site whose titles begin as one of these do."""
    beginnings = [title.lower()[:BEGINNING] for title in titles]
    return _ads(await database.fetch(_SQL.same_titles, board_id, beginnings, BEGINNING))


async def repeated_titles(database: Database, board_id: int) -> list[Ad]:
    """Open postings of a site whose title begins as that of another does; the latest few hundred."""
    return _ads(await database.fetch(_SQL.repeated_titles, board_id, _MAX_REPEATED, BEGINNING))


def _ads(rows: Sequence[asyncpg.Record]) -> list[Ad]:
    return [Ad(row["external_id"], row["url"], row["title"], tuple(row["places"]), row["html"]) for row in rows]


def ad_of(posting: Posting) -> Ad:
    """What tells this posting from others."""
    return Ad(posting.external_id, posting.url, posting.title, posting.places, posting.html)


async def lapsed(database: Database, board_id: int, now: datetime) -> list[str]:
    """External ids of open postings whose last day is over."""
    return [row["external_id"] for row in await database.fetch(_SQL.lapsed, board_id, now)]
