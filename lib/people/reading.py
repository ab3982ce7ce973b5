"""What is read out of a person's text. `lib.people.hermes` reads."""

from __future__ import annotations

import msgspec

from lib.match.profile import Profile
from lib.people.degrees import DegreeName
from lib.people.occupation.guesses import Guess, Taxonomy
from lib.people.spoken import Level


class Occupation(Guess, frozen=True, kw_only=True):
    """The person's occupation by its canonical title. `alternatives` only where the confidence is low; `taxonomy`
    `seed` knows 300 common occupations, `imported` all that an operator imported and trained."""

    taxonomy: Taxonomy
    alternatives: tuple[Guess, ...]


class Skill(msgspec.Struct, frozen=True):
    """A skill by its canonical name, and the sentence that claims it."""

    name: str
    sentence: str


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """A language that the person speaks: ISO 639-1, and the level of the Common European Framework or `native`."""

    code: str
    level: Level | None
    sentence: str


class Degree(msgspec.Struct, frozen=True, kw_only=True):
    """The highest degree that is named."""

    level: DegreeName
    sentence: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A city as it calls itself; `country`: ISO 3166 alpha-2."""

    name: str
    region: str | None
    country: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the text says, each part null or empty where it says nothing. `years`: of work, overlapping jobs
    counted once. `profile` is ready for POST /match."""

    occupation: Occupation | None
    skills: tuple[Skill, ...]
    seniority: str | None
    years: float | None
    languages: tuple[Language, ...]
    degree: Degree | None
    places: tuple[Place, ...]
    profile: Profile
