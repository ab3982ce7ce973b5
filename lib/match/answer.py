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
    """One posting that matches. `parts`: the points (feature -> points) that add up to `score`, which is 0 to 100.

    `posted_at`: where its board does not say, when it was first seen here.
    """

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


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for a profile, best first, whoever asked. `candidates`, `found`: as in an Answer."""

    candidates: int
    found: int
    matches: tuple[Match, ...]

    @property
    def best(self) -> float | None:
        """The best score, None without any match."""
        return self.matches[0].score if self.matches else None


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

    @classmethod
    def of(
        cls,
        result: Result,
        search: uuid.UUID,
        *,
        took_ms: float,
        live: Live,
        live_why: str | None = None,
        credits_used: int = 0,
        cached: bool = False,
    ) -> Answer:
        """What a search answers with a result."""
        return cls(
            id=search,
            candidates=result.candidates,
            found=result.found,
            took_ms=round(took_ms, 1),
            matches=result.matches,
            live=live,
            live_why=live_why,
            credits_used=credits_used,
            cached=cached,
        )
