"""Recruitee: language versions, salaries that are texts, an API that will want a token, and the feed beside it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting, Salary
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

FEED = "<offers><offer><id>7</id><title>Koch</title><description>{text}</description>{more}</offer></offers>"


def read(body: Any, cursor: str | None = None, **answer: Any) -> Page:
    request = source("recruitee").request("acme", cursor)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(request=request, url=request.url, status=200, headers={}, body=raw)
    return source("recruitee").parse("acme", msgspec.structs.replace(response, **answer))


def row(**fields: Any) -> Posting:
    (only,) = read({"offers": [{"id": 7, "title": "Koch", "description": "<p>Kochen</p>"} | fields]}).rows
    return only


def version(title: str, description: str) -> dict[str, Any]:
    return {"title": title, "description": description, "requirements": None}


def test_language_versions_are_one_posting_in_the_language_that_is_shown() -> None:
    versions = {"en": version("Cook", "<p>Cook</p>"), "de": version("Koch", "<p>Kochen</p>")}
    assert (row(translations=versions).title, row(translations=versions).language) == ("Koch", "de")
    assert row(translations={"de-AT": versions["de"]}).language == "de"
    untranslated = {"en": versions["de"], "de": versions["de"]}
    for unclear in (untranslated, {"en": versions["en"]}, {}, None, "de", {"de": None}):
        assert row(translations=unclear).language is None


def test_salaries_are_texts() -> None:
    def pay(**parts: Any) -> Salary | None:
        return row(salary={"currency": "EUR", "period": "year", "min": None, "max": None} | parts).salary

    assert pay(min="60000", max="75000") == Salary(min=60_000, max=75_000, currency="EUR", period="year")
    assert pay(min="14.50", period="hour") == Salary(min=14.5, currency="EUR", period="hour")
    assert pay(min="75000", max="60000") == Salary(min=60_000, max=75_000, currency="EUR", period="year")
    for nothing in ({}, {"min": "0", "max": "0"}, {"min": "negotiable"}, {"min": "60000", "period": "sprint"}):
        assert pay(**nothing) is None


def test_times_are_no_iso_times() -> None:
    posted = row(published_at="2026-08-05 10:10:39 UTC", close_at="yesterday")
    assert str(posted.posted_at) == "2026-08-05 10:10:39+00:00"
    assert posted.valid_through is None


@pytest.mark.parametrize(
    ("ticked", "remote"),
    [
        ({"remote": True, "hybrid": True}, "remote"),
        ({"hybrid": True, "on_site": True}, "hybrid"),
        ({"remote": False, "hybrid": False, "on_site": True}, "onsite"),
        ({"remote": False, "hybrid": False, "on_site": False}, None),
    ],
)
def test_overlapping_flags_give_the_freest_way(ticked: dict[str, bool], remote: str | None) -> None:
    assert row(**ticked).remote == remote


def test_what_is_not_published_is_left_out_and_counted() -> None:
    page = read({"offers": [{"id": 7, "title": "Koch", "status": "internal"}, {"id": 8, "title": "Wirt"}]})
    assert ([one.external_id for one in page.rows], page.skipped) == (["8"], 1)


def test_an_api_that_wants_a_token_is_followed_by_the_feed() -> None:
    refused = read({"error": "Unauthorized"}, status=401)
    assert (refused.rows, refused.cursor) == ((), "feed")
    assert source("recruitee").request("acme", "feed").url == "https://acme.recruitee.com/api/feeds/offers.xml"
    assert read(FEED.format(text="&lt;p&gt;Kochen&lt;/p&gt;", more="").encode(), "feed").cursor is None


def test_the_feeds_names_have_hyphens_or_underscores() -> None:
    fields = {"on{}site": "true", "country{}code": "AT", "careers{}url": "https://acme.recruitee.com/o/koch"}
    rows = []
    for sign in ("-", "_"):
        more = "".join(f"<{name.format(sign)}>{value}</{name.format(sign)}>" for name, value in fields.items())
        rows.append(read(FEED.format(text="<![CDATA[<p>Kochen</p>]]>", more=more).encode(), "feed").rows)
    assert rows[0] == rows[1]
    ((posting,), _) = rows
    assert (posting.remote, posting.country, posting.html) == ("onsite", "AT", "<p>Kochen</p>")


def test_a_feed_with_a_document_type_is_refused() -> None:
    bomb = b'<!DOCTYPE offers [<!ENTITY a "aaaa">]>' + FEED.format(text="&a;", more="").encode()
    with pytest.raises(Malformed):
        read(bomb, "feed")


def test_the_vendors_own_site_is_no_empty_board() -> None:
    with pytest.raises(Gone):
        read({"offers": []}, url="https://recruitee.com/careers_not_hosted")
    for body in (b"<html><body>Careers</body></html>", b"<offers", b"{}", b"[]", b""):
        with pytest.raises(Malformed):
            read(body)
    assert read({"offers": []}).rows == read(b"<offers></offers>", "feed").rows == ()


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.recruitee.com/o/koch-mwd", "acme"),
        ("http://acme.recruitee.com/api/offers.xml", "acme"),
        ("acme.recruitee.com", "acme"),
        ("https://app.recruitee.com/", None),
        ("https://recruitee.com/acme", None),
        ("https://a.b.recruitee.com/", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("recruitee", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "recruitee")
    client = Direct(Market(3, companies=6, postings=120))
    await assert_true(client, "recruitee")
    assert any(url.endswith("offers.xml") for url in client.asked)
    assert any(url.endswith("offers/") for url in client.asked)


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "recruitee")
    with pytest.raises(Gone):
        await listed(Direct(Market(3, companies=2, postings=20)), "recruitee", "nobody")
