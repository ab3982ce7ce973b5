"""The gateway over HTTP: who may ask, what they may ask for, and how an answer goes out.

    POST /proxy/{provider}/{operation}    a Question; 200 is the provider's own body, `X-Credits` what it cost now,
                                          `X-Bought-At` when it was bought, `X-Again` whether that was before; a stream
                                          ends with the event `paid`. Everything else: `api.gateway.refusals`
    GET /status/credits                   what is used, reserved and left, by account and by day
    GET /healthz, /metrics                open: they tell nothing that is secret

All but the last want `Authorization: Bearer` with the setting `gateway_key`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from math import ceil
from typing import Annotated
from uuid import UUID

import msgspec
import structlog
from aiohttp import hdrs, web

from api.gateway.buying import Buyer, Order
from api.gateway.delivery import Delivery
from api.gateway.parameters import BadParameters
from api.gateway.providers import PROVIDERS, Operation, Provider
from api.gateway.refusals import NotBought
from lib.life import metrics
from lib.spend.client import AGAIN, BOUGHT_AT, CREDITS, PAID_EVENT
from lib.spend.ledger import Ledger
from lib.spend.sse import Event, written
from lib.store.connections import Database

MAX_BODY_BYTES = 512 * 1024
_AWAY_S = 2.0

BUYER = web.AppKey("buyer", Buyer)
LEDGER = web.AppKey("ledger", Ledger)
DATABASE = web.AppKey("database", Database)
PROVIDERS_HERE: web.AppKey[dict[str, Provider]] = web.AppKey("providers", dict)
_KEY = web.AppKey("key", bytes)
_OPEN = frozenset({"/healthz", "/metrics"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[!-~]+\Z")]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller wants to have bought. `account_id` None: the house pays."""

    parameters: dict[str, str]
    request_id: Name
    account_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    search_id: UUID | None = None
    record: Name | None = None


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer. `status`: what the provider answered."""

    error: str
    detail: str
    status: int | None = None


def create_app(
    key: str, buyer: Buyer, ledger: Ledger, database: Database, providers: dict[str, Provider] | None = None
) -> web.Application:
    """The application, which opens nothing and closes nothing that it was given. `key`: what callers prove themselves
    by. Raises ValueError for an empty one, which everybody has."""
    if not key:
        raise ValueError("the gateway lets nobody in without a key")
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=(_problems, _keyed))
    app[BUYER], app[LEDGER], app[DATABASE], app[_KEY] = buyer, ledger, database, key.encode()
    app[PROVIDERS_HERE] = dict(PROVIDERS) if providers is None else providers
    app.router.add_post("/proxy/{provider}/{operation}", proxy)
    app.router.add_get("/status/credits", status)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", figures)
    return app


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure is a Problem; a bug is logged with its traceback, and tells nothing of our insides."""
    try:
        return await handler(request)
    except NotBought as error:
        return _problem(error.status, error.word, str(error), error.retry_after_s, error.theirs)
    except web.HTTPException as error:
        return _problem(error.status, "refused", error.reason)
    except msgspec.ValidationError as error:
        return _problem(422, "invalid", _printable(str(error)))
    except BadParameters as error:
        return _problem(422, "invalid", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _problem(400, "malformed", "the body is not JSON")
    except web.RequestPayloadError:
        return _problem(400, "malformed", "the body is not packed as its headers say")
    except Exception:  # noqa: BLE001 - one request's bug must not end the others; it is logged and counted as 500
        structlog.get_logger("gateway").exception("request failed", path=request.path)
        return _problem(500, "internal", "this is our fault and has been logged")


@web.middleware
async def _keyed(request: web.Request, handler: Handler) -> web.StreamResponse:
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    theirs = given.strip().encode("utf-8", "replace") if scheme.lower() == "bearer" else b""
    if request.path not in _OPEN and not hmac.compare_digest(theirs, request.app[_KEY]):
        raise web.HTTPUnauthorized(reason="the gateway's key is needed")
    return await handler(request)


async def proxy(request: web.Request) -> web.StreamResponse:
    """POST /proxy/{provider}/{operation}."""
    operation = _operation(request)
    question = msgspec.json.decode(await request.read(), type=Question)
    operation.check(question.parameters)
    if not request.app[DATABASE].link.up:
        raise NotBought(503, "resting", "the ledger is away", retry_after_s=_AWAY_S)
    order = Order(
        provider=request.match_info["provider"],
        operation=request.match_info["operation"],
        parameters=question.parameters,
        account_id=question.account_id,
        request_id=question.request_id,
        search_id=question.search_id,
        record=question.record,
    )
    async with request.app[BUYER].delivery(order) as delivery:
        if operation.streamed:
            return await _stream(request, operation, order, delivery)
        delivered = await delivery.whole(order.request_id)
    return web.Response(
        body=delivered.body,
        content_type=operation.media,
        headers={
            CREDITS: str(delivered.credits),
            BOUGHT_AT: delivered.bought_at.isoformat(),
            AGAIN: "true" if delivered.again else "false",
        },
    )


async def _stream(request: web.Request, operation: Operation, order: Order, delivery: Delivery) -> web.StreamResponse:
    """Shows the answer while it comes. One that fails in the middle is cut off: whoever reads it must notice."""
    await delivery.begun()
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: operation.media, hdrs.CACHE_CONTROL: "no-store"})
    await response.prepare(request)
    try:
        async for piece in delivery.pieces():
            await response.write(piece)
        paid = (await delivery.whole(order.request_id)).credits
        price = written(Event(PAID_EVENT, msgspec.json.encode({"credits": paid}).decode()))
        await response.write(b"\n\n" + price)  # after the provider's last event, whether or not it ended that
        await response.write_eof()
    except (NotBought, ConnectionError):  # the rest of the answer is gone, or whoever asked for it
        if request.transport is not None:
            request.transport.abort()
    return response


def _operation(request: web.Request) -> Operation:
    provider = request.app[PROVIDERS_HERE].get(request.match_info["provider"])
    operation = None if provider is None else provider.operations.get(request.match_info["operation"])
    if operation is None:
        raise NotBought(404, "unknown", "no such provider or operation")
    return operation


async def status(request: web.Request) -> web.Response:
    """GET /status/credits."""
    return _json(await request.app[LEDGER].status(datetime.now(UTC)))


async def healthz(request: web.Request) -> web.Response:
    """GET /healthz: the process answers, whatever its servers do."""
    return _json({"status": "ok"})


async def figures(request: web.Request) -> web.Response:
    """GET /metrics."""
    return web.Response(body=metrics.exposition(), headers={hdrs.CONTENT_TYPE: metrics.CONTENT_TYPE})


def _json(body: object, code: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=code, content_type="application/json")


def _problem(
    code: int, error: str, detail: str, retry_after_s: float | None = None, theirs: int | None = None
) -> web.Response:
    response = _json(Problem(error, detail, theirs), code)
    if retry_after_s is not None:
        response.headers[hdrs.RETRY_AFTER] = str(ceil(retry_after_s))
    return response


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
