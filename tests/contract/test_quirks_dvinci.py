"""d.vinci: one job is one posting however many languages it is published in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Malformed, Refused
from lib.net.messages import Response
from lib.posting.contract import Page, merge_rows
from tests.sim import Market
from tests.sim.direct import Direct, assert_true
from tests.sim.playing import playing_only


def read(items: Any, cursor: str | None = None) -> Page:
    request = source("dvinci").request("acme", cursor)
    body = items if isinstance(items, bytes) else json.dumps(items).encode()
    return source("dvinci").parse("acme", Response(request=request, url=request.url, status=200, headers={}, body=body))


def publication(number: int, opening: int, language: str, **fields: Any) -> dict[str, Any]:
    job = {"id": opening, "type": "DEFAULT", "location": "Berlin"} | fields.pop("jobOpening", {})
    title = {"de": "Koch", "en": "Cook"}[language]
    return {
        "id": number,
        "language": language,
        "position": title,
        "tasks": f"<p>{title}</p>",
        "jobOpening": job,
    } | fields


def test_language_versions_of_a_job_are_one_posting_the_german_one() -> None:
    both = [publication(1, 7, "en"), publication(2, 7, "de"), publication(3, 8, "en")]
    german, english = read(both), read(both, "en")
    assert (german.cursor, english.cursor) == ("en", None)
    assert [(row.external_id, row.title, row.language) for row in merge_rows((*german.rows, *english.rows))] == [
        ("7", "Koch", "de"),
        ("8", "Cook", "en"),
    ]


def test_a_job_that_is_listed_only_in_english_is_not_lost() -> None:
    german, english = read([publication(1, 7, "de")]), read([publication(2, 7, "en"), publication(3, 8, "en")], "en")
    rows = merge_rows((*german.rows, *english.rows))
    assert [(row.external_id, row.title) for row in rows] == [("7", "Koch"), ("8", "Cook")]


def test_unsolicited_applications_are_no_postings() -> None:
    page = read([publication(1, 7, "de"), publication(2, 8, "de", jobOpening={"type": "UNSOLICITED"})])
    assert ([row.external_id for row in page.rows], page.skipped) == (["7"], 1)


def test_the_day_of_creation_stands_in_for_a_start_that_is_not_stated() -> None:
    created = {"createdDate": "2026-07-20"}
    page = read(
        [
            publication(1, 1, "de", startDate="2026-08-03T22:00Z", jobOpening=created),
            publication(2, 2, "de", startDate=None, jobOpening=created),
        ]
    )
    assert [f"{row.posted_at:%Y-%m-%d %H:%M}" for row in page.rows] == ["2026-08-03 22:00", "2026-07-20 00:00"]


def test_words_may_be_objects_or_plain_texts() -> None:
    job = {
        "workingTimes": [{"internalName": "FULL_TIME", "name": "Vollzeit"}, "Teilzeit", None, 7],
        "contractPeriod": "unbefristet",
        "company": "Acme",
        "salary": {"currency": "EUR", "value": {"minValue": 50000, "maxValue": 60000.5, "unitText": "year"}},
    }
    (row,) = read([publication(1, 1, "de", jobOpening=job)]).rows
    assert (row.employment_type, row.company) == ("Vollzeit, Teilzeit, unbefristet", "Acme")
    assert row.salary is not None
    assert (row.salary.min, row.salary.max, row.salary.period) == (50000, 60000.5, "year")


@pytest.mark.parametrize("body", [b"<html><body>Login</body></html>", b"{}", b"", b"null"])
def test_another_page_is_no_empty_board(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)
    assert read(b"[]").rows == ()


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.dvinci-hr.com/de/jobs/4711/controller-mwd", "acme"),
        ("https://acme.dvinci-easy.com/de/jobs", "acme.dvinci-easy.com"),
        ("https://acme.dvinci.de/portal/nord/de/jobs", "acme.dvinci.de/portal/nord"),
        ("https://jobs.acme.de/jobPublication/list.json?lang=de", "jobs.acme.de"),
        ("https://jobs.acme.de/portal/nord/jobPublication/list.json", "jobs.acme.de/portal/nord"),
        ("https://static.dvinci-easy.com/files/job-widget-v1/widget.js", None),
        ("https://www.dvinci-hr.com/", None),
        ("https://jobs.acme.de/de/jobs", None),
        ("https://127.0.0.1/jobPublication/list.json", None),
    ],
)
def test_boards_are_recognised_wherever_they_are(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("dvinci", tenant))


def test_portals_are_parts_of_a_tenant() -> None:
    dvinci = source("dvinci")
    assert dvinci.detect(dvinci.board_url("acme/portal/nord")) == "acme/portal/nord"
    url = "https://jobs.acme.de/portal/nord/jobPublication/list.json"
    assert dvinci.request("jobs.acme.de/portal/nord", None).url == url
    for strange in ("acme/nord", "acme/portal/", "acme/portal/a/b", "/portal/nord", "acme/portal/.."):
        with pytest.raises(Refused):
            dvinci.request(strange, None)


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "dvinci")
    await assert_true(Direct(Market(3, companies=6, postings=120)), "dvinci")
