"""Boards that move to another system: found again, nothing twice, nothing lost, the history goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.upkeep.moves import Ad, settle_moves, successors
from lib.posting.closing import CONFIRMATIONS
from lib.store.connections import Database
from tests.integration.crawling import OPEN, SESSION, scene
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS

MOVES = [
    ("greenhouse", "lever"),
    ("smartrecruiters", "greenhouse"),
    ("lever", "personio"),
    ("ashby", "smartrecruiters"),
]


@pytest.mark.parametrize(("old", "new"), MOVES)
async def test_a_board_that_moves_takes_its_postings_along(
    database: Database, tmp_path: Path, old: str, new: str
) -> None:
    async with scene(database, tmp_path, Market(7, companies=5, postings=120, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        board = await market.board_of(old)
        before = await market.rows()
        open_before = [row for row in before.values() if row["board_id"] == board.id and row["state"] in OPEN]
        moving = next(
            one for one in market.sim.market.boards if one.source == old and len(one.keys) == len(open_before)
        )
        market.sim.market.move(moving, new)

        (outcome,) = await market.crawl([board.id])
        assert outcome.moved_to is not None
        assert outcome.moved_to.startswith(f"{new}:")
        assert (await market.board(board.id)).state == "moved"
        target = await database.fetchval("SELECT moved_to FROM board WHERE id = $1", board.id)
        assert await settle_moves(database, SESSION, lambda: None) == 0  # the new list was not read yet
        assert {row["state"] for row in (await market.rows()).values() if row["board_id"] == board.id} <= set(OPEN)

        await market.crawl([target])
        assert await settle_moves(database, SESSION, lambda: None) == len(open_before)
        assert await settle_moves(database, SESSION, lambda: None) == 0
        rows = list((await market.rows()).values())
        assert not [row for row in rows if row["board_id"] == board.id and row["state"] in OPEN]
        now = {row["predecessor_id"]: row for row in rows if row["board_id"] == target and row["state"] in OPEN}
        assert now.keys() == {row["id"] for row in open_before}
        for was in open_before:
            assert now[was["id"]]["title"] == was["title"]
            assert now[was["id"]]["first_seen"] == was["first_seen"]
        assert await database.fetchval("SELECT count(*) FROM posting WHERE closed_by = 'move'") == len(open_before)


async def test_a_board_that_is_gone_without_an_address_stays_where_it_was(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(7, companies=5, postings=60, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        board = await market.board_of("greenhouse")
        market.sim.misbehave("not_found", source="greenhouse", times=None)
        for _ in range(CONFIRMATIONS):
            (outcome,) = await market.crawl([board.id])
            assert outcome.moved_to is None
        assert (await market.board(board.id)).state in ("active", "suspect")


async def test_a_board_whose_new_one_cannot_be_read_goes_back_to_work(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(7, companies=5, postings=60, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        board = await market.board_of("greenhouse")
        moving = max(
            (one for one in market.sim.market.boards if one.source == "greenhouse"), key=lambda one: len(one.keys)
        )
        market.sim.market.move(moving, "lever")
        await market.crawl([board.id])
        target = await database.fetchval("SELECT moved_to FROM board WHERE id = $1", board.id)
        market.sim.misbehave("forbidden", source="lever", times=None)
        for _ in range(3):
            await market.crawl([target])
        await settle_moves(database, SESSION, lambda: None)
        assert (await market.board(board.id)).state == "suspect"
        assert (
            await database.fetchval("SELECT count(*) FROM posting WHERE board_id = $1 AND state = 'closed'", board.id)
            == 0
        )


ads = st.lists(
    st.tuples(st.sampled_from(["Koch (m/w/d)", "koch m/w/d", "Nurse"]), st.sampled_from(["Wien", "Graz"])), max_size=12
)


@given(ads, ads)
def test_each_posting_has_one_successor_at_most(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    held = [Ad(number, title, (place,)) for number, (title, place) in enumerate(old)]
    come = [Ad(100 + number, title, (place,)) for number, (title, place) in enumerate(new)]
    pairs = successors(held, come)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    assert pairs == successors(reversed(held), reversed(come))
    if sorted(old) == sorted(new):
        assert len(pairs) == len(old)


def test_the_same_place_is_preferred() -> None:
    old = [Ad(1, "Koch", ("Wien, AT",)), Ad(2, "Koch", ("Graz",))]
    assert successors(old, [Ad(8, "KOCH", ("Graz, Österreich",)), Ad(9, "Koch", ("Linz",))]) == [(1, 9), (2, 8)]
