"""GET /status/credits: what an account used this month, and for admins what all did."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from aiohttp import web

from api.room import CALLER, CONFIG, DATABASE, json_response
from lib.spend.status import DayUse, Status, load_days, load_status


class Credits(msgspec.Struct, frozen=True):
    """Credits of the month (UTC). `used` and `days` are the caller's own; `all` is null without the scope admin."""

    used: int
    days: list[DayUse]
    all: Status | None


async def show_credits(request: web.Request) -> web.Response:
    """The caller's credits; whoever may keep accounts sees the whole budget."""
    caller, database, now = request[CALLER], request.app[DATABASE], datetime.now(UTC)
    days = [] if caller.account_id is None else await load_days(database, caller.account_id, now)
    everything = None
    if "admin" in caller.scopes:
        everything = await load_status(database, request.app[CONFIG].credits_monthly, now)
    return json_response(Credits(sum(day.used for day in days), days, everything))
