"""What a provider is asked for on behalf of a search: an occupation, a few skills, a place. Decisions only.

Facts: HasData's descriptions of its Indeed and Glassdoor tools, read 2026-11. Both want `keyword` and `location`, and
take the country's own site as `domain`. Indeed pages by `start`, a row's number; Glassdoor by `nextPageToken`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import orjson

from lib.match.profile import Wanted
from lib.text.titles import clean_title

Provider = Literal["indeed", "glassdoor"]

PROVIDERS: tuple[Provider, ...] = ("indeed", "glassdoor")  # in the order in which they are asked
DOMAINS: Mapping[Provider, Mapping[str, str]] = {
    "indeed": {"DE": "de.indeed.com", "AT": "at.indeed.com", "CH": "ch.indeed.com"},
    "glassdoor": {"DE": "www.glassdoor.de", "AT": "www.glassdoor.at", "CH": "www.glassdoor.ch"},
}
_COUNTRIES = {"DE": "Deutschland", "AT": "Österreich", "CH": "Schweiz"}
_CURSORS: Mapping[Provider, str] = {"indeed": "start", "glassdoor": "nextPageToken"}
_PHRASE_CHARS = 80
_SKILLS = 2  # providers look for all words at once: each one more finds less


class Query(msgspec.Struct, frozen=True):
    """What is looked for. `country` is ISO 3166 alpha-2; `place` its name where no town is wished."""

    words: str
    place: str
    country: str


class Ask(msgspec.Struct, frozen=True):
    """One page of one provider's listing; the first page is 1."""

    provider: Provider
    query: Query
    page: int = 1

    @property
    def domain(self) -> str:
        """The provider's site of the country."""
        return DOMAINS[self.provider][self.query.country]

    @property
    def key(self) -> bytes:
        """SHA-256 that equal wishes have in common, however they are spelt."""
        query = self.query
        said = [self.provider, self.page, query.country, _spelling(query.words), _spelling(query.place)]
        return hashlib.sha256(orjson.dumps(said)).digest()

    def parameters(self, cursor: str | None) -> dict[str, str]:
        """What the gateway is to send. `cursor`: what the page before said to ask for."""
        asked = {"keyword": self.query.words, "location": self.query.place, "domain": self.domain}
        return asked if cursor is None else asked | {_CURSORS[self.provider]: cursor}


def read_query(wanted: Wanted) -> Query | None:
    """The query of a profile; None where no provider covers what it accepts."""
    country = _country(wanted)
    if country is None:
        return None
    words = " ".join((_phrase(wanted), *sorted(_top_skills(wanted))))
    place = wanted.place if wanted.place and wanted.country == country else _COUNTRIES[country]
    return Query(words, place, country)


def plan(query: Query, most: int) -> list[Ask]:
    """The pages that may be bought, in this order: the first of every provider, then the second ones, `most` in all."""
    return [Ask(PROVIDERS[turn % len(PROVIDERS)], query, 1 + turn // len(PROVIDERS)) for turn in range(most)]


def _country(wanted: Wanted) -> str | None:
    if wanted.country is not None and wanted.country not in _COUNTRIES:
        return None
    accepted = [one for one in _COUNTRIES if wanted.limits.countries is None or one in wanted.limits.countries]
    return wanted.country if wanted.country in accepted else next(iter(accepted), None)


def _phrase(wanted: Wanted) -> str:
    """The occupation without what only adverts say, cut between words."""
    phrase = " ".join((clean_title(wanted.phrases[0]) or wanted.phrases[0]).split())
    return (
        phrase if len(phrase) <= _PHRASE_CHARS else phrase[:_PHRASE_CHARS].rpartition(" ")[0] or phrase[:_PHRASE_CHARS]
    )


def _top_skills(wanted: Wanted) -> Sequence[str]:
    """The skills that the profile names first and the occupation does not."""
    text, phrase = wanted.text.casefold(), wanted.phrases[0].casefold()
    others = [skill for skill in wanted.skills if skill.casefold() not in phrase]
    mentioned = {skill: text.find(skill.casefold()) for skill in others}
    return sorted(others, key=lambda skill: (mentioned[skill] < 0, mentioned[skill], skill))[:_SKILLS]


def _spelling(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
