"""The frame of a cover letter, which is ours: it greets, names the job, and closes, and claims nothing of anybody."""

from __future__ import annotations

from collections.abc import Sequence

from lib.people.tailoring.demands import Posting
from lib.people.tailoring.suggestions import Claim, Letter, Tongue
from lib.text.titles import clean_title

_MOST_CHARS = 150
_FRAMES: dict[Tongue, tuple[str, str, str, str]] = {
    "de": (
        "Sehr geehrte Damen und Herren,",
        "hiermit bewerbe ich mich auf Ihre Stelle „{title}“{at}.",
        " bei {company}",
        "Über die Einladung zu einem Gespräch freue ich mich.\n\nMit freundlichen Grüßen",
    ),
    "en": (
        "Dear Sir or Madam,",
        "I am applying for your position “{title}”{at}.",
        " at {company}",
        "I would be glad to be invited to an interview.\n\nYours faithfully",
    ),
}


def letter(posting: Posting, body: Sequence[Claim], language: Tongue) -> Letter | None:
    """The letter, None when nothing is left to say in it."""
    if not body:
        return None
    salutation, opening, at, closing = _FRAMES[language]
    company = at.format(company=_line(posting.company)) if posting.company else ""
    opened = opening.format(title=_line(clean_title(posting.title) or posting.title), at=company)
    text = "\n\n".join((salutation, opened, " ".join(claim.text for claim in body), closing))
    return Letter(salutation, opened, tuple(body), closing, text)


def _line(text: str) -> str:
    """On one line, and not longer than names are."""
    return " ".join(text.split())[:_MOST_CHARS]
