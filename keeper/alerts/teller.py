"""The alerting side of one keeper: takes what it sees, and tells it while it holds the lease."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import anyio
import anyio.to_thread
import structlog

from keeper.alerts import tables
from keeper.alerts.cases import TELEGRAM, Book, Message, Purpose
from keeper.alerts.commands import Desk, Unclear, acknowledge
from keeper.alerts.ledger import Ledger
from keeper.alerts.level import Report, fresh, merge
from keeper.alerts.listener import Listener
from keeper.alerts.masking import Mask
from keeper.alerts.plan import Channels, Policy, plan
from keeper.alerts.render import answer
from keeper.alerts.requests import FOR_THE_TELLER, Requests
from keeper.alerts.second import second_channels
from keeper.alerts.sender import Sender
from keeper.alerts.spool import Spool
from keeper.alerts.telegram import Telegram
from keeper.incident import Incident
from lib.life.config import Config
from lib.store.connections import Database

_LOOK_S = 2.0
_ANSWER_S = 60.0  # for a keeper to answer a request, after which the person is told that it did not
_PURGE_S = 6 * 3600.0


class Teller:
    """Tells people of all incidents of the fleet, when this keeper is the one that does.

    `state` is a folder that outlives the keeper. `places` is the map of the fleet, unit -> host. `stands_back`: this
    host holds PostgreSQL, so the keepers of the others tell first.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        state: Path,
        *,
        places: Mapping[str, str],
        stands_back: bool = False,
        policy: Policy | None = None,
        rng: random.Random | None = None,
        look_s: float = _LOOK_S,
        ledger: Ledger | None = None,
    ) -> None:
        self._config = config
        self._database = database
        self._policy = policy or Policy()
        self._rng = rng or random.Random()
        self._look_s = look_s
        self._mask = Mask(config)
        self._second = second_channels(config)
        self._channels = Channels(
            tuple(f"{TELEGRAM}{chat}" for chat in config.telegram_chats) if config.telegram_token else (),
            tuple(second.name for second in self._second),
        )
        self.ledger = ledger or Ledger(
            database, config.host, Spool(state), stands_back=stands_back, recent_s=self._policy.forget_s
        )
        self._desk = Desk(database, places)
        self._requests = Requests(database)
        self._given: tuple[Incident, ...] = ()
        self._level: tuple[Incident, ...] = ()
        self._purged_at = float("-inf")
        self._log = structlog.get_logger("alerts")

    def report(self, incidents: Sequence[Incident]) -> None:
        """All incidents that are open on this host. Returns at once; secrets are masked here, before they travel."""
        given = tuple(incidents)
        if given != self._given:
            self._given = given
            self._level = tuple(self._mask.incident(incident) for incident in given)

    async def serve(self, stop: anyio.Event) -> None:
        """Syncs and tells until `stop`, then lets another keeper go on. Survives that PostgreSQL goes away."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._look_forever)
                tasks.start_soon(self._tell_forever)
                await stop.wait()
                tasks.cancel_scope.cancel()
        finally:
            await self.ledger.let_go()

    async def look(self) -> None:
        """Syncs with the tables once, and decides what every channel should show."""
        await self.ledger.sync(self._level)
        if self.ledger.lease is None:
            return
        now, before = self.ledger.now(), self.ledger.book
        # Others cannot be heard now, or may not have repeated themselves yet: their last word holds.
        settling = not self.ledger.online or now - self.ledger.back_at < self._policy.expire_s
        others = fresh(self.ledger.others, float("-inf") if settling else now - self._policy.expire_s)
        own = [Report(self._config.host, incident, now) for incident in self._level]
        planned = plan(before, merge([*own, *others]), self._channels, now, self._policy, self._new_id)
        self._say(planned, before)
        await self.ledger.keep(planned)
        if self.ledger.online and self.ledger.lease is not None:
            with anyio.move_on_after(_LOOK_S):
                await self._serve_requests()

    async def _look_forever(self) -> None:
        while True:
            await self.look()
            await anyio.sleep(self._look_s)

    async def _tell_forever(self) -> None:
        while True:
            if self.ledger.lease is not None:
                await self._tell()
            await anyio.sleep(self._look_s)

    async def _tell(self) -> None:
        """Sends and listens until the lease is lost."""
        sender = Sender(self.ledger, self._channels, self._policy, self._mask, new_id=self._new_id, rng=self._rng)
        async with AsyncExitStack() as stack:
            telegram = None
            if self._channels.chats:
                await anyio.to_thread.run_sync(import_module, "telegram")  # takes a good part of a second
                telegram = await stack.enter_async_context(
                    Telegram(self._config.telegram_token, self._config.telegram_api)
                )
            async with anyio.create_task_group() as tasks:
                if telegram is not None:
                    tasks.start_soon(sender.to_chats, telegram)
                    tasks.start_soon(self._listener(telegram).listen)
                for second in self._second:
                    tasks.start_soon(sender.to_second, second)
                await self.ledger.until_lost()
                tasks.cancel_scope.cancel()
            if telegram is not None:
                await sender.close_disowned(telegram)

    def _listener(self, telegram: Telegram) -> Listener:
        return Listener(
            telegram,
            self.ledger,
            self._database,
            self._desk,
            self._channels.chats,
            self._mask,
            new_id=self._new_id,
            rng=self._rng,
        )

    async def _serve_requests(self) -> None:
        """Takes acknowledgements of command lines, and tells what came of requests out of chats."""
        for request in await self._requests.pending(FOR_THE_TELLER):
            await self._requests.answer(request.id, await self._acknowledge(request.unit, request.asked_by))
        untold = await tables.load_untold(self._database, _ANSWER_S)
        messages = [self._outcome(one) for one in untold]
        if untold:
            await self.ledger.put(*messages, handled=[one.id for one in untold])
        if time.monotonic() - self._purged_at > _PURGE_S:
            self._purged_at = time.monotonic()
            await tables.purge(self._database)

    async def _acknowledge(self, name: str, who: str) -> str:
        cases = self.ledger.book.open_cases()
        try:
            found = acknowledge((name,), cases, None)
        except Unclear as error:
            return str(error)
        now = self.ledger.now()
        rows = [self.ledger.book.cases[case] for case in found.acked]
        await self.ledger.put(*(replace(case, acked_at=now, acked_by=who) for case in rows))
        return "\n".join((found.title, *found.lines))

    def _outcome(self, one: tables.Untold) -> Message:
        said = self._mask_lines(one.answer or f"the keeper of {one.host} did not answer")
        return Message(
            id=self._new_id(),
            case=None,
            channel=one.channel,
            purpose=Purpose.ANSWER,
            text=answer(f"{one.what} {one.unit}: {said[0] if said else 'done'}", said[1:]),
            reply_to=one.reply_to,
            created_at=self.ledger.now(),
        )

    def _mask_lines(self, text: str) -> list[str]:
        return [self._mask.text(line) for line in text.splitlines()]

    def _say(self, planned: Book, before: Book) -> None:
        """What begins and ends is in the journal as well."""
        for key, case in planned.cases.items():
            old = before.cases.get(key)
            if old is None:
                incident = case.incident
                self._log.warning("incident", key=incident.key, kind=incident.kind, title=incident.title)
            elif old.open and not case.open:
                self._log.info("incident over", key=case.incident.key)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
