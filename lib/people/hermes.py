"""Reads a person's text: a few lines, or a whole résumé, in German or English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import msgspec

from lib.match.phrases import title_phrases
from lib.match.profile import MAX_TEXT_CHARS, Profile
from lib.people.claims import claimed, find_claims, sentences
from lib.people.degrees import DEGREES, find_degrees
from lib.people.occupation.guesses import Classifier
from lib.people.paper import Lines, Section
from lib.people.reading import Degree, Language, Occupation, Reading
from lib.people.sections import divide
from lib.people.spoken import find_spoken
from lib.people.whereabouts import find_places
from lib.people.worked import years_said, years_told, years_worked
from lib.posting.contract import clean_text
from lib.text.gazetteer import Gazetteer
from lib.text.language import detect
from lib.text.titles import seniority

_SURE = 0.75  # from this confidence on no alternatives are shown
_UNKNOWN = 0.2  # below it nothing is named
_WORTH = 0.05
_LIKELY = 0.5  # from this one on an earlier phrase is believed
_MAX_PHRASES, _MAX_ENTRIES, _OF_ENTRY, _ENTRY_CHARS = 8, 4, 2, 400
_MAX_SKILLS = 50
_HEAD_CHARS = 4_000
_SHOWN_CHARS = 300
_MOST_YEARS = 60.0
_TITLE_CHARS = 300
_WISHED = re.compile(r"(?i)\b(?:suche|möchte|wünsche|strebe|plane|looking for|seeking|aiming|want)\b[^,;.]*")


def sections_of(text: str) -> tuple[Section, ...]:
    """The sections of a text, of its first MAX_TEXT_CHARS characters. Total: any string is accepted."""
    return divide(Lines(clean_text(text, MAX_TEXT_CHARS)))


def read(sections: Sequence[Section], classifier: Classifier, gazetteer: Gazetteer, today: date) -> Reading:
    """Reads a text or a résumé in its sections. Total; linear time."""
    text = "\n".join(section.text for section in sections)[:MAX_TEXT_CHARS]
    phrase, occupation = name_occupation(_phrases(sections, today), text, classifier, detect(text))
    skills = [skill for skill in find_claims(text) if not find_spoken(skill.name, listed=True)][:_MAX_SKILLS]
    places = find_places(_head(sections), gazetteer)
    return Reading(
        occupation=occupation,
        skills=tuple(skills),
        seniority=seniority(phrase) if phrase else None,
        years=_years(sections, today),
        languages=tuple(_languages(sections)),
        degree=_degree(_of(sections, "education") or text),
        places=tuple(places),
        profile=Profile(
            text=_told(sections)[:MAX_TEXT_CHARS],
            title=phrase[:_TITLE_CHARS] or None,
            skills=tuple(skill.name for skill in skills),
            location=places[0].name if places else None,
        ),
    )


def name_occupation(
    phrases: Sequence[str], text: str, classifier: Classifier, language: str | None
) -> tuple[str, Occupation | None]:
    """The first phrase that is likely an occupation's name, else the likeliest one, and that occupation.

    The occupation is None where nothing is probable enough, and the phrase then the first one.
    """
    ranked = classifier.rank(phrases, text, language)
    named = [
        (guesses[0].confidence, phrase, guesses) for phrase, guesses in zip(phrases, ranked, strict=True) if guesses
    ]
    likely = (one for one in named if one[0] >= _LIKELY)
    best = next(likely, None) or max(named, key=lambda one: one[0], default=None)
    if best is None or best[0] < _UNKNOWN:
        return phrases[0] if phrases else "", None
    _, phrase, guesses = best
    first, *others = guesses
    shown = [one for one in others if one.confidence >= _WORTH] if first.confidence < _SURE else []
    fields = msgspec.structs.asdict(first)
    return phrase, Occupation(**fields, taxonomy=classifier.taxonomy, alternatives=tuple(shown))


def _phrases(sections: Sequence[Section], today: date) -> list[str]:
    """What may name the person's job, best first: phrases of the head and the summary, then of each job as written.

    Jobs are told apart by their dates; without a title anywhere the text's beginning has to do.
    """
    jobs = _of(sections, "experience")
    edges = [0, *(edge for span in years_worked(jobs, today).spans for edge in span), len(jobs)]
    entries = [jobs[start:end][:_ENTRY_CHARS] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    parts = [part for part in (_head(sections), *entries) if part.strip()][: _MAX_ENTRIES + 1]
    phrases = [phrase for part in parts for phrase in title_phrases(part)[:_OF_ENTRY]]
    return list(dict.fromkeys(phrases))[:_MAX_PHRASES]


def _of(sections: Sequence[Section], *kinds: str) -> str:
    return "\n".join(section.text for section in sections if section.kind in kinds)


def _head(sections: Sequence[Section]) -> str:
    """What stands before the first heading, and personal details."""
    return _of(sections, "other", "summary")[:_HEAD_CHARS]


def _years(sections: Sequence[Section], today: date) -> float | None:
    """What the jobs' dates add up to, else what is said of experience there. Where no part is about jobs, the most that
    anything else says: a schooling's dates are none of work."""
    jobs = _of(sections, "experience")
    opening = "\n".join(section.text for section in sections if section.kind == "summary" or not section.title)
    if jobs:
        years = years_worked(jobs, today).years or _most(years_said, jobs) or _most(years_told, opening)
    else:
        apart = _of(sections, "summary", "skills", "other")
        said = (years_worked(apart, today).years, _most(years_said, apart), _most(years_told, opening))
        years = max((one for one in said if one), default=None)
    return None if years is None else min(years, _MOST_YEARS)


def _most(years: Callable[[str], float | None], text: str) -> float | None:
    return max((said for sentence in sentences(text) if (said := years(sentence)) is not None), default=None)


def _languages(sections: Sequence[Section]) -> Iterator[Language]:
    """Each once: where a section lists them, else as the rest says it."""
    seen: set[str] = set()
    for section in sorted(sections, key=lambda section: section.kind != "languages"):
        for sentence in sentences(section.text):
            for spoken in find_spoken(claimed(sentence), listed=section.kind == "languages"):
                if spoken.code not in seen:
                    seen.add(spoken.code)
                    yield Language(code=spoken.code, level=spoken.level, sentence=sentence[:_SHOWN_CHARS])


def _degree(text: str) -> Degree | None:
    best: Degree | None = None
    for sentence in sentences(text):
        for degree in find_degrees(_WISHED.sub("", claimed(sentence))):
            if best is None or DEGREES.index(degree.name) > DEGREES.index(best.level):
                best = Degree(level=degree.name, sentence=sentence[:_SHOWN_CHARS])
    return best


def _told(sections: Sequence[Section]) -> str:
    """What matching may read: no personal details where sections tell them apart, and nothing that is denied."""
    told = [one for one in sections if one.kind != "other"] or sections
    return "\n".join(part for section in told for sentence in sentences(section.text) if (part := claimed(sentence)))
