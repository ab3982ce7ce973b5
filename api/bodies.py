"""What is asked and answered over HTTP. The same types validate, serialise and describe themselves in OpenAPI."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec

from lib.match.answer import Answer, Live
from lib.match.profile import MAX_SALARY_EUR, Country, Employment, Language
from lib.match.searches import Kind
from lib.posting.contract import Remote


class Problem(msgspec.Struct, frozen=True):
    """What went wrong: a short name for programs and a sentence for people."""

    error: str
    detail: str


class SearchState(msgspec.Struct, frozen=True, kw_only=True):
    """A search as it stands. `candidates`, `found`, `best_score`, `posting_ids`: of its first answer, best first.

    `answer`: its newest one, without what closed since; null where it did not go on and its matches are not kept any
    more. `events`: the number of the newest event.
    """

    id: uuid.UUID
    at: datetime
    live: Live
    live_why: str | None
    credits_used: int
    candidates: int
    found: int
    best_score: float | None
    posting_ids: tuple[int, ...]
    events: int
    answer: Answer | None


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on events are told."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1, description="the number of the last event seen")] = 0


class SearchEvent(msgspec.Struct, frozen=True):
    """What a search told. `seq` counts from 1 without gaps.

    `progress`: {phase: discovery or details, found, done, to_do, credits_used}. `matches`: an Answer, ranked anew.
    `done`: {live, why, credits_used}; nothing follows.
    """

    seq: int
    kind: Kind
    body: msgspec.Raw


class SearchEvents(msgspec.Struct, frozen=True):
    """Events after the one asked for, oldest first; ask again while `live` is running, or there were any."""

    live: Live
    events: tuple[SearchEvent, ...]


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of a list of jobs. A job of which a filtered value is unknown is left out."""

    country: Country | None = None
    language: Language | None = None
    remote: Remote | None = None
    employment: Employment | None = None
    company: Annotated[str, msgspec.Meta(max_length=200, description="the company's name, in any case")] | None = None
    min_salary: (
        Annotated[float, msgspec.Meta(gt=0, le=MAX_SALARY_EUR, description="least upper end of a year's pay in EUR")]
        | None
    ) = None
    q: (
        Annotated[
            str,
            msgspec.Meta(min_length=1, max_length=500, description='words, "phrases", or, -not; German and English'),
        ]
        | None
    ) = None
    cursor: Annotated[str, msgspec.Meta(max_length=200, description="`next` of the page before")] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Salary(msgspec.Struct, frozen=True, kw_only=True):
    """Pay in the posting's own currency and period, and for a year in EUR."""

    min: float | None
    max: float | None
    currency: str | None
    period: str | None
    year_min_eur: float | None
    year_max_eur: float | None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One open posting. Times are UTC; `first_seen` and `last_seen` are on our clock, `posted_at` is the board's."""

    id: int
    title: str
    company: str | None
    url: str
    apply_url: str | None
    places: tuple[str, ...]
    city: str | None
    region: str | None
    country: str | None
    language: str | None
    remote: str | None
    employment: str | None
    salary: Salary | None
    posted_at: datetime | None
    first_seen: datetime
    last_seen: datetime


class JobPage(msgspec.Struct, frozen=True):
    """Jobs, newest first; `next` asks for those that follow, null on the last page."""

    jobs: tuple[Job, ...]
    next: str | None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Which board says so, and which raw answer the text came from."""

    source: str
    tenant: str
    board_url: str
    external_id: str
    raw_response_id: int | None
    described_at: datetime | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change: field -> [old, new]. `session`: the run that saw it."""

    revision: int
    at: datetime
    session: str
    changes: dict[str, Any]


class JobDetail(Job, frozen=True, kw_only=True):
    """One posting, open or not, with everything that is known of it.

    `stated`: what the board says in its own fields. `provenance`: field -> how it was found (stated or derived, by
    which enricher and version, from which words).
    """

    state: str
    revision: int
    lat: float | None
    lon: float | None
    permanent: bool | None
    valid_through: datetime | None
    closed_at: datetime | None
    reopened_at: datetime | None
    description_html: str | None
    description_text: str | None
    stated: dict[str, Any]
    origin: Origin
    provenance: dict[str, Any]
    history: tuple[Change, ...]


class Targets(msgspec.Struct, frozen=True):
    """Addresses (host:port) of Prometheus figures that share their labels."""

    targets: list[str]
    labels: dict[str, str]


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be answered, which needs database and model; the cache only speeds up what comes after."""

    ready: bool
    database: bool
    cache: bool
    model: bool
