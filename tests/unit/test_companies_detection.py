"""Which board is behind an address, redirects or a page: what proves it, and what proves nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.companies.careers_links import careers_links, score
from daemons.companies.detection import best, in_address, in_page, in_redirects
from daemons.companies.domains import _MORE, KEPT_OUT, domain_table
from daemons.companies.embeds import ASSETS, EMBEDS
from daemons.sources import SOURCES
from lib.errors import Refused

PAGE = "https://www.acme.example/karriere"
# Feeds and searches have no tenants' addresses; career pages and feeds of companies have hosts of their own.
_WITHOUT_DOMAINS = {"adzuna", "arbeitnow", "bundesagentur", "careers", "jooble", "successfactors_csb", "xmlfeed"}


@pytest.mark.parametrize(
    ("markup", "source", "tenant", "how"),
    [
        ("<iframe src='https://boards.greenhouse.io/embed/job_board?for=acme'>", "greenhouse", "acme", "embed"),
        ("<script src='https://boards.greenhouse.io/embed/job_board/js?for=acme'></script>", "greenhouse", "acme",
         "embed"),
        ("<script src='https://app.greenhouse.io/embed/job_board/js?b=x&amp;for=acme'></script>", "greenhouse", "acme",
         "embed"),
        ('<script>/* boards.greenhouse.io */ Grnhse = {"urlToken":"acme"}</script>', "greenhouse", "acme", "embed"),
        (r'<script>{\"board\":\"greenhouse\",\"boardToken\":\"acme\"}</script>', "greenhouse", "acme", "embed"),
        ("<script>window.leverJobsOptions = {accountName: 'acme', includeCss: true};</script>", "lever", "acme",
         "embed"),
        ("<script>/* static.smartrecruiters.com */ widget({'company_code': 'Acme1'})</script>", "smartrecruiters",
         "Acme1", "embed"),
        ("<div id=BambooHR data-domain='acme.bamboohr.com'></div>", "bamboohr", "acme", "embed"),
        ("<iframe src='//acme.jobs.personio.de/?language=de'></iframe>", "personio", "acme", "embed"),
        ("<div class=dvinci-job-widget data-url='https://acme.dvinci-hr.com/jobPublication/list.json'>", "dvinci",
         "acme", "embed"),
        ("<a href='https://acme.wd3.myworkdayjobs.com/de-DE/External/job/Berlin/X_R1'>Jobs</a>", "workday", None,
         "link"),
        ("<a href='https://apply.workable.com/acme/'>Jobs</a>", "workable", "acme", "link"),
        (r'<script>var jobs = "https:\/\/jobs.lever.co\/acme\/7a1c0f7e-0b51-4c5b-9a55-0d8f6a0c1001";</script>', "lever",
         "acme", "script"),
        ("<meta http-equiv=refresh content='0;url=x'><a href='https://acme.recruitee.com/o/x'>x</a>", "recruitee",
         "acme", "link"),
        ("<form action='https://jobs.ashbyhq.com/Acme%20Labs'>", "ashby", "Acme Labs", "embed"),
        ("<IFRAME SRC='HTTPS://ACME.JOBS.PERSONIO.DE/'></IFRAME>", "personio", "acme", "embed"),
        ("<a href='https&#58;&#47;&#47;jobs.lever.co&#x2f;acme'>Jobs</a>", "lever", "acme", "link"),
        ("<script>var u = '//acme.jobs.personio.de/'</script>", "personio", "acme", "script"),
        (r'<script type="application/json">{"a": "https:\u002F\u002Facme.recruitee.com\u002Fo\u002Fx"}</script>',
         "recruitee", "acme", "script"),
        (r'<script>{&quot;a&quot;:&quot;https:\/\/acme.recruitee.com\/o\/x&quot;}</script>', "recruitee", "acme",
         "script"),
        ("<div data-props='{&quot;url&quot;:&quot;https://acme.jobs.personio.de/&quot;}'></div>", "personio", "acme",
         "script"),
        ("<meta http-equiv=Refresh content='0; url=https://jobs.lever.co/acme'>", "lever", "acme", "embed"),
        ("<base href='https://jobs.lever.co/'><a href='/acme'>Jobs</a>", "lever", "acme", "link"),
        ("<!-- <iframe src='https://old.jobs.personio.de/'></iframe> --><a href='https://jobs.lever.co/acme'>x</a>",
         "lever", "acme", "link"),
        ("<p>" + "x" * 2_900_000 + "<a href='https://jobs.lever.co/acme'>Jobs</a>", "lever", "acme", "link"),
        ("<div data-apibaseurl='https://abcd.fa.em2.oraclecloud.com' data-lang=de data-sitenumber='CX_1'>",
         "oracle_orc", "abcd.fa.em2.oraclecloud.com/CX_1", "embed"),
        ('<script>var CX_CONFIG = {"siteNumber": "CX_1", "apiBaseUrl": "https://abcd.fa.em2.oraclecloud.com"}</script>',
         "oracle_orc", "abcd.fa.em2.oraclecloud.com/CX_1", "embed"),
    ],
)  # fmt: skip
def test_what_pages_embed(markup: str, source: str, tenant: str | None, how: str) -> None:
    found = in_page(f"<html><body>{markup}</body></html>", PAGE)
    assert [(one.source, one.how) for one in found] == [(source, how)]
    assert tenant is None or found[0].tenant == tenant
    assert found[0].evidence
    assert found[0].url.startswith("https://")
    assert best(found) == found[0]


def test_a_page_under_the_company_s_own_name_is_known_by_its_assets() -> None:
    page = "<script>var globalUmantisParams = {};</script><a href='/impressum'>x</a>"
    (found,) = in_page(page, "https://karriere.acme.example/")
    assert (found.source, found.tenant, found.how) == ("umantis", "karriere.acme.example", "asset")
    for asset in ASSETS:
        assert "karriere.acme.example" in SOURCES[asset.source].board_url("karriere.acme.example")


def test_the_row_of_every_embed_makes_an_address_that_its_source_reads() -> None:
    for embed in EMBEDS:
        if embed.source in SOURCES:
            named = ("abcd.fa.em2.oraclecloud.com", "CX_1") if embed.source == "oracle_orc" else ("acme",)
            given = named if "{1}" not in embed.address else named[::-1]
            assert SOURCES[embed.source].detect(embed.address.format(*given)) == "/".join(named), embed
    assert {one.source for one in (*EMBEDS, *ASSETS)} <= SOURCES.keys()


def test_the_last_known_address_of_a_chain_of_redirects_counts() -> None:
    chain = ["https://acme.example/jobs", "https://boards.greenhouse.io/acme", "https://jobs.lever.co/acme"]
    found = in_redirects(chain)
    assert found is not None
    assert (found.source, found.how) == ("lever", "redirect")
    assert in_redirects(["https://acme.example/", "https://www.acme.example/de"]) is None
    assert in_redirects([]) is None


def test_a_frame_proves_more_than_links_and_a_directory_proves_nothing() -> None:
    links = "".join(f"<a href='https://jobs.lever.co/company{n}'>x</a>" for n in range(12))
    frame = "<iframe src='https://acme.jobs.personio.de/'></iframe>"
    owner = best(in_page(frame + links, PAGE))
    assert owner is not None
    assert owner.source == "personio"
    assert len(in_page(links, PAGE)) == 12
    assert best(in_page(links, PAGE)) is None
    two = "<a href='https://jobs.lever.co/one'>x</a><a href='https://jobs.lever.co/two'>x</a>"
    assert best(in_page(two, PAGE)) is None
    more = best(in_page(two + "<a href='https://jobs.lever.co/two/7a1c0f7e-0b51-4c5b-9a55-0d8f6a0c1001'>x</a>", PAGE))
    assert more is not None
    assert (more.tenant, more.times) == ("two", 2)
    assert best([]) is None


def test_a_company_that_a_directory_links_twice_does_not_own_the_directory() -> None:
    links = "".join(f"<a href='https://jobs.lever.co/company{n}'>Jobs</a>" for n in range(4))
    posting = "<a href='https://jobs.lever.co/company1/7a1c0f7e-0b51-4c5b-9a55-0d8f6a0c1001'>Jobs</a>"
    assert best(in_page(links + posting, PAGE)) is None


@pytest.mark.parametrize(
    ("markup", "url", "owned"),
    [
        ("<a href='https://jobs.lever.co/rival'>they hire too</a>", "https://www.acme.example/", False),
        ("<a href='https://jobs.lever.co/rival'>Jobs</a>", "https://www.acme.example/blog/2026/market", False),
        ("<p>https://jobs.lever.co/rival</p><p>x</p>", PAGE, False),
        ("<!-- https://jobs.lever.co/rival -->", PAGE, False),
        ("<a href='https://jobs.lever.co/other-name'>Offene Stellen</a>", "https://www.acme.example/", True),
        ("<a href='https://jobs.lever.co/acme'><img src=x></a>", "https://www.acme.example/", True),
        ("<a href='https://jobs.lever.co/acmelabs'>x</a>", "https://www.acme.example/blog/jobs", True),
        ("<a href='https://jobs.lever.co/other-name'>x</a>", PAGE, True),
    ],
)
def test_a_board_that_is_only_mentioned_is_not_the_owner_s(markup: str, url: str, owned: bool) -> None:
    assert (best(in_page(f"<html><body>{markup}</body></html>", url)) is not None) is owned


@pytest.mark.parametrize(
    "markup",
    [
        "<img src='https://rmkcdn.successfactors.com/abc/x.jpg'>",
        "<p>We compared jobs2web and others</p>",
        "<img src='https://static.softgarden.de/logo.png'>",
    ],
)
def test_what_a_page_only_shows_of_a_system_does_not_make_its_host_a_board(markup: str) -> None:
    assert in_page(markup, "https://www.acme.example/") == []


def test_a_link_to_a_board_of_successfactors_is_no_asset() -> None:
    (found,) = in_page("<a href='https://acme.jobs2web.com/'>Jobs</a>", "https://www.acme.example/")
    assert (found.tenant, found.how) == ("acme", "link")


@pytest.mark.parametrize(
    "markup",
    [
        "<link rel=stylesheet href='//rmkcdn.successfactors.com/abc/x.css'>",
        "<script src='/platform/js/j2w/min/j2w.core.min.js'></script>",
        "<script>j2w.init({ssoCompanyId: 'acme'})</script>",
    ],
)
def test_successfactors_on_a_company_s_own_host_is_known_by_what_its_pages_load(markup: str) -> None:
    (found,) = in_page(markup, "https://jobs.acme.example/search/")
    assert (found.source, found.tenant, found.how) == ("successfactors", "jobs.acme.example", "asset")


@pytest.mark.parametrize(
    ("markup", "source"),
    [
        ("<script src='https://assets-aws.teamtailor-cdn.com/assets/careersite.js'></script>", "teamtailor"),
        ("<body data-controller='careersite--analytics'>", "teamtailor"),
        ("<meta content='https://careers.recruiteecdn.com/image/upload/x.png' property='og:image'>", "recruitee"),
        ("<link rel=stylesheet href='https://assets-cdn.breezy.hr/breezy-portal/x.css'>", "breezy"),
        ("<body class='breezy-portal'>", "breezy"),
    ],
)
def test_boards_on_companies_own_hosts(markup: str, source: str) -> None:
    (found,) = in_page(markup, "https://jobs.acme.example/")
    assert (found.source, found.tenant, found.how) == (source, "jobs.acme.example", "asset")
    assert SOURCES[source].request(found.tenant, None).url.startswith("https://jobs.acme.example/")


@pytest.mark.parametrize(
    "markup",
    [
        "<script src='https://scripts.teamtailor-cdn.com/widgets/eu-pink/jobs.js'></script>",
        "<img src='https://images.teamtailor-cdn.com/images/s3/teamtailor-production/x.png'>",
        "<script src='https://jobs-widget.recruiteecdn.com/widget.js'></script>",
        "<img src='https://careers.recruiteecdn.com/image/upload/logo.png'>",
        "<script src='https://cdn.pinpointhq.com/embed.js'></script>",
    ],
)
def test_a_widget_or_a_picture_of_a_system_does_not_make_a_site_a_board(markup: str) -> None:
    assert in_page(markup, "https://www.acme.example/") == []


def test_a_posting_s_address_shows_a_board_of_pinpoint_on_a_company_s_own_host() -> None:
    found = in_address("https://careers.acme.example/en/postings/0b5c7f0e-0b51-4c5b-9a55-0d8f6a0c1001")
    assert found is not None
    assert (found.source, found.tenant) == ("pinpoint", "careers.acme.example")


@pytest.mark.parametrize("source", ["recruitee", "teamtailor", "breezy", "pinpoint"])
@pytest.mark.parametrize("tenant", ["127.0.0.1", "www.{}", "a.b/../c.de", "a b.de", "jobs.acme.de:80", ""])
def test_what_cannot_be_a_company_s_own_host_is_refused(source: str, tenant: str) -> None:
    vendor = SOURCES[source].board_url("acme").partition("//acme.")[2].partition("/")[0]
    with pytest.raises(Refused):
        SOURCES[source].board_url(tenant.format(vendor))


def test_a_search_over_many_companies_is_nobody_s_board() -> None:
    assert in_redirects(["https://www.acme.example/jobs", "https://www.arbeitnow.com/"]) is None
    address = in_address("https://www.arbeitnow.com/")
    assert address is not None
    assert best([address]) is None


@pytest.mark.parametrize(
    "markup",
    [
        "<a href='https://www.greenhouse.io/'>Powered by Greenhouse</a>",
        "<script>{'urlToken': 'acme'}</script>",
        "<a href='https://acme.example/boards.greenhouse.io/x'>x</a>",
        "<a href='mailto:jobs@lever.co'>x</a>",
        "<p>jobs.lever.co/acme</p>",
        "<a href='https://www.arbeitnow.com/jobs/companies/acme/x-1'>x</a>",
        "<script src='https://jobs.lever.co/js/x.js'></script>",
    ],
)
def test_what_only_looks_like_a_board_is_none(markup: str) -> None:
    assert in_page(markup, PAGE) == []


@given(st.binary(max_size=400) | st.text(max_size=300))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_bytes_give_a_list(body: bytes | str) -> None:
    assert isinstance(in_page(body, PAGE), list)
    assert isinstance(careers_links(body, PAGE), list)
    if isinstance(body, str):
        in_address(body)
        score(body, body)


@pytest.mark.parametrize(
    "body",
    [
        "<a href='https://x.example/" + "a" * 1_000_000,
        "<div " + "data-x='//y.example' " * 50_000,
        "leverJobsOptions " * 60_000,
        "https:\\/\\/" * 100_000,
        "<a href='/x'>" * 200_000,
        "/embed/job_board?" + "a&" * 200_000 + " greenhouse.io",
        "<!--" * 700_000,
        "data-apibaseurl='https://abcd.example' " * 70_000,
        "<script " * 300_000 + "j2w",
        "<script>" + "//x.example\\u002F" * 150_000,
        "<a href='https://jobs.lever.co/acme'>" * 50_000,
        "<a href='https://jobs.lever.co/acme'>" + "x" * 2_000_000,
    ],
    ids=range(12),
)
def test_hostile_pages_take_no_time(body: str) -> None:
    started = time.process_time()
    in_page(body, PAGE)
    careers_links(body, PAGE)
    assert time.process_time() - started < 5


def test_every_source_with_tenants_has_domains_to_look_for() -> None:
    table = domain_table()
    having = {source.name for sources in table.values() for source in sources}
    assert having >= SOURCES.keys() - _WITHOUT_DOMAINS
    assert all(domain == domain.lower() and "." in domain and "acme" not in domain for domain in table)
    assert having >= KEPT_OUT.keys()
    assert set(_MORE) <= SOURCES.keys(), "a row for a system that nobody reads"


@pytest.mark.parametrize(
    ("words", "address", "enough"),
    [
        ("Stellenangebote", "https://acme.example/x", True),
        ("Karriere", "https://acme.example/unternehmen/karriere", True),
        ("", "https://jobs.acme.example/", True),
        ("Jobs & Karriere", "https://acme.example/de/jobs", True),
        ("Wir suchen dich", "https://acme.example/team", True),
        ("Kontakt", "https://acme.example/kontakt", False),
        ("Nous rejoindre", "https://acme.example/x", True),
        ("Rejoignez-nous", "https://acme.example/equipe", True),
        ("Postes à pourvoir", "https://acme.example/x", True),
        ("Places vacantes", "https://acme.example/x", True),
        ("Offres d’emploi", "https://acme.example/x", True),
        ("Recrutement", "https://acme.example/fr/recrutement", True),
        ("Travailler chez nous", "https://acme.example/travailler", True),
        ("", "https://acme.example/offres-emploi", True),
        ("Lavora con noi", "https://acme.example/lavora-con-noi", True),
        ("Posizioni aperte", "https://acme.example/x", True),
        ("Offerte di lavoro", "https://acme.example/x", True),
        ("Lehrstellen", "https://acme.example/x", True),
        ("Stellenausschreibungen", "https://acme.example/x", True),
        ("Werde Teil unseres Teams", "https://acme.example/x", True),
        ("Tankstellen", "https://acme.example/tankstellen", False),
        ("Baustellen", "https://acme.example/x", False),
        ("Emplois du temps", "https://acme.example/horaires", False),
        ("Chi siamo", "https://acme.example/chi-siamo", False),
        ("Datenschutz für Bewerber", "https://acme.example/datenschutz", False),
        ("Produkte", "https://acme.example/produkte", False),
        ("Neue Jobs geschaffen", "https://acme.example/news/neue-jobs", False),
    ],
)
def test_links_to_careers_pages(words: str, address: str, enough: bool) -> None:
    assert bool(careers_links(f"<a href='{address}'>{words}</a>", "https://acme.example/")) is enough


def test_the_likeliest_careers_link_comes_first() -> None:
    page = """<a href="/ueber-uns">Über uns</a><a href="/arbeiten">Arbeiten bei uns</a>
        <a href="/karriere/stellenangebote">Offene Stellen</a><a href="/karriere">Karriere</a><a href="/">Start</a>"""
    assert careers_links(page, "https://acme.example/") == [
        "https://acme.example/karriere/stellenangebote",
        "https://acme.example/karriere",
        "https://acme.example/arbeiten",
    ]
