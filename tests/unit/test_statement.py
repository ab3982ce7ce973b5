"""A provider's statement: read whatever it is, and compared call by call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.spend.statement import BadStatement, Entry, Line, compare, read

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_MONTH = datetime(2026, 11, 1, tzinfo=UTC)
_CSV = "request_id,credits,time\na,5,2026-11-20T12:00:00Z\nb,1,2026-11-20 14:00:00+02:00\n"


def _entry(request_id: str, cost: int, at: datetime = _NOON, provider_id: str | None = None) -> Entry:
    return Entry(request_id, provider_id, cost, "ok", at, at + timedelta(seconds=1))


@pytest.mark.parametrize(
    "text",
    [
        _CSV,
        "\ufeff" + _CSV,
        _CSV.replace(",", ";"),
        _CSV.replace(",", "\t"),
        _CSV.replace("\n", "\r\n"),
        "\r\n\r\n" + _CSV.replace("\n", "\r\n"),
        _CSV.replace(",", '", "').replace("\n", '"\n"').join('""')[:-2],
        "request id,id,credits,time\n,a,5,2026-11-20T12:00:00Z\nb,not this,1,2026-11-20T12:00:00Z\n",
        "Time;Request ID;Plan;Credits Used\n2026-11-20T12:00:00;a;x;5.0\n\n2026-11-20 12:00;b;x;1\n",
        """{"request_id": "a", "credits": 5, "time": "2026-11-20T12:00:00Z"}

        {"id": "b", "cost": "1", "created_at": "2026-11-20T12:00:00+00:00", "url": null}""",
        """[{"id": "a", "credits": 5, "time": "2026-11-20T12:00:00Z"},
            {"id": "b", "credits": 1, "time": "2026-11-20T12:00:00Z"}]""",
    ],
)
def test_statements_come_in_several_shapes(text: str) -> None:
    assert read(text.encode()) == ([Line("a", 5, _NOON), Line("b", 1, _NOON)], [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a,five,2026-11-20", "'five' is no number of credits"),
        ("a,-1,2026-11-20", "'-1' is no number of credits"),
        ("a,nan,2026-11-20", "'nan' is no number of credits"),
        ("a,1e300,2026-11-20", "'1e300' is no number of credits"),
        ("a,0.5,2026-11-20", "'0.5' is no number of credits"),
        ("a,1,yesterday", "'yesterday' is no time"),
        ("a,1,0001-01-01T00:00:00+14:00", "'0001-01-01T00:00:00+14:00' is no time"),
        (",1,2026-11-20", "no request_id"),
        ("  ,1,2026-11-20", "no request_id"),
        ("a", "no credits"),
        (f"{'a' * 501},1,2026-11-20", "a request_id of more than 500 signs"),
    ],
)
def test_a_line_that_says_nothing_is_named(line: str, why: str) -> None:
    lines, bad = read(f"request_id,credits,time\n{line}\nb,1,2026-11-20T12:00:00Z\n".encode())
    assert [one.id for one in lines] == ["b"]
    assert [(one.line, one.why) for one in bad] == [(2, why)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"PK\x03\x04",
        b"name,amount\nx,1\n",
        b"[{",
        b"[" * 10_000,
        b'request_id,credits,time\n"' + b"a" * 140_000,
    ],
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(BadStatement):
        read(data)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: ("{" + text).encode(errors="ignore")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        lines, bad = read(data)
    except BadStatement:
        return
    assert all(line.credits >= 0 and line.id for line in lines)
    assert all(one.line >= 1 and one.why for one in bad)


def test_every_call_is_judged() -> None:
    lines = [
        Line("same", 5, _NOON),
        Line("dearer", 3, _NOON),
        Line("theirs", 1, _NOON),
        Line("unheard", 2, _NOON),
        Line("released", 1, _NOON),
        Line("twice", 1, _NOON),
        Line("twice", 1, _NOON),
    ]
    entries = [
        _entry("same", 5),
        _entry("dearer", 1),
        _entry("ours", 1, provider_id="theirs"),
        _entry("released", 0),
        _entry("twice", 1),
        _entry("nowhere", 5, _NOON - timedelta(days=3)),
        _entry("never sent", 0),
    ]
    rows, apart = compare(lines, entries, _MONTH, _NOON + timedelta(seconds=1))
    assert {row.id: (row.verdict, row.theirs, row.ours) for row in rows} == {
        "same": ("agrees", 5, 5),
        "dearer": ("differs", 3, 1),
        "theirs": ("agrees", 1, 1),
        "unheard": ("unknown", 2, None),
        "released": ("differs", 1, 0),
        "twice": ("differs", 2, 1),
        "nowhere": ("missing", None, 5),
    }
    assert rows[0].id == "nowhere", "in the order of time"
    assert apart == 2 + 0 + 2 + 1 + 1 - 5


def test_a_request_that_took_two_tries_is_one_call() -> None:
    tries = [_entry("a", 0), _entry("a", 5)]
    rows, apart = compare([Line("a", 5, _NOON)], tries, _MONTH, _NOON)
    assert ([row.verdict for row in rows], apart) == (["agrees"], 0)


def test_calls_around_the_statements_ends_are_not_missed() -> None:
    before, across, after = (_entry(name, 1, at) for name, at in (
        ("before", _MONTH - timedelta(seconds=5)),
        ("across", _NOON - timedelta(seconds=0.5)),
        ("after", _NOON + timedelta(seconds=5)),
    ))  # fmt: skip
    rows, _ = compare([Line("a", 1, _NOON)], [before, across, after, _entry("a", 1, _NOON)], _MONTH, _NOON)
    assert [row.id for row in rows] == ["a"]
