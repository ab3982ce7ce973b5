"""What a match answers. Types only: who shows or describes an answer need not carry what computes it."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """One reason: the part of the score, a sentence for a person, and the posting's own words or figures."""

    part: str
    text: str
    evidence: str


class Copy(msgspec.Struct, frozen=True):
    """Another posting of the same job."""

    id: int
    city: str | None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One posting that matches. `parts`: the points (feature -> points) that add up to `score`, which is 0 to 100."""

    id: int
    title: str
    company: str | None
    url: str
    apply_url: str | None
    places: tuple[str, ...]
    city: str | None
    country: str | None
    language: str | None
    remote: str | None
    employment: str | None
    salary_min_eur: float | None
    salary_max_eur: float | None
    posted_at: datetime
    score: float
    parts: dict[str, float]
    reasons: tuple[Reason, ...]
    copies: tuple[Copy, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Matches, best first. `candidates`: how many postings were compared; `took_ms`: without the network."""

    id: uuid.UUID
    candidates: int
    took_ms: float
    matches: tuple[Match, ...]
