"""The simulated HasData: what it asks for, gives, charges and refuses is what the real one says it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from daemons.discover.listings import read_listing
from daemons.discover.query import Ask, Provider, Query
from lib.net.messages import Request, Response
from lib.spend import statement
from tests.sim import hasdata
from tests.sim.hasdata import AT_ONCE, COSTS, playing
from tests.sim.jobsites import INDEED_PAGE, JobSites, country_of, job_key, page_of, page_token
from tests.sim.market import Market

_KEY = "a-key-of-the-simulator"
_SITES = JobSites(Market(3, 6, 150))
_QUERY = {"keyword": "Pflegefachkraft", "location": "Deutschland", "domain": "de.indeed.com"}


@pytest.fixture
async def provider() -> AsyncIterator[hasdata.Provider]:
    async with playing(_SITES, key=_KEY) as found:
        yield found


async def _ask(
    provider: hasdata.Provider, path: str, given: dict[str, str], key: str = _KEY
) -> tuple[int, dict[str, Any]]:
    posted = path == "/scrape/web"
    async with (
        aiohttp.ClientSession(headers={"x-api-key": key}) as session,
        session.request(
            "POST" if posted else "GET", provider.url + path, json=given if posted else None,
            params=None if posted else given,
        ) as response,
    ):  # fmt: skip
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "name", "domain"),
    [
        ("/scrape/indeed/listing", "indeed", "de.indeed.com"),
        ("/scrape/glassdoor/listing", "glassdoor", "www.glassdoor.de"),
    ],
)
async def test_lists_are_what_discovery_reads(
    provider: hasdata.Provider, path: str, name: Provider, domain: str
) -> None:
    status, body = await _ask(provider, path, _QUERY | {"domain": domain})
    assert status == 200 and body["requestMetadata"]["status"] == "ok"
    ask = Ask(name, Query(_QUERY["keyword"], _QUERY["location"], "DE"))
    answer = Response(request=Request(url="x"), url="x", status=200, headers={}, body=orjson.dumps(body))
    page = read_listing(ask, answer, datetime.now(UTC))
    assert len(page.rows) == len(body["jobs"]) > 0 and not page.rejected
    assert {posting.country for posting in page.rows} == {"DE"}


async def test_every_path_costs_its_price_and_has_the_same_job(provider: hasdata.Provider) -> None:
    found = _SITES.found(_QUERY["keyword"], _QUERY["location"], "de.indeed.com")[0]
    indeed = f"https://de.indeed.com/viewjob?jk={job_key(found)}"
    glassdoor = f"https://www.glassdoor.de/job-listing/j.htm?jl={found.number}"
    given = {
        "/scrape/indeed/listing": _QUERY,
        "/scrape/glassdoor/listing": _QUERY | {"domain": "www.glassdoor.de"},
        "/scrape/indeed/job": {"url": indeed},
        "/scrape/glassdoor/job": {"url": glassdoor},
        "/scrape/web": {"url": indeed},
    }
    answers = {path: (await _ask(provider, path, sent))[1] for path, sent in given.items()}
    assert provider.charged == sum(COSTS.values()) == 13
    assert answers["/scrape/indeed/job"]["title"] == answers["/scrape/glassdoor/job"]["job"]["title"] == found.title
    assert "jobDescriptionText" in answers["/scrape/web"]["content"]
    assert {line.id for line in provider.statement} == {one["requestMetadata"]["id"] for one in answers.values()}


async def test_pages_follow_each_other_until_all_is_seen(provider: hasdata.Provider) -> None:
    query = _QUERY | {"keyword": "Erfahrung Ausbildung Kenntnisse"}
    every = _SITES.found(query["keyword"], query["location"], query["domain"])
    assert len(every) > INDEED_PAGE
    seen: list[str] = []
    start: str | None = "0"
    while start is not None:
        _, body = await _ask(provider, "/scrape/indeed/listing", query | {"start": start})
        seen += [job["jobKey"] for job in body["jobs"]]
        following = body.get("pagination", {}).get("nextPage")
        start = following and following.rpartition("start=")[2]
    assert set(seen) == {job_key(posting) for posting in every}
    assert page_of(page_token(7)) == 7 and page_of("x") is None


@pytest.mark.parametrize(
    ("domain", "country"),
    [("de.indeed.com", "DE"), ("at.indeed.com", "AT"), ("www.glassdoor.at", "AT"), ("de.glassdoor.ch", "CH")],
)
def test_a_site_shows_the_jobs_of_its_country(domain: str, country: str) -> None:
    assert country_of(domain) == country
    assert {posting.city.country for posting in _SITES.found("Engineer Kaufmann Pflege", "", domain)} <= {country}


async def test_strangers_and_nonsense_are_refused_and_cost_nothing(provider: hasdata.Provider) -> None:
    assert (await _ask(provider, "/scrape/indeed/listing", _QUERY, key="wrong"))[0] == 401
    assert (await _ask(provider, "/scrape/indeed/listing", {"keyword": "x"}))[0] == 400
    assert (await _ask(provider, "/scrape/indeed/job", {"url": "https://de.indeed.com/viewjob?jk=1"}))[0] == 404
    provider.credits = 4
    assert (await _ask(provider, "/scrape/indeed/listing", _QUERY))[0] == 403
    assert provider.charged == 0


async def test_the_sixteenth_at_once_is_turned_away(provider: hasdata.Provider) -> None:
    provider.latency_s = 0.3
    answers = await asyncio.gather(*(_ask(provider, "/scrape/indeed/listing", _QUERY) for _ in range(AT_ONCE + 3)))
    assert sorted(status for status, _ in answers) == [200] * AT_ONCE + [429] * 3
    assert provider.most_at_once == AT_ONCE and provider.turned_away == 3 and provider.charged == 5 * AT_ONCE


async def test_misbehaviour_strikes_where_and_as_often_as_it_is_told(provider: hasdata.Provider) -> None:
    provider.misbehave("server_error", path="/scrape/web")
    assert (await _ask(provider, "/scrape/indeed/listing", _QUERY))[0] == 200
    assert [(await _ask(provider, "/scrape/web", {"url": "https://x.example"}))[0] for _ in range(2)] == [500, 200]
    with pytest.raises(ValueError, match="unknown misbehaviour"):
        provider.misbehave("naughty")


async def test_its_statement_can_be_compared(provider: hasdata.Provider, tmp_path: Path) -> None:
    await _ask(provider, "/scrape/indeed/listing", _QUERY)
    provider.write_statement(tmp_path / "bill.csv")
    lines, bad = statement.read((tmp_path / "bill.csv").read_bytes())
    assert not bad and [(line.id, line.credits) for line in lines] == [(provider.statement[0].id, 5)]


def test_it_starts_alone_and_says_what_it_cannot_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert hasdata.main(["--host", "256.0.0.1", "--postings", "10"]) == 1
    assert "error: " in capsys.readouterr().err
