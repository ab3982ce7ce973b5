"""What providers are asked for, and what is read out of their answers: whatever they answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.discover.details import read_detail, read_page_of
from daemons.discover.intake import answered
from daemons.discover.listings import read_listing
from daemons.discover.query import Ask, Provider, Query, plan, read_query
from daemons.discover.twins import Job, beginning, company_words, same_job
from lib.errors import Gone, Malformed, SourceError
from lib.match.profile import Limits, Profile, Wanted, read_profile
from lib.net.messages import Response
from lib.posting.contract import Page, Posting, Salary
from lib.posting.writing import Listed

AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
BERN = Query("Koch", "Bern", "CH")
LISTED = Posting(external_id="7", title="Koch", url="https://de.indeed.com/viewjob?jk=0123456789abcdef")
LONG = "<p>" + "Wir suchen einen Koch für unsere Küche. " * 10 + "</p>"
INDEED = {
    "title": "Koch (m/w/d)", "company": "Gasthof zum Löwen", "location": "3011 Bern", "jobKey": "0123456789abcdef",
    "url": "https://ch.indeed.com/pagead/clk?jk=0123456789abcdef&tk=1", "isoDate": "2026-11-01T08:00:00.000Z",
    "details": ["Vollzeit", "Hybrid work"], "salary": {"min": 4000, "max": 5000, "type": "MONTHLY"},
    "description": "Wir suchen …", "sponsored": True, "date": "30+ days ago",
}  # fmt: skip
GLASSDOOR = {
    "id": 1010220057561, "title": "Koch", "location": "Bern", "ageInDays": 36, "url": "https://www.glassdoor.ch/j?jl=1",
    "employer": {"id": 4, "name": "Gasthof zum Löwen", "rating": 4.2}, "skills": ["Kochen"], "sponsored": False,
    "salary": {"currency": "CHF", "period": "ANNUAL", "min": 60000, "max": 70000, "source": "EMPLOYER_PROVIDED"},
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)


def answer(body: Any) -> Response:
    return answered("test", {}, body if isinstance(body, bytes) else orjson.dumps(body))


def listing(provider: Provider, *jobs: Any, page: int = 1, **beside: Any) -> Page:
    return read_listing(Ask(provider, BERN, page), answer({"jobs": list(jobs), **beside}), AT)


def wanted(**fields: Any) -> Wanted:
    return read_profile(Profile(**fields))


def test_a_query_names_the_occupation_the_first_skills_and_the_place() -> None:
    query = read_query(
        wanted(title="Softwareentwickler (m/w/d)", location="Bern", text="Ich kann Python, dazu SQL und Docker.")
    )
    assert query == Query("Softwareentwickler Python SQL", "Bern", "CH")
    assert Ask("indeed", query).parameters("20") == {
        "keyword": "Softwareentwickler Python SQL", "location": "Bern", "domain": "ch.indeed.com", "start": "20",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "place"),
    [
        (Profile(title="Koch"), ("Deutschland", "DE")),
        (Profile(title="Koch", limits=Limits(countries=("AT",))), ("Österreich", "AT")),
        (Profile(title="Koch", location="Wien"), ("Wien", "AT")),
        (Profile(title="Koch", location="Wien", limits=Limits(countries=("de",))), ("Deutschland", "DE")),
        (Profile(title="Koch", location="Paris"), None),
        (Profile(title="Koch", limits=Limits(countries=("FR",))), None),
    ],
)
def test_a_query_is_of_a_country_that_providers_cover_and_the_profile_accepts(
    profile: Profile, place: tuple[str, str] | None
) -> None:
    query = read_query(read_profile(profile))
    assert (query and (query.place, query.country)) == place


def test_the_same_wishes_have_one_key_however_they_are_spelt() -> None:
    asked = [
        wanted(title="Koch (m/w/d)", location="bern", text="Kann Python und SQL."),
        wanted(title="  koch ", location="Bern", text="Erst SQL, dann Python."),
    ]
    keys = {Ask("indeed", query).key for one in asked if (query := read_query(one)) is not None}
    assert len(keys) == 1


def test_other_wishes_have_other_keys() -> None:
    asks = [
        Ask("indeed", BERN), Ask("glassdoor", BERN), Ask("indeed", BERN, 2), Ask("indeed", Query("Koch", "Bern", "DE")),
        Ask("indeed", Query("Koch Bern", "", "CH")), Ask("indeed", Query("C", "Bern", "CH")),
        Ask("indeed", Query("C++", "Bern", "CH")),
    ]  # fmt: skip
    assert len({ask.key for ask in asks}) == len(asks)


@given(st.text(min_size=4, max_size=300), st.text(max_size=60), st.text(max_size=500))
def test_any_profile_asks_for_something_short(title: str, place: str, text: str) -> None:
    query = read_query(Wanted(text=text, phrases=(title,), place=place, country="DE"))
    assert query is not None and query.words and len(query.words) <= 80
    assert Ask("indeed", query).key


def test_first_pages_of_all_providers_come_before_second_ones() -> None:
    assert [(ask.provider, ask.page) for ask in plan(BERN, 3)] == [("indeed", 1), ("glassdoor", 1), ("indeed", 2)]


def test_a_row_of_indeed_says_what_the_payload_says() -> None:
    page = listing("indeed", INDEED, pagination={"nextPage": "https://ch.indeed.com/jobs?q=Koch&l=Bern&start=10"})
    assert page.rows == (
        Posting(
            external_id="0123456789abcdef", title="Koch (m/w/d)", company="Gasthof zum Löwen", places=("3011 Bern",),
            url="https://ch.indeed.com/viewjob?jk=0123456789abcdef", country="CH", remote="hybrid",
            employment_type="Vollzeit, Hybrid work", posted_at=datetime(2026, 11, 1, 8, tzinfo=UTC),
            salary=Salary(min=4000, max=5000, period="month"), teaser="Wir suchen …",
        ),
    )  # fmt: skip
    assert page.cursor == "10" and not page.unknown


def test_a_row_of_glassdoor_says_what_the_payload_says() -> None:
    page = listing("glassdoor", GLASSDOOR, pagination={"otherPages": {"2": "AB4AA"}})
    (row,) = page.rows
    assert (row.external_id, row.company, row.places) == ("1010220057561", "Gasthof zum Löwen", ("Bern",))
    assert row.posted_at == datetime(2026, 11, 22, tzinfo=UTC) - timedelta(days=36)
    assert row.salary == Salary(min=60000, max=70000, currency="CHF", period="year")
    assert page.cursor == "AB4AA" and not page.unknown


def test_pay_that_glassdoor_estimates_is_not_stated() -> None:
    estimated = GLASSDOOR | {"salary": {**GLASSDOOR["salary"], "source": "ESTIMATED"}}  # type: ignore[dict-item]
    assert listing("glassdoor", estimated).rows[0].salary is None


def test_an_advertisement_without_a_key_is_told_by_what_it_says() -> None:
    bare = {key: value for key, value in INDEED.items() if key != "jobKey"} | {
        "url": "https://ch.indeed.com/pagead?x=1"
    }
    again, other = bare | {"url": "https://ch.indeed.com/pagead?x=2"}, bare | {"location": "Thun"}
    ids = [row.external_id for row in listing("indeed", bare, again, other).rows]
    assert ids[0] == ids[1] != ids[2] and ids[0].startswith("ad-")


@pytest.mark.parametrize("provider", ["indeed", "glassdoor"])
def test_a_broken_row_costs_itself_only(provider: Provider) -> None:
    good: dict[str, Any] = INDEED if provider == "indeed" else GLASSDOOR
    page = listing(provider, good, None, [], {}, {"id": 1, "jobKey": "0123456789abcdef"}, good | {"title": 3})
    assert len(page.rows) == 1 and len(page.rejected) == 5
    assert all(row.reason for row in page.rejected)


@given(st.sampled_from(["indeed", "glassdoor"]), json_values | st.builds(lambda jobs: {"jobs": jobs}, json_values))
def test_any_json_is_a_page_or_no_list(provider: Provider, body: Any) -> None:
    _read(provider, orjson.dumps(body))


@given(st.sampled_from(["indeed", "glassdoor"]), st.data())
def test_any_value_in_any_field_is_read_or_set_aside(provider: Provider, data: st.DataObject) -> None:
    row: dict[str, Any] = dict(INDEED if provider == "indeed" else GLASSDOOR)
    for name in data.draw(st.sets(st.sampled_from(sorted(row)), max_size=4)):
        row[name] = data.draw(json_values)
    _read(provider, orjson.dumps({"jobs": [row], "pagination": data.draw(json_values)}))


@given(st.sampled_from(["indeed", "glassdoor"]), st.binary(max_size=300))
def test_any_bytes_are_a_page_or_no_list(provider: Provider, body: bytes) -> None:
    _read(provider, body)


def _read(provider: Provider, body: bytes) -> None:
    try:
        page = read_listing(Ask(provider, BERN), answer(body), AT)
    except Malformed:
        return
    for row in page.rows:
        Listed.of(row)
        assert b"\\u0000" not in msgspec.json.encode(row) and row.external_id and row.title and row.url


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("indeed", {"title": "Koch", "descriptionHtml": LONG, "details": {"jobType": ["Vollzeit"]}}),
        ("indeed", {"job": {"description": "Wir suchen einen Koch.\n\n" * 10}}),
        (
            "glassdoor",
            {"job": {"title": "Koch", "descriptionHtml": LONG, "address": {"city": "Bern", "country": "CH"}}},
        ),
    ],
)
def test_a_detail_has_its_text(provider: Provider, body: Any) -> None:
    detail = read_detail(provider, answer(body), LISTED)
    assert detail.external_id == "7" and detail.title == "Koch" and "suchen einen Koch" in (detail.html or "")


def test_a_detail_says_that_the_posting_is_gone() -> None:
    with pytest.raises(Gone):
        read_detail("glassdoor", answer({"job": {"expired": True, "descriptionHtml": LONG}}), LISTED)
    with pytest.raises(Gone):
        read_page_of(answer({"statusCode": 404, "content": "<h1>404</h1>"}), LISTED)


@pytest.mark.parametrize(
    "body", [{}, {"job": {}}, {"description": "Zu kurz."}, {"job": {"descriptionHtml": "<p></p>"}}]
)
def test_a_detail_without_a_text_is_none(body: Any) -> None:
    with pytest.raises(Malformed):
        read_detail("indeed", answer(body), LISTED)


@pytest.mark.parametrize(
    "page",
    [
        '<script type="application/ld+json">'
        + orjson.dumps({"@type": "JobPosting", "title": "Koch", "description": LONG}).decode()
        + "</script>",
        f'<div id="jobDescriptionText">{LONG}</div>',
        f'<div class="JobDetails_jobDescription__x">{LONG}</div>',
    ],
)
def test_a_page_shows_the_posting(page: str) -> None:
    body = f"<html><body><nav>Start</nav>{page}</body></html>"
    for response in (answer(body.encode()), answer({"statusCode": 200, "content": body})):
        assert "suchen einen Koch" in (read_page_of(response, LISTED).html or "")


@given(st.sampled_from(["indeed", "glassdoor"]), json_values.map(orjson.dumps) | st.binary(max_size=300))
def test_any_detail_is_a_text_or_none(provider: Provider, body: bytes) -> None:
    for read in (lambda: read_detail(provider, answer(body), LISTED), lambda: read_page_of(answer(body), LISTED)):
        with suppress(SourceError):
            assert read().html


@pytest.mark.parametrize(
    ("name", "words"),
    [("ACME GmbH & Co. KG", "acme"), ("Löwen AG", "lowen"), ("AG", "ag"), ("Bäckerei Ende", "backerei ende")],
)
def test_a_company_goes_by_its_name_without_its_legal_form(name: str, words: str) -> None:
    assert company_words(name) == words


def test_one_job_has_the_same_title_company_and_town() -> None:
    here = Job("Koch (m/w/d)", "Löwen GmbH", ("3011 Bern",), "CH")
    assert same_job(here, Job("Koch", "LÖWEN", ("Bern, Schweiz",), None))
    assert not same_job(here, Job("Koch", "Löwen", ("Thun",), "CH"))
    assert not same_job(here, Job("Köchin", "Löwen", ("Bern",), "CH"))
    assert not same_job(here, Job("Koch", None, ("Bern",), "CH"))
    assert not same_job(here, Job("Koch", "Löwen", (), "CH"))


@given(st.text(max_size=300))
def test_names_of_any_form_are_compared(name: str) -> None:
    company_words(name)
    begins = beginning(name)
    assert begins is None or name.lower().lstrip().startswith(begins)
