"""What every channel should show now. Pure: the book, what is seen, and time in; the next book out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from keeper.alerts.cases import Book, Case, Message, Purpose
from keeper.alerts.level import Seen
from keeper.alerts.render import line_of, over, reminder, show_case
from keeper.incident import TOLD_ONCE, Incident, Kind


@dataclass(frozen=True)
class Policy:
    """The teller's patience, in seconds unless named otherwise."""

    calm_s: float = 15.0  # nobody sees it for so long: it is over, and not merely away for a moment
    expire_s: float = 300.0  # a keeper that is silent for so long says nothing any more
    edit_s: float = 10.0  # between two edits of a message, growing with its age
    reminders_s: tuple[float, ...] = (900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0)  # the last one for ever after
    storm: int = 6  # new cases within `storm_s` that are told one by one; more are lines of one digest
    storm_s: float = 120.0
    second_s: float = 120.0  # Telegram stays away for so long: the second channel is told
    chat_per_s: float = 1.0  # requests into one chat
    chat_per_minute: float = 6.0
    forget_s: float = 3600.0  # what is done leaves the memory, not the table
    stale_s: float = 86_400.0  # what nobody took for so long is not told any more


@dataclass(frozen=True)
class Channels:
    """Where alerts are told: the chats, and the second channels for when those stay away."""

    chats: tuple[str, ...] = ()
    second: tuple[str, ...] = ()


def plan(
    book: Book, seen: Mapping[str, Seen], channels: Channels, now: float, policy: Policy, new_id: Callable[[], str]
) -> Book:
    """The book after a look: cases begin, change and end, and every channel has the messages that it should show."""
    planned = _followed(book, seen, now, policy, new_id)
    planned = _digested(planned, now, policy)
    planned = _told(planned, book, channels, now, policy, new_id)
    planned = _reminded(planned, channels, now, policy, new_id)
    return _forgotten(planned, now, policy)


def live(book: Book, chats: Sequence[str], now: float) -> list[str]:
    """The chats that take messages, as far as is known."""
    disabled = {name for name, chat in book.chats.items() if (chat.disabled_until or 0.0) > now}
    return [chat for chat in chats if chat not in disabled]


def _followed(book: Book, seen: Mapping[str, Seen], now: float, policy: Policy, new_id: Callable[[], str]) -> Book:
    """Cases begin with their first sight, and end when nobody has seen them for a while."""
    rows: list[Case] = []
    open_by_key = {case.incident.key: case for case in book.open_cases()}
    recent = sum(
        1
        for case in book.cases.values()
        if case.incident.kind is not Kind.DIGEST and now - case.opened_at < policy.storm_s
    )
    digest = next((case.id for case in book.open_cases() if case.incident.kind is Kind.DIGEST), None)
    for key in sorted(seen.keys() - open_by_key.keys(), key=lambda key: (seen[key].incident.since, key)):
        one, folded = seen[key], None
        if recent >= policy.storm:
            if digest is None:
                digest = new_id()
                rows.append(_new_digest(digest, now))
            folded = digest
        rows.append(Case(id=new_id(), incident=one.incident, hosts=one.hosts, opened_at=now, digest=folded))
        recent += 1
    for key, case in open_by_key.items():
        if case.incident.kind is Kind.DIGEST:
            continue
        after = _after(case, seen.get(key), now, policy)
        if after != case:
            rows.append(after)
    return book.with_rows(*rows)


def _after(case: Case, seen: Seen | None, now: float, policy: Policy) -> Case:
    if seen is not None:
        return replace(case, incident=seen.incident, hosts=seen.hosts, missing_since=None)
    missing_since = now if case.missing_since is None else case.missing_since
    is_over = now - missing_since >= policy.calm_s
    return replace(case, missing_since=missing_since, closed_at=missing_since if is_over else None)


def _new_digest(case: str, now: float) -> Case:
    incident = Incident(key=f"digest: {case}", kind=Kind.DIGEST, title="many incidents at once", since=now)
    return Case(id=case, incident=incident, hosts=(), opened_at=now)


def _digested(book: Book, now: float, policy: Policy) -> Book:
    """A digest has a line for each of its cases, and ends with the last of them."""
    rows = []
    for digest in book.open_cases():
        if digest.incident.kind is not Kind.DIGEST:
            continue
        members = sorted(
            (case for case in book.cases.values() if case.digest == digest.id), key=lambda case: case.opened_at
        )
        still = [case for case in members if case.open]
        ended = max((case.closed_at or now for case in members), default=float("-inf"))
        quiet = not still and now - ended >= policy.calm_s
        incident = replace(
            digest.incident,
            title=f"{len(members)} more incidents at once, {len(still)} of them open",
            lines=tuple(line_of(case) for case in (*(case for case in members if not case.open), *still)),
        )
        after = replace(digest, incident=incident, closed_at=now if quiet else None)
        if after != digest:
            rows.append(after)
    return book.with_rows(*rows)


def _told(book: Book, before: Book, channels: Channels, now: float, policy: Policy, new_id: Callable[[], str]) -> Book:
    """Each case stands in each chat, and where no chat took it for a while, in the second channels."""
    rows: list[Message] = []
    chats = live(book, channels.chats, now)
    for case in book.cases.values():
        if case.digest is not None or (not case.open and before.cases.get(case.id) is case):
            continue
        shows = {message.channel: message for message in book.of_case(case.id) if message.purpose is Purpose.INCIDENT}
        for message in shows.values():
            rows += _brought_up(message, case, now, new_id)
        if not case.open:
            continue
        wanted = set(chats)
        told = any(message.shown is not None for message in shows.values() if message.editable)
        if not told and (not chats or now - case.opened_at >= policy.second_s):
            wanted |= set(channels.second)
        rows += [_first(case, channel, now, new_id) for channel in sorted(wanted - shows.keys())]
    return book.with_rows(*rows)


def _brought_up(message: Message, case: Case, now: float, new_id: Callable[[], str]) -> list[Message]:
    """`message` with the case as it is now, and a word to those who know it when the case is over."""
    rows = []
    text = show_case(case) if message.editable or message.shown is None else message.text
    if text != message.text:
        rows.append(replace(message, text=text))
    if not case.open and message.shown is not None and case.incident.kind not in TOLD_ONCE:
        rows.append(_word(message, Purpose.OVER, over(case), now, new_id))
    return rows


def _reminded(book: Book, channels: Channels, now: float, policy: Policy, new_id: Callable[[], str]) -> Book:
    """Who knows of a case that nobody took is reminded, at growing distances; chats that are away are not."""
    rows: list[Case | Message] = []
    for case in book.open_cases():
        distance_s = policy.reminders_s[min(case.reminders, len(policy.reminders_s) - 1)]
        taken = case.acked_at is not None or case.digest is not None or case.missing_since is not None
        if taken or case.incident.kind in TOLD_ONCE or now - (case.reminded_at or case.opened_at) < distance_s:
            continue
        known = [
            message
            for message in book.of_case(case.id)
            if message.purpose is Purpose.INCIDENT and message.shown is not None
        ]
        if not known:
            continue
        chats = [
            message for message in known if message.editable and message.channel in live(book, channels.chats, now)
        ]
        rows.append(replace(case, reminders=case.reminders + 1, reminded_at=now))
        rows += [
            _word(message, Purpose.REMINDER, reminder(case, now), now, new_id)
            for message in chats or known
            if not _already_waits(book, message)
        ]
    return book.with_rows(*rows)


def _forgotten(book: Book, now: float, policy: Policy) -> Book:
    """Without what is over and told, or too old to be told. The table keeps it."""

    def done(message: Message) -> bool:
        return now - message.created_at >= (policy.stale_s if message.waiting else policy.forget_s)

    gone = {
        case.id
        for case in book.cases.values()
        if case.closed_at is not None
        and now - case.closed_at >= policy.forget_s
        and all(done(message) for message in book.of_case(case.id))
    }
    gone -= {case.digest for case in book.cases.values() if case.digest and case.id not in gone}
    lost = {
        message.id
        for message in book.messages.values()
        if message.case in gone or (done(message) and message.purpose is not Purpose.INCIDENT)
    }
    if not gone and not lost:
        return book
    return replace(
        book,
        cases={key: case for key, case in book.cases.items() if key not in gone},
        messages={key: message for key, message in book.messages.items() if key not in lost},
    )


def _already_waits(book: Book, shown: Message) -> bool:
    return any(
        message.waiting and message.purpose is Purpose.REMINDER and message.channel == shown.channel
        for message in book.of_case(shown.case or "")
    )


def _first(case: Case, channel: str, now: float, new_id: Callable[[], str]) -> Message:
    return Message(
        id=new_id(), case=case.id, channel=channel, purpose=Purpose.INCIDENT, text=show_case(case), created_at=now
    )


def _word(shown: Message, purpose: Purpose, text: str, now: float, new_id: Callable[[], str]) -> Message:
    return Message(id=new_id(), case=shown.case, channel=shown.channel, purpose=purpose, text=text, created_at=now)
