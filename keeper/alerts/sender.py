"""Sends what waits: one actor for Telegram's chats, one for each second channel."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import anyio
import structlog

from keeper.alerts.bucket import Pace
from keeper.alerts.cases import TELEGRAM, Chat, Message, Purpose
from keeper.alerts.dispatch import Away, Later, Moved, Outcome, Refused, Rejected, after, queue, repeats, tried
from keeper.alerts.ledger import Ledger
from keeper.alerts.masking import Mask
from keeper.alerts.plan import Channels, Policy, live
from keeper.alerts.render import answer, plain, repeated
from keeper.alerts.second import Second
from keeper.alerts.telegram import Telegram
from lib.backoff import reconnect_delays

_LOOK_S = 1.0  # between two looks into an outbox that does not change
_DISABLED_S = 3600.0  # a chat that refuses us is left alone for so long


class Sender:
    """Sends for as long as this keeper tells the alerts, and notes in the ledger what came of it."""

    def __init__(
        self,
        ledger: Ledger,
        channels: Channels,
        policy: Policy,
        mask: Mask,
        *,
        new_id: Callable[[], str],
        rng: random.Random,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._channels = channels
        self._policy = policy
        self._mask = mask
        self._new_id = new_id
        self._rng = rng
        self._steady = steady
        self._pace = Pace(policy.chat_per_s, policy.chat_per_minute)
        self._log = structlog.get_logger("alerts")

    async def to_chats(self, telegram: Telegram) -> None:
        """Telegram's chats, as fast as Telegram takes it."""
        link = _Link("telegram", self._rng, self._mask)

        async def send(message: Message, text: str) -> Outcome:
            chat = self._chat(message.channel).target
            if message.number is not None:
                return await telegram.edit(chat, message.number, text)
            return await telegram.send(chat, text, message.reply_to or self._shown(message))

        while self._ledger.lease is not None:
            message, wait_s = self._next_for_chats()
            if message is None:
                await self._ledger.until_news(wait_s)
                continue
            self._pace.take(message.channel, self._steady())
            outcome = await self._send(message, send)
            await self._note_chat(message.channel, outcome)
            await anyio.sleep(link.wait_s(outcome))

    async def to_second(self, second: Second) -> None:
        """One second channel."""
        link = _Link(second.name, self._rng, self._mask)

        async def send(message: Message, text: str) -> Outcome:
            return await second.send(message, self._ledger.book)

        while self._ledger.lease is not None:
            now = self._ledger.now()
            waiting = queue(self._ledger.book, lambda channel: channel == second.name, now, self._policy)
            if not waiting:
                await self._ledger.until_news(_LOOK_S)
                continue
            outcome = await self._send(waiting[0], send)
            await anyio.sleep(outcome.retry_after_s if isinstance(outcome, Later) else link.wait_s(outcome))

    async def close_disowned(self, telegram: Telegram) -> None:
        """What this keeper told alone, and another one tells now, says so; a message that cannot is left as it is."""
        while self._ledger.disowned:
            message = self._ledger.disowned.pop()
            if message.number is not None and message.editable:
                first = plain(message.text).partition("\n")[0]
                text = answer(f"told by another keeper from now on: {first.lstrip('🔴👀✅ ')}")
                outcome = await telegram.edit(int(message.channel.removeprefix(TELEGRAM)), message.number, text)
                self._log.info("alert handed over", channel=message.channel, outcome=type(outcome).__name__)

    def _next_for_chats(self) -> tuple[Message | None, float]:
        """What may be sent to a chat now, or how long to wait."""
        now, steady = self._ledger.now(), self._steady()
        usable = set(live(self._ledger.book, self._channels.chats, now))
        wait_s = _LOOK_S
        for message in queue(self._ledger.book, lambda channel: channel in usable, now, self._policy):
            for_pace_s = self._pace.wait_s(message.channel, steady)
            if for_pace_s <= 0:
                return message, 0.0
            wait_s = min(wait_s, for_pace_s)
        return None, max(wait_s, 0.01)

    async def _send(self, message: Message, send: Callable[[Message, str], Awaitable[Outcome]]) -> Outcome:
        """The intent is kept first, where a repetition would be a second message."""
        repetition = repeats(message)
        if message.number is None:
            message = tried(message, self._ledger.now())
            if not await self._ledger.put(message):
                return Away("another keeper tells the alerts now")
        outcome = await send(message, repeated(message.text) if repetition else message.text)
        if isinstance(outcome, Rejected):
            self._log.error(
                "alert refused", channel=message.channel, purpose=message.purpose, reason=self._mask.text(outcome.why)
            )
        now_kept = self._ledger.book.messages.get(message.id)
        if now_kept is not None:
            await self._ledger.put(after(now_kept, message.text, outcome, self._ledger.now()))
        return outcome

    async def _note_chat(self, channel: str, outcome: Outcome) -> None:
        """What the outcome says of the chat itself."""
        chat = self._chat(channel)
        match outcome:
            case Later(seconds):
                self._log.warning("Telegram asked us to wait", channel=channel, seconds=seconds)
                self._pace.hold(channel, self._steady() + seconds)
            case Moved(target):
                self._log.info("group has another id", channel=channel, target=target)
                await self._ledger.put(Chat(channel, target))
            case Refused(why):
                self._log.error("chat refuses us", channel=channel, reason=self._mask.text(why))
                until = self._ledger.now() + _DISABLED_S
                await self._ledger.put(Chat(channel, chat.target, until, self._mask.text(why)))
                if chat.disabled_until is None:  # told once, not at every new try
                    await self._tell_others(channel, why)
            case Away():
                pass
            case _ if chat.disabled_until is not None:
                self._log.info("chat takes messages again", channel=channel)
                await self._ledger.put(Chat(channel, chat.target))

    async def _tell_others(self, refusing: str, why: str) -> None:
        now = self._ledger.now()
        text = answer(f"{refusing} takes no alerts: {self._mask.text(why)}")
        others = live(self._ledger.book, [chat for chat in self._channels.chats if chat != refusing], now)
        for channel in (*others, *self._channels.second):
            await self._ledger.put(
                Message(
                    id=self._new_id(),
                    case=None,
                    channel=channel,
                    purpose=Purpose.NOTICE,
                    text=text,
                    created_at=now,
                )
            )

    def _chat(self, channel: str) -> Chat:
        return self._ledger.book.chats.get(channel) or Chat(channel, int(channel.removeprefix(TELEGRAM)))

    def _shown(self, message: Message) -> int | None:
        """The number of the message that shows the case, for what is said about it later."""
        if message.case is None or message.purpose is Purpose.INCIDENT:
            return None
        shown = self._ledger.book.shows(message.case, message.channel)
        return None if shown is None else shown.number


class _Link:
    """Whether a channel can be reached. Says once that it is away and once that it is back."""

    def __init__(self, name: str, rng: random.Random, mask: Mask) -> None:
        self._name = name
        self._rng = rng
        self._mask = mask
        self._delays = reconnect_delays(rng)
        self._up = True
        self._log = structlog.get_logger("alerts").bind(channel=name)

    def wait_s(self, outcome: Outcome) -> float:
        """How long to wait after this outcome."""
        if isinstance(outcome, Away):
            if self._up:
                self._up = False
                self._log.warning("channel lost", reason=self._mask.text(outcome.why))
            return next(self._delays)
        if not self._up:
            self._up = True
            self._delays = reconnect_delays(self._rng)
            self._log.info("channel regained")
        return 0.0
