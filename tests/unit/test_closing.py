"""When a list is believed to be whole, and what may be closed because of it: the decisions as tables and invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.crawl.closing import CONFIRMATIONS, Verdict, Walked, closable, complete, judge
from lib.posting.contract import Completeness, Healthy, Rejected

DOCUMENT, TOTAL, SHORT_PAGE = Completeness.DOCUMENT, Completeness.TOTAL, Completeness.SHORT_PAGE
HEALTHY = Healthy(max_rejected=0.01, max_drop=0.2)
COUNTS = st.integers(0, 100_000)


def walked(completeness: Completeness = DOCUMENT, ids: int = 100, total: int | None = None, **facts: int) -> Walked:
    whole = Walked(completeness=completeness, ended=True, ids=ids, skipped=0, rejected=0, total=total)
    return replace(whole, **facts)


@pytest.mark.parametrize(
    ("list_", "whole"),
    [
        (walked(DOCUMENT), True),
        (walked(DOCUMENT, ids=0), True),
        (walked(DOCUMENT, total=100), True),
        (walked(DOCUMENT, total=101), False),
        (walked(DOCUMENT, ended=False), False),
        (walked(SHORT_PAGE), True),
        (walked(SHORT_PAGE, ended=False), False),
        (walked(SHORT_PAGE, total=107), False),
        (walked(TOTAL), False),  # the source declares totals, and this list has none
        (walked(TOTAL, total=100), True),
        (walked(TOTAL, total=99), True),  # one more was published between two pages
        (walked(TOTAL, total=101), False),
        (walked(TOTAL, total=100, ended=False), False),
        (walked(TOTAL, ids=0, total=0), True),
        (walked(TOTAL, ids=90, total=100, skipped=10), True),
        (walked(TOTAL, ids=99, total=100, rejected=1), True),
        (walked(TOTAL, ids=98, total=100, rejected=1), False),
        (walked(DOCUMENT, ids=4, rejected=1), True),  # one unreadable row is never too many ...
        (walked(DOCUMENT, ids=0, rejected=1), False),  # ... except when there is no other
        (walked(DOCUMENT, ids=4, rejected=2), False),
        (walked(DOCUMENT, ids=297, rejected=3), True),
        (walked(DOCUMENT, ids=296, rejected=4), False),
        (walked(DOCUMENT, ids=0, skipped=5), True),
    ],
)
def test_which_lists_are_whole(list_: Walked, whole: bool) -> None:
    assert complete(list_, HEALTHY) is whole


@pytest.mark.parametrize(
    ("is_complete", "seen", "missing", "open_before", "suspect_count", "verdict"),
    [
        (False, 50, 50, 100, 9, Verdict.KEEP),
        (False, 0, 100, 100, 9, Verdict.KEEP),
        (True, 0, 0, 0, 0, Verdict.CLOSE),
        (True, 100, 0, 100, 0, Verdict.CLOSE),
        (True, 80, 20, 100, 0, Verdict.CLOSE),
        (True, 79, 21, 100, 0, Verdict.SUSPECT),
        (True, 79, 21, 100, 1, Verdict.SUSPECT),
        (True, 79, 21, 100, 2, Verdict.CLOSE),
        (True, 0, 100, 100, 0, Verdict.SUSPECT),
        (True, 0, 100, 100, 1, Verdict.SUSPECT),
        (True, 0, 100, 100, 2, Verdict.CLOSE),
        (True, 0, 1, 1, 0, Verdict.SUSPECT),
        (True, 1, 1, 2, 0, Verdict.SUSPECT),
        (True, 9, 1, 10, 0, Verdict.CLOSE),
        (True, 500, 60, 100, 0, Verdict.SUSPECT),  # as many new ones do not explain the missing ones
    ],
)
def test_what_missing_postings_mean(
    is_complete: bool, seen: int, missing: int, open_before: int, suspect_count: int, verdict: Verdict
) -> None:
    found = judge(
        is_complete=is_complete, seen=seen, missing=missing, open_before=open_before, suspect_count=suspect_count,
        healthy=HEALTHY,
    )  # fmt: skip
    assert found is verdict


@given(seen=COUNTS, missing=COUNTS, open_before=COUNTS, suspect_count=COUNTS, share=st.floats(0, 1))
def test_nothing_is_closed_without_a_complete_list(
    seen: int, missing: int, open_before: int, suspect_count: int, share: float
) -> None:
    verdict = judge(
        is_complete=False, seen=seen, missing=missing, open_before=open_before, suspect_count=suspect_count,
        healthy=Healthy(max_drop=share),
    )  # fmt: skip
    assert verdict is Verdict.KEEP


@given(open_before=st.integers(1, 100_000), earlier=st.integers(0, CONFIRMATIONS - 2), share=st.floats(0, 1))
def test_an_empty_list_closes_nothing_before_it_is_confirmed(open_before: int, earlier: int, share: float) -> None:
    verdict = judge(
        is_complete=True, seen=0, missing=open_before, open_before=open_before, suspect_count=earlier,
        healthy=Healthy(max_drop=share),
    )  # fmt: skip
    assert verdict is Verdict.SUSPECT


@given(
    completeness=st.sampled_from(Completeness), ids=COUNTS, skipped=COUNTS, rejected=COUNTS,
    total=st.none() | COUNTS, share=st.floats(0, 1),
)  # fmt: skip
def test_a_list_that_broke_off_or_falls_short_of_its_total_is_never_whole(
    completeness: Completeness, ids: int, skipped: int, rejected: int, total: int | None, share: float
) -> None:
    list_ = Walked(
        completeness=completeness, ended=True, ids=ids, skipped=skipped, rejected=rejected, total=total
    )  # fmt: skip
    healthy = Healthy(max_rejected=share)
    assert not complete(replace(list_, ended=False), healthy)
    if complete(list_, healthy):
        assert ids + skipped + rejected >= (total or 0)
        assert total is not None or completeness is not TOTAL
        assert rejected <= max(1, (ids + skipped + rejected) * share)


def rejected(raw: str) -> Rejected:
    return Rejected(raw, "no title")


@pytest.mark.parametrize(
    ("rows", "closed"),
    [
        ([], ["a-1", "b-2"]),
        ([rejected('{"id": "a-1"}')], ["b-2"]),
        ([rejected('{"id": "a-1"}'), rejected('{"id": "b-2"}')], []),
        ([rejected('{"id": "c-3"}')], ["a-1", "b-2"]),
        ([rejected("null")], ["a-1", "b-2"]),
        ([rejected('{"id": "a-1", "text": "' + "x" * 4_000)], ["b-2"]),  # cut behind its id
        ([rejected('{"text": "' + "x" * 4_000)], []),  # cut before its id, which may be any
        ([rejected("(nested too deeply to be shown)")], []),
    ],
)
def test_an_unreadable_row_may_be_the_missing_posting(rows: list[Rejected], closed: list[str]) -> None:
    assert closable(["b-2", "a-1"], rows) == closed


@given(missing=st.sets(st.text("abc123", min_size=1), max_size=20), raws=st.lists(st.text("abc123{}", max_size=40)))
def test_closed_are_only_missing_ones_that_no_row_names(missing: set[str], raws: list[str]) -> None:
    closed = closable(missing, [rejected(raw) for raw in raws])
    assert set(closed) <= missing
    assert not [one for one in closed if any(one in raw for raw in raws)]
    assert raws or set(closed) == missing
