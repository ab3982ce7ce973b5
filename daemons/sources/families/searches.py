"""Boards of aggregators are searches: a country, words and a place, written as "de:pflege:Berlin".

Words or place may be empty, not both: nobody means all jobs of a country.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlencode

from lib.errors import Refused

_WORDS = re.compile(r"(?:[^\W_](?:[\w .,&+/()#'-]{0,98}[\w.+#)])?)?")


def query_of(**words: str) -> str:
    """Those of the words that say something, as the query of an address."""
    return urlencode({name: value for name, value in words.items() if value}, quote_via=quote)


class Search(NamedTuple):
    """What is searched for: ISO 3166 alpha-2 in small letters, words and place, each "" for any."""

    country: str
    what: str
    where: str


@dataclass(frozen=True)
class Searches:
    """The searches that one aggregator can make."""

    system: str
    countries: frozenset[str]

    def find(self, country: str, what: str | None, where: str | None) -> str | None:
        """The tenant that stands for a search, None for what is none."""
        tenant = f"{country}:{(what or '').strip()}:{(where or '').strip()}"
        return tenant if self._read(tenant) else None

    def check(self, tenant: str) -> Search:
        """The search behind a tenant. Raises Refused when it is none."""
        search = self._read(tenant)
        if search is None:
            known = "|".join(sorted(self.countries))
            raise Refused(f"{tenant[:80]!r} is no search of {self.system}: {known}:words:place expected")
        return search

    def _read(self, tenant: str) -> Search | None:
        parts = tenant.split(":")
        if len(parts) != 3 or parts[0] not in self.countries or not (parts[1] or parts[2]):
            return None
        if not (_WORDS.fullmatch(parts[1]) and _WORDS.fullmatch(parts[2])):
            return None
        return Search(*parts)
