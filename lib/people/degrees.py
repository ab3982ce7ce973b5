"""How far somebody learnt, as German and English texts say it."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

DegreeName = Literal["vocational", "advanced vocational", "bachelor", "master", "doctor"]
DEGREES: Final[tuple[DegreeName, ...]] = ("vocational", "advanced vocational", "bachelor", "master", "doctor")
_SIGNS: Final[dict[DegreeName, str]] = {
    "doctor": r"ph\.?\s?d\b|doktor(?!and)\w*|doctor(?:ate|al)?\b|promotion (?:in|an|am|zu[mr]?|über)\b|promoviert\w*|"
    r"dr\.-ing|dr\. (?:rer|med|phil|jur|oec)",
    "master": r"(?<!scrum )master(?!\s?data|plan)(?: of|abschluss|studium|'s)?\b|masterarbeit|m\.?\s?sc\b|m\.?\s?eng\b|"
    r"mba\b|m\.\s?a\.|ll\.?\s?m\b|"
    r"diplom(?!at)\w*|dipl\.|magister|staatsexamen|lizentiat",
    "bachelor": r"bachelor\w*|b\.?\s?sc\b|b\.?\s?eng\b|b\.\s?a\.|undergraduate degree",
    "advanced vocational": r"(?:industrie|handwerks)?meister(?:brief|prüfung|titel|in)?\b|staatlich geprüfte\w*|"
    r"fachwirt\w*|betriebswirt\w*|bachelor professional",
    "vocational": r"(?:berufs)?ausbildung (?:als|zu[mr]?|im|in|mit)\b|"
    r"abgeschlossene\w* (?:\w+ ){0,2}(?:berufs)?ausbildung|"
    r"berufsausbildung|lehre als|gesellenbrief|\w{0,30}gesell(?:e|in)\b|facharbeiter\w*|apprenticeship|"
    r"vocational|examiniert\w*|gelernte\w*",
}  # fmt: skip
_ANY_STUDY = (
    r"(?:hochschul|universitäts|fach)?(?:studium|abschluss an)\b|studienabschluss|hochschulabschluss|"
    r"university degree|degree in|college degree|academic degree|graduate degree"
)
_PATTERN = re.compile(
    "(?i)(?<!\\w)(?:"
    + "|".join(f"(?P<{name.replace(' ', '_')}>{signs})" for name, signs in _SIGNS.items())
    + f"|(?P<study>{_ANY_STUDY}))"
)


class Degree(NamedTuple):
    """One of DEGREES, and where the text names it. A study of which the degree is not said counts as bachelor's."""

    name: DegreeName
    start: int
    end: int


def find_degrees(text: str) -> list[Degree]:
    """The degrees that a text names, in order."""
    return [Degree(_name(found), found.start(), found.end()) for found in _PATTERN.finditer(text)]


def _name(found: re.Match[str]) -> DegreeName:
    kind = (found.lastgroup or "study").replace("_", " ")
    return next((name for name in DEGREES if name == kind), "bachelor")
