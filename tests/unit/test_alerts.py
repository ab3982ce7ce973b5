"""What is told when, as tables: cases and messages in, the next ones out."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.alerts.bucket import Bucket, Pace
from keeper.alerts.cases import Book, Case, Chat, Message, Purpose
from keeper.alerts.dispatch import (
    Away,
    Gone,
    Later,
    Moved,
    Outcome,
    Refused,
    Rejected,
    Sent,
    after,
    queue,
    repeats,
    tried,
)
from keeper.alerts.level import Report, Seen, fresh, merge
from keeper.alerts.plan import Channels, Policy, plan
from keeper.incident import Incident, Kind

CHAT = "telegram:-1"
CHANNELS = Channels((CHAT,), ("webhook",))
POLICY = Policy()


def incident(key: str = "k", **changes: object) -> Incident:
    usual = Incident(key=key, kind=Kind.SILENT, title=f"{key} is silent", since=100.0, host="w1")
    return replace(usual, **changes)  # type: ignore[arg-type]


def seen(*incidents: Incident) -> dict[str, Seen]:
    return {one.key: Seen(one, ("w1",)) for one in incidents}


class Story:
    """A book over time; what waits is sent at once, unless Telegram is away."""

    def __init__(self, channels: Channels = CHANNELS, policy: Policy = POLICY) -> None:
        self.book = Book()
        self.sent: list[tuple[float, str, str]] = []
        self.away = False
        self._channels = channels
        self._policy = policy
        self._numbers = count(1)
        self._ids = count(1)

    def at(self, now: float, *incidents: Incident) -> Story:
        """A look at `now`, and the sending after it."""
        self.book = plan(self.book, seen(*incidents), self._channels, now, self._policy, self._id)
        for message in queue(self.book, lambda channel: not (self.away and channel == CHAT), now, self._policy):
            number = message.number or next(self._numbers)
            self.sent.append((now, message.channel, "edit" if message.number else message.purpose.value))
            self.book = self.book.with_rows(after(tried(message, now), message.text, Sent(number), now))
        return self

    def _id(self) -> str:
        return f"{next(self._ids):08}"


def test_a_case_begins_is_edited_and_ends() -> None:
    story = Story().at(0, incident()).at(1, incident()).at(30, incident(why="oom")).at(40).at(54).at(56).at(57)
    assert story.sent == [(0, CHAT, "incident"), (30, CHAT, "edit"), (56, CHAT, "over"), (56, CHAT, "edit")]
    (case,) = story.book.cases.values()
    assert case.closed_at == 40, "it was over when it was last not seen, not when that was trusted"


def test_a_short_absence_is_nothing() -> None:
    story = Story().at(0, incident()).at(10).at(20, incident()).at(30).at(44, incident()).at(50, incident())
    assert [purpose for _, _, purpose in story.sent] == ["incident"]


def test_the_same_cause_after_its_end_is_a_new_case() -> None:
    story = Story().at(0, incident()).at(10).at(30).at(40, incident())
    assert [purpose for _, _, purpose in story.sent].count("incident") == 2
    assert len(story.book.cases) == 2


def test_edits_of_a_message_come_with_growing_distances() -> None:
    story = Story()
    for now in range(1000):
        story.at(now, incident(why=f"no progress for {now} s"))
    edits = [now for now, _, purpose in story.sent if purpose == "edit"]
    assert edits[0] == POLICY.edit_s
    assert len(edits) < 30
    assert all(later - earlier >= POLICY.edit_s for earlier, later in zip(edits, edits[1:], strict=False))


def test_reminders_come_at_growing_distances_until_somebody_takes_it() -> None:
    story = Story()
    for now in range(0, 200_000, 100):
        story.at(now, incident())
    reminders = [now for now, _, purpose in story.sent if purpose == "reminder"]
    assert reminders == [900, 4500, 18_900, 62_100, 148_500]
    (case,) = story.book.cases.values()
    story.book = story.book.with_rows(replace(case, acked_at=200_000.0, acked_by="@ada"))
    for now in range(200_000, 600_000, 1000):
        story.at(now, incident())
    assert [now for now, _, purpose in story.sent if purpose == "reminder"] == reminders
    assert story.sent[-1] == (200_000, CHAT, "edit"), "the message says who is on it"


def test_nobody_is_reminded_of_news_or_told_that_they_are_over() -> None:
    story, news = Story(), incident(kind=Kind.CREDITS)
    for now in range(0, 200_000, 1000):
        story.at(now, news)
    story.at(200_000).at(200_100)
    assert [(at, purpose) for at, _, purpose in story.sent] == [(0, "incident"), (200_100, "edit")]


def test_nobody_is_reminded_of_what_was_never_shown() -> None:
    story = Story(Channels((CHAT,)))
    story.away = True
    for now in range(0, 10_000, 100):
        story.at(now, incident())
    assert [message.purpose for message in story.book.messages.values()] == [Purpose.INCIDENT]


@pytest.mark.parametrize(("away", "told"), [(False, [CHAT]), (True, ["webhook"])])
def test_the_second_channel_is_told_only_where_telegram_stays_away(away: bool, told: list[str]) -> None:
    story = Story()
    story.away = away
    for now in range(0, 300, 10):
        story.at(now, incident())
    assert [channel for _, channel, purpose in story.sent if purpose == "incident"] == told
    if away:
        assert story.sent[0][0] == POLICY.second_s
        story.away = False
        story.at(300, incident()).at(310).at(330)
        assert sorted((channel, purpose) for at, channel, purpose in story.sent if at >= 300) == [
            (CHAT, "edit"),
            (CHAT, "incident"),
            (CHAT, "over"),
            ("webhook", "over"),
        ]


def test_without_any_chat_the_second_channel_is_told_at_once_and_reminded() -> None:
    story = Story(Channels((), ("webhook",))).at(0, incident()).at(1000, incident())
    assert story.sent == [(0, "webhook", "incident"), (1000, "webhook", "reminder")]


def test_where_all_chats_refuse_the_second_channel_is_told_at_once() -> None:
    story = Story()
    story.book = Book().with_rows(Chat(CHAT, -1, disabled_until=3600.0))
    story.at(0, incident())
    assert story.sent == [(0, "webhook", "incident")]


def test_a_storm_is_a_digest_that_ends_with_the_last_of_its_cases() -> None:
    many = [incident(f"k{number:02}") for number in range(30)]
    story = Story().at(0, *many)
    assert [purpose for _, _, purpose in story.sent].count("incident") == POLICY.storm + 1
    (digest,) = (case for case in story.book.cases.values() if case.incident.kind is Kind.DIGEST)
    assert digest.incident.title == "24 more incidents at once, 24 of them open"
    story.at(50, *many[:10]).at(70, *many[:10]).at(71, *many[:10])
    (digest,) = (case for case in story.book.cases.values() if case.incident.kind is Kind.DIGEST)
    assert (digest.open, len(digest.incident.lines)) == (True, 24)
    story.at(100).at(120).at(140)
    assert not story.book.open_cases()
    assert len([purpose for _, _, purpose in story.sent if purpose == "over"]) == POLICY.storm + 1


def test_a_digest_ends_whose_cases_nobody_remembers() -> None:
    digest = Case(id="d", incident=incident("digest: d", kind=Kind.DIGEST), hosts=(), opened_at=0.0)
    book = plan(Book().with_rows(digest), {}, CHANNELS, 9_000.0, POLICY, lambda: "1")
    assert not book.cases["d"].open


def test_what_is_over_and_told_is_forgotten_and_what_waits_is_not() -> None:
    story = Story()
    story.at(0, incident()).at(10).at(30)
    story.at(30 + POLICY.forget_s)
    assert (dict(story.book.cases), dict(story.book.messages)) == ({}, {})
    story = Story(Channels((CHAT,)))
    story.away = True
    story.at(0, incident()).at(10).at(30).at(30 + POLICY.forget_s)
    assert len(story.book.cases) == 1, "Telegram may come back"
    story.at(30 + POLICY.stale_s)
    assert not story.book.cases


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 5000.0),
            st.sets(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h", "i"])),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_whatever_happens_each_case_is_one_message_a_channel_and_ends_once(
    looks: list[tuple[float, set[str], bool]],
) -> None:
    story, now = Story(policy=replace(POLICY, forget_s=1e12, stale_s=1e12)), 0.0
    for step_s, keys, away in looks:
        now += step_s
        story.away = away
        story.at(now, *(incident(key) for key in sorted(keys)))
    story.away = False
    for _ in range(4):
        now += 10_000.0
        story.at(now)
    assert not story.book.open_cases()
    assert not [message for message in story.book.messages.values() if message.waiting]
    for case in story.book.cases.values():
        shown = [(message.channel, message.purpose) for message in story.book.of_case(case.id)]
        once = [one for one in shown if one[1] is not Purpose.REMINDER]
        assert len(once) == len(set(once))
        assert bool(shown) == (case.digest is None)


def test_one_incident_that_several_see_is_told_as_by_who_saw_it_first() -> None:
    late = Report("w1", incident(title="late", since=20.0, units=("b",)), 50.0)
    first = Report("w2", incident(title="first", since=10.0, units=("a",)), 60.0)
    merged = merge([late, first])["k"]
    assert (merged.incident.title, merged.incident.units, merged.hosts) == ("first", ("a", "b"), ("w1", "w2"))
    assert fresh([late, first], 55.0) == [first]


def _message(**changes: object) -> Message:
    usual = Message(id="1", case="c", channel=CHAT, purpose=Purpose.INCIDENT, text="new", created_at=0.0)
    return replace(usual, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Sent(7), {"shown": "new", "number": 7, "sent_at": 9.0, "tried_at": None, "attempts": 0}),
        (Away("no route"), {"tried_at": None, "attempts": 0}),
        (Away("no answer", maybe_sent=True), {"tried_at": 8.0, "attempts": 0}),
        (Later(30.0), {"tried_at": None, "attempts": 0}),
        (Moved(-100), {"tried_at": None, "attempts": 0}),
        (Refused("kicked"), {"tried_at": None, "attempts": 0}),
        (Rejected("too odd"), {"tried_at": None, "attempts": 1}),
        (Gone(), {"tried_at": None, "number": None, "shown": None}),
    ],
)
def test_what_an_outcome_means_for_a_message(outcome: Outcome, expected: dict[str, object]) -> None:
    told = after(tried(_message(), 8.0), "new", outcome, 9.0)
    assert {name: getattr(told, name) for name in expected} == expected
    assert told.waiting is not isinstance(outcome, Sent)


def test_a_message_that_is_refused_for_what_it_is_is_given_up() -> None:
    message = _message()
    for _ in range(5):
        assert message.waiting
        message = after(tried(message, 1.0), "new", Rejected("too odd"), 2.0)
    assert message.failed == "too odd"
    assert not message.waiting


def test_an_edit_that_is_refused_is_given_up_as_well() -> None:
    message = _message(number=7, shown="old", sent_at=1.0)
    for _ in range(5):
        assert message.waiting
        message = after(message, "new", Rejected("too odd"), 2.0)
    assert (message.waiting, message.shown) == (False, "old")


def test_only_an_unconfirmed_attempt_makes_a_repetition() -> None:
    assert not repeats(_message())
    assert repeats(tried(_message(), 1.0))
    assert not repeats(tried(_message(number=3), 1.0))


def test_answers_go_first_and_edits_last() -> None:
    case = Case(id="c", incident=incident(), hosts=("w1",), opened_at=0.0)
    rows = [
        _message(id="edit", shown="old", number=3, sent_at=1.0),
        _message(id="over", case="d", purpose=Purpose.OVER),
        _message(id="first", case="d", shown="new", number=5),
        _message(id="incident", case="e"),
        _message(id="too early", case="e", purpose=Purpose.REMINDER),
        _message(id="answer", case=None, purpose=Purpose.ANSWER, created_at=50.0),
    ]
    waiting = queue(Book().with_rows(case, *rows), lambda channel: channel == CHAT, 100.0, POLICY)
    assert [message.id for message in waiting] == ["answer", "incident", "over", "edit"]


@given(st.floats(1, 30), st.floats(0.05, 30), st.lists(st.floats(0, 20, allow_nan=False), max_size=60))
def test_a_bucket_never_gives_more_than_its_size_and_its_rate(
    capacity: float, per_s: float, steps: list[float]
) -> None:
    bucket, now, taken = Bucket.full(capacity, per_s, 0.0), 0.0, []
    for step_s in steps:
        now += step_s
        if bucket.wait_s(now) == 0:
            bucket = bucket.taken(now)
            taken.append(now)
        else:
            with pytest.raises(ValueError, match="empty"):
                bucket.taken(now)
            assert bucket.wait_s(now + bucket.wait_s(now)) < 1e-6
    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:], 1):
            assert last <= capacity + (end - start) * per_s + 1e-6


def test_a_chat_is_written_to_six_times_and_then_once_in_ten_seconds() -> None:
    pace, now, sent = Pace(1.0, 6.0), 0.0, []
    while now < 120:
        now += max(pace.wait_s("a", now), 0.001)
        pace.take("a", now)
        sent.append(now)
    assert sum(1 for at in sent if at < 60) <= 12
    assert all(later - earlier >= 0.99 for earlier, later in zip(sent, sent[1:], strict=False))
    assert pace.wait_s("b", now) == 0, "another chat is not held up"
    pace.hold("b", now + 33.0)
    assert pace.wait_s("b", now) == 33.0
