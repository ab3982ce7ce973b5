"""Saved payloads are played untouched; the simulator runs as a process."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import orjson
import pytest

from daemons.sources import SOURCES
from lib.posting.contract import Posting
from tests.sim import Replay, running
from tests.sim.direct import response, routed
from tests.sim.systems import SYSTEMS
from tests.sim.wire import System

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("VAKANZ_REAL_DATA", ROOT.parent / "shared" / "data")) / "ats"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "My_Set/lever.json": b'[ {"id":"a"} ]\n',
        "My_Set/recruitee_offers.json": b'{"offers":[]}',
        "My_Set/breezyhr.json": b"[]",
        "My_Set/rexx_detail_j1.html": b"<html></html>",
        "My_Set/else.json": b"{}",
        "My_Set/comeet_positions.json": b'{"data":[]}',
        "My_Set/smartrecruiters.json": orjson.dumps(
            {"postings": {"totalFound": 2, "content": [{"id": "p1"}, {"id": "p2"}]}, "details": {"p1": {"id": "p1"}}}
        ),
        "fixtures/ashby/normal.json": b'{"jobs":[],"apiVersion":"1"}',
        "fixtures/ashby/huge.json.gz": gzip.compress(b'{"jobs":[ 1 ]}'),
        "fixtures/ashby/dead.json": b"Not Found",
        "fixtures/ashby/empty.json": b"{}",
        "fixtures/ashby/normal_response_headers.json": b"{}",
        "fixtures/smartrecruiters/list_normal.json": b'{"totalFound":1,"content":[{"id":"7"}]}',
        "fixtures/smartrecruiters/detail_normal.json": b'{"id":"7","jobAd":{"sections":{}},"active":true}',
        "fixtures/smartrecruiters/detail_inactive.json": b'{"id":"7","jobAd":{"sections":{}},"active":false}',
        "fixtures/workday/list_normal.json": b'{"total":1,"jobPostings":[{"title":"A"}],"facets":[]}',
        "fixtures/workday/list_page_full.json": b'{"total":2,"jobPostings":[{"title":"B"}],"facets":[]}',
        "fixtures/workday/list_page_short.json": b'{"total":0,"jobPostings":[{"title":"C"}]}',
        "personio_feeds/positions.xml": b"<workzag-jobs/>",
        "README.json": b"{}",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


async def test_saved_files_are_boards(folder: Path) -> None:
    async with running(Replay(folder)) as simulator, aiohttp.ClientSession() as session:
        boards = {(row["source"], row["tenant"]) for row in simulator.world.board_list()}
        assert boards == {
            ("lever", "my-set"),
            ("smartrecruiters", "my-set"),
            ("recruitee", "my-set-offers"),
            ("breezy", "my-set"),
            ("comeet", "my-set/12.345"),
            ("ashby", "fixtures"),
            ("workday", "fixtures.wd3/external"),
            ("workday", "fixtures-page-full.wd3/external"),
            ("ashby", "fixtures-huge"),
            ("smartrecruiters", "fixtures"),
            ("personio", "personio-feeds"),
        }

        async def get(host: str, path: str) -> tuple[int, bytes]:
            async with session.get(simulator.url + path, headers={"Host": host}) as response:
                return response.status, await response.read()

        assert await get("api.lever.co", "/v0/postings/my-set?mode=json&limit=1") == (200, b'[ {"id":"a"} ]\n')
        assert await get("api.lever.co", "/v0/postings/my-set?mode=json&skip=100") == (200, b"[]")
        assert (await get("api.eu.lever.co", "/v0/postings/my-set?mode=json"))[0] == 404
        assert await get("api.ashbyhq.com", "/posting-api/job-board/fixtures-huge") == (200, b'{"jobs":[ 1 ]}')
        assert await get("personio-feeds.jobs.personio.de", "/xml?language=en") == (200, b"<workzag-jobs/>")
        assert (await get("other.jobs.personio.de", "/xml"))[0] == 404
        host, path = "api.smartrecruiters.com", "/v1/companies/fixtures/postings"
        assert orjson.loads((await get(host, path))[1])["content"] == [{"id": "7"}]
        after = orjson.loads((await get(host, f"{path}?offset=100"))[1])
        assert (after["totalFound"], after["content"]) == (1, [])
        assert orjson.loads((await get(host, f"{path}/7"))[1])["active"] is True
        assert await get(host, f"{path}/8") == (204, b"")  # that does not mean it is gone
        assert orjson.loads((await get(host, "/v1/companies/my-set/postings/p1"))[1]) == {"id": "p1"}
        assert b"COMEET.init" in (await get("www.comeet.com", "/jobs/my-set/12.345"))[1]
        with pytest.raises(ValueError, match="no days"):
            simulator.advance()
        with pytest.raises(ValueError, match="untouched"):
            simulator.misbehave("truncated")
        simulator.misbehave("not_found")
        assert (await get(host, path))[0] == 404


async def test_a_saved_first_page_goes_on_with_the_saved_last_one(folder: Path) -> None:
    async with running(Replay(folder)) as simulator, aiohttp.ClientSession() as session:

        async def titles(tenant: str, offset: int) -> list[str]:
            url = f"{simulator.url}/wday/cxs/{tenant}/external/jobs"
            asked = {"appliedFacets": {}, "limit": 20, "offset": offset, "searchText": ""}
            host = f"{tenant}.wd3.myworkdayjobs.com"
            async with session.post(url, json=asked, headers={"Host": host}) as response:
                return [row["title"] for row in (await response.json())["jobPostings"]]

        assert await titles("fixtures", 0) == ["A"]
        assert await titles("fixtures", 1) == []
        assert [await titles("fixtures-page-full", offset) for offset in (0, 1, 2)] == [["B"], ["C"], []]


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_a_saved_board_of_every_system_is_asked_for_under_its_own_name(system: System) -> None:
    for listing in (b"{}", b"<html></html>"):
        url = system.board_url(system.saved_tenant("my-set-2", listing))
        tenant = SOURCES[system.name].detect(url)
        assert tenant is not None, url
        request = SOURCES[system.name].request(tenant, None)
        asked, call = routed(request, request.url, request.params)
        assert asked is system
        assert call is not None, request.url
        assert system.board_url(call.tenant).casefold() == url.casefold()


def test_a_folder_without_payloads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no payload"):
        Replay(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real payloads in {REAL}")
def test_real_payloads_cover_every_system() -> None:
    boards = Replay(REAL).board_list()
    read = {path.stem for path in (ROOT / "tests" / "real").glob("*.json")} & SYSTEMS.keys()
    assert {row["source"] for row in boards} == read - {"rexx"}, "of rexx nobody saved more than a detail"
    assert ("ashby", "careerkit") in {(row["source"], row["tenant"]) for row in boards}
    assert len({(row["source"], row["url"]) for row in boards}) == len(boards) >= 60


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real payloads in {REAL}")
def test_every_real_list_is_read_to_its_end() -> None:
    replay = Replay(REAL)
    for row in replay.board_list():
        source = SOURCES[row["source"]]
        tenant, cursor = source.detect(row["url"]), None
        assert tenant is not None, row["url"]
        found: list[Posting] = []
        for _ in range(10):
            request = source.request(tenant, cursor)
            system, call = routed(request, request.url, request.params)
            assert call is not None, request.url
            answer = replay.answer(system, call, "all")
            page = source.parse(tenant, response(request, request.url, answer))
            found += page.rows
            cursor = page.cursor
            if cursor is None:
                break
        assert found, row["url"]
        assert cursor is None, row["url"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_says_its_url_and_stops_on_signals(number: signal.Signals) -> None:
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.sim", "--postings", "300", "--sites", "2", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        assert url.startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_sim/boards") as response:
            assert len(await response.json()) == 6 + 2
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert time.monotonic() - begun < 120


async def test_a_wrong_folder_ends_the_process_with_one_line(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.sim", "--replay", str(tmp_path), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert error.startswith(b"error: no payload")
    assert error.count(b"\n") == 1
