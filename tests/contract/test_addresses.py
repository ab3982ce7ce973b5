"""Which address belongs to which board, and what never becomes part of an address."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.sources import SOURCES, detect
from lib.errors import Refused
from lib.posting.contract import DetailSource, Source

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
HOSTILE_URLS = (
    "",
    " ",
    "\x00",
    "http://",
    "https://[",
    "https://[::1",
    "http://\ud800.co/",
    "https://jobs.lever.co",
    "//",
    "?",
    "a" * 10_000,
    "https://jobs.lever.co@evil.example/acme",
    "https://jobs.lever.co.evil.example/acme",
    "https://evil.example/jobs.lever.co/acme",
    "https://jobs.lever.co/..%2f..%2fetc",
    "https://jobs.ashbyhq.com/%00",
    "https://boards.greenhouse.io/embed/job_board",
    "https://boards.greenhouse.io/robots.txt",
    "https://.jobs.personio.de/",
    "https://a.b.jobs.personio.de/",
    "javascript:alert(1)",
    "https://api.smartrecruiters.com/v1/companies//postings",
    "https://jobs.lever.co:99999999/acme",
    "https://x/?" + "a=1&" * 500,
    "https://jobs.personio.de/",
    "https://careers.smartrecruiters.com/%E2%80%AE/x",
    "https://boards.greenhouse.io/embed/job_app?for=",
)
HOSTILE_TENANTS = (
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a?b",
    "a#b",
    "a\x00b",
    "a\nb",
    "a@b",
    "a:b",
    "\ud800",
    "%2e%2e",
    "x" * 500,
    "-",
    " ",
    "a\\b",
)
PAIRS = {"bite": "a:b"}  # where this is how a tenant is spelt: a customer and one of its listings


@pytest.mark.parametrize(
    ("url", "name", "tenant"),
    [
        ("https://boards.greenhouse.io/AcmeLabs/jobs/123?gh_src=x", "greenhouse", "AcmeLabs"),
        ("https://job-boards.eu.greenhouse.io/acme", "greenhouse", "acme"),
        ("https://boards.greenhouse.io/embed/job_board/js?for=acme", "greenhouse", "acme"),
        ("https://boards.greenhouse.io/embed/job_app?for=acme&token=1", "greenhouse", "acme"),
        ("https://boards-api.greenhouse.io/v1/boards/acme/jobs?content=true", "greenhouse", "acme"),
        ("jobs.lever.co/acme", "lever", "acme"),
        ("https://jobs.eu.lever.co/acme/7a1c0f7e-0b51-4c5b-9a55-0d8f6a0c1001/apply", "lever", "eu:acme"),
        ("https://api.eu.lever.co/v0/postings/acme?mode=json", "lever", "eu:acme"),
        ("https://jobs.lever.co/all.health", "lever", "all.health"),
        ("https://jobs.ashbyhq.com/Acme%20Labs/90fb3621-899e-4b59-925d-25080ec91e18", "ashby", "Acme Labs"),
        ("https://api.ashbyhq.com/posting-api/job-board/acme.io", "ashby", "acme.io"),
        ("HTTPS://ACME.JOBS.PERSONIO.DE/job/12?language=de", "personio", "acme"),
        ("https://acme-co.jobs.personio.com/", "personio", "acme-co"),
        ("https://acme-jobs.personio.de/job/1", "personio", "acme"),
        ("https://careers.smartrecruiters.com/Acme1/", "smartrecruiters", "Acme1"),
        ("https://jobs.smartrecruiters.com/Acme/743999671674844-title", "smartrecruiters", "Acme"),
        ("https://jobs.smartrecruiters.com/oneclick-ui/company/Acme/publication/x", "smartrecruiters", "Acme"),
        ("https://api.smartrecruiters.com/v1/companies/Acme/postings", "smartrecruiters", "Acme"),
    ],
)
def test_addresses(url: str, name: str, tenant: str) -> None:
    assert {one.name: found for one in SOURCES.values() if (found := one.detect(url))} == {name: tenant}


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=range(len(HOSTILE_URLS)))
def test_hostile_addresses_belong_to_nobody(url: str) -> None:
    assert detect(url) is None


@given(
    url=st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}(lever|greenhouse|personio|ashby|smart)[^ ]{0,40}")
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_detection_never_raises(url: str) -> None:
    found = detect(url)
    if found is not None:
        assert found[0].detect(found[0].board_url(found[1])) == found[1]


@every_source
@pytest.mark.parametrize("tenant", HOSTILE_TENANTS, ids=range(len(HOSTILE_TENANTS)))
def test_a_hostile_tenant_never_reaches_an_address(source: Source, tenant: str) -> None:
    if tenant == PAIRS.get(source.name):
        assert source.detect(source.board_url(tenant)) == tenant
        return
    for use in (source.board_url, lambda token: source.request(token, None)):
        with pytest.raises(Refused):
            use(tenant)
    if isinstance(source, DetailSource):
        with pytest.raises(Refused):
            source.detail_request(tenant, "1", "")
