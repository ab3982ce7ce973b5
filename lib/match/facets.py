"""What is read out of a posting once, when its vector is written, so that a match need not read texts."""

from __future__ import annotations

import msgspec

from lib.text.skills import find_skills
from lib.text.titles import seniority

MAX_SKILLS = 60


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """`seniority`: see lib.text.titles; `skills`: canonical names, sorted, None where there is no text to name any."""

    seniority: str | None
    skills: tuple[str, ...] | None


def read_facets(title: str, text: str | None) -> Facets:
    """The facets of a posting from its title and its plain text. Total: any strings are accepted."""
    skills = tuple(sorted(find_skills(f"{title}\n{text}")))[:MAX_SKILLS] if text else None
    return Facets(seniority=seniority(title), skills=skills)
