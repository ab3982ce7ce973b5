"""When a list is believed to be whole, and what may be closed because of it: the decisions as tables and invariants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import Denied, Gone, Malformed, RateLimited, SourceError, Transient
from lib.posting.closing import (
    CONFIRMATIONS,
    PATIENCE,
    RECHECK,
    REFUSALS,
    Decision,
    Evidence,
    PageSays,
    Walked,
    closable,
    complete,
    decide,
    page_says,
)
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


def absent(missing: int, open_before: int, *, seen: int = 0, suspicious: int = 0) -> Evidence:
    """One of `missing` postings that a complete list of `seen` rows does not show."""
    return Evidence(
        is_open=True, listed=False, missing=missing, open_before=open_before, nothing_listed=seen == 0,
        suspicious=suspicious,
    )  # fmt: skip


KEEP, SUSPECT, CLOSE, REOPEN = Decision.KEEP, Decision.SUSPECT, Decision.CLOSE, Decision.REOPEN
OPEN, SHUT = Evidence(is_open=True), Evidence(is_open=False)
GONE_BY_PAGE = replace(SHUT, page_gone_for=timedelta(hours=1))


@pytest.mark.parametrize(
    ("known", "decision"),
    [
        # the list is not proven complete
        (OPEN, KEEP),
        (replace(OPEN, missing=100, open_before=100, nothing_listed=True, suspicious=9), KEEP),
        (SHUT, KEEP),
        # it is complete and shows the posting
        (replace(OPEN, listed=True), KEEP),
        (replace(SHUT, listed=True), REOPEN),
        # it is complete and does not
        (absent(20, 100, seen=80), CLOSE),
        (absent(21, 100, seen=79), SUSPECT),
        (absent(21, 100, seen=79, suspicious=1), SUSPECT),
        (absent(21, 100, seen=79, suspicious=2), CLOSE),
        (absent(100, 100), SUSPECT),
        (absent(100, 100, suspicious=1), SUSPECT),
        (absent(100, 100, suspicious=2), CLOSE),
        (absent(1, 1), SUSPECT),
        (absent(1, 2, seen=1), SUSPECT),
        (absent(1, 10, seen=9), CLOSE),
        (absent(60, 100, seen=500), SUSPECT),  # as many new ones do not explain the missing ones
        (replace(absent(1, 10, seen=9), by_short_page=True), SUSPECT),  # the page may have lost its rows
        (replace(absent(1, 10, seen=9, suspicious=1), by_short_page=True), CLOSE),
        (replace(absent(0, 10, seen=10), by_short_page=True), CLOSE),
        (replace(absent(21, 100, seen=79, suspicious=2), others_live=True), SUSPECT),  # their pages show them
        (replace(absent(21, 100, seen=79, suspicious=PATIENCE - 1), others_live=True), CLOSE),
        (replace(absent(20, 100, seen=80), others_live=True), CLOSE),  # but pages outlive their postings
        (replace(absent(100, 100, suspicious=1), by_short_page=True), SUSPECT),
        (replace(SHUT, listed=False), KEEP),
        # its own page was asked
        (replace(OPEN, page=PageSays.GONE), CLOSE),
        (replace(OPEN, page=PageSays.GONE, listed=True), CLOSE),
        (replace(OPEN, page=PageSays.NOTHING, refusals=99), KEEP),
        (replace(OPEN, page=PageSays.REFUSED, refusals=2), KEEP),
        (replace(OPEN, page=PageSays.REFUSED, refusals=3), CLOSE),
        (replace(OPEN, page=PageSays.LIVE), KEEP),
        (replace(absent(1, 10, seen=9), page=PageSays.LIVE), CLOSE),  # pages outlive their postings
        (replace(SHUT, page=PageSays.LIVE), REOPEN),
        (replace(SHUT, page=PageSays.LIVE, listed=False), KEEP),
        (replace(SHUT, page=PageSays.GONE, listed=True), KEEP),
        # the list goes on showing what its own page said is gone
        (replace(GONE_BY_PAGE, listed=True), KEEP),
        (replace(GONE_BY_PAGE, listed=True, changed=True), REOPEN),
        (replace(GONE_BY_PAGE, listed=True, page_gone_for=RECHECK), REOPEN),
        (replace(GONE_BY_PAGE, page_gone_for=RECHECK), KEEP),
    ],
)  # fmt: skip
def test_what_the_evidence_means(known: Evidence, decision: Decision) -> None:
    assert decide(known, HEALTHY) is decision


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Gone("404"), PageSays.GONE),
        (Gone("410", 410), PageSays.GONE),
        (Transient("400", 400), PageSays.REFUSED),
        (Transient("422", 422), PageSays.REFUSED),
        (Transient("500", 500), PageSays.NOTHING),
        (Transient("no answer"), PageSays.NOTHING),
        (Denied("403"), PageSays.NOTHING),
        (RateLimited("429", datetime(2026, 11, 22, tzinfo=UTC)), PageSays.NOTHING),
        (Malformed("what?"), PageSays.NOTHING),
    ],
)
def test_what_a_page_that_could_not_be_had_says(error: SourceError, says: PageSays) -> None:
    assert page_says(error) is says
    assert page_says(error, assumed=True) is PageSays.NOTHING, "the assumption may be what is wrong"


evidence = st.builds(
    Evidence, is_open=st.booleans(), listed=st.none() | st.booleans(), missing=COUNTS, open_before=COUNTS,
    nothing_listed=st.booleans(), by_short_page=st.booleans(), others_live=st.booleans(), suspicious=COUNTS,
    page=st.sampled_from(PageSays), refusals=COUNTS, changed=st.booleans(),
    page_gone_for=st.none() | st.timedeltas(timedelta(0), timedelta(days=30)),
)  # fmt: skip


@given(known=evidence, share=st.floats(0, 1))
def test_nothing_is_closed_without_a_complete_list_or_a_word_of_its_page(known: Evidence, share: float) -> None:
    decision = decide(known, Healthy(max_drop=share))
    if decision in (CLOSE, SUSPECT):
        assert known.is_open
        refused = known.page is PageSays.REFUSED and known.refusals >= REFUSALS
        assert known.listed is False or known.page is PageSays.GONE or refused
    if decision is REOPEN:
        assert not known.is_open
        assert known.listed or known.page is PageSays.LIVE


@given(missing=st.integers(1, 100_000), earlier=st.integers(0, CONFIRMATIONS - 2), share=st.floats(0, 1))
def test_an_empty_list_closes_nothing_before_it_is_confirmed(missing: int, earlier: int, share: float) -> None:
    assert decide(absent(missing, missing, suspicious=earlier), Healthy(max_drop=share)) is SUSPECT


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
