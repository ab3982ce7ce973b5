import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from lib.backoff import full_jitter_delays, reconnect_delays


@given(st.integers())
def test_reconnect_ladder_climbs_to_thirty_seconds_and_stays(seed: int) -> None:
    delays = list(itertools.islice(reconnect_delays(random.Random(seed)), 2_000))
    for delay, rung in zip(delays, [1, 2, 4, 8, 16, *[30] * 1_995], strict=True):
        assert 0.9 * rung <= delay <= 1.1 * rung


@given(st.integers())
def test_full_jitter_stays_below_its_cap_for_ever(seed: int) -> None:
    delays = list(itertools.islice(full_jitter_delays(random.Random(seed), first_s=1, cap_s=60), 2_000))
    assert delays[0] <= 1
    assert max(delays) <= 60
