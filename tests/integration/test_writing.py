"""What a posting's writes leave behind: content, state, place in the change log, history; and nothing when replayed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import asyncpg
import pytest
from msgspec.structs import replace

from lib.posting import boards, writing
from lib.posting.contract import Posting, Salary
from lib.posting.fingerprint import text_hash
from lib.posting.writing import Described, Listed
from lib.store.connections import Connection, Database

SESSION = "2026-11-21T04-30-tests"
OWNER = "crawler"
START = datetime(2026, 11, 1, tzinfo=UTC)
FULL = Posting(
    external_id="a-1", title="Koch (m/w/d)", url="https://b.example/a-1", apply_url="https://b.example/a-1/apply",
    company="Gasthaus AG", places=("Wien", "Graz"), country="AT", remote="onsite", employment_type="Vollzeit",
    department="Küche", language="de", salary=Salary(min=2_500.0, currency="EUR", period="month"), html="<p>Kochen</p>",
    posted_at=START, valid_through=START + timedelta(days=30), teaser="Kochen …",
)  # fmt: skip
BARE = Posting(external_id="b-2", title="Cook", url="https://b.example/b-2")


@dataclass
class Store:
    """One board, and a clock that goes on by a day with every write."""

    database: Database
    board_id: int
    now: datetime = START

    async def write(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        await self.database.transaction(work)
        self.now += timedelta(days=1)

    async def ingest(self, *postings: Posting, at: datetime | None = None) -> None:
        rows = [Listed.of(posting) for posting in postings]
        now = at or self.now
        assert await writing.ingest(self.database, self.board_id, SESSION, OWNER, now, rows)
        self.now += timedelta(days=1)

    async def describe(self, posting_id: int, detail: Posting) -> None:
        items = [Described(posting_id, detail)]
        await self.write(lambda connection: writing.describe(connection, SESSION, self.now, items))

    async def close(self, *external_ids: str) -> None:
        await self.write(
            lambda connection: writing.close(connection, self.board_id, SESSION, self.now, list(external_ids))
        )

    async def row(self, external_id: str) -> asyncpg.Record:
        row = await self.database.fetchrow(
            "SELECT p.*, t.html, t.html_hash, t.described_at FROM posting p JOIN posting_text t ON t.posting_id = p.id"
            " WHERE external_id = $1", external_id,
        )  # fmt: skip
        assert row is not None
        return row

    async def history(self, external_id: str) -> Sequence[asyncpg.Record]:
        return await self.database.fetch(
            "SELECT h.* FROM posting_history h JOIN posting p ON p.id = h.posting_id WHERE external_id = $1"
            " ORDER BY h.id", external_id,
        )  # fmt: skip

    async def everything(self) -> list[Any]:
        tables = ("posting", "posting_text", "posting_vector", "posting_full_vector", "posting_history", "detail_retry")
        return [await self.database.fetchval(f"SELECT jsonb_agg(t ORDER BY t) FROM {table} t") for table in tables]


@pytest.fixture
async def store(database: Database) -> Store:
    await boards.open_session(database, SESSION, "tests", "0")
    board_id, _ = await boards.add(database, "lever", "acme", None, "https://b.example", 3_600)
    assert await boards.claim(database, OWNER, board_id)
    return Store(database, board_id)


async def test_a_new_posting_has_all_that_was_said(store: Store) -> None:
    await store.ingest(FULL, BARE)
    full, bare = await store.row("a-1"), await store.row("b-2")
    assert (full["state"], bare["state"]) == ("described", "discovered")
    for name in ("title", "url", "apply_url", "company", "posted_at", "valid_through", "html"):
        assert full[name] == getattr(FULL, name)
        assert bare[name] == getattr(BARE, name)
    assert (full["places"], bare["places"]) == (["Wien", "Graz"], [])
    assert full["stated"] == {
        "country": "AT", "remote": "onsite", "employment_type": "Vollzeit", "department": "Küche", "language": "de",
        "salary": {"min": 2_500.0, "max": None, "currency": "EUR", "period": "month"}, "teaser": "Kochen …",
    }  # fmt: skip
    assert bare["stated"] == {}
    assert (full["first_seen"], full["last_seen"], full["described_at"]) == (START, START, START)
    assert bare["described_at"] is None
    assert full["content_hash"] == Listed.of(FULL).hash
    (born,) = await store.history("a-1")
    assert born["changes"] == {"state": ["", "described"], "text": ["", text_hash("<p>Kochen</p>").hex()]}
    (born,) = await store.history("b-2")
    assert born["changes"] == {"state": ["", "discovered"]}


EDITS: list[tuple[dict[str, Any], str, list[Any]]] = [
    ({"title": "Köchin"}, "title", ["Koch (m/w/d)", "Köchin"]),
    ({"company": None}, "company", ["Gasthaus AG", ""]),
    ({"url": "https://c.example"}, "url", ["https://b.example/a-1", "https://c.example"]),
    ({"apply_url": None}, "apply_url", ["https://b.example/a-1/apply", ""]),
    ({"places": ("Linz",)}, "places", [["Wien", "Graz"], ["Linz"]]),
    ({"places": ()}, "places", [["Wien", "Graz"], []]),
    ({"html": "<p>Backen</p>"}, "text", [text_hash("<p>Kochen</p>").hex(), text_hash("<p>Backen</p>").hex()]),
]


@pytest.mark.parametrize(("edit", "field", "change"), EDITS, ids=[f"{edit[1]}-{n}" for n, edit in enumerate(EDITS)])
async def test_an_edit_is_a_revision_with_the_old_and_the_new(
    store: Store, edit: dict[str, Any], field: str, change: list[Any]
) -> None:
    await store.ingest(FULL, BARE)
    before, other = await store.row("a-1"), await store.row("b-2")
    await store.ingest(replace(FULL, **edit), BARE)
    after = await store.row("a-1")
    assert (after["revision"], after["state"]) == (2, "described")
    assert after["changed_xid"] > before["changed_xid"]
    assert (after["first_seen"], after["last_seen"]) == (START, START + timedelta(days=1))
    assert (await store.history("a-1"))[-1]["changes"] == {field: change}
    assert await store.row("b-2") == other


@pytest.mark.parametrize(
    "edit",
    [{"country": "DE"}, {"remote": None}, {"employment_type": "Teilzeit"}, {"department": None}, {"salary": None}],
    ids=lambda edit: next(iter(edit)),
)
async def test_stated_facts_change_together(store: Store, edit: dict[str, Any]) -> None:
    await store.ingest(FULL)
    await store.ingest(replace(FULL, **edit))
    (change,) = (await store.history("a-1"))[-1]["changes"].items()
    after = (await store.row("a-1"))["stated"]
    assert change[0] == "stated"
    assert after == writing.stated(replace(FULL, **edit))
    assert change[1][0]["language"] == change[1][1]["language"] == "de"


async def test_replaying_a_batch_changes_nothing(store: Store) -> None:
    await store.ingest(FULL, BARE)
    first = await store.everything()
    await store.ingest(BARE, FULL, at=START)
    await store.ingest(FULL, at=START + timedelta(days=9))
    assert await store.everything() == first
    await store.close("a-1", "b-2")
    closed = await store.everything()
    await store.close("a-1", "b-2")
    assert await store.everything() == closed


async def test_stamps_that_move_alone_are_no_change(store: Store) -> None:
    await store.ingest(FULL)
    first = await store.everything()
    await store.ingest(replace(FULL, posted_at=START + timedelta(days=3), valid_through=None))
    assert await store.everything() == first


async def test_closed_and_opened_again(store: Store) -> None:
    await store.ingest(FULL, BARE)
    await store.close("a-1", "b-2", "no such")
    shut = await store.row("a-1")
    assert (shut["state"], shut["closed_at"], shut["reopened_at"]) == ("closed", START + timedelta(days=1), None)
    assert (await store.history("a-1"))[-1]["changes"] == {"state": ["described", "closed"]}
    await store.ingest(FULL, BARE)
    again = await store.row("a-1")
    assert (again["state"], again["closed_at"], again["revision"]) == ("described", None, 3)
    assert again["reopened_at"] == again["last_seen"] == START + timedelta(days=2)
    assert again["first_seen"] == START
    assert (await store.history("a-1"))[-1]["changes"] == {"state": ["closed", "described"]}
    assert (await store.row("b-2"))["state"] == "discovered"
    assert [row["revision"] for row in await store.history("b-2")] == [1, 2, 3]


async def test_a_list_without_texts_keeps_what_the_detail_said(store: Store) -> None:
    await store.ingest(replace(BARE, country="DE"))
    posting_id = (await store.row("b-2"))["id"]
    detail = replace(
        BARE, html="<p>Cook</p>", apply_url="https://b.example/apply", salary=Salary(min=1.0, currency="EUR")
    )
    await store.describe(posting_id, detail)
    await store.ingest(replace(BARE, country="AT", title="Chef"))
    row, last = await store.row("b-2"), (await store.history("b-2"))[-1]
    assert (row["state"], row["html"], row["apply_url"]) == ("described", "<p>Cook</p>", "https://b.example/apply")
    assert row["stated"]["country"] == "AT"
    assert row["stated"]["salary"]["min"] == 1.0
    assert last["changes"].keys() == {"title", "stated"}
    assert last["changes"]["stated"][1]["country"] == "AT"
    # What a later detail says of it is newer.
    await store.describe(posting_id, replace(detail, salary=Salary(min=2.0, currency="EUR")))
    row = await store.row("b-2")
    assert (row["stated"]["salary"]["min"], row["revision"]) == (2.0, 4)
    assert (await store.history("b-2"))[-1]["changes"].keys() == {"stated"}


async def test_describing_again_changes_nothing(store: Store) -> None:
    await store.ingest(BARE)
    posting_id = (await store.row("b-2"))["id"]
    detail = replace(BARE, html="", country="CH")
    await store.describe(posting_id, detail)
    described = await store.row("b-2")
    assert (described["state"], described["html"], described["revision"]) == ("described", "", 2)
    await store.describe(posting_id, detail)
    again = await store.row("b-2")
    assert again["described_at"] > described["described_at"]  # it was looked at again
    assert (again["revision"], again["changed_xid"]) == (2, described["changed_xid"])
    assert len(await store.history("b-2")) == 2


async def test_seen_moves_forward_only_and_for_open_postings(store: Store) -> None:
    await store.ingest(FULL, BARE, replace(BARE, external_id="c-3"))
    await store.close("c-3")
    later = START + timedelta(days=5)
    database, board_id = store.database, store.board_id
    assert await writing.touch(database, board_id, OWNER, later, ["a-1", "c-3"])
    assert [(await store.row(one))["last_seen"] for one in ("a-1", "b-2", "c-3")] == [later, START, START]
    assert not await writing.touch(database, board_id, "thief", later, ["b-2"])
    assert (await store.row("b-2"))["last_seen"] == START
    assert await writing.touch(database, board_id, OWNER, START + timedelta(days=2), ["a-1", "b-2", "c-3"])
    seen = [(await store.row(one))["last_seen"] for one in ("a-1", "b-2", "c-3")]
    assert seen == [later, START + timedelta(days=2), START]
    assert [(await store.row(one))["revision"] for one in ("a-1", "b-2", "c-3")] == [1, 1, 2]


async def test_boards_do_not_touch_each_other(store: Store) -> None:
    other, _ = await boards.add(store.database, "ashby", "acme", None, "https://c.example", 3_600)
    assert await boards.claim(store.database, OWNER, other)
    await store.ingest(FULL)
    mine = Store(store.database, other)
    await mine.ingest(FULL)
    await mine.close("a-1")
    rows = await store.database.fetch("SELECT board_id, state FROM posting ORDER BY board_id")
    assert [tuple(row) for row in rows] == [(store.board_id, "described"), (other, "closed")]
    assert (await writing.held(store.database, store.board_id)).hashes == {"a-1": Listed.of(FULL).hash}
    assert (await writing.held(store.database, other)).hashes == {"a-1": None}


async def test_a_board_that_was_taken_over_gets_nothing(store: Store) -> None:
    await store.ingest(FULL)
    before = await store.everything()
    edited = [Listed.of(replace(FULL, title="Köchin")), Listed.of(BARE)]
    assert not await writing.ingest(store.database, store.board_id, SESSION, "another", START, edited)
    await store.database.execute("UPDATE board SET claimed_until = now() - interval '1 second'")
    assert not await writing.ingest(store.database, store.board_id, SESSION, OWNER, START, edited)
    assert await store.everything() == before


async def test_a_batch_holds_its_board_until_it_is_committed(store: Store) -> None:
    async def take_over() -> None:
        await store.database.execute("UPDATE board SET claimed_by = 'another'")
        taken.set()

    taken = anyio.Event()
    async with anyio.create_task_group() as tasks:

        async def work(connection: Connection) -> None:
            assert await writing.ingest(connection, store.board_id, SESSION, OWNER, START, [Listed.of(FULL)])
            tasks.start_soon(take_over)
            await anyio.sleep(0.1)
            assert not taken.is_set()

        await store.database.transaction(work)
    assert not await writing.ingest(store.database, store.board_id, SESSION, OWNER, START, [Listed.of(BARE)])
    assert await store.database.fetchval("SELECT count(*) FROM posting") == 1


def test_every_word_of_a_posting_is_in_its_hash() -> None:
    unsaid = {"posted_at", "valid_through", "teaser"}  # which lists cut anew for each question
    for name in FULL.__struct_fields__:
        other = replace(FULL, **{name: getattr(BARE, name)})
        assert (Listed.of(other).hash == Listed.of(FULL).hash) is (name in unsaid), name
    assert len(Listed.of(FULL).hash) == len(text_hash("")) == 16
