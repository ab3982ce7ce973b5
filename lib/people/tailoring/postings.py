"""Loads the posting that somebody applies to."""

from __future__ import annotations

from lib.people.tailoring.demands import Posting
from lib.store.connections import Database
from sql import statements

_SQL = statements("tailoring")


async def load_posting(database: Database, posting_id: int) -> Posting | None:
    """None when there is no such posting."""
    row = await database.fetchrow(_SQL.load_application_posting, posting_id)
    return None if row is None else Posting(**row)
