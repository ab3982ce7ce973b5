"""Why a posting matches, in words: German for a German profile, English for any other.

Each reason names the part of the score that it explains and its evidence, which are the posting's own facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from lib.match.answer import Reason
from lib.match.features import distances, same_words
from lib.match.profile import Wanted
from lib.match.rank import Scored

Tongue = Literal["de", "en"]
GOOD = 0.55
_THE_SAME = 0.9  # what fits less is another job
_MOST_SKILLS = 8
_LATELY_DE, _LATELY_EN = {0: "Heute", 1: "Gestern"}, {0: "today", 1: "yesterday"}
_LEVELS = {
    "intern": ("Praktikum", "internship"),
    "trainee": ("Ausbildung oder Trainee", "apprenticeship or trainee"),
    "junior": ("Einstieg", "junior"),
    "mid": ("mit Erfahrung", "mid-level"),
    "senior": ("Senior", "senior"),
    "lead": ("Teamleitung", "team lead"),
    "head": ("Leitung", "head"),
}


def tongue(wanted: Wanted) -> Tongue:
    """The language to answer in; a profile too short to tell is taken for German."""
    return "de" if wanted.language in (None, "de") else "en"


def reasons(wanted: Wanted, scored: Scored, now: datetime) -> tuple[Reason, ...]:
    """The reasons that hold, those that brought most points first. Never empty."""
    ours = tongue(wanted)
    said = []
    for part in sorted(scored.points, key=lambda name: -scored.points[name]):
        explain = _EXPLAIN.get(part)
        if explain is not None and scored.fits[part] >= (GOOD if part != "skills" else 0.01):
            sentence = explain(ours, wanted, scored, now)
            if sentence is not None:
                said.append(Reason(part, *sentence))
    return tuple(said) or (_closest(ours, scored),)


Sentence = tuple[str, str] | None


def _title(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    title = scored.candidate.title
    phrase = max(wanted.phrases, key=lambda one: float(same_words([one], [title])[0]))  # the first one of equal ones
    if scored.fits["title"] >= _THE_SAME:
        return (f"Die Stelle entspricht „{phrase}“" if ours == "de" else f"The job is what you call “{phrase}”"), title
    return (f"Die Stelle ist ähnlich wie „{phrase}“" if ours == "de" else f"The job is close to “{phrase}”"), title


def _skills(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    shared = sorted(wanted.skills.intersection(scored.candidate.skills or ()))
    if not shared:
        return None
    names, ours_in_all = ", ".join(shared[:_MOST_SKILLS]), len(wanted.skills)
    if ours_in_all == 1:
        return (f"Ihre Kenntnis wird genannt: {names}" if ours == "de" else f"Names your skill: {names}"), names
    if ours == "de":
        verb = "wird" if len(shared) == 1 else "werden"
        return f"{len(shared)} Ihrer {ours_in_all} Kenntnisse {verb} genannt: {names}", names
    return f"Names {len(shared)} of your {ours_in_all} skills: {names}", names


def _place(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    candidate = scored.candidate
    where = ", ".join(part for part in (candidate.city, candidate.country_code) if part)
    if candidate.remote == "remote":
        return ("Ortsunabhängig", where or "remote") if ours == "de" else ("Remote", where or "remote")
    if wanted.lat is None or wanted.lon is None or candidate.lat is None:
        return ("Im gewünschten Land", where) if ours == "de" else ("In the country you want", where)
    away = round(float(distances(wanted.lat, wanted.lon, [candidate])[0]))
    if away <= 2:
        return (f"In {wanted.place}", where) if ours == "de" else (f"In {wanted.place}", where)
    if ours == "de":
        return f"Etwa {away} km von {wanted.place}", where
    return f"About {away} km from {wanted.place}", where


def _seniority(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    level = scored.candidate.seniority
    if level is None or level != wanted.seniority:  # the next level gets points, too
        return None
    german, english = _LEVELS[level]
    if ours == "de":
        return f"Passende Stufe: {german}", scored.candidate.title
    return f"Fits your level: {english}", scored.candidate.title


def _language(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    evidence = scored.candidate.language or ""
    return ("In Ihrer Sprache ausgeschrieben", evidence) if ours == "de" else ("Written in your language", evidence)


def _salary(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    low, high = scored.candidate.salary_min_eur, scored.candidate.salary_max_eur
    amounts = [f"{amount:,.0f}" for amount in (low, high) if amount is not None]
    met = scored.fits["salary"] >= 1.0
    if ours == "de":
        said = "Das Gehalt erreicht Ihren Wunsch" if met else "Das Gehalt kommt Ihrem Wunsch nahe"
        return said, f"{'–'.join(amounts).replace(',', '.')} EUR im Jahr"
    return "The pay meets your wish" if met else "The pay comes near your wish", f"EUR {'–'.join(amounts)} a year"


def _employment(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    evidence = scored.candidate.employment or ""
    return ("Gewünschte Anstellungsart", evidence) if ours == "de" else ("The employment you want", evidence)


def _freshness(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    posted, dated = scored.candidate.posted_at, scored.candidate.dated
    days = max((now.date() - posted.date()).days, 0)
    if ours == "de":
        since = _LATELY_DE.get(days, f"{'Seit' if dated else 'Vor'} {days} Tagen")
        return f"{since} {'ausgeschrieben' if dated else 'zuerst gesehen'}", f"{posted:%d.%m.%Y}"
    since = _LATELY_EN.get(days, f"{days} days ago")
    return f"{'Posted' if dated else 'First seen'} {since}", f"{posted:%Y-%m-%d}"


_EXPLAIN: Mapping[str, Callable[[Tongue, Wanted, Scored, datetime], Sentence]] = {
    "title": _title,
    "skills": _skills,
    "place": _place,
    "seniority": _seniority,
    "language": _language,
    "salary": _salary,
    "employment": _employment,
    "freshness": _freshness,
}


def _closest(ours: Tongue, scored: Scored) -> Reason:
    text = "Unter den offenen Stellen eine der ähnlichsten" if ours == "de" else "One of the most similar open jobs"
    return Reason("semantic", text, scored.candidate.title)
