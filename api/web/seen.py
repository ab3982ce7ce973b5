"""What a search showed, kept in Redis for an hour: to go back to it, and to say on a posting's page why it fits.

Nothing depends on it: without it, a page says less. It is seen by the account that searched, and by nobody else.
"""

from __future__ import annotations

import uuid

import anyio
import msgspec
import redis.exceptions
from aiohttp import web

from api.room import CACHE, CALLER
from lib.match.answer import Answer

_KEEP_S = 3_600
_PATIENCE_S = 0.2
_TROUBLE = (OSError, TimeoutError, redis.exceptions.RedisError)


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    account_id: int | None
    answer: Answer


async def remember(request: web.Request, answer: Answer) -> bool:
    """Keeps an answer for whoever asks; False while Redis is away."""
    kept = msgspec.msgpack.encode(_Seen(request[CALLER].account_id, answer))
    try:
        with anyio.fail_after(_PATIENCE_S):
            await request.app[CACHE].client.set(_key(answer.id), kept, ex=_KEEP_S)
    except _TROUBLE:
        return False
    return True


async def recall(request: web.Request, search_id: uuid.UUID) -> Answer | None:
    """What was kept of a search of whoever asks, None where nothing is, or is not theirs."""
    try:
        with anyio.fail_after(_PATIENCE_S):
            kept = await request.app[CACHE].client.get(_key(search_id))
    except _TROUBLE:
        return None
    if not isinstance(kept, bytes):
        return None
    try:
        seen = msgspec.msgpack.decode(kept, type=_Seen)
    except msgspec.MsgspecError:  # of a release that answered in another shape
        return None
    return seen.answer if seen.account_id == request[CALLER].account_id else None


def _key(search_id: uuid.UUID) -> str:
    return f"vakanz:seen:{search_id}"
