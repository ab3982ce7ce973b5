"""Buys answers: reserve, ask, settle or release. Each is bought once, whoever asks for it, however often.

A purchase goes on when its caller goes away, for the provider charges it all the same; whoever asks again gets it. Only
one that nobody wants any more before the provider was asked is dropped. Where this process dies, the reservation's
lease ends, and the ledger's sweep settles it in full: the provider may have charged it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from api.gateway import figures
from api.gateway.delivery import Delivered, Delivery
from api.gateway.meanings import UNWANTED
from api.gateway.providers import Operation, Provider, Terms
from api.gateway.refusals import NotBought, of_answer, of_ledger, of_pace
from api.gateway.upstream import Account, Answer, Upstream
from lib.errors import RateLimited
from lib.net.breaker import Event
from lib.net.politeness import Politeness
from lib.spend.budget import RENEWED, Ask, Full, NotGranted
from lib.spend.ledger import Ledger, Reservation
from lib.store.blobs import BlobCorrupt, BlobMissing, Blobs, BlobsUnavailable, BlobTooLarge
from lib.store.connections import Database
from sql import statements

_SQL = statements("purchases")
_GRACE_S = 30.0  # a lease outlives the longest call by this: what is to be done after the answer
_REMEMBERED = timedelta(days=1)  # for how long a call without an answer is not bought again under its id
_TURN_S = 1.0  # how long the provider is left alone when Redis has forgotten who asks it
_SOON_S = 1.0
_PATIENCE_S = 2.0  # how long a call waits here for a place in flight before its caller has to come back
_POLL_S = (0.02, 0.1)  # between two looks for one that other gateways left, at random


@dataclass(frozen=True, kw_only=True)
class Order:
    """A call as it was asked for, its names known and its parameters checked."""

    provider: str
    operation: str
    parameters: Mapping[str, str]
    account_id: int | None
    request_id: str
    search_id: UUID | None
    record: str | None


class Buyer:
    """Everything that buying needs. `accounts`: those of the providers that are set up, by name; `most_places`: no
    provider is asked more at once, whatever it has."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        blobs: Blobs,
        politeness: Politeness,
        upstream: Upstream,
        accounts: Mapping[str, Account],
        terms: Terms,
        providers: Mapping[str, Provider],
        most_places: int,
        rng: random.Random,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._blobs = blobs
        self._politeness = politeness
        self._upstream = upstream
        self._accounts = accounts
        self._terms = terms
        self._providers = providers
        self._places = {name: min(provider.places, most_places) for name, provider in providers.items()}
        self._turns = {name: asyncio.Semaphore(places) for name, places in self._places.items()}
        self._rng = rng
        self._under_way: dict[tuple[str, ...], Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("gateway")

    @asynccontextmanager
    async def delivery(self, order: Order) -> AsyncIterator[Delivery]:
        """The answer to `order`, shared with all who want the same now."""
        keys = _keys(order)
        delivery = next((self._under_way[key] for key in keys if key in self._under_way), None)
        if delivery is None:
            delivery = Delivery(order.request_id)
            self._begin(order, delivery, keys)
        delivery.waiting += 1
        try:
            yield delivery
        finally:
            delivery.waiting -= 1

    async def drain(self, seconds: float) -> None:
        """Waits for purchases that are under way. What is cut off is swept later."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _begin(self, order: Order, delivery: Delivery, keys: list[tuple[str, ...]]) -> None:
        self._under_way |= dict.fromkeys(keys, delivery)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            for key in keys:
                del self._under_way[key]

        task = asyncio.create_task(self._deliver(order, delivery))
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def _deliver(self, order: Order, delivery: Delivery) -> None:
        began = time.perf_counter()
        outcome, paid = "broken", 0
        try:
            delivered = await self._held(order) or await self._buy(order, delivery)
            outcome, paid = "again" if delivered.again else "ok", delivered.credits
            delivery.end(delivered)
        except NotBought as refusal:
            outcome, paid = refusal.word, refusal.paid
            delivery.end(refusal)
        except Exception:  # noqa: BLE001 - one call's bug must not end the others; it is logged, and counted as broken
            self._log.exception("call failed", request=order.request_id)
        finally:
            delivery.end(NotBought(502, "provider", "the gateway failed at this call"))  # where nothing else came
            took_s = time.perf_counter() - began
            figures.called(order.provider, order.operation, outcome, paid, took_s)
            self._log.info(
                "call", provider=order.provider, operation=order.operation, request=order.request_id, outcome=outcome,
                credits=paid, account=order.account_id, search=order.search_id, record=order.record,
                took_s=round(took_s, 3),
            )  # fmt: skip

    async def _held(self, order: Order) -> Delivered | None:
        """What was bought before, None where nothing was."""
        row = await self._database.fetchrow(
            _SQL.held_purchase, order.request_id, order.provider, order.operation, order.record, RENEWED
        )
        if row is None:
            return None
        bought = row["provider"], row["operation"], row["record"]
        other_call = bought != (order.provider, order.operation, order.record)
        others = order.record is None and row["account_id"] not in (None, order.account_id)
        if row["request_id"] == order.request_id and (other_call or others):
            raise NotBought(409, "taken", "this request id stands for another call")
        try:
            return Delivered(await self._blobs.get(row["blob_key"]), 0, row["bought_at"], again=True)
        except BlobsUnavailable as error:
            raise NotBought(429, "busy", "what was bought cannot be read now", retry_after_s=_SOON_S) from error
        except (BlobMissing, BlobCorrupt) as error:
            self._log.error("what was bought is gone", request=order.request_id, reason=str(error))
            raise NotBought(502, "lost", "what was bought is gone") from error

    async def _buy(self, order: Order, delivery: Delivery) -> Delivered:
        await self._check(order)
        async with self._turn(order.provider):
            return await self._visit(order, delivery)

    @asynccontextmanager
    async def _turn(self, provider: str) -> AsyncIterator[None]:
        """One of the provider's places in this process, after a short wait. Other gateways' calls are counted by the
        ledger."""
        turns = self._turns[provider]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await turns.acquire()
        except TimeoutError as error:
            raise NotBought(429, "busy", "as many calls are in flight as may be", retry_after_s=_SOON_S) from error
        try:
            yield
        finally:
            turns.release()

    async def _visit(self, order: Order, delivery: Delivery) -> Delivered:
        provider = self._providers[order.provider]
        try:
            visit = await self._politeness.enter(f"provider {order.provider}", provider.limits, _TURN_S)
        except RateLimited as error:
            raise of_pace(error, datetime.now(UTC)) from error
        health: Event | None = None
        pause_s = 0.0
        try:
            reservation = await self._reserve(order)
            if (held := await self._meanwhile(order, reservation)) is not None:
                return held
            answer = await self._ask(order, delivery)
            health, pause_s = answer.meaning.health, answer.pause_s
            return await self._end(order, reservation, answer)
        finally:
            self._politeness.leave(visit, health, pause_s)

    async def _check(self, order: Order) -> None:
        """Raises NotBought for whoever does not spend credits, and for what was paid for in vain."""
        if order.provider not in self._accounts:
            raise NotBought(502, "provider", f"{order.provider} is not set up here")
        row = await self._database.fetchrow(
            _SQL.may_buy, order.account_id, order.provider, order.request_id, _REMEMBERED
        )
        assert row is not None  # it has no FROM
        if order.account_id is not None and not row["may_spend"]:
            raise NotBought(403, "free", "this account does not spend credits")
        if row["paid"]:
            raise NotBought(502, "lost", "this call was paid for, and its answer was not kept or never came")

    async def _reserve(self, order: Order) -> Reservation:
        operation = self._operation(order)
        ask = Ask(
            account_id=order.account_id,
            provider=order.provider,
            operation=order.operation,
            credits=operation.ceiling(order.parameters, self._terms),
            request_id=order.request_id,
            search_id=order.search_id,
            record=order.record,
            places=self._places[order.provider],
            lease_s=operation.busy_s + _GRACE_S,
        )
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return await self._ledger.reserve(ask)
            except NotGranted as error:
                if not isinstance(error, Full) or time.monotonic() > deadline:
                    raise of_ledger(error) from error
            await asyncio.sleep(self._rng.uniform(*_POLL_S))

    async def _meanwhile(self, order: Order, reservation: Reservation) -> Delivered | None:
        """What was bought while this order waited for its turn. From now on nobody else buys it: the ledger lets no two
        reservations of a request, or of a record, be open at a time. Raises NotBought where it was lost."""
        try:
            held = await self._held(order)
            if held is None:
                await self._check(order)
                return None
        except NotBought:
            await self._ledger.release(reservation.id, "unwanted")
            raise
        await self._ledger.release(reservation.id, "unwanted")
        return held

    async def _ask(self, order: Order, delivery: Delivery) -> Answer:
        if not delivery.waiting:
            return Answer(UNWANTED)
        with figures.in_flight.labels(order.provider).track_inprogress():
            return await self._upstream.ask(
                self._providers[order.provider], self._operation(order), order.parameters,
                self._accounts[order.provider], delivery.add,
            )  # fmt: skip

    async def _end(self, order: Order, reservation: Reservation, answer: Answer) -> Delivered:
        """Ends the reservation by what the answer means. Raises NotBought where there is none to hand on."""
        meaning = answer.meaning
        if meaning.credits == 0:
            await self._ledger.release(reservation.id, meaning.outcome)
            raise of_answer(answer, 0)
        cost = reservation.credits if meaning.credits is None else meaning.credits
        key = await self._keep(order, answer) if meaning.good else None
        settled = await self._ledger.settle(
            reservation.id, cost, meaning.outcome, blob_key=key, provider_id=meaning.provider_id
        )
        if settled.above:
            self._log.error("cost more than declared, shut now", request=order.request_id, above=settled.above)
        if not meaning.good:
            raise of_answer(answer, cost)
        return Delivered(answer.body, cost, datetime.now(UTC))

    async def _keep(self, order: Order, answer: Answer) -> str | None:
        """The blob's key; None where nothing is to be kept, or can be: it is paid for, and handed on all the same."""
        if not self._operation(order).kept:
            return None
        try:
            return await self._blobs.put(answer.body)
        except (BlobsUnavailable, BlobTooLarge) as error:
            self._log.error("what was bought is not kept", request=order.request_id, reason=str(error))
            return None

    def _operation(self, order: Order) -> Operation:
        return self._providers[order.provider].operations[order.operation]


def _keys(order: Order) -> list[tuple[str, ...]]:
    """By what an order is recognised as the same as another one."""
    keys: list[tuple[str, ...]] = [(order.provider, order.operation, str(order.account_id), order.request_id)]
    if order.record is not None:
        keys.append((order.provider, order.operation, order.record))
    return keys
