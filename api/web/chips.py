"""What was read out of a text, as a person may correct it: occupation, skills as chips, facts to look at. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from api.web.forms import Entry
from api.web.words import Words
from lib.match.profile import Profile
from lib.people.reading import Reading

_MOST = 50
_SURE = 0.75
_MOST_ALTERNATIVES = 3


class Chip(msgspec.Struct, frozen=True):
    """One skill. `sentence`: where it was read, empty for one that a person added."""

    name: str
    sentence: str
    chosen: bool


class Chips(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `known_as`: the occupation's canonical title with its code; `sure`: in percent."""

    title: str
    known_as: str
    sure: int | None
    alternatives: tuple[str, ...]
    skills: tuple[Chip, ...]
    facts: tuple[tuple[str, str], ...]


def chosen_profile(entry: Entry, reading: Reading) -> Profile:
    """The profile to match: as it was read, with a person's own choices before what was read.

    Raises msgspec.ValidationError.
    """
    asked, read = entry.profile(), reading.profile
    own = {"title": asked.title, "skills": asked.skills} if entry.read else {}
    return msgspec.structs.replace(read, location=asked.location or read.location, limits=asked.limits, **own)


def chips(profile: Profile, reading: Reading, said: Words) -> Chips:
    """Read skills first, then those that a person added; without an own choice all are chosen."""
    sentences = {skill.name: skill.sentence for skill in reading.skills}
    chosen = set(profile.skills)
    names = list(dict.fromkeys((*sentences, *profile.skills)))[:_MOST]
    job = reading.occupation
    unsure = job is not None and job.confidence < _SURE
    return Chips(
        title=profile.title or "",
        known_as="" if job is None else f"{job.title}{f' · KldB {job.kldb}' if job.kldb else ''}",
        sure=None if job is None else round(100 * job.confidence),
        alternatives=tuple(one.title for one in job.alternatives[:_MOST_ALTERNATIVES]) if job and unsure else (),
        skills=tuple(Chip(name, sentences.get(name, ""), name in chosen) for name in names),
        facts=tuple(_facts(reading, said)),
    )


def _facts(reading: Reading, said: Words) -> Iterator[tuple[str, str]]:
    """Each fact in words, and the sentence that it was read in, where there is one."""
    if reading.years is not None and reading.years >= 1:
        yield said.count("reading.years", round(reading.years)), ""
    if reading.seniority is not None:
        yield said.known("level", reading.seniority), ""
    if reading.degree is not None:
        yield said.known("degree", reading.degree.level), reading.degree.sentence
    for language in reading.languages:
        level = said.known("fluency", language.level) if language.level else ""
        yield f"{said.known('tongue', language.code)} {level}".strip(), language.sentence
