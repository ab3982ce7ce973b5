"""The page of one posting: what it says, why it fits, how we know, and how it changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from api.bodies import Change, JobDetail
from api.jobs import find_job
from api.room import CALLER, DATABASE
from api.web.pages import render
from api.web.seen import recall
from lib.match.answer import Match
from lib.people import resumes
from lib.people.resumes import Kept

_MOST_CHARS = 300
_LEAST_WORD = 4


class Known(NamedTuple):
    """How some fields are known: `kind` is stated or derived, `by` an enricher, `words` the posting's own."""

    fields: tuple[str, ...]
    kind: str
    by: str
    words: str


class Turn(NamedTuple):
    """One change of one field."""

    at: datetime
    field: str
    before: str
    after: str


async def show(request: web.Request) -> web.StreamResponse:
    """GET /j/{id}, with the search `s` that it was found by."""
    job = await find_job(request.app[DATABASE], int(request.match_info["id"]))
    search = _uuid(request.query.get("s", ""))
    seen = None if search is None else await recall(request, search)
    match = next((one for one in seen.matches if one.id == job.id), None) if seen is not None else None
    return render(
        request,
        "posting.html",
        job=job,
        match=match,
        search=search if seen is not None else None,
        text=_text(job, match),
        known=known(job),
        turns=list(turns(job.history)),
        source=web_address(job.url),
        apply=web_address(job.apply_url),
        kept=await _kept(request),
    )


async def _kept(request: web.Request) -> list[Kept]:
    """The résumés that an application may be made of, for who may have one made."""
    caller = request[CALLER]
    if caller.account_id is None or not caller.may_spend:
        return []
    return await resumes.list_kept(request.app[DATABASE], caller.account_id, datetime.now(UTC))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _text(job: JobDetail, match: Match | None) -> str:
    """The posting's text as markup, with marks where it met the profile; empty where there is none."""
    from api.web.marking import mark  # with the names of all skills, which an idle API does not carry

    if not job.description_html:
        return ""
    evidence = {reason.part: reason.evidence for reason in match.reasons} if match is not None else {}
    skills = frozenset(evidence.get("skills", "").split(", "))
    words = [word for word in evidence.get("title", "").split() if len(word) >= _LEAST_WORD and word.isalpha()]
    return mark(job.description_html, skills, [*words, evidence.get("place", "").partition(",")[0]])


def known(job: JobDetail) -> list[Known]:
    """How each field is known; fields that are known the same way together."""
    ways: dict[tuple[str, str, str], list[str]] = {}
    for name, value in job.stated.items():
        ways.setdefault(("stated", job.origin.source, _line(value)), []).append(name)
    for name, proof in job.provenance.items():
        if isinstance(proof, Mapping):
            by = f"{proof.get('enricher', '')} {proof.get('version', '')}".strip()
            ways.setdefault((str(proof.get("kind", "")), by, _line(proof.get("evidence"))), []).append(name)
    return [Known(tuple(fields), *way) for way, fields in ways.items()]


def turns(history: tuple[Change, ...]) -> Iterator[Turn]:
    """Every change of every field, newest first. What cannot be shown in a line (a text) has neither side."""
    for change in reversed(history):
        for name, sides in change.changes.items():
            pair = sides if isinstance(sides, list) and len(sides) == 2 and name != "text" else ("", "")
            yield Turn(change.at, name, *map(_line, pair))


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}: {_line(part)}" for name, part in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(_line, value))
    else:
        text = "" if value is None else str(value)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]} …"


def web_address(url: str | None) -> str | None:
    """The address, if a browser may go there: a board may state anything, scripts too."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
