"""Proxies: how they are written, how they are judged, and what an error says of them."""

from __future__ import annotations

import base64
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.descriptions.fold import DescriptionFold, Postponed, Wanted
from daemons.sources import source
from lib.errors import ConfigError, ProxyFailed
from lib.life.config import load
from lib.life.proxying import Account
from lib.net.messages import Request, Response
from lib.net.proxies.address import parse, problems
from lib.net.proxies.proving import read_echo
from lib.net.proxies.standing import ProxyRules, Standing, choose, failed, proved, succeeded, used
from lib.net.proxies.wire import blame_status
from lib.net.status import event_of
from lib.net.validators import Validators
from lib.store.proxies import Spend

RULES = ProxyRules(proof_s=100, failures=3, first_rest_s=10, max_rest_s=50)


def test_credentials_go_onto_the_wire_and_into_nothing_else() -> None:
    (proxy,) = parse(["http://us%20er:p%C3%A4%3Ass@proxy.example:3128"])
    assert proxy.name == "proxy.example:3128"
    assert str(proxy.url) == "http://proxy.example:3128"
    sent = "".join(proxy.credentials or "")
    assert sent == "Basic " + base64.b64encode("us er:pä:ss".encode()).decode()
    for shown in (repr(proxy), str(proxy), repr(proxy.credentials), repr({"h": proxy.credentials}), f"{[proxy]}"):
        assert "Basic dXM" not in shown and "ss" not in shown.replace("proxy", "")


def test_proxies_of_one_gateway_have_names_of_their_own() -> None:
    found = parse(["http://a:1@g.example:80", "http://b:2@g.example:80", "http://h.example:81"])
    assert [proxy.name for proxy in found] == ["g.example:80", "g.example:80#2", "h.example:81"]
    assert found[2].credentials is None


@pytest.mark.parametrize(
    "entry",
    [
        "proxy.example:3128",
        "socks5://u:p@proxy.example:1080",
        "https://u:p@proxy.example:443",
        "http://u:sesame@proxy.example",
        "http://u:sesame@proxy.example:99999",
        "http://u:sesame@proxy.example:80/path",
        "http://u:sesame@:80",
        "http://u%3Au:sesame@proxy.example:80",
        "http://u:ses%0Aame@proxy.example:80",
        "http://u:sesame@[::1:80",
        "",
    ],
)
def test_what_is_no_proxy_is_told_by_its_number_only(entry: str) -> None:
    told = problems(["http://ok.example:80", entry])
    assert len(told) == 1 and told[0].startswith("entry 2: ")
    assert "sesame" not in told[0]
    with pytest.raises(ValueError, match="entry 2"):
        parse(["http://ok.example:80", entry])


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_is_a_proxy_or_a_problem(entries: list[str]) -> None:
    if not problems(entries):
        assert len(parse(entries)) == len(entries)


def test_settings() -> None:
    proxies = "http://u:sesame@a.example:80\nhttp://u:sesame@b.example:80\n"
    given_ = {"VAKANZ_PROXIES": proxies, "VAKANZ_PROXIED_SOURCES": "lever", "VAKANZ_PROXY_ECHO": "https://e.example/"}
    config = load(given_)
    assert len(config.proxies) == 2 and config.echo == "https://e.example/"
    assert "sesame" not in repr(config)
    assert load(config.environment()).proxies == config.proxies
    for wrong, told in [
        ({"VAKANZ_PROXIED_SOURCES": "lever"}, "there are no proxies"),
        ({**given_, "VAKANZ_PROXY_ECHO": "http://e.example/"}, "an https:// address"),
        ({**given_, "VAKANZ_PROXIES": "http://u:sesame@a.example"}, "entry 1"),
    ]:
        with pytest.raises(ConfigError, match=told) as caught:
            load(wrong)
        assert "sesame" not in str(caught.value)


def test_the_simulated_market_has_an_echo_of_its_own() -> None:
    assert load({"VAKANZ_SIMULATOR": "http://127.0.0.1:9/"}).echo == "http://127.0.0.1:9/_sim/echo"


def test_a_sure_failure_brings_rest_and_rests_grow() -> None:
    state, now, lengths = Standing(), 0.0, []
    for _ in range(5):
        state = failed(proved(state, now, "192.0.2.1", RULES), now, "refuses", RULES, surely=True)
        lengths.append(state.resting_until - now)
        now = state.resting_until
    assert lengths == [10, 20, 40, 50, 50]
    again = failed(succeeded(state), now, "refuses", RULES, surely=True)
    assert again.resting_until - now == 10


def test_a_doubtful_failure_asks_for_a_new_proof_and_several_bring_rest() -> None:
    state = proved(Standing(), 0.0, "192.0.2.1", RULES)
    state = failed(state, 1.0, "hangs up", RULES, surely=False)
    assert state.resting_until < 1.0 and state.proved_until < 1.0
    state = failed(proved(state, 2.0, "192.0.2.1", RULES), 2.0, "hangs up", RULES, surely=False)
    state = failed(proved(state, 3.0, "192.0.2.1", RULES), 3.0, "hangs up", RULES, surely=False)
    assert state.resting_until == 13.0
    late = failed(state, 4.0, "a request that began before", RULES, surely=True)
    assert late == state


def test_rotation_takes_whoever_was_not_used_for_longest() -> None:
    rng = random.Random(1)
    standings = {name: Standing() for name in "abc"}
    order = []
    for now in range(9):
        name = choose(standings, float(now), rng)
        assert name is not None
        order.append(name)
        standings[name] = used(standings[name], float(now))
    assert sorted(order[:3]) == ["a", "b", "c"]
    assert order[:3] == order[3:6] == order[6:9]
    standings["a"] = failed(standings["a"], 9.0, "x", RULES, surely=True)
    assert "a" not in {choose(standings, 10.0, random.Random(seed)) for seed in range(20)}
    assert choose({"a": standings["a"]}, 10.0, rng) is None
    assert choose({"a": standings["a"]}, 19.0, rng) == "a"


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (b"192.0.2.7\n", "192.0.2.7"),
        (b'{"ip": "2001:db8::1"}', "2001:db8::1"),
        (b'{"origin": "192.0.2.7"}', "192.0.2.7"),
        (b"::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_echo(body: bytes, address: str) -> None:
    assert str(read_echo(body)) == address


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"ip": 7}', b"{", b"\xff\xfe", b"192.0.2.7, 10.0.0.1"])
def test_an_echo_that_tells_nothing(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_echo(body)


@pytest.mark.parametrize(
    ("status", "encrypted", "blamed"),
    [(407, True, True), (407, False, True), (502, False, True), (502, True, False), (404, False, False)],
)
def test_which_answers_are_the_proxys(status: int, encrypted: bool, blamed: bool) -> None:
    assert (blame_status(status, encrypted=encrypted) is not None) == blamed


def test_a_proxys_failure_is_no_news_of_the_host() -> None:
    assert event_of(ProxyFailed("x")) is None


def test_the_account_adds_up_by_day() -> None:
    day = date(2026, 11, 1)
    account = Account("me", lambda: day)
    account.spent("p:1", 100, failed=False)
    account.spent("p:1", 0, failed=True)
    assert account.totals() == {("p:1", day): Spend(2, 1, 100)}


class AtOnce(random.Random):
    """Draws the least delay."""

    def uniform(self, a: float, b: float) -> float:
        return a


async def test_a_detail_waits_for_proxies_without_losing_an_attempt() -> None:
    class NoWay:
        sent: list[Request] = []  # noqa: RUF012 -- one test long

        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            self.sent.append(request)
            raise ProxyFailed("no proxy can be used")

    system = source("smartrecruiters")
    fold = DescriptionFold(None, NoWay(), None, {system.name: system}, "s", 7, 1, AtOnce(), lambda: None)  # type: ignore[arg-type]
    wanted = Wanted(1, "744000012345678", "", 1, system.name, "Acme", attempts=5, refusals=0)
    found = await fold._detail(wanted)
    assert isinstance(found, Postponed)
    assert (found.attempts, found.final) == (5, False)
    assert {request.source for request in NoWay.sent} == {"smartrecruiters"}
