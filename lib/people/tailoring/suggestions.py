"""What a person is suggested, and what every suggestion rests on."""

from __future__ import annotations

from typing import Literal

import msgspec

Tongue = Literal["de", "en"]
Part = Literal["summary", "letter", "highlight"]
DemandKind = Literal["skill", "language", "years", "degree", "place"]


class Evidence(msgspec.Struct, frozen=True):
    """A sentence of the résumé: `sentence` is its text from `start` up to `end`, counted in characters."""

    sentence: str
    start: int
    end: int


class Claim(msgspec.Struct, frozen=True):
    """A suggested sentence, all of whose facts stand in its evidence."""

    part: Part
    text: str
    evidence: tuple[Evidence, ...]


class Dropped(msgspec.Struct, frozen=True):
    """A sentence that the model wrote and we do not pass on as true, and why."""

    part: str
    text: str
    why: str


class Demand(msgspec.Struct, frozen=True):
    """Something that the posting asks for, in its own words, and what the résumé says to it.

    `met`: the evidence shows it. None: the résumé says something of the kind, but not whether it is enough.
    """

    kind: DemandKind
    wanted: str
    quote: str
    met: bool | None
    evidence: tuple[Evidence, ...]


class Letter(msgspec.Struct, frozen=True):
    """A cover letter. Ours are salutation, opening and closing; the body has proven claims only. `text`: all of it."""

    salutation: str
    opening: str
    body: tuple[Claim, ...]
    closing: str
    text: str


class Suggestions(msgspec.Struct, frozen=True, kw_only=True):
    """What would improve an application.

    `made_by`: `model`, or `analysis` where nothing of a model's could be used; `why` says why not, or what went wrong.
    `gaps`: what the posting asks for and the résumé does not show; `highlights`: what it does show. `credits_used`:
    what the model cost; null where its answer was cut off, so that only the ledger knows.
    """

    made_by: Literal["model", "analysis"]
    why: str | None
    language: Tongue
    summary: tuple[Claim, ...]
    letter: Letter | None
    highlights: tuple[Claim, ...]
    demands: tuple[Demand, ...]
    gaps: tuple[Demand, ...]
    dropped: tuple[Dropped, ...]
    credits_used: int | None
