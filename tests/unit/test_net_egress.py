"""Where we go and where we do not, for URLs and addresses in any form."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from lib.errors import Refused
from lib.net.egress import GuardedResolver, check_address, check_url
from lib.net.policy import FetchPolicy

POLICY = FetchPolicy(contact="ops@x.example")
SIMULATOR = FetchPolicy(contact="ops@x.example", allowed_networks=("127.0.0.0/8", "fd00::/8"), allowed_ports={8443})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://１２７.０.０.１/",
        "http://0.0.0.0/",
        "http://0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://8.8.8.8.8/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fec0::1]/",
        "http://[fc00::1]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://8.8.8.8:22/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//a.example/",
        "/path",
        "",
        "http://",
        "http:///x",
        "http://user@a.example/",
        "http://:pw@a.example/",
        "http://a.example:99999/",
        "http://a b/",
        "http://a%2eb/",
        "http://ex\x00ample.com/",
        "http://a\\@b/",
        "http://h\udc80/",
        "http://" + "a" * 300 + ".example/",
        "http://a.example/" + "x" * 9_000,
    ],
)
def test_refused_urls(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, POLICY)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTP://A.Example:80/x#y", "http://a.example/x"),
        ("https://münchen.example/ä b?q=ö", "https://xn--mnchen-3ya.example/%C3%A4%20b?q=%C3%B6"),
        ("https://under_score.a.example./", "https://under_score.a.example./"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("http://[64:ff9b::8.8.8.8]/", "http://[64:ff9b::808:808]/"),
        ("https://a.example:8443/", "https://a.example:8443/"),
    ],
)
def test_allowed_urls(url: str, sent: str) -> None:
    assert str(check_url(url, POLICY)) == sent


def test_what_the_configuration_allows() -> None:
    check_address("127.0.0.1", 45_678, SIMULATOR)
    check_address("::ffff:127.0.0.1", 45_678, SIMULATOR)
    check_address("fd00::1", 80, SIMULATOR)
    check_address("8.8.8.8", 8443, SIMULATOR)
    for address, port in (("10.0.0.1", 80), ("8.8.8.8", 8080), ("::1", 80)):
        with pytest.raises(Refused):
            check_address(address, port, SIMULATOR)


@settings(deadline=None)
@given(st.ip_addresses())
def test_every_address_is_judged_alike_in_all_its_forms(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    inside = address.is_private or address.is_multicast or address.is_reserved or address.is_link_local
    allowed = _allowed(str(address))
    assert not (inside and allowed) or getattr(address, "ipv4_mapped", None) or str(address).startswith("64:ff9b:")
    if isinstance(address, ipaddress.IPv4Address):
        assert _allowed(f"::ffff:{address}") == _allowed(f"64:ff9b::{address}") == allowed


def _allowed(address: str) -> bool:
    try:
        check_address(address, 443, POLICY)
    except Refused:
        return False
    return True


@settings(deadline=None)
@given(st.text() | st.text(alphabet=".0x17af:[]%@/", max_size=20).map("http://{}/".format))
@example("http://0x/")
@example("http://a..b/")
@example("http://[::1")
def test_any_text_is_a_url_that_names_a_host_or_is_refused(text: str) -> None:
    try:
        url = check_url(text, POLICY)
    except Refused:
        return
    assert url.scheme in ("http", "https")
    assert url.raw_host and url.raw_user is None and not url.raw_fragment
    assert URL(str(url)).raw_host == url.raw_host


class _Names(AbstractResolver):
    """A name server that changes its mind."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.answers.pop(0)
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_moves_inside_is_refused() -> None:
    resolver = GuardedResolver(_Names(["8.8.8.8"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"]), POLICY)
    assert [found["host"] for found in await resolver.resolve("a.example", 443)] == ["8.8.8.8"]
    for _ in range(2):
        with pytest.raises(Refused):
            await resolver.resolve("a.example", 443)
    await resolver.close()
