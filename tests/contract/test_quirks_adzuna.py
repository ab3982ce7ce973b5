"""Adzuna: predicted salaries are not stated ones, teasers are no texts, keys are asked for by their names only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.crawl.metered import MeteredSource
from daemons.sources import detect, source
from lib.errors import Refused, SourceError
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

TENANT = "ch:pflege:Zug"


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("adzuna").request(TENANT, cursor)
    answer = Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())
    return source("adzuna").parse(TENANT, answer)


def row(**fields: Any) -> Posting:
    (only,) = read({"count": 1, "results": [{"id": "7", "title": "Koch"} | fields]}).rows
    return only


def test_a_predicted_salary_is_not_stated() -> None:
    pay = {"salary_min": 60_000, "salary_max": 50_000}
    stated = row(**pay, salary_is_predicted="0").salary
    assert stated is not None
    assert (stated.min, stated.max, stated.currency, stated.period) == (50_000, 60_000, "CHF", "year")
    for predicted in ("1", 1, True, None, "yes"):
        assert row(**pay, salary_is_predicted=predicted).salary is None
    assert row(**pay).salary is None


def test_a_teaser_is_no_text() -> None:
    assert row(description="Wir suchen Sie ab sofort...").html is None
    assert not isinstance(source("adzuna"), DetailSource)


def test_the_marks_of_a_request_are_not_in_the_address() -> None:
    assert row(redirect_url="https://www.adzuna.ch/details/7?se=abc&v=1").url == "https://www.adzuna.ch/details/7"
    assert row(redirect_url="nothing").url == "https://www.adzuna.ch/details/7"


@pytest.mark.parametrize(("page", "count", "cursor"), [("1", 51, "2"), ("1", 50, None), ("40", 5_000, None)])
def test_pages_end_with_the_count_or_the_newest_two_thousand(page: str, count: int, cursor: str | None) -> None:
    assert read({"count": count, "results": [{"id": "7", "title": "Koch"}]}, page).cursor == cursor
    assert read({"count": count, "results": []}, page).cursor is None


def test_a_request_names_its_keys_and_holds_none() -> None:
    request = source("adzuna").request(TENANT, None)
    assert set(request.secrets) == {"adzuna_app_id", "adzuna_app_key"}
    assert (request.params["app_id"], request.params["app_key"]) == ("{adzuna_app_id}", "{adzuna_app_key}")
    assert request.params["results_per_page"] == "50"


def test_it_is_metered_and_off_until_somebody_decides() -> None:
    reader = source("adzuna")
    assert isinstance(reader, MeteredSource)
    assert reader.metered == 250
    assert reader.consent is not None
    assert "attribution" in reader.consent


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://www.adzuna.at/search?q=Koch&w=Graz", "at:Koch:Graz"),
        ("https://www.adzuna.co.uk/search?q=cook", "gb:cook:"),
        ("https://www.adzuna.de/details/4711", None),
        ("https://www.adzuna.fr/search?q=cuisinier", None),
    ],
)
def test_searches_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("adzuna", tenant))


@pytest.mark.parametrize("tenant", ["us:cook:", "de::", "pflege", "DE:koch:"])
def test_nothing_else_is_a_search(tenant: str) -> None:
    with pytest.raises(Refused):
        source("adzuna").request(tenant, None)


async def test_a_market_is_read_as_it_is() -> None:
    market = Market(3, companies=3, postings=300, systems=("adzuna",))
    client = Direct(market)
    await assert_true(client, "adzuna", details=0)
    truth = {row["external_id"]: row["salary"] for row in market.truth()}
    stated = 0
    for board in market.boards:
        for found in (await listed(client, "adzuna", board.tenant))[0]:
            true = truth[found.external_id]
            assert found.salary is None or (found.salary.min, found.salary.period) == (true["min"], "year")
            stated += found.salary is not None
    assert 0 < stated < 300


async def test_nobody_is_answered_without_keys() -> None:
    client = Direct(Market(3, companies=1, postings=20, systems=("adzuna",)))
    with pytest.raises(SourceError):
        await client.send(Request(url=source("adzuna").request(TENANT, None).url))
