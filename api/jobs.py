"""Jobs as a list with filters, and one by one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from api.bodies import Change, Job, JobDetail, JobPage, JobsQuery, Origin, Salary
from api.room import CONFIG, DATABASE, json_response
from lib.match.profile import accepted_employment
from lib.posting.contract import clean_text
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("jobs")


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended, in the order of the list."""

    first_seen: datetime
    id: int


def cursor_of(first_seen: datetime, posting_id: int) -> str:
    """An opaque text that marks the place behind a posting."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_Place(first_seen, posting_id))).decode()


def place_of(cursor: str) -> tuple[datetime, int]:
    """The place that a cursor marks. Raises msgspec.ValidationError when it is none of ours."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode("ascii", "replace")), type=_Place)
        place.first_seen.astimezone(UTC)  # the first and the last day of all do not exist everywhere
    except (binascii.Error, ValueError, OverflowError) as error:
        raise msgspec.ValidationError("cursor: not one that this API gave out") from error
    if place.first_seen.tzinfo is None or not 0 <= place.id < 2**63:
        raise msgspec.ValidationError("cursor: not one that this API gave out")
    return place.first_seen, place.id


async def list_jobs(request: web.Request) -> web.Response:
    """GET /jobs."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise msgspec.ValidationError(f"{name}: given more than once")
        given[name] = clean_text(value)
    if not given.get("limit", "1").isdecimal():
        raise msgspec.ValidationError("limit: a whole number from 1 to 100 expected")
    query = msgspec.convert(given, JobsQuery, strict=False)
    first_seen, after_id = (None, None) if query.cursor is None else place_of(query.cursor)
    seen_after = datetime.now(UTC) - timedelta(days=request.app[CONFIG].expire_days)

    async def load(connection: Connection) -> Any:
        await connection.execute(_SQL.plan_with_values)
        return await connection.fetch(
            _SQL.list_jobs, seen_after, first_seen, after_id, query.country and query.country.upper(),
            query.language and query.language.lower(), query.remote,
            accepted_employment([query.employment]) if query.employment else None, query.company,
            query.min_salary, query.q, query.limit + 1,
        )  # fmt: skip

    rows = await request.app[DATABASE].transaction(load)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return json_response(
        JobPage(
            jobs=tuple(Job(**_fields(row)) for row in shown),
            next=cursor_of(shown[-1]["first_seen"], shown[-1]["id"]) if more else None,
        )
    )


async def show_job(request: web.Request) -> web.Response:
    """GET /jobs/{id}."""
    return json_response(await find_job(request.app[DATABASE], int(request.match_info["id"])))


async def find_job(database: Database, posting_id: int) -> JobDetail:
    """One posting with everything that is known of it. Raises HTTPNotFound."""

    async def load(connection: Connection) -> tuple[Any, Any]:
        row = await connection.fetchrow(_SQL.load_job, posting_id)
        return row, await connection.fetch(_SQL.load_history, posting_id)

    row, history = await database.transaction(load)
    if row is None:
        raise web.HTTPNotFound(text="there is no job with this id")
    return JobDetail(
        **_fields(row),
        **{name: row[name] for name in _OWN_FIELDS},
        origin=Origin(**{name: row[name] for name in Origin.__struct_fields__}),
        provenance=row["provenance"] or {},
        history=tuple(Change(**change) for change in history),
    )


_OWN_FIELDS = (
    "state", "revision", "lat", "lon", "permanent", "valid_through", "closed_at", "reopened_at", "description_html",
    "description_text", "stated",
)  # fmt: skip
_COMMON_FIELDS = (
    "id", "title", "company", "url", "apply_url", "city", "region", "language", "remote", "employment", "posted_at",
    "first_seen", "last_seen",
)  # fmt: skip


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: row[name] for name in _COMMON_FIELDS}
    return fields | {"places": tuple(row["places"]), "country": row["country_code"], "salary": _salary(row)}


def _salary(row: Mapping[str, Any]) -> Salary | None:
    if row["salary_min"] is None and row["salary_max"] is None:
        return None
    return Salary(
        min=row["salary_min"],
        max=row["salary_max"],
        currency=row["salary_currency"],
        period=row["salary_period"],
        year_min_eur=row["salary_year_min_eur"],
        year_max_eur=row["salary_year_max_eur"],
    )
