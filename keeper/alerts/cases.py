"""What is told to whom: cases, their messages, and the chats. Plain values; `plan` changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from keeper.incident import Incident

TELEGRAM = "telegram:"


class Purpose(StrEnum):
    """Why a message is sent. The values stand in the table `alert_outbox`."""

    INCIDENT = "incident"  # shows a case, and is edited with it
    OVER = "over"
    REMINDER = "reminder"
    ANSWER = "answer"  # to a command
    NOTICE = "notice"  # about the channels themselves


@dataclass(frozen=True, kw_only=True)
class Case:
    """An incident as it is told. Times are seconds since 1970 on the database's clock.

    `hosts` are those whose keepers see it. `missing_since`: nobody sees it, which is not trusted yet. `digest` is the
    id of the case that it is a line of.
    """

    id: str
    incident: Incident
    hosts: tuple[str, ...]
    opened_at: float
    missing_since: float | None = None
    closed_at: float | None = None
    acked_at: float | None = None
    acked_by: str = ""
    reminders: int = 0
    reminded_at: float | None = None
    digest: str | None = None

    @property
    def open(self) -> bool:
        """Whether it is not over."""
        return self.closed_at is None

    @property
    def handle(self) -> str:
        """A short name for people to type."""
        return self.id[:6]


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message in one channel. `text` is HTML as it should be; `shown` as it was sent, None when it is not known to
    have been. `tried_at` is set before an attempt. `number` is the message's id in its channel."""

    id: str
    case: str | None
    channel: str
    purpose: Purpose
    text: str
    created_at: float
    shown: str | None = None
    number: int | None = None
    reply_to: int | None = None
    tried_at: float | None = None
    sent_at: float | None = None
    attempts: int = 0
    failed: str | None = None

    @property
    def editable(self) -> bool:
        """Whether it can still be changed once it is sent."""
        return self.channel.startswith(TELEGRAM)

    @property
    def waiting(self) -> bool:
        """Whether it is to be sent or edited."""
        return self.failed is None and self.shown != self.text


@dataclass(frozen=True)
class Chat:
    """What Telegram said of a chat: its id now, and until when it is left alone and why."""

    channel: str
    target: int
    disabled_until: float | None = None
    reason: str = ""


Row = Case | Message | Chat


@dataclass(frozen=True)
class Book:
    """All that the teller of the alerts knows, by id (chats: by channel)."""

    cases: Mapping[str, Case] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    chats: Mapping[str, Chat] = field(default_factory=dict)

    def with_rows(self, *rows: Row) -> Book:
        """The same with these rows in place of those with their ids."""
        return replace(
            self,
            cases={**self.cases, **{row.id: row for row in rows if isinstance(row, Case)}},
            messages={**self.messages, **{row.id: row for row in rows if isinstance(row, Message)}},
            chats={**self.chats, **{row.channel: row for row in rows if isinstance(row, Chat)}},
        )

    def changes(self, before: Book) -> list[Row]:
        """The rows that `before` lacks or has otherwise; cases first, which messages point to."""
        cases = [row for row in self.cases.values() if before.cases.get(row.id) is not row]
        messages = [row for row in self.messages.values() if before.messages.get(row.id) is not row]
        chats = [row for row in self.chats.values() if before.chats.get(row.channel) is not row]
        return [*cases, *messages, *chats]

    def open_cases(self) -> list[Case]:
        """What is not over, the oldest first."""
        return sorted((case for case in self.cases.values() if case.open), key=lambda case: case.opened_at)

    def of_case(self, case: str) -> Iterator[Message]:
        """The messages of a case."""
        return (message for message in self.messages.values() if message.case == case)

    def shows(self, case: str, channel: str) -> Message | None:
        """The message that shows `case` in `channel`."""
        for message in self.of_case(case):
            if message.purpose is Purpose.INCIDENT and message.channel == channel:
                return message
        return None
