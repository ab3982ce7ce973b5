"""Résumés that their owners asked to keep: one account's each, until their time is over."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from lib.people.paper import Paper, Section
from lib.store.connections import Database
from sql import statements

_SQL = statements("resumes")
MAX_KEPT = 20  # for each account


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """A résumé as it was read. `id` and `keep_until` (UTC) are null for one that is not kept. `language`: ISO 639-1.

    `ocr`: pages were read that are pictures. `unread`: how many more are, beside pages of text, and were left out.
    """

    id: uuid.UUID | None
    language: str | None
    pages: int
    ocr: bool
    unread: int
    text: str
    sections: tuple[Section, ...]
    keep_until: datetime | None


def resume_of(paper: Paper, language: str | None) -> Resume:
    """The résumé on a paper, not kept."""
    return Resume(
        id=None,
        language=language,
        pages=paper.pages,
        ocr=paper.ocr,
        unread=paper.unread,
        text=paper.text,
        sections=paper.sections,
        keep_until=None,
    )


async def keep(
    database: Database, account_id: int, resume: Resume, resume_id: uuid.UUID, now: datetime, keep_until: datetime
) -> Resume | None:
    """The résumé as it is kept from now on; None when the account keeps MAX_KEPT already."""
    kept = await database.fetch(
        _SQL.keep_resume, resume_id, account_id, resume.language, resume.pages, resume.ocr, resume.unread,
        resume.text, msgspec.to_builtins(resume.sections), now, keep_until, MAX_KEPT,
    )  # fmt: skip
    return msgspec.structs.replace(resume, id=resume_id, keep_until=keep_until) if kept else None


async def load(database: Database, account_id: int | None, resume_id: uuid.UUID, now: datetime) -> Resume | None:
    """A kept résumé of this account; None for anybody else's, and for one that is over."""
    row = await database.fetchrow(_SQL.load_resume, resume_id, account_id, now)
    return None if row is None else msgspec.convert(dict(row), Resume)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A kept résumé as a list shows it. Times are aware UTC."""

    id: uuid.UUID
    pages: int
    created_at: datetime
    keep_until: datetime


async def list_kept(database: Database, account_id: int, now: datetime) -> list[Kept]:
    """What an account keeps, newest first."""
    return [Kept(**row) for row in await database.fetch(_SQL.list_resumes, account_id, now)]


async def forget(database: Database, account_id: int | None, resume_id: uuid.UUID) -> bool:
    """Deletes one résumé. False when the account has none with this id."""
    return bool(await database.fetch(_SQL.forget_resume, resume_id, account_id))


async def forget_all(database: Database, account_id: int | None) -> int:
    """Deletes all that the account keeps; how many there were."""
    return int(await database.fetchval(_SQL.forget_resumes, account_id))


async def prune(database: Database, now: datetime) -> int:
    """Deletes what is over; how many there were."""
    return int(await database.fetchval(_SQL.prune_resumes, now))
