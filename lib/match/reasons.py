"""Why a posting matches, in words: German for a German profile, English for any other.

Each reason names the part of the score that it explains and its evidence, which are the posting's own facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from lib.match.answer import Reason
from lib.match.features import distances
from lib.match.profile import Wanted
from lib.match.rank import Scored

Tongue = Literal["de", "en"]
GOOD = 0.55
_MOST_SKILLS = 8
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
    phrase, title = wanted.phrases[0], scored.candidate.title
    if ours == "de":
        return f"Die Stelle entspricht „{phrase}“", title
    return f"The job is what you call “{phrase}”", title


def _skills(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    shared = sorted(wanted.skills.intersection(scored.candidate.skills or ()))
    if not shared:
        return None
    names = ", ".join(shared[:_MOST_SKILLS])
    if ours == "de":
        return f"{len(shared)} Ihrer {len(wanted.skills)} Kenntnisse werden genannt: {names}", names
    return f"Names {len(shared)} of your {len(wanted.skills)} skills: {names}", names


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
    if level is None:
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
    if ours == "de":
        return "Das Gehalt erreicht Ihren Wunsch", f"{'–'.join(amounts).replace(',', '.')} EUR im Jahr"
    return "The pay meets your wish", f"EUR {'–'.join(amounts)} a year"


def _employment(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    evidence = scored.candidate.employment or ""
    return ("Gewünschte Anstellungsart", evidence) if ours == "de" else ("The employment you want", evidence)


def _freshness(ours: Tongue, wanted: Wanted, scored: Scored, now: datetime) -> Sentence:
    posted = scored.candidate.posted_at
    days = max((now - posted).days, 0)
    if ours == "de":
        return ("Heute ausgeschrieben" if days == 0 else f"Seit {days} Tagen ausgeschrieben"), f"{posted:%d.%m.%Y}"
    return ("Posted today" if days == 0 else f"Posted {days} days ago"), f"{posted:%Y-%m-%d}"


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
