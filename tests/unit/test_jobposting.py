"""JobPosting as pages really carry it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import Malformed
from lib.posting.contract import Posting, Record, Salary
from lib.posting.jobposting import job_postings, read_job_posting

FULL: dict[str, Any] = {
    "@context": "https://schema.org/",
    "@type": "JobPosting",
    "title": "Pflegefachkraft (m/w/d) &amp; Leitung",
    "description": "<p>Wir suchen Sie.</p>",
    "datePosted": "2026-08-01",
    "validThrough": "2026-10-01T00:00",
    "employmentType": ["FULL_TIME", "PART_TIME"],
    "hiringOrganization": {"@type": "Organization", "name": "Klinik am See", "sameAs": "https://example.org"},
    "jobLocation": {
        "@type": "Place",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "Seestr. 1",
            "addressLocality": "Konstanz",
            "postalCode": "78462",
            "addressCountry": "DE",
        },
    },
    "baseSalary": {
        "@type": "MonetaryAmount",
        "currency": "EUR",
        "value": {"@type": "QuantitativeValue", "minValue": 3500, "maxValue": "4.200,00", "unitText": "MONTH"},
    },
}


def page(block: str) -> str:
    return f'<html><head><script type="application/ld+json">{block}</script></head><body><h1>Ad</h1></body></html>'


def read(node: dict[str, Any]) -> Posting:
    unknown: Counter[str] = Counter()
    record = Record(node, unknown)
    posting = read_job_posting(record, external_id="1", url="https://example.org/1")
    record.close()
    assert not unknown
    return posting


def test_all_that_a_node_says_is_read() -> None:
    (node,) = job_postings(page(json.dumps(FULL)))
    posting = read(node)
    assert posting.title == "Pflegefachkraft (m/w/d) & Leitung"
    assert (posting.company, posting.places, posting.country) == ("Klinik am See", ("Konstanz, DE",), "DE")
    assert posting.employment_type == "FULL_TIME, PART_TIME"
    assert str(posting.posted_at) == "2026-08-01 00:00:00+00:00"
    assert posting.salary == Salary(min=3500, max=4200, currency="EUR", period="month")
    assert posting.html == "<p>Wir suchen Sie.</p>"


@pytest.mark.parametrize(
    "block",
    [
        json.dumps([{"@type": "Organization"}, FULL]),
        json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "mainEntity": FULL}]}),
        json.dumps(FULL | {"@type": ["Thing", "http://schema.org/JobPosting"]}),
        escape(json.dumps(FULL | {"title": "Pflegefachkraft"})),
        "<!--" + json.dumps(FULL) + "-->",
        "//<![CDATA[\n" + json.dumps(FULL) + "\n//]]>",
        json.dumps(FULL).replace("suchen Sie", "suchen\nSie"),
        json.dumps(FULL).replace("}}}", "},},}", 1).replace('"@context"', "'@context'"),
        json.dumps(FULL) + ";",
    ],
    ids=["list", "graph", "types", "entities", "comment", "cdata", "raw line break", "trailing commas", "semicolon"],
)
def test_blocks_that_are_not_quite_json_are_read(block: str) -> None:
    (node,) = job_postings(page(block))
    assert read(node).company == "Klinik am See"


def test_properties_of_other_forms_are_read() -> None:
    node = FULL | {
        "title": {"@value": "KÃ¶chin"},
        "hiringOrganization": "Gasthof Adler",
        "jobLocation": [{"address": "Graz"}, {"address": {"addressLocality": "Linz", "addressCountry": "Österreich"}}],
        "jobLocationType": "TELECOMMUTE",
        "baseSalary": {"currency": "EUR", "value": {"value": 0, "unitText": "YEAR"}},
        "datePosted": "01.08.2026",
        "validThrough": "0000-00-00",
        "qualifications": ["Ausbildung", "Freude"],
    }
    posting = read(node)
    assert (posting.title, posting.company) == ("Köchin", "Gasthof Adler")
    assert (posting.places, posting.country, posting.remote) == (("Graz", "Linz, Österreich"), "AT", "remote")
    assert (posting.salary, posting.valid_through) == (None, None)
    assert str(posting.posted_at)[:10] == "2026-08-01"
    assert posting.html == "<p>Wir suchen Sie.</p>\nAusbildung\nFreude"


def test_microdata_is_read_where_there_is_no_json() -> None:
    body = """<div itemscope itemtype="http://schema.org/JobPosting"><h1 itemprop="title">Bäcker <b>(m/w/d)</b></h1>
      <span itemprop="hiringOrganization" itemscope itemtype="http://schema.org/Organization">
        <i itemprop="name">Backhaus</i></span>
      <meta itemprop="datePosted" content="2026-11-01">
      <div itemprop="jobLocation" itemscope itemtype="http://schema.org/Place">
        <p itemprop="address" itemscope itemtype="http://schema.org/PostalAddress">
          <span itemprop="addressLocality">Wien</span><meta itemprop="addressCountry" content="AT"></p></div>
      <div itemprop="description"><p>Backen &amp; mehr</p></div></div>"""
    (node,) = job_postings(body)
    posting = read(node)
    assert (posting.title, posting.company, posting.places) == ("Bäcker (m/w/d)", "Backhaus", ("Wien, AT",))
    assert posting.html == "<p>Backen &amp; mehr</p>"
    assert str(posting.posted_at)[:10] == "2026-11-01"


def test_a_node_without_a_title_is_no_posting() -> None:
    with pytest.raises(Malformed, match="no title"):
        read({"@type": "JobPosting", "title": " - "})


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({"title": st.just("Ad")}, optional=dict.fromkeys(list(FULL)[3:], _ANY_JSON)))
def test_any_values_give_a_posting(node: dict[str, Any]) -> None:
    assert read(node).title == "Ad"


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_block_is_survived(block: str) -> None:
    with suppress(Malformed):
        job_postings(page(block))
