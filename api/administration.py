"""Accounts and keys over HTTP, for keys and people with the scope admin. Everything is written down."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import web

from api import accounts, keys, passwords
from api.account_bodies import KeyMade, Made, NewAccount, NewKey, TierChange
from api.callers import USUAL_SCOPES
from api.room import CALLER, DATABASE, json_response


async def list_accounts(request: web.Request) -> web.Response:
    """GET /accounts."""
    return json_response(await accounts.list_accounts(request.app[DATABASE]))


async def create_account(request: web.Request) -> web.Response:
    """POST /accounts."""
    wanted = msgspec.json.decode(await request.read(), type=NewAccount)
    sealed = None
    if wanted.password is not None:
        salt = secrets.token_bytes(passwords.SALT_BYTES)
        sealed = await asyncio.to_thread(passwords.seal, wanted.password, salt)
    try:
        account_id = await accounts.create_account(
            request.app[DATABASE], wanted.name, wanted.tier, sealed=sealed, who=await _who(request)
        )
    except accounts.NameTaken as error:
        raise web.HTTPConflict(text=str(error)) from error
    return json_response(Made(account_id), 201)


async def change_account(request: web.Request) -> web.Response:
    """PATCH /accounts/{id}."""
    change = msgspec.json.decode(await request.read(), type=TierChange)
    try:
        await accounts.set_tier(request.app[DATABASE], _id(request), change.tier, who=await _who(request))
    except accounts.NoAccount as error:
        raise web.HTTPNotFound(text=str(error)) from error
    return web.Response(status=204)


async def close_account(request: web.Request) -> web.Response:
    """DELETE /accounts/{id}."""
    try:
        await accounts.close_account(request.app[DATABASE], _id(request), who=await _who(request))
    except accounts.NoAccount as error:
        raise web.HTTPNotFound(text=str(error)) from error
    return web.Response(status=204)


async def create_key(request: web.Request) -> web.Response:
    """POST /accounts/{id}/keys."""
    wanted = msgspec.json.decode(await request.read(), type=NewKey)
    scopes = USUAL_SCOPES if wanted.scopes is None else wanted.scopes
    ends = None if wanted.expires_days is None else datetime.now(UTC) + timedelta(days=wanted.expires_days)
    database, secret = request.app[DATABASE], secrets.token_bytes(32)
    try:
        made = await keys.create_key(database, wanted.label, secret, _id(request), scopes, ends, await _who(request))
    except accounts.NoAccount as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except keys.UnusableScope as error:
        raise msgspec.ValidationError(str(error)) from error
    return json_response(KeyMade(*made), 201)


async def revoke_key(request: web.Request) -> web.Response:
    """DELETE /keys/{id}."""
    if not await keys.revoke_key(request.app[DATABASE], _id(request), await _who(request)):
        raise web.HTTPNotFound(text="there is no valid key with this id")
    return web.Response(status=204)


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


async def _who(request: web.Request) -> str:
    account_id = request[CALLER].account_id
    if account_id is None:
        raise web.HTTPForbidden(text="only an account may do this")
    return await accounts.name_of(request.app[DATABASE], account_id)
