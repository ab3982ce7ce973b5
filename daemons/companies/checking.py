"""Is a candidate a board? One list request, and the answer as one of a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import anyio

from daemons.companies import candidates
from daemons.companies.looking import Fetch
from daemons.companies.verdict import Verdict
from daemons.sources import SOURCES
from lib.errors import Gone, SourceError
from lib.posting.contract import Page, Source
from lib.store.connections import Database

_AT_ONCE = 16
_BATCH = 200
# Some systems tell in a first step what to ask in the next one.
_MAX_STEPS = 3


async def check(client: Fetch, source: Source, tenant: str) -> Verdict:
    """Asks for the first page of a tenant's list.

    An unknown tenant is 404 in most systems, but an empty list in some (SmartRecruiters): empty is never live.
    """
    cursor = None
    try:
        for _ in range(_MAX_STEPS):
            request = source.request(tenant, cursor).on_behalf_of(source.name)
            page = source.parse(tenant, await client.send(request))
            if page.rows or page.cursor is None:
                return judged(page)
            cursor = page.cursor
    except Gone as error:
        return Verdict("gone", reason=str(error))
    except SourceError as error:
        return Verdict("unknown", reason=f"{type(error).__name__}: {error}"[:500])
    return Verdict("unknown", reason=f"no posting after {_MAX_STEPS} steps")


def judged(page: Page) -> Verdict:
    """What a list's first page says."""
    if page.rows:
        return Verdict("live", max(page.total or 0, len({row.external_id for row in page.rows})))
    if page.rejected:
        return Verdict(
            "unknown", reason=f"{len(page.rejected)} rows that cannot be read: {page.rejected[0].reason}"[:500]
        )
    if page.total:
        return Verdict("unknown", reason=f"{page.total} postings are said to be there, and none is shown")
    return Verdict("empty", 0)


async def check_all(
    database: Database, client: Fetch, sources: Collection[str], limit: int, progress: Callable[[], None]
) -> dict[str, int]:
    """Asks about up to `limit` candidates, several at a time; each verdict is kept at once. Counts by state."""
    found: Counter[str] = Counter()
    slots = anyio.CapacityLimiter(_AT_ONCE)

    async def one(source: str, tenant: str) -> None:
        async with slots:
            verdict = await check(client, SOURCES[source], tenant)
            await candidates.note(database, source, tenant, verdict)
        found[verdict.state] += 1
        progress()

    while found.total() < limit:
        batch = await candidates.to_check(database, sources, min(_BATCH, limit - found.total()))
        if not batch:
            break
        async with anyio.create_task_group() as tasks:
            for source, tenant in batch:
                tasks.start_soon(one, source, tenant)
    return dict(found)
