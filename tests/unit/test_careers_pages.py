"""Pages of companies' sites: what they are taken for, what is read out of them, and that no bytes do harm."""

from __future__ import annotations

import html
import json
import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.careers.closing import Sight, are_many, closes, doubts_after, is_away, sight_of
from daemons.careers.places import first_town
from daemons.careers.reading import MAX_PAGE_BYTES, Fetched, Reading, read_page, read_pages
from daemons.careers.site import Site, address, external_id, hints_at_job, is_further_page
from lib.errors import Denied, Gone, Malformed, SourceError, Transient

SITE = Site("www.acme.example", "/karriere")
JOB_LINKS = "".join(f"<a href='/karriere/koch-in-lindau-{number}'>Koch (m/w/d)</a>" for number in range(4))
URL = "https://www.acme.example/karriere/koch-m-w-d-4711"
AD = (
    """<h2>Ihre Aufgaben</h2><ul><li>Sie kochen täglich frische Gerichte für unsere Gäste im Haus.</li></ul>
<h2>Ihr Profil</h2><p>Sie haben eine abgeschlossene Ausbildung und Freude an regionaler Küche.</p>
<h2>Wir bieten</h2><p>Einen unbefristeten Vertrag in Vollzeit, geregelte Zeiten und ein herzliches Team.</p>
"""
    + "<p>Unser Haus liegt am See und hat vierzig Zimmer, in denen sich Gäste seit langem wohl fühlen.</p>" * 5
)
NODE = {
    "@context": "https://schema.org", "@type": "JobPosting", "title": "Koch (m/w/d)", "description": AD,
    "hiringOrganization": {"@type": "Organization", "name": "Acme Gastro GmbH"},
    "jobLocation": {"@type": "Place", "address": {"addressLocality": "Lindau", "addressCountry": "DE"}},
}  # fmt: skip


def document(body: str, head: str = "", title: str = "Koch (m/w/d) | Acme Gastro GmbH") -> str:
    return (
        f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>'
        f'<nav><a href="/karriere">Karriere</a><a href="/produkte">Produkte</a></nav><main>{body}</main>'
        "<footer>© 2026 Acme Gastro GmbH <a href='/impressum'>Impressum</a></footer></body></html>"
    )


def read(page: str | bytes, url: str = URL) -> Reading:
    return read_page(Fetched(SITE.tenant, url, page.encode() if isinstance(page, str) else page))


def block(node: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


# ---- what a page is --------------------------------------------------------------------------------------------------


def test_a_plain_ad() -> None:
    reading = read(
        document(f"<h1>Koch (m/w/d)</h1><p>Einsatzort: Lindau</p>{AD}<a href='mailto:a@b.example'>Jetzt bewerben</a>")
    )
    assert reading.verdict == "ad"
    (posting,) = reading.postings
    assert (posting.title, posting.company, posting.places) == ("Koch (m/w/d)", "Acme Gastro GmbH", ("Lindau",))
    assert posting.external_id == external_id(URL)
    assert "regionaler Küche" in (posting.html or "")
    assert "Impressum" not in (posting.html or "")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (f"<h1>Unsere Stellenangebote</h1>{JOB_LINKS}", "list"),
        ("<h1>Über uns</h1><p>Wir kochen seit 1950.</p>", "other"),
        ("<h1>Koch (m/w/d)</h1><p>Diese Stelle ist leider nicht mehr verfügbar.</p>", "ended"),
        ("<h1>Seite nicht gefunden</h1><p>Bitte nutzen Sie die Suche.</p>", "ended"),
        ("<h1>Hoppla</h1><p>The position has already been filled.</p>", "ended"),
        (f"<h1>Koch (m/w/d)</h1>{AD}{'<p>Wir melden uns.</p>' * 60}<p>Andere Stelle nicht mehr verfügbar</p>", "ad"),
        ("<div id='root'></div><script src='/app.js'></script>", "shell"),
        ("".join(f"<h2>{job} (m/w/d)</h2>{AD}" for job in ("Koch", "Kellner", "Page", "Portier")), "other"),
    ],
    ids=["list", "about", "ended", "soft 404", "filled", "ended elsewhere", "shell", "several ads"],
)  # fmt: skip
def test_verdicts(body: str, verdict: str) -> None:
    assert read(document(body)).verdict == verdict


# ---- markup ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        block(NODE),
        block([{"@type": "WebSite"}, NODE]),
        block({"@context": "https://schema.org", "@graph": [NODE]}),
        f'<script type="application/ld+json">{html.escape(json.dumps(NODE))}</script>',
    ],
    ids=["object", "list", "graph", "entities"],
)
def test_a_page_with_json_ld(head: str) -> None:
    reading = read(document("<h1>Willkommen</h1>", head))
    (posting,) = reading.postings
    assert (reading.verdict, posting.title, posting.places) == ("ad", "Koch (m/w/d)", ("Lindau, DE",))


def test_several_postings_with_pages_of_their_own_are_read_there() -> None:
    nodes = [NODE | {"url": f"/karriere/koch-{number}"} for number in range(3)]
    reading = read(document("<h1>Jobs</h1>", block(nodes)), SITE.start)
    assert (reading.verdict, reading.postings) == ("list", ())
    assert {f"{SITE.start}/koch-{number}" for number in range(3)} <= {link.url for link in reading.links}


def test_several_postings_without_pages_of_their_own_are_told_apart() -> None:
    nodes = [NODE | {"title": title} for title in ("Koch (m/w/d)", "Kellner (m/w/d)")]
    reading = read(document("<h1>Jobs</h1>", block(nodes)), SITE.start)
    assert len({posting.external_id for posting in reading.postings}) == 2


def test_five_hundred_postings_of_a_list_each_have_their_own_address() -> None:
    nodes = [NODE | {"url": f"https://jobs.elsewhere.example/{number}"} for number in range(500)]
    reading = read(document("<h1>Jobs bei Acme</h1>", block(nodes)), SITE.start)
    assert len({(one.external_id, one.url) for one in reading.postings}) == 500


def test_postings_of_another_company_on_its_own_site_are_left_out() -> None:
    foreign = NODE | {"url": "https://zeta.example/jobs/1", "hiringOrganization": {"name": "Zeta Holding AG"}}
    assert read(document("<h1>Karriere</h1>", block([foreign, foreign]))).postings == ()


def test_a_site_whose_pages_all_name_its_list_as_canonical_has_many_ads() -> None:
    head = '<link rel="canonical" href="/karriere">'
    reading = read(document(f"<h1>Koch (m/w/d)</h1>{AD}", head), f"{SITE.start}/koch")
    assert [one.external_id for one in reading.postings] == [external_id(f"{SITE.start}/koch")]


@pytest.mark.parametrize(
    ("head", "stands_for"),
    [
        ('<link rel="canonical" href="/">', None),
        (f'<link rel="canonical" href="{URL}?utm_source=x">', None),
        (
            '<link rel="canonical" href="/karriere/koch-in-lindau-m-w-d">',
            "https://www.acme.example/karriere/koch-in-lindau-m-w-d",
        ),
        ('<link rel="canonical" href="/karriere">', None),  # the same on every page
        ('<link rel="canonical" href="https://other.example/karriere/koch-m-w-d-4711">', None),
        (
            (f'<link rel="alternate" hreflang="en" href="{URL}">'
            '<link rel="alternate" hreflang="de" href="/de/karriere/koch">'),
            "https://www.acme.example/de/karriere/koch",
        ),
    ],
)  # fmt: skip
def test_one_page_stands_for_its_twins(head: str, stands_for: str | None) -> None:
    assert read(document(f"<h1>Koch (m/w/d)</h1>{AD}", head)).stands_for == stands_for


# ---- hostile pages ---------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400), st.text(max_size=300).map(lambda text: document(text).encode("utf-8", "surrogatepass"))
    )
)
def test_any_bytes_give_a_reading(body: bytes) -> None:
    page = Fetched(SITE.tenant, URL, body)
    (reading,) = read_pages(msgspec.msgpack.encode([page]))
    msgspec.msgpack.encode(reading)
    for posting in reading.postings:
        posting.title.encode()
        assert "\x00" not in (posting.html or "")


@pytest.mark.parametrize(
    "body",
    [
        "<h1>" * 50_000 + "Koch (m/w/d)",
        "<div><p>Koch (m/w/d) " * 40_000,
        "<a href='/job'>" * 40_000,
        "<h1>Koch (m/w/d)</h1>" + "Stelle " * 100_000,
        "<h1>" + "A B GmbH & " * 20_000,
        document("<h1>Koch</h1>" + "12345 Ort " * 50_000),
        "<script type='application/ld+json'>" + "[" * 100_000,
    ],
    ids=["deep headings", "deep blocks", "links", "words", "names", "towns", "json"],
)
def test_crowded_pages_take_little_time(body: str) -> None:
    started = time.process_time()
    with suppress(Malformed):
        read(body)
    assert time.process_time() - started < 10


def test_a_page_that_is_too_long_is_none() -> None:
    with pytest.raises(Malformed, match="bytes"):
        read(b"x" * (MAX_PAGE_BYTES + 1))


# ---- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tenant"),
    [
        ("https://www.Acme.de/karriere/", "www.acme.de/karriere"),
        ("www.acme.de", "www.acme.de"),
        ("http://acme.de:80/jobs?x=1#a", "acme.de/jobs"),
        ("https://10.0.0.7/jobs", None),
        ("https://localhost/jobs", None),
        ("https://[::1]/", None),
        ("ftp://acme.de/", None),
        ("https://acme.de/../etc", None),
        ("https://user@acme.de/", "acme.de"),
        ("karriere", None),
        ("", None),
    ],
)
def test_sites(text: str, tenant: str | None) -> None:
    site = Site.of(text)
    assert (site.tenant if site else None) == tenant
    if site is not None:
        assert Site.of(site.start) == site == Site.of(site.tenant)


def test_one_posting_has_one_id() -> None:
    forms = ("https://www.acme.de/jobs/1", "http://acme.de/jobs/1/", "https://ACME.de/jobs/1")
    assert len({external_id(address(form, "") or "") for form in forms}) == 1
    assert external_id("https://acme.de/jobs/1") != external_id("https://acme.de/jobs/2")


@pytest.mark.parametrize(
    ("href", "wanted"),
    [
        ("../stellen/koch?utm_source=x&id=5&PHPSESSID=abc#top", "https://www.acme.example/stellen/koch?id=5"),
        ("javascript:void(0)", None),
        ("mailto:a@b.example", None),
        ("/logo.png", None),
        ("/" + "x" * 1_600, None),
        ("http://[bad", None),
        ("/stelle;jsessionid=12", "https://www.acme.example/stelle"),
        ("/(S(0a1b2c3d))/stelle", "https://www.acme.example/stelle"),
    ],
)
def test_addresses(href: str, wanted: str | None) -> None:
    assert address(href, URL) == wanted


def test_hints_and_further_pages() -> None:
    assert hints_at_job("https://a.example/de/stellenangebote/koch")
    assert not hints_at_job("https://a.example/produkte/pumpe")
    assert not hints_at_job("https://a.example/jobs/4711/apply")
    assert not hints_at_job("https://a.example/karriere/datenschutz")
    assert hints_at_job("https://a.example/jobs/senior-legal-counsel-m-w-d")
    assert hints_at_job("https://a.example/jobs/datenschutzbeauftragter")
    assert is_further_page("https://a.example/karriere?seite=2", "https://a.example/karriere")
    assert is_further_page("https://a.example/karriere/page/3/", "https://a.example/karriere/page/2/")
    assert not is_further_page("https://a.example/news?seite=2", "https://a.example/karriere")


def test_towns_are_looked_up() -> None:
    assert first_town(("Backend", "Ab sofort", "35032 Marburg", "Berlin")) == "35032 Marburg"
    assert first_town(("Köln oder Remote",)) == "Köln oder Remote"
    assert first_town(("Ort", "Markt", "Kleinkleckersdorf")) is None


# ---- closing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sight", "before", "closed", "after"),
    [
        (Sight.SHOWN, 2, False, 0),
        (Sight.GONE, 0, True, 1),
        (Sight.ENDED, 0, True, 1),
        (Sight.LED_BACK, 0, True, 1),
        (Sight.LED_ON, 0, False, 1),
        (Sight.REFUSED, 1, False, 2),
        (Sight.REFUSED, 2, True, 3),
        (Sight.UNREACHABLE, 2, False, 2),
        (Sight.UNREAD, 2, False, 2),
    ],
)
def test_what_closes_a_posting(sight: Sight, before: int, closed: bool, after: int) -> None:
    doubts = doubts_after(sight, before)
    assert (closes(sight, doubts), doubts) == (closed, after)


def test_most_of_a_site_at_once_needs_more_than_one_turn() -> None:
    assert are_many(3, 5)
    assert not are_many(2, 2)
    assert [closes(Sight.LED_BACK, doubts, many=True) for doubts in (1, 2, 3)] == [False, False, True]
    assert not closes(Sight.REFUSED, 3, many=True)
    assert closes(Sight.GONE, 1, many=True)
    assert [is_away(Sight.GONE, doubts) for doubts in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("error", "sight"),
    [
        (Gone("404"), Sight.GONE),
        (Transient("418", 418), Sight.REFUSED),
        (Transient("500", 500), Sight.UNREACHABLE),
        (Transient("no answer"), Sight.UNREACHABLE),
        (Denied("403"), Sight.UNREACHABLE),
        (Malformed("odd"), Sight.UNREACHABLE),
    ],
)
def test_what_errors_say(error: SourceError, sight: Sight) -> None:
    assert sight_of(error) is sight
