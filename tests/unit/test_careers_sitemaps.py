"""Sitemaps as sites write them."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.careers.leads import from_sitemap, sitemaps_to_read
from daemons.careers.site import Site
from daemons.careers.sitemaps import MAX_BYTES, MAX_ENTRIES, read_sitemap
from lib.errors import Malformed

REAL = Path(os.environ.get("VAKANZ_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "pages" / "sitemaps"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
SITE = Site("www.acme.example", "/karriere")
SITE_B = "https://www.acme.example/b"


def page(path: str, lastmod: str = "") -> str:
    stamp = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    return f"<url><loc>https://www.acme.example{path}</loc>{stamp}</url>"


def test_pages_with_their_dates() -> None:
    text = f"<?xml version='1.0'?><urlset {NAMESPACE}>{page('/a', '2026-11-01')}{page('/b')}</urlset>"
    assert read_sitemap(text.encode()).pages == {
        "https://www.acme.example/a": "2026-11-01",
        "https://www.acme.example/b": "",
    }


def test_an_index_and_gzip() -> None:
    text = f"<sitemapindex {NAMESPACE}><sitemap><loc>https://a.example/1.xml.gz</loc></sitemap></sitemapindex>"
    assert list(read_sitemap(gzip.compress(text.encode())).sitemaps) == ["https://a.example/1.xml.gz"]


@pytest.mark.parametrize(
    "text",
    [
        f"<urlset>{page('/a?x=1&y=2')}{page('/b')}</urlset>",  # a stray ampersand
        f"<urlset>{page('/a?x=1&amp;y=2')}{page('/b')}",  # cut
        f"<ns:urlset xmlns:ns='x'>{page('/a?x=1&amp;y=2')}<url><loc> <![CDATA[{SITE_B}]]> </loc></url></ns:urlset>",
        "https://www.acme.example/a?x=1&y=2\nhttps://www.acme.example/b\n",
    ],
)
def test_broken_and_odd_ones(text: str) -> None:
    assert list(read_sitemap(text.encode()).pages) == [
        "https://www.acme.example/a?x=1&y=2",
        "https://www.acme.example/b",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<html><body>404</body></html>", b"\x1f\x8bnot gzip", b"\xff\xfe\x00"]
)
def test_what_is_no_sitemap(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_sitemap(body)


def test_a_bomb_is_refused_and_a_long_one_is_cut() -> None:
    with pytest.raises(Malformed, match="more than"):
        read_sitemap(gzip.compress(b" " * (MAX_BYTES + 1), 9))
    long = "".join(page(f"/{number}") for number in range(MAX_ENTRIES + 10))
    assert len(read_sitemap(f"<urlset>{long}</urlset>".encode()).pages) == MAX_ENTRIES


def test_entities_are_not_expanded_and_time_is_linear() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>https://a.example/&b;</loc></url>'
    assert "aaa" not in str(read_sitemap(bomb).pages)
    started = time.process_time()
    read_sitemap(b"<urlset>" + b"<url>" * 1_000_000)
    assert time.process_time() - started < 5


@given(st.binary(max_size=500))
def test_any_bytes_give_a_sitemap_or_malformed(body: bytes) -> None:
    for form in (body, gzip.compress(body), b"<urlset><url><loc>" + body):
        try:
            read_sitemap(form)
        except Malformed:
            continue


def test_only_what_may_be_a_job_is_visited() -> None:
    pages = {
        f"https://www.acme.example{path}": ""
        for path in (
            "/",
            "/produkte/pumpen",
            "/karriere/koch",
            "/jobs/4711",
            "/jobs/4711/apply",
            "/datenschutz-bewerbung",
        )
    } | {"https://other.example/jobs/1": ""}
    assert [lead.url.partition(".example")[2] for lead in from_sitemap(pages, SITE)] == ["/karriere/koch", "/jobs/4711"]
    part = Site("www.uni.example", "/physik/stellen")
    mine = {"https://www.uni.example/physik/stellen/1": "", "https://www.uni.example/chemie/stellen/1": ""}
    assert [lead.url for lead in from_sitemap(mine, part)] == ["https://www.uni.example/physik/stellen/1"]


def test_sitemaps_of_jobs_come_first_and_those_of_products_never() -> None:
    listed = [f"https://www.acme.example/{name}.xml" for name in ("products", "pages", "jobs-sitemap", "news")]
    names = [url.rpartition("/")[2] for url in sitemaps_to_read([*listed, "https://b.example/x.xml"], SITE)]
    assert names == ["jobs-sitemap.xml", "pages.xml"]


@pytest.mark.skipif(not REAL.is_dir(), reason="no real sitemaps beside the repository")
def test_a_real_list_of_addresses() -> None:
    (file,) = REAL.glob("stellenmarkt*.txt")
    assert len(read_sitemap(file.read_bytes()).pages) == 993
