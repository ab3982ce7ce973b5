"""What a person wants: the profile as it is asked, and what matching reads out of it.

Wishes (title, skills, location, employment, salary) raise the score of postings that meet them. Limits are hard: a
posting that violates one, or of which nobody knows whether it does, is no match at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from lib.errors import VakanzError
from lib.match.phrases import title_phrases
from lib.posting.contract import Remote, clean_text
from lib.text.jobnames import job_name
from lib.text.titles import seniority

MAX_TEXT_CHARS = 50_000
MAX_SALARY_EUR = 10_000_000
_MIN_LETTERS = 4
_MAX_SKILLS = 50

Employment = Literal[
    "full_time",
    "part_time",
    "mini_job",
    "temporary",
    "freelance",
    "apprenticeship",
    "internship",
    "working_student",
]
EITHER_HOURS = "full_or_part_time"  # what a posting says that offers both
Country = Annotated[
    str, msgspec.Meta(max_length=2, pattern=r"^[A-Za-z]{2}$", description="ISO 3166 alpha-2, such as DE, AT or CH")
]
Language = Annotated[
    str, msgspec.Meta(max_length=2, pattern=r"^[A-Za-z]{2}$", description="ISO 639-1, such as de or en")
]
Salary = Annotated[float, msgspec.Meta(ge=1, le=MAX_SALARY_EUR, description="a year's gross pay in EUR")]
_Some = msgspec.Meta(min_length=1, max_length=30)


class UnusableProfile(VakanzError):
    """The profile says nothing that postings could be compared with."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hard limits. Each names the values that are acceptable; a posting of which the value is unknown is left out.

    `min_salary_eur` is compared with the upper end of a posting's pay, for a whole year, in EUR.
    """

    countries: Annotated[tuple[Country, ...], _Some] | None = None
    languages: Annotated[tuple[Language, ...], _Some] | None = None
    remote: Annotated[tuple[Remote, ...], _Some] | None = None
    employment: Annotated[tuple[Employment, ...], _Some] | None = None
    min_salary_eur: Salary | None = None

    def folded(self) -> Accepted:
        """The same limits as the database spells them."""
        return Accepted(
            countries=self.countries and tuple(code.upper() for code in self.countries),
            languages=self.languages and tuple(code.lower() for code in self.languages),
            remote=self.remote,
            employment=self.employment and accepted_employment(self.employment),
            min_salary_eur=self.min_salary_eur,
        )


def accepted_employment(wanted: Iterable[str]) -> tuple[str, ...]:
    """What a posting may say for these kinds of employment: one that offers full and part time is either."""
    kinds = tuple(wanted)
    return (*kinds, EITHER_HOURS) if {"full_time", "part_time"}.intersection(kinds) else kinds


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The values that hard limits accept, as the database spells them; None accepts everything, the unknown too."""

    countries: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    remote: tuple[str, ...] | None = None
    employment: tuple[str, ...] | None = None
    min_salary_eur: float | None = None

    def allow(
        self,
        *,
        country: str | None,
        language: str | None,
        remote: str | None,
        employment: str | None,
        salary_eur: float | None,
    ) -> bool:
        """Whether a posting with these values keeps within the limits."""
        return (
            (self.countries is None or country in self.countries)
            and (self.languages is None or language in self.languages)
            and (self.remote is None or remote in self.remote)
            and (self.employment is None or employment in self.employment)
            and (self.min_salary_eur is None or (salary_eur is not None and salary_eur >= self.min_salary_eur))
        )


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A person's profile. `text` is free: a few lines or a whole résumé, German or English."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)] = ""
    title: Annotated[str, msgspec.Meta(max_length=300, description="the job that is looked for")] | None = None
    skills: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=100)], ...], msgspec.Meta(max_length=_MAX_SKILLS)
    ] = ()
    location: (
        Annotated[
            str, msgspec.Meta(max_length=200, description="a town, region or country, as in Bern or 80331 München")
        ]
        | None
    ) = None
    employment: Employment | None = None
    salary_eur: Salary | None = None
    limits: Limits = Limits()

    def digest(self) -> bytes:
        """SHA-256 of the profile: tells equal ones without keeping what they say."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What matching reads out of a profile. All of it may be unknown except the phrases.

    `phrases`: what the job is called, best first; never empty. `skills`: canonical names. `language`: ISO 639-1 of
    the profile's own words. `country`, `lat`, `lon`, `place`: where the location lies and what it is called.
    """

    text: str
    phrases: tuple[str, ...]
    skills: frozenset[str] = frozenset()
    language: str | None = None
    seniority: str | None = None
    place: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    employment: str | None = None
    salary_eur: float | None = None
    limits: Accepted = Accepted()


def read_profile(profile: Profile) -> Wanted:
    """Reads a profile. Raises UnusableProfile when it holds fewer than a few letters.

    The first call loads the tables of places and languages, about two seconds and 40 MB.
    """
    from lib.text.gazetteer import load_gazetteer
    from lib.text.language import detect
    from lib.text.places import resolve

    text = clean_text(profile.text, MAX_TEXT_CHARS).strip()
    title = clean_text(profile.title or "").strip()
    named = [clean_text(skill).strip() for skill in profile.skills]
    everything = "\n".join(part for part in (title, text, *named) if part)
    if sum(map(str.isalpha, everything)) < _MIN_LETTERS:
        raise UnusableProfile("the profile has no usable text: say in a few words what you do or look for")
    phrases = (job_name(title) or title,) if title else title_phrases(text or everything)
    place = resolve(load_gazetteer(), [clean_text(profile.location)], None) if profile.location else None
    return Wanted(
        text=everything,
        phrases=phrases,
        skills=_skills(everything, named),
        language=detect(everything),
        seniority=seniority(phrases[0]),
        place=(place.city or place.region) if place else None,
        country=place.country if place else None,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        employment=profile.employment,
        salary_eur=profile.salary_eur,
        limits=profile.limits.folded(),
    )


def _skills(text: str, named: list[str]) -> frozenset[str]:
    from lib.text.skills import find_skills

    return frozenset(find_skills(text))
