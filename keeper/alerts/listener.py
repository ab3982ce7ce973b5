"""Hears commands out of the listed chats and answers them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import anyio
import structlog

from keeper.alerts import tables
from keeper.alerts.cases import TELEGRAM, Chat, Message, Purpose
from keeper.alerts.commands import Answer, Asked, Desk, parse
from keeper.alerts.ledger import Ledger
from keeper.alerts.masking import Mask
from keeper.alerts.render import answer
from keeper.alerts.telegram import Heard, Said, Telegram, Unheard
from lib.backoff import reconnect_delays
from lib.errors import VakanzError
from lib.store.connections import Database

_PATIENCE_S = 5.0  # with PostgreSQL, for one command
_STALE_S = 600.0  # an older command is not followed any more
_CLASH_S = 30.0  # after another program was found polling the same bot


class Listener:
    """Polls for as long as this keeper tells the alerts. Others than the listed chats are counted, and not answered."""

    def __init__(
        self,
        telegram: Telegram,
        ledger: Ledger,
        database: Database,
        desk: Desk,
        chats: tuple[str, ...],
        mask: Mask,
        *,
        new_id: Callable[[], str],
        rng: random.Random,
    ) -> None:
        self.unlisted: dict[int, int] = {}
        self._telegram = telegram
        self._ledger = ledger
        self._database = database
        self._desk = desk
        self._chats = chats
        self._mask = mask
        self._new_id = new_id
        self._rng = rng
        self._name = ""
        self._log = structlog.get_logger("alerts")

    async def listen(self) -> None:
        """Hears until the lease is lost."""
        next_update: int | None = None
        with anyio.move_on_after(_PATIENCE_S):
            next_update = await tables.load_offset(self._database, self._telegram.bot_id)
        delays, lost = reconnect_delays(self._rng), ""
        while self._ledger.lease is not None:
            try:
                self._name = self._name or await self._telegram.name()
                heard = await self._telegram.hear(next_update)
            except Unheard as error:
                trouble = "another program polls the same bot" if error.clash else "commands cannot be heard"
                if trouble != lost:
                    self._log.warning(trouble, reason=self._mask.text(str(error)))
                lost = trouble
                await anyio.sleep(_CLASH_S if error.clash else max(error.retry_after_s, next(delays)))
                continue
            if lost:
                self._log.info("commands are heard again")
            delays, lost = reconnect_delays(self._rng), ""
            if heard.next_update != next_update:
                next_update = heard.next_update
                await self._act(heard)

    async def _act(self, heard: Heard) -> None:
        """The place is kept first: a command that restarts something is not followed twice after a crash."""
        if heard.next_update is not None:
            with anyio.move_on_after(_PATIENCE_S):
                await tables.save_offset(self._database, self._telegram.bot_id, heard.next_update)
        for old, new in heard.moved:
            if (channel := self._channel(old)) is not None:
                await self._ledger.put(Chat(channel, new))
        for said in heard.said:
            await self._hear(said)

    async def _hear(self, said: Said) -> None:
        channel = self._channel(said.chat)
        if channel is None:
            self._count(said.chat)
            return
        chat = self._ledger.book.chats.get(channel)
        if chat is not None and chat.disabled_until is not None:  # who writes to us can be written to
            await self._ledger.put(replace(chat, disabled_until=None, reason=""))
        said = replace(said, text=self._mask.text(said.text), who=self._mask.text(said.who))  # fit for every table
        command = parse(said.text, self._name)
        if command is None:
            return
        self._log.info("command", channel=channel, who=said.who, text=said.text[:300])
        if self._ledger.now() - said.at > _STALE_S:
            await self._answer(
                channel, said.number, Answer("that was said too long ago; say it again if it still counts")
            )
            return
        case = self._case_of(channel, said.replies_to)
        await self._follow(Asked(command, said.who, channel, said.number, case))

    async def _follow(self, asked: Asked) -> None:
        found: Answer | None = Answer("PostgreSQL does not answer, so that cannot be done now")
        with anyio.move_on_after(_PATIENCE_S):
            try:
                found = await self._desk.follow(asked, self._ledger.book.open_cases())
            except VakanzError as error:
                found = Answer(str(error))
        if found is None:
            return
        now = self._ledger.now()
        cases = [self._ledger.book.cases[case] for case in found.acked if case in self._ledger.book.cases]
        await self._ledger.put(*(replace(case, acked_at=now, acked_by=asked.who) for case in cases))
        await self._answer(asked.channel, asked.number, found)

    async def _answer(self, channel: str, number: int, found: Answer) -> None:
        text = answer(self._mask.text(found.title), [self._mask.text(line) for line in found.lines])
        await self._ledger.put(
            Message(
                id=self._new_id(),
                case=None,
                channel=channel,
                purpose=Purpose.ANSWER,
                text=text,
                reply_to=number,
                created_at=self._ledger.now(),
            )
        )

    def _channel(self, chat: int) -> str | None:
        """The listed chat that has this number, or moved to it."""
        for channel in self._chats:
            known = self._ledger.book.chats.get(channel)
            if chat in (int(channel.removeprefix(TELEGRAM)), known.target if known is not None else None):
                return channel
        return None

    def _case_of(self, channel: str, number: int | None) -> str | None:
        for message in self._ledger.book.messages.values():
            if number is not None and message.number == number and message.channel == channel:
                return message.case
        return None

    def _count(self, chat: int) -> None:
        if chat not in self.unlisted:
            if len(self.unlisted) >= 1000:
                return
            self._log.warning("a chat that is not listed wrote to the bot", chat=chat)
        self.unlisted[chat] = self.unlisted.get(chat, 0) + 1
