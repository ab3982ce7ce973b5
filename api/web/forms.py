"""What a person enters: fields of the search form in, a profile out. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec
from multidict import MultiMapping

from lib.match.profile import MAX_TEXT_CHARS, Employment, Profile, Salary
from lib.posting.contract import Remote, clean_text

COUNTRIES = ("DE", "AT", "CH")
LANGUAGES = ("de", "en")
REMOTES: tuple[str, ...] = get_args(Remote)
EMPLOYMENTS: tuple[str, ...] = get_args(Employment)
_MOST_SKILLS = 50
_CHOICES = {"countries": COUNTRIES, "languages": LANGUAGES, "remote": REMOTES, "employment": EMPLOYMENTS}
_AMOUNT = re.compile(r"\d{1,3}(?:[.,' \u202f]?\d{3}){0,3}(?:[.,]\d{1,2})?", re.ASCII)


class NoAmount(msgspec.ValidationError):
    """What should be an amount of money is none that anybody earns."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The search form as it was filled in. `read`: whether its title and skills are a person's own choice
    out of what was read in this very text."""

    text: str = ""
    title: str = ""
    skills: tuple[str, ...] = ()
    location: str = ""
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    employment: tuple[str, ...] = ()
    salary: str = ""
    read: bool = False

    @property
    def limited(self) -> bool:
        """Whether any hard limit is set."""
        return bool(self.languages or self.remote or self.employment or self.salary)

    def profile(self) -> Profile:
        """The profile to match. Raises NoAmount, and msgspec.ValidationError that names the field."""
        limits: dict[str, Any] = {name: getattr(self, name) for name in _CHOICES if getattr(self, name)}
        if self.salary:
            limits["min_salary_eur"] = _amount(self.salary)
        given = {"text": self.text, "title": self.title, "skills": self.skills, "location": self.location}
        wishes = {name: value for name, value in given.items() if value}
        return msgspec.convert(wishes | {"limits": limits}, Profile)


def read_entry(form: MultiMapping[Any]) -> Entry:
    """The form's fields. What is no text, or none of a field's choices, counts as not given."""
    choices = {name: _chosen(_texts(form, name), known) for name, known in _CHOICES.items()}
    more = [part.strip() for text in _texts(form, "more_skills") for part in re.split(r"[,;\n]", text)]
    text = text_of(form, "text").replace("\r\n", "\n")[:MAX_TEXT_CHARS]
    skills = dict.fromkeys(skill for skill in (*_texts(form, "skills"), *more) if skill)
    return Entry(
        text=text,
        title=text_of(form, "title"),
        skills=tuple(skills)[:_MOST_SKILLS],
        location=text_of(form, "location"),
        salary=text_of(form, "salary"),
        read=text_of(form, "mark") == mark_of(text),
        **choices,
    )


def _texts(form: MultiMapping[Any], name: str) -> list[str]:
    return [clean_text(value, MAX_TEXT_CHARS).strip() for value in form.getall(name, []) if isinstance(value, str)]


def mark_of(text: str) -> str:
    """Tells whether chips were read from this text or from another one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def text_of(form: MultiMapping[Any], name: str) -> str:
    """A field's first text; empty without any."""
    return next(iter(_texts(form, name)), "")


def _chosen(given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in known if value in given)


def _amount(text: str) -> float:
    """Money as it is written here or there. Raises NoAmount."""
    if not _AMOUNT.fullmatch(text):
        raise NoAmount(text)
    whole = re.sub(r"[.,]\d{1,2}$", "", text)
    try:
        return msgspec.convert(float(re.sub(r"\D", "", whole)), Salary)
    except msgspec.ValidationError as error:
        raise NoAmount(text) from error


def limits_of(entry: Entry) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each limit with choices: all of them, and those that were chosen."""
    return {name: (known, getattr(entry, name)) for name, known in _CHOICES.items()}
