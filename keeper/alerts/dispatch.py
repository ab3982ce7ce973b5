"""Which message goes next, and what its outcome means for it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from keeper.alerts.cases import Book, Message, Purpose
from keeper.alerts.plan import Policy

_ORDER = {
    Purpose.ANSWER: 0,  # somebody waits for it
    Purpose.INCIDENT: 1,
    Purpose.NOTICE: 2,
    Purpose.OVER: 3,
    Purpose.REMINDER: 4,
}
_EDIT = 5
_TRIES = 5  # of a message that is refused for what it is


@dataclass(frozen=True)
class Sent:
    """It stands there; `number` is its id, None in channels without any."""

    number: int | None = None


@dataclass(frozen=True)
class Later:
    """The channel asked for `retry_after_s` seconds of silence."""

    retry_after_s: float


@dataclass(frozen=True)
class Away:
    """The channel cannot be reached, or takes nothing from us. `maybe_sent`: the connection was lost on the way."""

    why: str
    maybe_sent: bool = False


@dataclass(frozen=True)
class Gone:
    """The message to be edited is not there any more."""


@dataclass(frozen=True)
class Moved:
    """The group has another id now."""

    target: int


@dataclass(frozen=True)
class Refused:
    """The chat does not take messages from us: blocked, kicked, or no such chat."""

    why: str


@dataclass(frozen=True)
class Rejected:
    """This message is not taken as it is."""

    why: str


Outcome = Sent | Later | Away | Gone | Moved | Refused | Rejected


def queue(book: Book, of: Callable[[str], bool], now: float, policy: Policy) -> list[Message]:
    """The messages that may be sent now in the channels that `of` names, the most urgent first."""
    waiting = [
        message
        for message in book.messages.values()
        if message.waiting and of(message.channel) and _ripe(message, book, now, policy)
    ]
    return sorted(waiting, key=lambda message: (_rank(message), message.created_at, message.id))


def _rank(message: Message) -> int:
    return _EDIT if message.number is not None else _ORDER[message.purpose]


def _ripe(message: Message, book: Book, now: float, policy: Policy) -> bool:
    if message.purpose in (Purpose.OVER, Purpose.REMINDER):
        shown = book.shows(message.case or "", message.channel)
        if shown is not None and shown.shown is None and shown.failed is None:
            return False  # first the message that this one answers
    if message.number is None or message.sent_at is None:
        return True
    case = book.cases.get(message.case or "")
    if case is None or not case.open or (case.acked_at or 0.0) > message.sent_at:
        return True
    return now - message.sent_at >= max(policy.edit_s, (message.sent_at - message.created_at) / 4)


def tried(message: Message, now: float) -> Message:
    """The message with the intent to send it, which is stored before it is sent."""
    return replace(message, tried_at=now, attempts=message.attempts + 1)


def repeats(message: Message) -> bool:
    """Whether an earlier attempt may have put the message there already."""
    return message.number is None and message.tried_at is not None


def after(message: Message, text: str, outcome: Outcome, now: float) -> Message:
    """The message after its `text` was sent with this outcome."""
    match outcome:
        case Sent(number):
            number = message.number if number is None else number
            return replace(message, shown=text, number=number, sent_at=now, tried_at=None, attempts=0)
        case Gone():
            return replace(message, shown=None, number=None, tried_at=None)
        case Away(maybe_sent=True):
            return replace(message, attempts=0)  # the intent stays: it may have arrived
        case Away() | Later() | Moved() | Refused():
            return replace(message, tried_at=None, attempts=0)  # nothing is wrong with the message
        case Rejected(why):
            attempts = message.attempts + (message.number is not None)  # edits are not counted before
            return replace(message, tried_at=None, attempts=attempts, failed=why if attempts >= _TRIES else None)
