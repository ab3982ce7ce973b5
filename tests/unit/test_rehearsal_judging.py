"""What the rehearsal makes of its measurements."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.fleet.market import Difference, Posting, Stored, compare
from tests.fleet.report import Check, Played, Row, at_most, equal, judged, table, target

A, B = Posting("lever", "acme", "1"), Posting("lever", "acme", "2")


def stored(
    posting: Posting, state: str = "described", revision: int = 2, changes: int = 2, revisions: int = 2
) -> Stored:
    return Stored(posting, state, revision, changes, revisions)


def row(*checks: Check, error: str = "") -> Row:
    played = Played(detected_s=0.42, healed_s=3.14)
    return Row(
        scene="kills", seconds=9.96, played=played, difference=Difference(), alerts=("a",), checks=checks, error=error
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([stored(A), stored(B)], Difference()),
        ([stored(A)], Difference(missing=1)),
        ([stored(A), stored(B, "closed")], Difference(missing=1)),
        ([stored(A), stored(B, "discovered")], Difference(untold=1)),
        ([stored(A), stored(A), stored(B)], Difference(twice=1)),
        ([stored(A), stored(A, "expired"), stored(B)], Difference()),
        ([stored(A), stored(B), stored(Posting("lever", "acme", "3"))], Difference(stale=1)),
        ([stored(A, changes=3), stored(B)], Difference(repeated=1)),
        ([stored(A, revision=4), stored(B)], Difference(gaps=2)),
    ],
)
def test_rows_are_compared_with_the_truth(rows: list[Stored], expected: Difference) -> None:
    assert compare({A, B}, rows) == expected


def test_what_is_missing_is_lost_and_what_is_there_twice_is_doubled() -> None:
    difference = Difference(missing=1, gaps=2, twice=3, repeated=4, stale=100)
    assert (difference.lost, difference.doubled) == (3, 7)
    assert [check.met for check in judged(difference)] == [False, False, True]
    assert all(check.met for check in judged(Difference(stale=1)))


def test_a_limit_is_kept_up_to_itself() -> None:
    assert at_most("back", 15.0, 15.0).met
    assert not at_most("back", 15.1, 15.0).met
    assert not target("rollout", 601.0, 600.0).met


def test_a_row_passes_only_if_it_was_played_and_all_was_as_expected() -> None:
    assert row(equal("rows lost", 0, 0)).passed
    assert not row(equal("rows lost", 0, 0), equal("rows doubled", 1, 0)).passed
    assert not row(error="NotInTime: calm").passed


def test_a_missed_target_is_told_and_fails_nothing() -> None:
    slow = row(target("rollout", 601.0, 600.0))
    assert slow.passed
    assert slow.remarks == ["slower than wanted: rollout within 600 s; found: 601.0 s"]


def test_the_table_says_what_was_found_instead() -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(table([row(), row(equal("rows lost", 7, 0))]))
    shown = console.export_text()
    assert "as expected" in shown
    assert "not as expected: rows lost: 0; found: 7" in shown
    assert "0.4 s" in shown


def test_a_row_as_plain_values() -> None:
    document = row(equal("rows lost", 7, 0)).document()
    assert document["passed"] is False
    assert document["checks"] == [{"expected": "rows lost: 0", "found": "7", "met": False, "target": False}]
    assert (document["detected_s"], document["healed_s"], document["seconds"]) == (0.4, 3.1, 10.0)
