"""Whether a page is one job ad, and what speaks for it: a linear classifier over things that a person can check. Pure.

The weights are set by hand and measured on pages that were looked at; see `tests/unit/test_careers_real.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal
from urllib.parse import urlsplit

from daemons.careers.site import hints_at_job
from daemons.careers.words import APPLY, ENDED, GENDERS, LIST_TITLE, NOT_FOUND, OFFER, PROFILE, TASKS, TERMS

Verdict = Literal["ad", "ended", "list", "shell", "other"]

_SHORT_CHARS = 250
_AD_CHARS = 600
_LONG_CHARS = 25_000
_ENDED_CHARS = 1_500
_NOTICE_CHARS = 400
_SHELL_CHARS = 160
_MANY = 3


@dataclass(frozen=True)
class Features:
    """What speaks for one ad and against it; each 0.0 or 1.0."""

    marked_title: float  # "(m/w/d)" in the title
    tasks: float  # a heading such as "Ihre Aufgaben"
    profile: float  # "Ihr Profil"
    offer: float  # "Wir bieten"
    apply: float  # "Jetzt bewerben", or where to send an application
    terms: float  # full time, permanent, from when
    addressed: float  # the address is that of a single job
    full: float  # as long as an ad
    short: float  # too short for one
    endless: float  # too long for one
    listing: float  # the title is that of a list: "Offene Stellen"
    many_jobs: float  # links to many jobs, and nothing of an ad's own
    many_titles: float  # several headings are titles of ads, or several ads are to be applied for
    repeated: float  # "Ihr Profil" again and again


WEIGHTS: Mapping[str, float] = {
    "marked_title": 2.0,
    "tasks": 1.1,
    "profile": 1.3,
    "offer": 0.8,
    "apply": 1.0,
    "terms": 0.5,
    "addressed": 0.6,
    "full": 0.5,
    "short": -3.0,
    "endless": -2.0,
    "listing": -2.2,
    "many_jobs": -1.6,
    "many_titles": -3.0,
    "repeated": -5.0,
}
BIAS = -2.6


def probability(features: Features) -> float:
    """How likely the page is one job ad, 0 to 1."""
    score = BIAS + sum(WEIGHTS[one.name] * getattr(features, one.name) for one in fields(features))
    return 1 / (1 + math.exp(-score))


def features(
    *,
    url: str,
    title: str | None,
    headings: Sequence[str],
    text: str,
    link_texts: Sequence[str],
    job_links: int,
    applications: int,
) -> Features:
    """The features of a page. `text`: its own words without menus; `job_links`: links to what may be other jobs;
    `applications`: different targets of links such as "apply now"."""
    heads = [heading for heading in headings if heading != title]
    lines = heads or [line for line in text.splitlines() if len(line) <= 80]
    tasks, profile, offer = (any(map(one.search, lines)) for one in (TASKS, PROFILE, OFFER))
    marked = {head.casefold() for head in heads if GENDERS.search(head)} - {(title or "").casefold()}
    return Features(
        marked_title=float(bool(title and GENDERS.search(title))),
        tasks=float(tasks),
        profile=float(profile),
        offer=float(offer),
        apply=float(any(map(APPLY.search, link_texts)) or bool(APPLY.search(text))),
        terms=float(bool(TERMS.search(text))),
        addressed=float(_is_addressed(url)),
        full=float(_AD_CHARS <= len(text) <= _LONG_CHARS),
        short=float(len(text) < _SHORT_CHARS),
        endless=float(len(text) > _LONG_CHARS),
        listing=float(title is None or bool(LIST_TITLE.search(title))),
        many_jobs=float(job_links >= _MANY and tasks + profile + offer < 2),
        many_titles=float(max(len(marked), applications) >= _MANY),
        repeated=float(max(Counter(filter(PROFILE.search, heads)).values(), default=0) >= _MANY),
    )


def is_ended(title: str | None, text: str) -> bool:
    """Whether the page says that its job is not to be had any more: in its first words, or on an otherwise empty page.

    In the middle of a long text such a sentence is about something else.
    """
    if len(text) <= _ENDED_CHARS and (NOT_FOUND.search(text) or NOT_FOUND.search(title or "")):
        return True
    where = text if len(text) <= _ENDED_CHARS else text[:_NOTICE_CHARS]
    return bool(ENDED.search(f"{title or ''}\n{where}"))


def is_shell(*, text: str, scripts: int, mounts: int) -> bool:
    """Whether the page is empty until a browser has run its scripts: next to no words, scripts, a place to fill."""
    return len(text) < _SHELL_CHARS and scripts > 0 and mounts > 0


def _is_addressed(url: str) -> bool:
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return hints_at_job(url) and (last.count("-") + last.count("_") >= 2 or any(map(str.isdigit, last)))
