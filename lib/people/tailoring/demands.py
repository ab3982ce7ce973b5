"""What a posting asks for, held against what a résumé says: the analysis that needs no language model.

Everything is found by name (skills, languages, degrees, years, the place), so nothing is inferred; what the posting
puts in other words is not seen, and not claimed to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import msgspec

from lib.people.claims import claimed
from lib.people.degrees import DEGREES, find_degrees
from lib.people.paper import Lines, SectionKind
from lib.people.sections import divide
from lib.people.spoken import Spoken, at_least, find_spoken
from lib.people.tailoring.quoting import Source
from lib.people.tailoring.suggestions import Demand, Evidence
from lib.people.worked import years_said, years_worked
from lib.text.skills import find_mentions, find_skills

MAX_POSTING_CHARS = 30_000
_MAX_SENTENCE_CHARS = 400
_MAX_EVIDENCE = 3
_BETWEEN = re.compile(r"\s*,\s*|\s*,?\s*(/|\b(?:oder|or|bzw\.)\s)\s*")
_BULLET = re.compile(r"^[•·▪◦‣●○■□➢➤►✓✔*–-]\s+")


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """What an application needs to know of a posting."""

    id: int
    title: str
    company: str | None
    city: str | None
    remote: str | None
    language: str | None
    text: str


def analyse(posting: Posting, resume: Source, today: date) -> tuple[Demand, ...]:
    """What the posting asks for, in its order, skills first; each demand once."""
    asked = Source(f"{posting.title}\n\n{posting.text[:MAX_POSTING_CHARS]}").sentences()
    said = resume.sentences()
    return (
        *_skills(asked, said),
        *_languages(asked, resume),
        *_years(asked, resume, today),
        *_degree(asked, resume),
        *_place(posting, said),
    )


def _skills(asked: list[Evidence], said: list[Evidence]) -> Iterator[Demand]:
    shown: dict[str, list[Evidence]] = {}
    for sentence in said:
        for skill in find_skills(claimed(sentence.sentence)):
            shown.setdefault(skill, []).append(sentence)
    wanted: dict[str, str] = {}
    for sentence in asked:
        spared = {skill for one in _choices(sentence.sentence) if one & shown.keys() for skill in one - shown.keys()}
        for skill in sorted(find_skills(sentence.sentence) - spared):
            wanted.setdefault(skill, _cut(sentence.sentence))
    for skill, quote in wanted.items():
        if find_spoken(skill, listed=True):
            continue  # languages have levels, and are looked at with them
        evidence = tuple(shown.get(skill, ())[:_MAX_EVIDENCE])
        yield Demand("skill", skill, quote, bool(evidence), evidence)


def _choices(sentence: str) -> Iterator[frozenset[str]]:
    """Skills of which one will do: "Python, Java or Go"; what follows behind another comma is none of these."""
    listed: list[str] = []
    chosen, at = False, 0
    for skill, start, end in sorted(find_mentions(sentence), key=lambda mention: mention.start):
        between = _BETWEEN.fullmatch(sentence, at, start) if listed else None
        either = between is not None and between[1] is not None
        if between is None or (chosen and not either):
            if chosen:
                yield frozenset(listed)
            listed, chosen = [], False
        listed.append(skill)
        chosen, at = chosen or either, end
    if chosen:
        yield frozenset(listed)


def _languages(asked: list[Evidence], resume: Source) -> Iterator[Demand]:
    spoken: dict[str, Spoken] = {}
    for one in [*find_spoken(resume.text), *_listed(resume.text)]:
        spoken[one.code] = _better(spoken.get(one.code), one)
    done = set()
    for sentence in asked:
        for wanted in find_spoken(sentence.sentence):
            if wanted.code in done:
                continue
            done.add(wanted.code)
            ours = spoken.get(wanted.code)
            met = False if ours is None else at_least(ours.level, wanted.level)
            evidence = () if ours is None else (resume.sentence(ours.start, ours.end),)
            name = f"{wanted.code} {wanted.level}" if wanted.level else wanted.code
            yield Demand("language", name, _cut(sentence.sentence), met, evidence)


def _listed(text: str) -> Iterator[Spoken]:
    """Those of the sections about languages, where a bare name is enough."""
    for start, section in _parts(text, "languages"):
        for one in find_spoken(section, listed=True):
            yield one._replace(start=start + one.start, end=start + one.end)


def _parts(text: str, kind: SectionKind) -> Iterator[tuple[int, str]]:
    """The sections of one kind, each with the place where it begins."""
    at = 0
    for section in divide(Lines(text)):
        at = text.find(section.text, at)
        if section.kind == kind:
            yield at, section.text


def _better(before: Spoken | None, one: Spoken) -> Spoken:
    return one if before is None or before.level is None or at_least(one.level, before.level) else before


def _years(asked: list[Evidence], resume: Source, today: date) -> Iterator[Demand]:
    for sentence in asked:
        wanted = years_said(sentence.sentence)
        if wanted is None:
            continue
        said = [(years, one) for one in resume.sentences() if (years := years_said(one.sentence)) is not None]
        worked = [(start, years_worked(part, today)) for start, part in _parts(resume.text, "experience")]
        dates = [resume.sentence(at + first, at + last) for at, part in worked for first, last in part.spans]
        evidence = tuple(dict.fromkeys([*(one for _, one in said), *dates]))[:_MAX_EVIDENCE]
        most = max([0.0, *(part.years for _, part in worked), *(years for years, _ in said)])
        yield Demand("years", f"{wanted:g}", _cut(sentence.sentence), most >= wanted if evidence else None, evidence)
        return


def _degree(asked: list[Evidence], resume: Source) -> Iterator[Demand]:
    for sentence in asked:
        wanted = [DEGREES.index(one.name) for one in find_degrees(sentence.sentence)]
        if not wanted:
            continue
        least = min(wanted)  # "Studium oder Ausbildung": either will do
        ours = [one for one in find_degrees(resume.text) if DEGREES.index(one.name) >= least]
        evidence = tuple(dict.fromkeys(resume.sentence(one.start, one.end) for one in ours))[:_MAX_EVIDENCE]
        yield Demand("degree", DEGREES[least], _cut(sentence.sentence), bool(evidence), evidence)
        return


def _place(posting: Posting, said: list[Evidence]) -> Iterator[Demand]:
    """Who lives elsewhere may move, so another place is not a demand that is failed."""
    if not posting.city or posting.remote == "remote":
        return
    name = re.compile(rf"(?i)(?<!\w){re.escape(posting.city)}(?!\w)")
    evidence = tuple(one for one in said if name.search(one.sentence))[:1]
    yield Demand("place", posting.city, posting.city, True if evidence else None, evidence)


def _cut(sentence: str) -> str:
    sentence = _BULLET.sub("", sentence)
    return sentence if len(sentence) <= _MAX_SENTENCE_CHARS else f"{sentence[: _MAX_SENTENCE_CHARS - 1]}…"
