"""Telegram's Bot API through python-telegram-bot; its errors become outcomes here, once.

The library is only loaded by the keeper that tells the alerts: it takes some 15 MB.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import structlog

from keeper.alerts.dispatch import Away, Gone, Later, Moved, Outcome, Refused, Rejected, Sent
from keeper.alerts.render import plain

if TYPE_CHECKING:
    from telegram import Bot, Message, Update
    from telegram.error import RetryAfter, TelegramError

POLL_S = 25
_TIMEOUT_S = 10.0  # of one request; a lease's term holds two
_UNCHANGED = "message is not modified"
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_REFUSED = (
    "chat not found",
    "not enough rights",
    "need administrator rights",
    "have no rights",
    "chat_write_forbidden",
)
# What the HTTP library calls the loss of a connection over which the request may have arrived.
_UNDERWAY = frozenset({"ReadTimeout", "ReadError", "WriteTimeout", "WriteError", "CloseError", "RemoteProtocolError"})
_MARKUP = "can't parse entities"


@dataclass(frozen=True)
class Said:
    """A text message that somebody wrote at `at` (seconds since 1970). `replies_to` is the number of the message that
    it answers."""

    chat: int
    number: int
    at: float
    who: str
    text: str
    replies_to: int | None


@dataclass(frozen=True)
class Heard:
    """What came since the last poll, and where the next one begins. `moved`: old and new ids of groups."""

    next_update: int | None
    said: tuple[Said, ...]
    moved: tuple[tuple[int, int], ...]


class Unheard(Exception):
    """Nothing could be heard; `clash`: another program polls the same bot."""

    def __init__(self, why: str, *, clash: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.clash = clash
        self.retry_after_s = retry_after_s


class Telegram:
    """One bot. `api` is the server of the Bot API. Open it as a context."""

    def __init__(self, token: str, api: str) -> None:
        self._token = token
        self._base = f"{api.rstrip('/')}/bot"
        self._bot: Bot | None = None

    @property
    def bot_id(self) -> int:
        """The bot's own number, which its token begins with."""
        return int(self._token.partition(":")[0])

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections; the next request opens new ones."""
        if self._bot is not None:
            bot, self._bot = self._bot, None
            for request in bot._request:
                await request.shutdown()

    async def name(self) -> str:
        """The bot's name. Raises Unheard."""
        from telegram.error import TelegramError

        try:
            return (await self._open().get_me()).username or ""
        except TelegramError as error:
            raise _unheard(error) from error
        except Exception as error:  # the library may fail on an answer that it does not know
            raise _unread(error) from error

    async def send(self, chat: int, html: str, reply_to: int | None) -> Outcome:
        """A new message."""
        from telegram import LinkPreviewOptions, ReplyParameters

        reply = None if reply_to is None else ReplyParameters(reply_to, allow_sending_without_reply=True)
        bot = self._open()

        async def attempt(text: str, mode: str | None) -> Message | bool:
            return await bot.send_message(
                chat,
                text,
                parse_mode=mode,
                reply_parameters=reply,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        return await _outcome(attempt, html)

    async def edit(self, chat: int, number: int, html: str) -> Outcome:
        """Another text for a message of ours."""
        from telegram import LinkPreviewOptions

        bot = self._open()

        async def attempt(text: str, mode: str | None) -> Message | bool:
            return await bot.edit_message_text(
                text,
                chat,
                number,
                parse_mode=mode,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        return await _outcome(attempt, html)

    async def hear(self, next_update: int | None, poll_s: float = POLL_S) -> Heard:
        """Waits up to `poll_s` for what people wrote. Asking for an update confirms all before it. Raises Unheard."""
        from telegram.error import TelegramError

        try:
            updates = await self._open().get_updates(
                offset=next_update, timeout=int(poll_s), allowed_updates=["message"], read_timeout=_TIMEOUT_S
            )
        except TelegramError as error:
            raise _unheard(error) from error
        except Exception as error:  # the library may fail on an update that it does not know
            raise _unread(error) from error
        last = max((update.update_id for update in updates), default=None)
        return Heard(
            next_update if last is None else last + 1,
            tuple(said for update in updates if (said := _said(update)) is not None),
            tuple(
                (update.message.chat_id, update.message.migrate_to_chat_id)
                for update in updates
                if update.message is not None and update.message.migrate_to_chat_id is not None
            ),
        )

    def _open(self) -> Bot:
        if self._bot is None:
            from telegram import Bot
            from telegram.request import HTTPXRequest

            logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses, which hold the token
            request = HTTPXRequest(  # one for both, for each keeps all certificates in memory
                connection_pool_size=4, connect_timeout=_TIMEOUT_S / 2, read_timeout=_TIMEOUT_S, pool_timeout=2.0
            )
            self._bot = Bot(self._token, base_url=self._base, request=request, get_updates_request=request)
        return self._bot


class _Attempt(Protocol):
    async def __call__(self, text: str, mode: str | None) -> Message | bool: ...


async def _outcome(attempt: _Attempt, html: str) -> Outcome:
    from telegram.error import BadRequest, TelegramError

    try:
        try:
            sent = await attempt(html, "HTML")
        except BadRequest as error:
            if _MARKUP not in error.message.lower():
                raise
            structlog.get_logger("alerts").warning("Telegram cannot read our markup", reason=error.message)
            sent = await attempt(plain(html), None)
    except TelegramError as error:
        return outcome_of(error)
    except Exception as error:  # noqa: BLE001 - an answer that the library cannot read; tried a few times only
        return Rejected(f"an answer that cannot be read: {type(error).__name__}: {error}")
    return Sent(None if isinstance(sent, bool) else sent.message_id)


def outcome_of(error: TelegramError) -> Outcome:
    """What an error of the library means for a message."""
    from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter

    message = error.message.lower()
    match error:
        case RetryAfter():
            return Later(_seconds(error))
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case Forbidden():
            return Refused(error.message)
        case BadRequest() if _UNCHANGED in message:
            return Sent()
        case BadRequest() if any(words in message for words in _GONE):
            return Gone()
        case BadRequest() if any(words in message for words in _REFUSED):
            return Refused(error.message)
        case BadRequest():
            return Rejected(error.message)
        case NetworkError():
            return Away(error.message, maybe_sent=type(error.__cause__).__name__ in _UNDERWAY)
    return Away(f"{type(error).__name__}: {error.message}")  # a refused token: nobody can be told until it is changed


def _unheard(error: TelegramError) -> Unheard:
    from telegram.error import Conflict, RetryAfter

    wait_s = _seconds(error) if isinstance(error, RetryAfter) else 0.0
    return Unheard(f"{type(error).__name__}: {error.message}", clash=isinstance(error, Conflict), retry_after_s=wait_s)


def _unread(error: Exception) -> Unheard:
    return Unheard(f"an answer that cannot be read: {type(error).__name__}: {error}")


def _seconds(error: RetryAfter) -> float:
    given = error.retry_after
    return float(given) if isinstance(given, int) else given.total_seconds()


def _said(update: Update) -> Said | None:
    message = update.message
    if message is None or message.text is None:
        return None
    user = message.from_user
    who = "somebody" if user is None else f"@{user.username}" if user.username else user.full_name
    replies_to = message.reply_to_message.message_id if message.reply_to_message is not None else None
    return Said(message.chat_id, message.message_id, message.date.timestamp(), who, message.text, replies_to)
