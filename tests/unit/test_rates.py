"""The bucket: bursts up to the quota, evenly after that, and fields that say what really comes next."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rates import Grant, Limit, take

MINUTE = Limit("free", 60, 60.0)
limits = st.builds(Limit, st.just("free"), st.integers(1, 500), st.sampled_from([1.0, 60.0, 3_600.0]))
moments = st.lists(st.floats(0, 7_200), min_size=1, max_size=60).map(sorted)


def used(limit: Limit, times: list[float], full_at: float = 0.0) -> list[Grant]:
    grants = []
    for now in times:
        grant, full_at = take(limit, full_at, now)
        grants.append(grant)
    return grants


def test_a_burst_is_the_quota_and_then_one_by_one() -> None:
    grants = used(MINUTE, [0.0] * 61 + [0.5, 1.0, 1.1, 61.0])
    assert [grant.allowed for grant in grants] == [True] * 60 + [False, False, True, False, True]
    assert [grant.left for grant in grants[:3]] == [59, 58, 57]
    assert (grants[60].left, grants[60].retry_s) == (0, 1)
    assert grants[-1].left == 59


def test_fields() -> None:
    grants = used(Limit("sign-in", 2, 300.0), [0.0, 0.0, 10.0])
    assert grants[0].fields() == {"RateLimit-Policy": '"sign-in";q=2;w=300', "RateLimit": '"sign-in";r=1;t=150'}
    assert grants[2].fields() == {
        "RateLimit-Policy": '"sign-in";q=2;w=300', "RateLimit": '"sign-in";r=0;t=290', "Retry-After": "140",
    }  # fmt: skip


@given(limits, moments)
def test_never_more_than_a_burst_and_what_flows_in(limit: Limit, times: list[float]) -> None:
    allowed = [now for now, grant in zip(times, used(limit, times), strict=True) if grant.allowed]
    for first, begin in enumerate(allowed):
        for last in range(first, len(allowed)):
            flowed_in = (allowed[last] - begin) * limit.quota / limit.window_s
            assert last - first + 1 <= limit.quota + flowed_in + 1e-3


@given(limits, moments)
def test_what_an_answer_promises_is_kept(limit: Limit, times: list[float]) -> None:
    full_at = 0.0
    for now in times:
        grant, full_at = take(limit, full_at, now)
    promised, moment = grant.left, times[-1]
    if promised:
        assert all(one.allowed for one in used(limit, [moment] * promised, full_at))
    if not grant.allowed:
        assert used(limit, [moment + grant.retry_s], full_at)[0].allowed
    (later,) = used(limit, [moment + math.ceil(grant.full_s)], full_at)
    assert later.left == limit.quota - 1


@pytest.mark.parametrize("quota", [1, 7, 6_000])
def test_the_last_of_a_quota_leaves_none(quota: int) -> None:
    assert [grant.left for grant in used(Limit("x", quota, 60.0), [5.0] * quota)][-1] == 0
