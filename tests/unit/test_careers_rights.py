"""What a site reserves: content signals and the TDM Reservation Protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.careers.rights import forbidden_by_signals, read_tdm_file, reserved
from lib.net.robots import site_rules

PAGE = "https://www.acme.example/karriere/stelle/1"


@pytest.mark.parametrize(
    ("robots", "forbidden"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no\n", False),
        ("User-agent: *\nContent-Signal: search=yes, ai-input=no\n", True),
        ("User-agent: *\nContent-Signal: search=no\n", True),
        ("User-agent: *\nContent-signal: ai-input = yes,search = NO\n", True),
        ("User-agent: *\nContent-Signal: /presse search=no\n", False),
        ("User-agent: *\nContent-Signal: /karriere search=no\n", True),
        ("User-agent: *\nContent-Signal: search=no\nContent-Signal: /karriere search=yes\n", False),
        ("User-agent: Otherbot\nContent-Signal: search=no\n\nUser-agent: *\nAllow: /\n", False),
        ("User-agent: Otherbot\nUser-agent: Vakanz\nContent-Signal: search=no\n", True),
        ("User-agent: *\nContent-Signal: search=no\n\nUser-agent: vakanz\nContent-Signal: search=yes\n", False),
        ("# Content-Signal: search=no\nUser-agent: *\nAllow: /\n", False),
        ("Content-Signal: search=no\n", False),  # of no group
        ("User-agent: *\nContent-Signal: nonsense\n", False),
    ],
)
def test_content_signals(robots: str, forbidden: bool) -> None:
    reason = forbidden_by_signals(site_rules(robots, "Vakanz").signals, PAGE)
    assert (reason is not None) == forbidden


def test_sitemaps_are_told_wherever_they_stand() -> None:
    text = "Sitemap: https://a.example/1.xml\nUser-agent: *\nDisallow: /x\nsitemap:https://a.example/2.xml.gz # two\n"
    assert site_rules(text, "Vakanz").sitemaps == ("https://a.example/1.xml", "https://a.example/2.xml.gz")


@pytest.mark.parametrize(
    ("file", "headers", "head", "wanted"),
    [
        (b"", {}, "", False),
        (b'[{"location": "/", "tdm-reservation": 1}]', {}, "", True),
        (b'[{"location": "/karriere/*", "tdm-reservation": "1"}]', {}, "", True),
        (b'[{"location": "/presse/", "tdm-reservation": 1}]', {}, "", False),
        (b'[{"location": "/", "tdm-reservation": 1}, {"location": "/karriere/", "tdm-reservation": 0}]', {}, "", False),
        (b'[{"location": "*.pdf$", "tdm-reservation": 1}]', {}, "", False),
        (b'[{"location": "/", "tdm-reservation": 2}]', {}, "", False),  # breaks the protocol: not said
        (b'[{"location": "/", "tdm-reservation": true}]', {}, "", False),
        (b'{"location": "/"}', {}, "", False),
        (b"", {"tdm-reservation": "1"}, "", True),
        (b'[{"location": "/", "tdm-reservation": 1}]', {"tdm-reservation": "0"}, "", False),
        (b"", {"tdm-reservation": "0"}, '<meta name="tdm-reservation" content="1">', True),
        (b"", {"tdm-reservation": "1"}, "<meta content='0' name='tdm-reservation'/>", False),
    ],
)
def test_tdm_reservations(file: bytes, headers: dict[str, str], head: str, wanted: bool) -> None:
    assert reserved(read_tdm_file(file), PAGE, headers, head) is wanted


@given(st.binary(max_size=300), st.text(max_size=100))
def test_any_file_is_read(body: bytes, robots: str) -> None:
    rules = read_tdm_file(body)
    assert reserved(rules, PAGE, {}) in (True, False)
    site_rules(robots, "Vakanz")
