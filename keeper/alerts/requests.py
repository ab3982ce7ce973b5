"""What a person asks of a keeper of any host, as rows that this keeper takes and answers."""

from __future__ import annotations

from dataclasses import dataclass

from lib.store.connections import Database
from sql import statements

_SQL = statements("alerts")
FOR_THE_TELLER = ""  # the host of requests that are for whoever tells the alerts


@dataclass(frozen=True)
class Request:
    """`what` is `restart` or `tail`, and for the teller `ack`; `unit` is what it is about."""

    id: int
    unit: str
    what: str
    asked_by: str


class Requests:
    """The requests to the keepers. All calls wait while PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self, host: str, unit: str, what: str, asked_by: str, *, channel: str = "", reply_to: int | None = None
    ) -> int:
        """Asks the keeper of `host`; the answer goes to `channel`, or is waited for with `answer_of`."""
        asked: int = await self._database.fetchval(_SQL.ask_keeper, host, unit, what, asked_by, channel, reply_to)
        return asked

    async def pending(self, host: str) -> list[Request]:
        """What is asked of `host` and nobody has taken yet. Each is given out once, so each must be answered."""
        return [Request(**row) for row in await self._database.fetch(_SQL.take_requests, host)]

    async def answer(self, request: int, text: str) -> None:
        """Says what came of a request: the first line for a person, further ones are shown in fixed width."""
        await self._database.execute(_SQL.answer_request, request, text)

    async def answer_of(self, request: int) -> str | None:
        """What came of it, None while nobody has answered."""
        found: str | None = await self._database.fetchval(_SQL.load_answer, request)
        return found
