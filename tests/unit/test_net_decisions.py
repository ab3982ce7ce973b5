"""The fetcher's decisions, without a socket: pace, breaker, Retry-After, statuses, redirects, policy, validators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import ConfigError, Denied, Gone, RateLimited, Refused, Transient
from lib.net.breaker import CLOSED, Breaker, BreakerRules, Event, decide, decode, encode, lifetime_s
from lib.net.messages import Request
from lib.net.pace import FURTHEST_S, reserve
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.redirects import first_hop, next_hop
from lib.net.retry_after import LONGEST_S, SHORTEST_S, parse_retry_after
from lib.net.status import UNSAID_WAIT, error_of, event_of, pause_of
from lib.net.validators import Validators

NOW = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
POLICY = FetchPolicy(contact="https://vakanz.example/bot")
RULES = BreakerRules(failures=3, first_open_s=10, max_open_s=25, probe_s=5)
OPEN = Breaker("open", 3, 1, 110.0)
PROBING = Breaker("half_open", 3, 1, 115.0)


def test_pace_lets_a_burst_go_and_then_keeps_the_rate() -> None:
    limits = HostLimits(rate_per_s=2.0, burst=3)
    due, waits = float("-inf"), []
    for _ in range(6):
        turn = reserve(due, 100.0, limits)
        due = turn.due
        waits.append(turn.wait_s)
    assert waits == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]
    assert reserve(due, 200.0, limits).wait_s == 0.0


def test_pace_forgets_a_bucket_from_the_future() -> None:
    limits = HostLimits(rate_per_s=1.0, burst=1)
    assert reserve(100.0 + FURTHEST_S + 1, 100.0, limits).wait_s == 0.0
    assert reserve(100.0 + 50.0, 100.0, limits).wait_s == 50.0


@settings(deadline=None)
@given(
    rate=st.floats(0.01, 1000),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_pace_is_never_exceeded_in_any_window(rate: float, burst: int, gaps: list[float]) -> None:
    limits = HostLimits(rate_per_s=rate, burst=burst)
    now, due, starts = 1000.0, 0.0, []
    for gap in gaps:
        now += gap
        turn = reserve(due, now, limits)
        due = turn.due
        starts.append(now + turn.wait_s)
    for i, first in enumerate(starts):
        for n, last in enumerate(starts[i:], 1):
            assert n <= burst + rate * (last - first) + 1e-6


@pytest.mark.parametrize(
    ("state", "event", "now", "after", "admitted"),
    [
        (CLOSED, Event.ASK, 100, CLOSED, True),
        (CLOSED, Event.SUCCESS, 100, CLOSED, True),
        (CLOSED, Event.FAILURE, 100, Breaker("closed", 1), True),
        (Breaker("closed", 2), Event.ASK, 100, Breaker("closed", 2), True),
        (Breaker("closed", 2), Event.SUCCESS, 100, CLOSED, True),
        (Breaker("closed", 2), Event.FAILURE, 100, OPEN, True),
        (OPEN, Event.ASK, 109.9, OPEN, False),
        (OPEN, Event.SUCCESS, 105, OPEN, True),
        (OPEN, Event.FAILURE, 105, OPEN, True),
        (OPEN, Event.ASK, 110, PROBING, True),
        (PROBING, Event.ASK, 111, PROBING, False),
        (PROBING, Event.ASK, 115, Breaker("half_open", 3, 1, 120.0), True),
        (PROBING, Event.SUCCESS, 112, CLOSED, True),
        (PROBING, Event.FAILURE, 112, Breaker("open", 4, 2, 132.0), True),
        (Breaker("half_open", 9, 5, 115.0), Event.FAILURE, 112, Breaker("open", 10, 6, 137.0), True),
        (Breaker("open", 3, 1, 9_999.0), Event.ASK, 100, Breaker("half_open", 3, 1, 105.0), True),
    ],
)
def test_breaker(state: Breaker, event: Event, now: float, after: Breaker, admitted: bool) -> None:
    assert decide(state, event, now, RULES) == (after, admitted)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Event), st.floats(0, 1e4)), max_size=60))
def test_breaker_always_lets_somebody_through_in_time(events: list[tuple[Event, float]]) -> None:
    state, now = CLOSED, 1e9
    for event, gap in events:
        now += gap
        state = decide(state, event, now, RULES).state
        assert decode(encode(state)) == state
        assert lifetime_s(state, now, RULES) >= RULES.max_open_s
        assert decide(state, Event.ASK, now + RULES.max_open_s, RULES).admitted


def test_a_state_that_cannot_be_read_is_closed() -> None:
    assert decode("") == decode(b"\xff\x00") == decode('["molten",1]') == CLOSED
    assert encode(CLOSED) == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", SHORTEST_S),
        ("99999999999999999999", LONGEST_S),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        ("Sat, 21 Nov 2026 04:32:00 GMT", 120),
        ("Saturday, 21-Nov-26 04:32:00 GMT", 120),
        ("Fri, 01 Jan 1999 00:00:00 GMT", SHORTEST_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_S),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    assert parse_retry_after(value, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1e5", "²", "Sat, 99 Nov 2026 04:32:00 GMT", "."])
def test_no_retry_after(value: str | None) -> None:
    assert parse_retry_after(value, NOW) is None


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{2,6} \d\d:\d\d:\d\d [-+A-Z0-9]{0,6}"))
def test_any_retry_after_is_none_or_within_its_bounds(value: str) -> None:
    found = parse_retry_after(value, NOW)
    assert found is None or SHORTEST_S <= (found - NOW).total_seconds() <= LONGEST_S


@pytest.mark.parametrize(
    ("status", "kind", "event"),
    [
        (400, Transient, Event.SUCCESS),
        (401, Denied, Event.SUCCESS),
        (403, Denied, Event.SUCCESS),
        (404, Gone, Event.SUCCESS),
        (405, Transient, Event.SUCCESS),
        (410, Gone, Event.SUCCESS),
        (422, Transient, Event.SUCCESS),
        (429, RateLimited, Event.SUCCESS),
        (451, Denied, Event.SUCCESS),
        (500, Transient, Event.FAILURE),
        (503, Transient, Event.FAILURE),
        (206, Transient, Event.SUCCESS),
        (300, Transient, Event.SUCCESS),
        (304, Transient, Event.SUCCESS),
    ],
)
def test_statuses(status: int, kind: type[Exception], event: Event) -> None:
    error = error_of(status, {}, NOW, conditional=False)
    assert type(error) is kind
    assert event_of(error) is event
    assert getattr(error, "status", status) == status


def test_statuses_that_ask_for_a_pause() -> None:
    unsaid = error_of(429, {}, NOW, conditional=False)
    said = error_of(503, {"retry-after": "30"}, NOW, conditional=False)
    assert isinstance(unsaid, RateLimited) and unsaid.retry_at == NOW + UNSAID_WAIT
    assert isinstance(said, RateLimited) and pause_of(said, NOW) == 30
    assert pause_of(Gone("gone"), NOW) == 0
    assert event_of(Refused("inside")) is None
    assert event_of(Transient("reset")) is Event.FAILURE


def test_statuses_to_hand_on() -> None:
    assert all(error_of(status, {}, NOW, conditional=False) is None for status in (200, 201, 204))
    assert error_of(304, {}, NOW, conditional=True) is None


def test_redirects() -> None:
    headers = {"Authorization": "secret", "Accept": "text/xml", "Host": "evil", "Content-Type": "application/json"}
    request = Request(url="https://a.example/x?q=1#top", method="POST", params={"ö": "&"}, headers=headers, body=b"{}")
    hop = first_hop(request, Validators(etag='"1"'), POLICY)
    assert str(hop.url) == "https://a.example/x?q=1&%C3%B6=%26"
    assert "Host" not in hop.headers and hop.headers["If-None-Match"] == '"1"'

    again = next_hop(hop, 308, "/y#z", POLICY)
    assert (str(again.url), again.method, again.body) == ("https://a.example/y", "POST", b"{}")
    seen = next_hop(hop, 303, "y", POLICY)
    assert (seen.method, seen.body, seen.conditional) == ("GET", None, True)
    assert "Content-Type" not in seen.headers and "Authorization" in seen.headers
    away = next_hop(seen, 302, "//b.example/z", POLICY)
    assert (away.host, dict(away.headers), away.conditional) == ("b.example", {"Accept": "text/xml"}, False)


@pytest.mark.parametrize(
    ("method", "location"),
    [
        ("GET", "http://a.example/"),
        ("GET", "http://10.0.0.1/"),
        ("GET", "https://[::1]/"),
        ("GET", "ftp://a.example/"),
        ("GET", "https://u:p@a.example/"),
        ("GET", "https://a.example:99999/"),
        ("GET", "https://h\udc80/"),
        ("POST", "https://b.example/"),
    ],
)
def test_redirects_that_are_not_followed(method: str, location: str) -> None:
    hop = first_hop(Request(url="https://a.example/", method=method), None, POLICY)
    with pytest.raises(Refused):
        next_hop(hop, 307, location, POLICY)


def test_limits_of_a_host() -> None:
    own, below = HostLimits(rate_per_s=9), HostLimits(rate_per_s=8)
    policy = FetchPolicy(contact="ops@x.example", overrides={"api.b.example": own, ".b.example": below})
    assert policy.limits_of("api.b.example") is own
    assert policy.limits_of("deep.down.b.example") is below
    assert policy.limits_of("b.example") is policy.limits_of("notb.example") is policy.limits


def test_crawl_delay_slows_but_never_hurries() -> None:
    limits = HostLimits(rate_per_s=1.0, burst=9)
    assert limits.slowed(0) is limits
    assert limits.slowed(0.5) is limits
    assert limits.slowed(10) == HostLimits(rate_per_s=0.1, burst=1)
    assert HostLimits(rate_per_s=None).slowed(10).rate_per_s == 0.1


def test_a_wrong_policy_names_every_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        FetchPolicy(contact="a\r\nX: y", limits=HostLimits(rate_per_s=0, concurrency=0), allowed_networks=("10/8/8",))
    assert len(caught.value.problems) == 4
    assert POLICY.user_agent == "Vakanz/0.1 (+https://vakanz.example/bot)"
    assert POLICY.robot == "Vakanz"


def test_validators() -> None:
    headers = {"etag": 'W/"x"', "last-modified": "Sat, 21 Nov 2026 04:30:00 GMT"}
    found = Validators.of(headers)
    assert found is not None
    assert found.headers() == {"If-None-Match": 'W/"x"', "If-Modified-Since": headers["last-modified"]}
    assert Validators.of({"etag": "a\x00b"}) is None
    assert Validators.of({"etag": "ü", "last-modified": "x" * 5000}) is None
