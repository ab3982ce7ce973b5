"""Telegram's Bot API as a small server of our own: chats, messages, updates, limits, and outages on command.

Methods, error texts and parameters after core.telegram.org/bots/api, read 2026-11. What it enforces itself: a bot's
token, one poller at a time, the markup and length of messages, 20 requests a minute in a group and 30 a second in all.
`python -m tests.sim.telegram` runs it alone; `/_control` then takes what tests call on `Telegram` directly.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from tests.sim.serving import add_arguments, hang_up, run, serving, until_stopped
from tests.sim.telegram_markup import BadMarkup, parse_html

TOKEN = "123456789:AAtest-token-of-the-simulated-bot-0001"
NAME = "vakanz_test_bot"
LONGEST = 4096


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters


@dataclass
class Message:
    """A message as it stands in a chat now; `texts` are all that it ever showed, as plain text."""

    chat: int
    number: int
    at: float
    texts: list[str]
    edited_at: list[float] = field(default_factory=list)
    reply_to: int | None = None
    deleted: bool = False

    @property
    def text(self) -> str:
        """What it shows now."""
        return self.texts[-1]


@dataclass
class Limits:
    """Requests that write: in one group per minute, and in all chats per second."""

    group_per_minute: int = 20
    per_second: int = 30


class Telegram:
    """The server's state, and what a test or a rehearsal does to it."""

    def __init__(
        self,
        *,
        token: str = TOKEN,
        limits: Limits | None = None,
        record: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.limits = limits or Limits()
        self.messages: list[Message] = []
        self.calls: list[dict[str, Any]] = []
        self.blocked: dict[int, str] = {}
        self.moved: dict[int, int] = {}
        self.conflicts = 0
        self._record = record
        self._clock = clock
        self._chats: set[int] = set()
        self._updates: list[dict[str, Any]] = []
        self._next_update = 1
        self._next_number = 1
        self._writes: list[tuple[float, int]] = []
        self._held: dict[int, float] = {}
        self._away: tuple[str, float] = ("", 0.0)
        self._lose_answers = 0
        self._news = asyncio.Event()
        self._poller: asyncio.Event | None = None

    # ── what a test does ──────────────────────────────────────────────────────────────────────────────────────────

    def add_chat(self, chat: int) -> None:
        """The bot may write there. Groups have negative ids."""
        self._chats.add(chat)

    def say(self, chat: int, text: str, *, user: str = "ada", reply_to: int | None = None, age_s: float = 0.0) -> int:
        """Somebody writes into a chat. Returns the message's number."""
        number = self._number()
        message: dict[str, Any] = self._sketch(chat, number) | {
            "date": int(self._clock() - age_s),
            "from": {"id": 7, "is_bot": False, "first_name": user, "username": user},
            "text": text,
        }
        if reply_to is not None:
            message["reply_to_message"] = self._sketch(chat, reply_to) | {"text": ""}
        self._push({"message": message})
        return number

    def block(self, chat: int, why: str = "bot was kicked from the group chat") -> None:
        """The chat refuses the bot from now on."""
        self.blocked[chat] = why

    def unblock(self, chat: int) -> None:
        """The chat takes the bot's messages again."""
        self.blocked.pop(chat, None)

    def move(self, chat: int, target: int, *, announce: bool = False) -> None:
        """A group becomes a supergroup with another id, and may say so in an update."""
        self.moved[chat] = target
        self._chats.add(target)
        if announce:
            self._push({"message": self._sketch(chat, self._number()) | {"migrate_to_chat_id": target}})

    def go_away(self, how: str = "reset", for_s: float = float("inf")) -> None:
        """No service: `reset` cuts connections, `hang` never answers, `502` says bad gateway. `` ends it."""
        if how not in ("", "reset", "hang", "502"):
            raise ValueError(how)
        self._away = (how, self._clock() + for_s)

    def come_back(self) -> None:
        """Service again."""
        self._away = ("", 0.0)

    def hold_off(self, chat: int, for_s: float) -> None:
        """Answers 429 to what writes into `chat`."""
        self._held[chat] = self._clock() + for_s

    def lose_answers(self, count: int) -> None:
        """Does what the next `count` writing requests ask for, and cuts the connection instead of answering."""
        self._lose_answers = count

    def delete(self, chat: int, number: int) -> None:
        """Somebody deletes a message."""
        self._find(chat, number).deleted = True

    def in_chat(self, chat: int) -> list[Message]:
        """The messages that stand there."""
        return [message for message in self.messages if message.chat == chat and not message.deleted]

    def shown(self, words: str, chat: int) -> list[Message]:
        """The messages there that show these words now."""
        return [message for message in self.in_chat(chat) if words in message.text]

    def answers_to(self, number: int) -> list[Message]:
        """The messages that reply to the one with this number."""
        return [message for message in self.messages if message.reply_to == number]

    # ── what a bot does ───────────────────────────────────────────────────────────────────────────────────────────

    async def call(self, method: str, given: Mapping[str, str]) -> Any:
        """The result of a method. Raises Refusal."""
        match method.lower():
            case "getme":
                return {"id": int(self.token.partition(":")[0]), "is_bot": True, "first_name": "V", "username": NAME}
            case "getupdates":
                return await self._get_updates(given)
            case "sendmessage":
                return self._send(given)
            case "editmessagetext":
                return self._edit(given)
        raise Refusal(404, "Not Found")

    async def _get_updates(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        if self._poller is not None:
            self._poller.set()
        terminated = self._poller = asyncio.Event()
        offset, limit = int(given.get("offset", 0)), min(100, max(1, int(given.get("limit", 100))))
        if offset < 0:
            self._updates = self._updates[offset:]
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        until = time.monotonic() + min(50.0, float(given.get("timeout", 0)))
        while not self._updates and (left := until - time.monotonic()) > 0 and not terminated.is_set():
            self._news.clear()
            waits = [asyncio.create_task(self._news.wait()), asyncio.create_task(terminated.wait())]
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if terminated.is_set():
            self.conflicts += 1
            raise Refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        self._poller = None
        return self._updates[:limit]

    def _send(self, given: Mapping[str, str]) -> dict[str, Any]:
        chat = self._chat(given)
        text = self._text(given)
        reply = orjson.loads(given.get("reply_parameters", "{}"))
        reply_to = reply.get("message_id")
        if reply_to is not None and not self._stands(chat, reply_to):
            if not reply.get("allow_sending_without_reply"):
                raise Refusal(400, "Bad Request: message to be replied not found")
            reply_to = None
        message = Message(chat, self._number(), self._clock(), [text], reply_to=reply_to)
        self.messages.append(message)
        return self._shown(message)

    def _edit(self, given: Mapping[str, str]) -> dict[str, Any]:
        chat, number = self._chat(given), int(given.get("message_id", 0))
        text = self._text(given)
        if not any(message.number == number for message in self.in_chat(chat)):
            raise Refusal(400, "Bad Request: message to edit not found")
        message = self._find(chat, number)
        if message.text == text:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        message.texts.append(text)
        message.edited_at.append(self._clock())
        return self._shown(message)

    def _chat(self, given: Mapping[str, str]) -> int:
        chat = int(given.get("chat_id", 0))
        self._limit(chat)
        if chat in self.moved:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self.moved[chat],
            )
        if chat in self.blocked:
            raise Refusal(403, f"Forbidden: {self.blocked[chat]}")
        if chat not in self._chats:
            raise Refusal(400, "Bad Request: chat not found")
        return chat

    def _limit(self, chat: int) -> None:
        now = self._clock()
        self._writes = [(at, where) for at, where in self._writes if now - at < 60]
        here = [at for at, where in self._writes if where == chat]
        wait_s = self._held.get(chat, 0.0) - now
        if chat < 0 and len(here) >= self.limits.group_per_minute:
            wait_s = max(wait_s, here[0] + 60 - now)
        if sum(1 for at, _ in self._writes if now - at < 1) >= self.limits.per_second:
            wait_s = max(wait_s, 1.0)
        if wait_s > 0:
            seconds = max(1, int(wait_s + 0.999))
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._writes.append((now, chat))

    def _text(self, given: Mapping[str, str]) -> str:
        text = given.get("text", "")
        if given.get("parse_mode") == "HTML":
            try:
                text = parse_html(text)
            except BadMarkup as error:
                raise Refusal(400, f"Bad Request: can't parse entities: {error}") from error
        text = text.strip()
        if not text:
            raise Refusal(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST:
            raise Refusal(400, "Bad Request: message is too long")
        return text

    def _stands(self, chat: int, number: int) -> bool:
        gone = any(message.number == number and message.deleted for message in self.messages)
        return 0 < number < self._next_number and not gone

    def _find(self, chat: int, number: int) -> Message:
        return next(message for message in self.messages if (message.chat, message.number) == (chat, number))

    def _number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def _push(self, update: dict[str, Any]) -> None:
        self._updates.append({"update_id": self._next_update} | update)
        self._next_update += 1
        self._news.set()

    def _sketch(self, chat: int, number: int) -> dict[str, Any]:
        kind = {"type": "supergroup", "title": "ops"} if chat < 0 else {"type": "private", "first_name": "ada"}
        return {"message_id": number, "date": int(self._clock()), "chat": {"id": chat} | kind}

    def _shown(self, message: Message) -> dict[str, Any]:
        return self._sketch(message.chat, message.number) | {"text": message.text}

    # ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────

    def app(self) -> web.Application:
        """The server's routes."""
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_post("/_control", self._control)
        app.router.add_get("/_control", self._report)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        how, until = self._away
        if how and self._clock() < until:
            return await _no_service(request, how)
        token, method = request.match_info["token"], request.match_info["method"]
        given = {str(name): str(value) for name, value in {**request.query, **await request.post()}.items()}
        try:
            if token != self.token:
                raise (
                    Refusal(401, "Unauthorized")
                    if re.fullmatch(r"\d+:[\w-]{10,}", token)
                    else Refusal(404, "Not Found")
                )
            result = await self.call(method, given)
        except Refusal as refusal:
            self._note(method, given, refusal.code, str(refusal))
            body: dict[str, Any] = {"ok": False, "error_code": refusal.code, "description": str(refusal)}
            if refusal.parameters:
                body["parameters"] = refusal.parameters
            return web.json_response(body, status=refusal.code)
        self._note(method, given, 200, result)
        if self._lose_answers and method.lower() in ("sendmessage", "editmessagetext"):
            self._lose_answers -= 1
            return await _no_service(request, "reset")
        return web.json_response({"ok": True, "result": result})

    def _note(self, method: str, given: Mapping[str, str], code: int, result: object) -> None:
        if method.lower() == "getupdates" and code == 200 and not result:
            return
        call = {"at": self._clock(), "method": method, "given": dict(given), "code": code, "result": result}
        self.calls.append(call)
        if self._record is not None:
            with self._record.open("ab") as file:
                file.write(orjson.dumps(call) + b"\n")

    async def _control(self, request: web.Request) -> web.Response:
        """`{"do": "go_away", "how": "reset", "for_s": 120}`: a method above and its arguments."""
        order = await request.json()
        do = order.pop("do", "")
        if do not in ("add_chat", "say", "block", "unblock", "move", "go_away", "come_back", "hold_off", "delete"):
            return web.json_response({"error": f"no such order: {do}"}, status=400)
        return web.json_response({"result": getattr(self, do)(**order)})

    async def _report(self, request: web.Request) -> web.Response:
        """All messages as they stand now."""
        messages = [asdict(message) for message in self.messages]
        return web.json_response({"messages": messages, "conflicts": self.conflicts})


async def _no_service(request: web.Request, how: str) -> web.StreamResponse:
    if how == "502":
        return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
    if how == "hang":
        await asyncio.sleep(3600)
    hang_up(request)
    return web.Response(status=500)


async def _serve(options: argparse.Namespace) -> None:
    telegram = Telegram(token=options.token, record=options.record)
    for chat in options.chat:
        telegram.add_chat(chat)
    async with serving(telegram.app(), host=options.host, port=options.port) as address:
        await until_stopped(address, until_eof=options.until_eof)


def main(line: list[str]) -> int:
    """Serves until a signal. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.telegram", description="Plays Telegram's Bot API.")
    add_arguments(parser)
    parser.add_argument("--record", type=Path, metavar="FILE", help="a JSON line for each call")
    parser.add_argument("--token", default=TOKEN, help="the bot's (default: %(default)s)")
    parser.add_argument("--chat", type=int, action="append", default=[], help="a chat that the bot may write to")
    return run(_serve(parser.parse_args(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
