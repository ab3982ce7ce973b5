"""What a match answers. Types only: who shows or describes an answer need not carry what computes it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

import msgspec

Live = Literal["unavailable", "not_needed", "running", "done"]


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
    """Matches, best first. `candidates`: how many postings were compared; `took_ms`: without the network.

    `found`: how many of the compared reach the least score that is shown. `live`: whether the search goes on with paid
    sources; `live_why`: a word for why it cannot. `credits_used`: what it cost so far. `cached`: computed for an equal
    profile some minutes ago.
    """

    id: uuid.UUID
    candidates: int
    found: int
    took_ms: float
    matches: tuple[Match, ...]
    live: Live = "not_needed"
    live_why: str | None = None
    credits_used: int = 0
    cached: bool = False
