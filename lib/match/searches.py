"""Searches that go on after their first answer: their rows, and what they tell while they run.

PostgreSQL holds the truth. A running search keeps its profile until it is done; what it tells has numbers without gaps,
from 1, so that a listener who was cut off asks for what follows the last one that it saw.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from lib.match.answer import Answer, Live
from lib.match.profile import MAX_TEXT_CHARS, Profile
from lib.posting.contract import clean_text
from lib.store.batches import Executor
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("searches")
MOST_EVENTS = 200  # that are read at a time
_MOST_ENDED = 500
_MOST_FORGOTTEN = 5_000

Kind = Literal["progress", "matches", "done"]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """One search as it stands. `profile`: only while it runs. `events`: the number of the newest one.

    `posting_ids`, `candidates`, `found` and `best_score` are those of its first answer.
    """

    id: uuid.UUID
    account_id: int | None
    at: datetime
    profile_hash: bytes
    candidates: int
    found: int
    posting_ids: tuple[int, ...]
    best_score: float | None
    live: Live
    live_why: str | None
    credits_used: int
    events: int
    profile: Profile | None


class Event(msgspec.Struct, frozen=True):
    """What a search told. `body` is JSON: of a `matches` event a whole Answer."""

    search_id: uuid.UUID
    seq: int
    kind: Kind
    body: str


@dataclass(frozen=True)
class Begun:
    """A search that goes on after its first answer."""

    answer: Answer
    profile: Profile
    account_id: int | None
    api_key_id: int | None


async def start(connection: Connection, begun: Sequence[Begun]) -> None:
    """Records searches that go on, each with its first answer as its first event. Repeating it changes nothing."""
    if not begun:
        return
    await connection.execute(
        _SQL.record_live,
        [one.answer.id for one in begun],
        [one.api_key_id for one in begun],
        [one.account_id for one in begun],
        [one.profile.digest() for one in begun],
        [msgspec.to_builtins(_storable(one.profile)) for one in begun],
        [msgspec.to_builtins(one.answer) for one in begun],
    )


def _storable(profile: Profile) -> Profile:
    """Without what JSON in PostgreSQL cannot hold."""
    return msgspec.structs.replace(
        profile,
        text=clean_text(profile.text, MAX_TEXT_CHARS),
        title=profile.title and clean_text(profile.title),
        skills=tuple(map(clean_text, profile.skills)),
        location=profile.location and clean_text(profile.location),
    )


async def load(database: Database, search_id: uuid.UUID) -> Search | None:
    """The search as it stands now, None where there is none."""
    row = await database.fetchrow(_SQL.load_search, search_id)
    return None if row is None else msgspec.convert(dict(row), Search)


async def tell(connection: Connection, search_id: uuid.UUID, kind: Kind, body: Answer | Mapping[str, Any]) -> int:
    """Adds an event; returns its number, 0 where the search is done or unknown: then nobody wants to hear more."""
    return await connection.fetchval(_SQL.tell, search_id, kind, msgspec.to_builtins(body)) or 0


async def finish(
    connection: Connection,
    search_id: uuid.UUID,
    live: Literal["done", "unavailable"],
    why: str | None,
    credits_used: int,
) -> bool:
    """Ends a running search, tells `done`, and forgets its profile. True the first time only.

    `why`: a word of `lib.match.live.WHYS` where it ended early, else None. `credits_used`: in all.
    """
    return await connection.fetchval(_SQL.finish, search_id, live, why, credits_used) is not None


async def last_matches(database: Database, search_id: uuid.UUID) -> Answer | None:
    """The newest matches that a search told, None where it told none."""
    body = await database.fetchval(_SQL.last_matches, search_id)
    return None if body is None else msgspec.json.decode(body, type=Answer)


def shown(answer: Answer) -> Iterator[int]:
    """Ids of all that an answer shows, copies included."""
    for match in answer.matches:
        yield match.id
        yield from (copy.id for copy in match.copies)


async def served(executor: Executor, postings: Sequence[int], seen_after: datetime) -> dict[int, Sequence[Any]]:
    """Those of these postings that are open and were seen lately: id -> country, language, remote, employment, and the
    upper end of a year's pay in EUR."""
    return {row[0]: row[1:] for row in await executor.fetch(_SQL.served, list(postings), seen_after)}


async def still_open(database: Database, answer: Answer, seen_after: datetime) -> Answer:
    """An answer without the matches, and the copies, that closed since."""
    there = await served(database, list(shown(answer)), seen_after)
    matches = (
        msgspec.structs.replace(match, copies=tuple(copy for copy in match.copies if copy.id in there))
        for match in answer.matches
        if match.id in there
    )
    return msgspec.structs.replace(answer, matches=tuple(matches))


async def events_after(database: Database, wants: Mapping[uuid.UUID, int]) -> list[Event]:
    """What these searches told after the numbers given, each in order. MOST_EVENTS at a time: where so many came, there
    may be more."""
    rows = await database.fetch(_SQL.events_after, list(wants), list(wants.values()), MOST_EVENTS)
    return [Event(row["search_id"], row["seq"], row["kind"], row["body"]) for row in rows]


async def abandon(database: Database, silent_s: float) -> int:
    """Ends running searches that told nothing for `silent_s` seconds, some at a time; returns how many."""
    return len(await database.fetch(_SQL.abandon, silent_s, _MOST_ENDED))


async def forget_events(database: Database, before: datetime) -> int:
    """Deletes events of searches that are done, some at a time; returns how many."""
    return len(await database.fetch(_SQL.forget_events, before, _MOST_FORGOTTEN))


async def forget_searches(database: Database, before: datetime) -> int:
    """Deletes searches that are done, some at a time; returns how many."""
    return len(await database.fetch(_SQL.forget_searches, before, _MOST_FORGOTTEN))
