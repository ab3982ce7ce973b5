"""Whether a listing is a posting that another board has already. Pure, and strict: a wrong one hides a job."""

from __future__ import annotations

import re
from typing import NamedTuple

from lib.text.gazetteer import fold, load_gazetteer
from lib.text.places import resolve
from lib.text.titles import clean_title

_FORMS = re.compile(r"(?: (?:ag|co|e k|e g|e v|g?gmbh|gesmbh|inc|kg|kgaa|ltd|mbh|ohg|partg|sa|sarl|se|ug|und|and))+$")


class Job(NamedTuple):
    """What tells jobs apart. `places` in the payload's own words, main one first; `country` is ISO 3166 alpha-2."""

    title: str
    company: str | None
    places: tuple[str, ...]
    country: str | None


def company_words(name: str) -> str:
    """A company's name without its legal form: "acme" for "ACME GmbH & Co. KG"."""
    return _FORMS.sub("", fold(name[:200]))


def beginning(name: str) -> str | None:
    """What the names of the same company begin with in lower case; None where that would be next to nothing."""
    first = name.split()[0].lower() if name.split() else ""
    return first if len(first) >= 2 else None


def same_job(one: Job, other: Job) -> bool:
    """Whether both are one job: the same title and company, in the same town."""
    if not one.company or not other.company:
        return False
    town = _town(one)
    return (
        fold(clean_title(one.title)) == fold(clean_title(other.title))
        and company_words(one.company) == company_words(other.company)
        and town is not None
        and town == _town(other)
    )


def _town(job: Job) -> tuple[str, str] | None:
    found = resolve(load_gazetteer(), job.places, job.country)
    return None if found is None or found.city is None else (found.country, found.city)
