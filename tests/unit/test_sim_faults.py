"""Each misbehaviour of the simulator, as a client meets it, and the books it keeps of its clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson
import pytest

from tests.sim import Market, Simulator, running
from tests.sim.faults import KINDS, Fault, Faults
from tests.sim.market import FEW_SYSTEMS
from tests.sim.traffic import Traffic

HOST = "api.smartrecruiters.com"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with running(Market(companies=10, postings=200, systems=FEW_SYSTEMS)) as simulator:
        yield simulator


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


class Board:
    """The largest SmartRecruiters board, asked for its list."""

    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        boards = (board for board in simulator.market.boards if board.source == "smartrecruiters")
        self.tenant = max(boards, key=lambda board: len(board.keys)).tenant
        self._url = f"{simulator.url}/v1/companies/{self.tenant}/postings"
        self._session = session

    async def get(self) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self._session.get(self._url, headers={"Host": HOST}, allow_redirects=False) as response:
            return response, await response.read()

    async def rows(self) -> tuple[int, int]:
        """Rows and declared total."""
        _, body = await self.get()
        listing = orjson.loads(body)
        return len(listing["content"]), listing["totalFound"]


@pytest.fixture
def board(simulator: Simulator, session: aiohttp.ClientSession) -> Board:
    return Board(simulator, session)


@pytest.mark.parametrize(("kind", "status"), [("server_error", 500), ("not_found", 404), ("forbidden", 403)])
async def test_statuses_for_the_next_two_requests(simulator: Simulator, board: Board, kind: str, status: int) -> None:
    simulator.misbehave(kind, times=2)
    assert [(await board.get())[0].status for _ in range(3)] == [status, status, 200]


async def test_rate_limits_name_their_end_in_both_forms(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("rate_limited", retry_after_s=7)
    simulator.misbehave("rate_limited", retry_after_s=90, as_date=True)
    response, _ = await board.get()
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
    response, _ = await board.get()
    wait = parsedate_to_datetime(response.headers["Retry-After"]) - datetime.now(UTC)
    assert 60 < wait.total_seconds() <= 91


async def test_half_a_body_breaks_in_the_middle(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("half_body")
    with pytest.raises(aiohttp.ClientPayloadError):
        await board.get()
    assert (await board.get())[0].status == 200


async def test_a_reset_comes_before_any_answer(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("reset", times=None)
    with pytest.raises(aiohttp.ClientConnectionError):
        await board.get()


async def test_slow_bodies_drip_and_are_whole(simulator: Simulator, board: Board) -> None:
    _, whole = await board.get()
    simulator.misbehave("slow", seconds=0.4)
    begun = asyncio.get_running_loop().time()
    _, body = await board.get()
    assert body == whole
    assert asyncio.get_running_loop().time() - begun >= 0.35


async def test_hanging_requests_end_with_their_client(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("hang")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(board.get(), 0.2)
    await asyncio.sleep(0.2)
    assert simulator.traffic.hosts[HOST].under_way == 0


async def test_the_simulator_stops_under_hanging_requests() -> None:
    async with asyncio.timeout(5), aiohttp.ClientSession() as session:
        async with running(Market(companies=5, postings=20, systems=FEW_SYSTEMS)) as simulator:
            simulator.misbehave("hang")
            request = asyncio.create_task(Board(simulator, session).get())
            await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await request


async def test_lists_lie_as_asked(simulator: Simulator, board: Board) -> None:
    rows, total = await board.rows()
    assert rows == total
    simulator.misbehave("empty")
    assert await board.rows() == (0, 0)
    simulator.misbehave("truncated")
    assert await board.rows() == (total // 2, total)
    simulator.misbehave("wrong_total")
    assert await board.rows() == (total, total + 7)
    assert await board.rows() == (total, total)


async def test_redirects_lead_inside(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("private_redirect", location="http://10.0.0.7/admin")
    response, _ = await board.get()
    assert (response.status, response.headers["Location"]) == (302, "http://10.0.0.7/admin")


async def test_huge_bodies_are_as_large_as_asked(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("huge_body", size_bytes=3_000_001)
    _, body = await board.get()
    assert len(body) == 3_000_001
    assert Fault("huge_body").size_bytes > 50_000_000


async def test_broken_json_and_encoding_are_framed_correctly(simulator: Simulator, board: Board) -> None:
    simulator.misbehave("broken_json")
    _, body = await board.get()
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    simulator.misbehave("broken_encoding")
    _, body = await board.get()
    with pytest.raises(UnicodeDecodeError):
        body.decode()


async def test_faults_reach_only_what_they_name(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    tenant = Board(simulator, session).tenant
    simulator.misbehave("server_error", source="smartrecruiters", tenant=tenant.upper(), times=None)
    simulator.misbehave("not_found", host="api.ashbyhq.com", times=None)
    statuses = {}
    for board in simulator.market.boards:
        if board.source in ("smartrecruiters", "ashby"):
            smart = board.source == "smartrecruiters"
            path = f"/v1/companies/{board.tenant}/postings" if smart else f"/posting-api/job-board/{board.tenant}"
            host = HOST if smart else "api.ashbyhq.com"
            async with session.get(simulator.url + path, headers={"Host": host}) as response:
                statuses[board.source, board.tenant] = response.status
    assert statuses.pop(("smartrecruiters", tenant)) == 500
    assert {source: status for (source, _), status in statuses.items()} == {"smartrecruiters": 200, "ashby": 404}
    simulator.behave()
    assert (await Board(simulator, session).get())[0].status == 200


def test_probabilities_are_drawn_from_the_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("server_error", times=None, probability=0.3)
        return [faults.pick("h", "/", None, None, listing=True) is not None for _ in range(300)]

    assert struck(1) == struck(1) != struck(2)
    assert 60 < sum(struck(1)) < 120


@pytest.mark.parametrize(
    "settings", [{"kind": "dance"}, {"kind": "slow", "sepeed": 1}, {"kind": "slow", "probability": 2}]
)
async def test_control_refuses_what_it_does_not_know(
    simulator: Simulator, session: aiohttp.ClientSession, settings: dict[str, Any]
) -> None:
    async with session.post(f"{simulator.url}/_sim/misbehave", data=orjson.dumps(settings)) as response:
        assert response.status == 400
        assert "error" in orjson.loads(await response.read())


async def test_control_over_http(simulator: Simulator, session: aiohttp.ClientSession, board: Board) -> None:
    async def ask(method: str, path: str, body: Any = None) -> Any:
        data = orjson.dumps(body) if body is not None else None
        async with session.request(method, f"{simulator.url}/_sim/{path}", data=data) as response:
            assert response.status == 200
            raw = await response.read()
        return [orjson.loads(line) for line in raw.splitlines()] if path.startswith("truth") else orjson.loads(raw)

    assert set((await ask("GET", ""))["misbehaviours"]) == set(KINDS)
    boards = await ask("GET", "boards")
    assert {"source", "tenant", "url", "company", "open"} <= boards[0].keys()
    assert sum(row["open"] for row in boards) == len(await ask("GET", "truth")) == 200
    one = await ask("GET", f"truth?source=smartrecruiters&tenant={board.tenant}")
    assert {row["tenant"] for row in one} == {board.tenant}
    assert (await ask("POST", "misbehave", {"kind": "server_error", "times": 1}))["number"] == 1
    assert (await board.get())[0].status == 500
    assert (await ask("GET", "misbehave"))[0]["struck"] == 1
    assert await ask("DELETE", "misbehave") == {}
    assert (await ask("POST", "advance", {"days": 2}))["day"] == 2
    assert [changes["day"] for changes in (await ask("GET", "day"))["changes"]] == [1, 2]
    seen = await ask("GET", "requests")
    assert seen["hosts"][HOST]["requests"] == 1
    assert seen["hosts"][HOST]["statuses"] == {"500": 1}
    await ask("DELETE", "requests")
    assert (await ask("GET", "requests"))["requests"] == 0


def test_traffic_counts_rate_and_concurrency() -> None:
    now = 100.0
    traffic = Traffic(lambda: now)
    with traffic.request("h", "/a", "x"), traffic.request("h", "/b", "x"):
        pass
    for step in (0.4, 0.7):
        now += step
        with traffic.request("h", "/a", "y"):
            pass
    seen = traffic.hosts["h"].as_object()
    assert (seen["requests"], seen["max_concurrency"], seen["max_per_second"]) == (4, 2, 3)
    assert seen["paths"] == {"/a": 3, "/b": 1}
